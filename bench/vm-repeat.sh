#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Repeatability of values in guests: boots BOOTS guests, and prints for each value the spread between
# the boots in percent of their median. Exits with 1 if one is above LIMIT.
#
#   bench/vm-repeat.sh [CASE...]
#   BOOTS=3   LIMIT=1.5   ROUNDS=1   KERNEL=6.1
#   SEED=1    the first boot's; with VARY=1 the others get the next ones, which shows how much a value
#             depends on hash seeds and the layout of memory

set -u
cd "$(dirname "$0")/.." || exit 1
BOOTS=${BOOTS:-3}
LIMIT=${LIMIT:-1.5}
SEED=${SEED:-1}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

for ((boot = 1; boot <= BOOTS; boot++)); do
	echo "boot $boot of $BOOTS, seed $SEED" >&2
	OUT=$T/results SEED=$SEED ROUNDS=${ROUNDS:-1} bench/vm.sh "$@" >"$T/log" ||
		{ cat "$T/log"; exit 1; }
	[ -z "${VARY:-}" ] || SEED=$((SEED + 1))
done
[ -s "$T/results" ] || { cat "$T/log"; exit 0; }
jq -rs --argjson limit "$LIMIT" --argjson boots "$BOOTS" '
	group_by([.name, .unit]) | map(
		(map(.value) | sort) as $v | ($v[length / 2 | floor]) as $m |
		{name: .[0].name, boots: length, values: ($v | map(tostring) | join(" ")),
		 apart: (($v[-1] - $v[0]) / $m * 100)}) |
	(.[] | "\(.apart * 100 | round / 100) %\t\(.name)\t\(.values)"),
	"largest: \(map(.apart) | max * 100 | round / 100) %, limit \($limit) %",
	(if any(.apart > $limit or .boots != $boots) then "NOT REPEATABLE" else "repeatable" end)' \
	"$T/results" | tee "$T/table"
tail -n 1 "$T/table" | grep -qx repeatable
