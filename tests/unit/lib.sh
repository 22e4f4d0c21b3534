# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by scripts of unit tests.
# shellcheck shell=bash

# Runs each function test_*, after before() if there is one, prints its result, and exits.
run_tests() {
	local t said status=0
	for t in $(declare -F | sed -n 's/^declare -f \(test_\)/\1/p'); do
		! declare -F before >/dev/null || before
		if said=$("$t" 2>&1); then
			echo "PASS $t"
		else
			printf 'FAIL %s\n%s\n' "$t" "$said"
			status=1
		fi
	done
	exit $status
}
