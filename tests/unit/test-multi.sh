#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One file that is both programs, by its name.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/unit/lib.sh
. tests/unit/lib.sh

T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
ln -s "$PWD/build/multi/qmapd" "$T/qmapctl"

test_as_qmapctl() {
	[ "$("$T/qmapctl" -j version)" = "$(build/qmapctl -j version)" ] &&
		[ "$("$T/qmapctl" help)" = "$(build/qmapctl help)" ] &&
		[ "$("$T/qmapctl" atach 2>&1 || :)" = "$(build/qmapctl atach 2>&1 || :)" ]
}

test_as_qmapd() {
	[ "$(build/multi/qmapd --help)" = "$(build/qmapd --help)" ] &&
		[ "$(build/multi/qmapd --nonsense 2>&1 || :)" = "$(build/qmapd --nonsense 2>&1 || :)" ]
}

test_smaller_than_two() {
	local one two
	one=$(strip -o "$T/one" build/multi/qmapd && stat -c %s "$T/one")
	two=$(for p in qmapd qmapctl; do strip -o "$T/two" "build/$p" && stat -c %s "$T/two"; done | awk "{ n += \$1 } END { print n }")
	[ "$one" -lt $((two * 2 / 3)) ] || { echo "$one bytes, $two in two files"; return 1; }
}

run_tests
