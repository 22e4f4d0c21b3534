#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks that the measurements in guests run and compute correctly: every case on every path, with a few
# packets. Each packet sent has come out or was dropped for a known reason; times do not matter here.
#
#   tests/vm/bench.sh

set -u
cd "$(dirname "$0")/../.." || exit 1
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
failed=0

# check NAME FILTER: no result of $T/results passes the jq filter.
check() {
	local bad
	bad=$(jq -r "select($2) | .name" "$T/results")
	if [ -n "$bad" ]; then
		echo "FAIL bench: $1: ${bad//$'\n'/ }"
		failed=1
	else
		echo "PASS bench: $1"
	fi
}

run() { # SCRIPT ARG...
	OUT=$T/results QUICK=1 ROUNDS=1 "$@" >"$T/table" 2>&1 && ! grep -q '^SKIP bench-vm' "$T/table" &&
		return 0
	grep -E '^(SKIP|FAIL)' "$T/table" || { cat "$T/table"; echo "FAIL bench: $1"; }
	! grep -q '^SKIP bench-vm' "$T/table" && exit 1
	exit 0
}

run bench/vm.sh
run bench/vm-scale.sh 2

missing=$(build/vm_bench -l | grep -vxF "$(jq -r .name "$T/results")")
if [ -n "$missing" ]; then
	echo "FAIL bench: not measured: ${missing//$'\n'/ }"
	failed=1
else
	echo "PASS bench: every case has been measured by every path that has it"
fi
check "packets lost without a reason" '.quantity == "cost" and .lost != ([.drops // {} | .[]] | add // 0)'
check "nothing sent" '.quantity == "cost" and .sent == 0'
check "more than one packet in what cannot hold two" \
	'.quantity == "coalescing" and .path == "xdp" and .direction == "uplink" and .value != 1'
check "nothing coalesced by the shim" \
	'.quantity == "coalescing" and .path == "shim" and .value != 21 and
		(.case == ("tcp-drop-v5", "tcp-forward-v5", "tcp6-socket-v5", "tcp6-forward-v5", "tcp-nat-v5",
			"tcp-nat-flowtable-v5", "download-full-v4", "download-full-v6"))'
check "packets coalesced that have nothing in common" \
	'.quantity == "coalescing" and .value != 1 and (.case == ("tcp-forward-1000", "ack-downlink", "ack-drop"))'
check "percentiles that do not ascend" \
	'.quantity == "latency" and (.p50 > .p90 or .p90 > .p99 or .p99 > .p100 or .p50 <= 0)'
check "packets that no CPU has seen" \
	'.packets_by_cpu and (.sent == 0 or .sent != (.packets_by_cpu | add) or any(.packets_by_cpu[]; . == 0))'
exit $failed
