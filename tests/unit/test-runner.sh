#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/run.sh: programs run once, several at once, and no failure is lost. It runs a tree of its own.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/unit/lib.sh
. tests/unit/lib.sh

T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
install -D -t "$T/tests" tests/run.sh
mkdir -p "$T/tests/net" "$T/bin"

# says PROGRAM WORD: makes it print that word alone.
says() {
	printf '%s\n' '#!/bin/sh' "echo $2" >"$T/bin/$1"
	chmod +x "$T/bin/$1"
}

PATH=$T/bin:$PATH

# Machines differ: this one has two CPUs and enough memory.
before() {
	rm -f "$T"/tests/net/* "$T/ran"
	says nproc 2
	says awk 8000000
}

script() { # name command...
	local name=$1
	shift
	printf '%s\n' '#!/bin/bash' "echo $name >>$T/ran" "$@" >"$T/tests/net/test-$name.sh"
	chmod +x "$T/tests/net/test-$name.sh"
}

runs() { # status last-line tiers
	local said status=0
	said=$("$T/tests/run.sh" "$3" 2>&1) || status=$?
	[ "$status ${said##*$'\n'}" = "$1 $2" ] || { echo "$status $said"; return 1; }
}

test_each_runs_once() {
	local name
	for name in a b c d e; do script "$name" "sleep .1; echo 'PASS $name'"; done
	runs 0 "5 passed, 0 failed, 0 skipped" net:3 && [ "$(sort "$T/ran" | xargs)" = "a b c d e" ]
}

# Each waits for the other one.
test_two_at_once() {
	script a "touch $T/a; until [ -e $T/b ]; do sleep .1; done; echo PASS both"
	script b "touch $T/b; until [ -e $T/a ]; do sleep .1; done; echo PASS both"
	LIMIT=60 runs 0 "2 passed, 0 failed, 0 skipped" net:2
}

test_failures_of_all_lanes() {
	script a "sleep .5; echo 'FAIL a'; exit 1"
	script b "echo 'FAIL b'; exit 1"
	script c "exit 3"
	script d ":"
	script e "echo '# 3 passed, 0 failed, 1 skipped'"
	runs 1 "3 passed, 4 failed, 1 skipped" net:2
}

# One after the other: the second one fails if the first one still runs.
test_one_cpu() {
	says nproc 1
	script a "touch $T/busy; sleep .3; rm $T/busy; echo PASS a"
	script b "[ ! -e $T/busy ] && echo PASS b"
	runs 0 "2 passed, 0 failed, 0 skipped" net:2
}

# Nothing that it could have counted is left.
test_lane_that_dies() {
	script a "kill -KILL \$(ps -o ppid= \$PPID); sleep 1"
	runs 1 "0 passed, 1 failed, 0 skipped" net
}

run_tests
