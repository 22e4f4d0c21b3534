#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP's slow start with and without us: a download from a server 20 ms away in either direction, over 200 Mbit/s
# and an emulated modem on USB, to a socket on the port, once for each data path and sender. Coalescing leaves
# the server fewer ACKs, and a sender may count those. Time is the guest's, which QEMU's -icount makes of
# instructions: other work on this machine has no influence.
#
#   bench/vm-slow-start.sh
#   PATHS=shim,rmnet,raw               data paths; raw: QMAP off, a packet in each transfer, nothing coalesced
#   SENDERS="cubic count_acks:bulk"    congestion controls; count_acks: tests/vm/count_acks.bpf.c; with :bulk
#                                      without PSH at the end of small super-packets
#   BYTES=4194304   KERNEL=6.1   SEED=1
#
# Appends JSON objects to build/bench/vm.jsonl, five for each data path and sender, and prints a table.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=bench/vm-lib.sh
. bench/vm-lib.sh

PATHS=${PATHS:-shim,rmnet,raw}
SENDERS=${SENDERS:-cubic reno count_acks cubic:bulk count_acks:bulk}
BYTES=${BYTES:-4194304}

# One guest for each data path; the senders take turns in it.
guests() {
	SLOW_START="$BYTES $SENDERS" KERNELS=$KERNEL DATAPATHS=${PATHS//,/ } ACCEL=tcg CPU=max,-erms,-fsrm \
		CMDLINE=nokaslr DEADLINE=$DEADLINE \
		QEMU_OPTIONS="-smp 1 -icount shift=0,sleep=off -seed $SEED -rtc base=2020-01-01,clock=vm" \
		tests/vm/usb.sh slow_start
}

# Lines of test_slow_start, of all guests.
downloads() {
	local path
	for path in ${PATHS//,/ }; do
		sed -n 's/^DATA slow_start {/{/p' "$VM_BUILD/$KERNEL/usb-$path.log"
	done
}

# Makes results of downloads, with the ratios to the same figure of rmnet and raw.
results() {
	jq -sc --arg kernel "$(kernel_release "$KERNEL")" '. as $all | .[] | . as $d |
		def ratio($to; f): $all | map(select(.path == $to and .sender == $d.sender)) | first |
			if . then {"ratio_to_\($to)": (($d | f) / f * 1000 | round / 1000)} else {} end;
		def result($what; $unit; f): {name: "vm.slow-start.\(.sender).\(.path).\($what)", path, sender,
			quantity: $what, unit: $unit, better: "lower", method: "guest clock", samples: [f], kernel: $kernel} +
			ratio("rmnet"; f) + ratio("raw"; f);
		result("first_192k"; "ms"; .ms["192k"]), result("first_1m"; "ms"; .ms["1m"]),
		result("all"; "ms"; .ms.all) + {acked_by_round_trip, cwnd, ssthresh, retrans, rwnd_limited_ms,
			packets_per_aggregate},
		result("ack_first_192k"; "segments/ACK"; .segments_per_ack.first_192k),
		result("ack_rest"; "segments/ACK"; .segments_per_ack.rest)'
}

# Prints the ratios of the results, a line for each sender and data path.
ratios() {
	jq -sr 'group_by([.sender, .path])[] | .[0] as $r | select($r.path != "raw") |
		([["rmnet", "raw"][] as $to | select($r.path != $to and $r["ratio_to_" + $to]) |
			"to \($to): " + (map("\(.quantity) \(.["ratio_to_" + $to])") | join(", "))] | join("; ")) as $said |
		select($said != "") | "\($r.sender), \($r.path) \($said)"'
}

# KiB acknowledged by the end of each round trip, and the times in ms.
table() {
	jq -sr 'sort_by(.sender) | (["sender", "path", "1", "2", "3", "4", "5", "6", "7", "8", "192k", "1m", "all", "seg/ACK", "later",
			"cwnd", "rwnd"]),
		(.[] | [.sender, .path] + (.acked_by_round_trip | map(. / 1024 | round)) +
			([.ms["192k"], .ms["1m"], .ms.all] | map(round)) +
			[.segments_per_ack.first_192k, .segments_per_ack.rest, .cwnd, .rwnd_limited_ms]) | @tsv' |
		awk -F'\t' '{ printf "%-15s %-6s", $1, $2; for (i = 3; i <= NF; i++) printf " %7s", $i; print "" }'
}

mkdir -p "$(dirname "$OUT")"
make -s build/qmap-bench || exit 1
said=$(guests)
status=$?
grep -v '^DATA ' <<<"$said"
[ $status = 0 ] && ! grep -q '^SKIP vm-usb' <<<"$said" || exit $status
downloads | results | bench_keep 1 || exit 1
downloads | table
downloads | results | ratios
