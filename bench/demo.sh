#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Throughput of the set-up of `make demo`: iperf3 through software modem, qmapd and one of four PDNs.
#
#   ROUNDS=3 bench/demo.sh     prints results for `qmap-bench add`; `qmap-bench run demo` runs it
#
# Modem, network side, data path and both ends of iperf3 share the machine's CPUs: the figures compare
# versions of qmap with each other, not qmap with a modem.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../tests/net/lib.sh"

# A sample takes seconds here: use a fifth of the usual rounds.
rounds=$(((${ROUNDS:-15} + 4) / 5))
SECONDS_EACH=${SECONDS_EACH:-3}
[ "${SCALE:-1}" = 1 ] || SECONDS_EACH=1

# NAME: arguments of iperf3. UDP at full speed would only measure its drops.
cases=(
	"demo.tcp.down:-R"
	"demo.tcp.up:"
	"demo.udp.down:-u -b 300M -l 1372 -R"
	"demo.udp.up:-u -b 300M -l 1372"
)

port_open() {
	[ -n "$(ip netns exec net ss -Hltn 'sport = :5201')" ]
}

# Appends one sample, {"mbit": ..., "lost": ..., "sent": ...}, to file $1. Fails while the server is
# still busy with the previous client.
sample() { # file iperf3 words
	local file=$1
	shift
	iperf3 -c 10.64.1.1 -B 10.64.1.2 -t "$SECONDS_EACH" -J "$@" >"$T/iperf.json" &&
		jq -ce '{mbit: ((.end.sum_received // .end.sum).bits_per_second / 1e6),
			lost: (.end.sum.lost_packets // 0), sent: (.end.sum.packets // 0)}' \
			"$T/iperf.json" >>"$file"
}

# Prints the samples of one case as a result. Loss of UDP at a fixed rate is no accident.
result() { # name samples
	jq -sc --arg name "$1" '{name: $name, unit: "Mbit/s", method: "wall", better: "higher",
		how: "iperf3 through software modem and qmapd", samples: map(.mbit),
		udp_lost: (map(.lost) | add), udp_sent: (map(.sent) | add)}' "$2"
}

measure() {
	local c round i
	modem_start --model RG500Q
	qmapd_start
	attach --pdn 1,apn=internet --pdn 2,apn=ims --pdn 3,ip=v4 --pdn 4,ip=v4 >/dev/null
	ip netns exec net iperf3 -s >/dev/null &
	wait_for 5 port_open
	for ((round = 0; round < rounds; round++)); do
		for i in "${!cases[@]}"; do
			c=${cases[i]}
			read -ra words <<<"${c#*:}"
			echo "round $((round + 1)) of $rounds: ${c%%:*}" >&2
			wait_for 20 sample "$T/samples.$i" "${words[@]}"
		done
	done
	for i in "${!cases[@]}"; do
		result "${cases[i]%%:*}" "$T/samples.$i"
	done
	qmapctl detach wwan0 >&2
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
	inside
fi
exec timeout --foreground -k 5 300 unshare --mount --net --pid --fork --kill-child --mount-proc bash "$0" --inside
