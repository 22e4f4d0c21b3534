#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Replays the inputs that fuzzers have found, and those that reach most of the code, under ASan and
# UBSan.
set -u
cd "$(dirname "$0")/../.." || exit 1
status=0

for target in tests/fuzz/fuzz_*.c; do
	name=${target##*/fuzz_} name=${name%.c}
	inputs=(tests/fuzz/corpus/"$name"/*)
	if [ ! -e "${inputs[0]}" ]; then
		echo "FAIL fuzz $name: no corpus"
		status=1
	elif why=$("build/replay/$name" "${inputs[@]}" 2>&1); then
		echo "PASS fuzz $name: ${#inputs[@]} inputs"
	else
		printf 'FAIL fuzz %s:\n%s\n' "$name" "$(tail -n 40 <<<"$why")"
		status=1
	fi
done
exit $status
