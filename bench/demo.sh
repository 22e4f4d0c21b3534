#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Throughput of the set-up of `make demo`: iperf3 through software modem, qmapd and one of four PDNs.
#
#   bench/demo.sh FILE     appends JSON lines to FILE (fields: README.md), prints a table
#
# Modem, network side, data path and both ends of iperf3 share the machine's CPUs: the figures
# compare versions of qmap with each other, not qmap with a modem.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../tests/net/lib.sh"

ROUNDS=${ROUNDS:-3}
SECONDS_EACH=${SECONDS_EACH:-3}

# NAME: iperf3's words. UDP at full speed would only measure its drops.
cases=(
	"demo.tcp.down:-R"
	"demo.tcp.up:"
	"demo.udp.down:-u -b 300M -l 1372 -R"
	"demo.udp.up:-u -b 300M -l 1372"
)

port_open() {
	[ -n "$(ip netns exec net ss -Hltn 'sport = :5201')" ]
}

# One sample, {"mbit": ..., "lost": ..., "sent": ...}, at the end of file $1. Fails while the server
# still has the client before on its hands.
sample() { # file iperf3 words
	local file=$1
	shift
	iperf3 -c 10.64.1.1 -B 10.64.1.2 -t "$SECONDS_EACH" -J "$@" >"$T/iperf.json" &&
		jq -ce '{mbit: ((.end.sum_received // .end.sum).bits_per_second / 1e6),
			lost: (.end.sum.lost_packets // 0), sent: (.end.sum.packets // 0)}' \
			"$T/iperf.json" >>"$file"
}

# Median, smallest, median absolute deviation of the samples of one case, as a result line.
summarize() { # name samples
	jq -sc --arg name "$1" --arg commit "$commit" --arg kernel "$(uname -r)" \
		--argjson cpus "$(nproc)" --argjson time "$(date +%s)" '
		def median: sort | if length % 2 == 1 then .[length / 2 | floor]
			else (.[length / 2 - 1] + .[length / 2]) / 2 end;
		(map(.mbit) | median) as $m |
		{name: $name, value: ($m * 10 | round / 10), unit: "Mbit/s", rounds: length,
		 min: (map(.mbit) | min * 10 | round / 10),
		 spread: (map(.mbit - $m | fabs) | median * 10 | round / 10),
		 lost: (map(.lost) | add), sent: (map(.sent) | add),
		 method: "iperf3 through software modem and qmapd, wall clock",
		 commit: $commit, time: $time, kernel: $kernel, cpus: $cpus}' "$2"
}

measure() {
	local c round i
	modem_start --model RG500Q
	qmapd_start
	attach --pdn 1,apn=internet --pdn 2,apn=ims --pdn 3,ip=v4 --pdn 4,ip=v4 >/dev/null
	ip netns exec net iperf3 -s >/dev/null &
	wait_for 5 port_open
	for ((round = 0; round < ROUNDS; round++)); do
		for i in "${!cases[@]}"; do
			c=${cases[i]}
			read -ra words <<<"${c#*:}"
			echo "round $((round + 1)) of $ROUNDS: ${c%%:*}" >&2
			wait_for 20 sample "$T/samples.$i" "${words[@]}"
		done
	done
	for i in "${!cases[@]}"; do
		summarize "${cases[i]%%:*}" "$T/samples.$i" >>"$T/results"
	done
	cat "$T/results" >>"$out"
	jq -r '[.name, .value, .unit, .min, .spread, .lost, .sent] | @tsv' "$T/results" |
		column -t -N NAME,VALUE,UNIT,MIN,SPREAD,LOST,SENT
	qmapctl detach wwan0
}

inside() {
	enter_sandbox || exit 1
	trap 'kill $(jobs -p) 2>/dev/null' EXIT
	(
		set -e
		measure
	)
	exit
}

if [ "${1:-}" = --inside ]; then
	out=$2 commit=$3
	inside
fi
out=$(realpath "${1:?bench/demo.sh FILE}")
commit=$(git -C "$top" describe --always --dirty 2>/dev/null || echo unknown)
exec timeout -k 5 300 unshare --mount --net --pid --fork --kill-child --mount-proc \
	bash "$0" --inside "$out" "$commit"
