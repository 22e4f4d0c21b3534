#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# qmap as a whole: software modem, qmapd, four PDNs. Throughput by iperf3 over all four at once, CPU per
# Gbit/s, RTT with and without load; duration of attach, reconnect and adoption; qmapd's memory, and how
# often it wakes up when idle.
#
#   ROUNDS=5 bench/system.sh     prints results for `qmap-bench add`; `qmap-bench run system` runs it
#
# Modem, network side, data path and both ends of iperf3 share the machine's CPUs: the figures compare
# versions of qmap with each other, not qmap with a modem.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../tests/net/lib.sh"

# A round takes half a minute: use a fifth of the usual rounds.
rounds=$(((${ROUNDS:-15} + 4) / 5))
SECONDS_EACH=3 IDLE=5
[ "${SCALE:-1}" = 1 ] || SECONDS_EACH=1 IDLE=1

now_us() {
	echo "${EPOCHREALTIME/./}"
}

keep() { # name value
	echo "$2" >>"$T/samples.$1"
}

# result NAME UNIT METHOD HOW [BETTER]: prints the samples that keep() has stored.
result() {
	jq -sc --arg name "system.$1" --arg unit "$2" --arg method "$3" --arg how "$4" \
		--arg better "${5:-lower}" '{name: $name, unit: $unit, method: $method, how: $how,
		better: $better, samples: .}' "$T/samples.$1"
}

# --- set-up ---

attach_four() {
	attach --pdn 1 --pdn 2 --pdn 3 --pdn 4 >/dev/null
}

# Jiffies that the machine's CPUs were busy.
busy_jiffies() {
	awk '$1 == "cpu" { print $2 + $3 + $4 + $7 + $8 }' /proc/stat
}

servers_up() {
	[ "$(ip netns exec net ss -Hltn 'sport >= :5201 and sport <= :5204' | wc -l)" = 4 ]
}

# --- throughput ---

one_client() { # pdn words...
	local pdn=$1
	shift
	timeout 30 iperf3 -c "10.64.$pdn.1" -p "520$pdn" -B "10.64.$pdn.2%wwan0.$pdn" -t "$SECONDS_EACH" -J "$@" \
		>"$T/iperf.$pdn.json"
}

# A server may still be busy with the previous client.
client() {
	wait_for 20 one_client "$@"
}

# throughput down|up WORD...: all four PDNs at once, with pings on the first.
throughput() {
	local name=$1 busy pdn pids=() mbit
	shift
	busy=$(busy_jiffies)
	for pdn in 1 2 3 4; do
		client "$pdn" "$@" &
		pids+=($!)
	done
	ping -I 10.64.1.2 -i 0.05 -w "$SECONDS_EACH" -q 10.64.1.1 >"$T/ping.$name" || :
	wait "${pids[@]}"
	busy=$(($(busy_jiffies) - busy))
	mbit=$(jq -s 'map(.end.sum_received.bits_per_second) | add / 1e6' "$T"/iperf.?.json)
	keep "throughput.$name" "$mbit"
	keep "cpu_per_gbit.$name" "$(jq -n "$busy * 1000 / $(getconf CLK_TCK) / ($mbit / 1000) / $SECONDS_EACH")"
	keep "rtt.$name" "$(sed -nE 's|^rtt .* = [^/]*/([^/]*)/.*|\1|p' "$T/ping.$name")"
}

idle_rtt() {
	ping -I 10.64.1.2 -i 0.02 -c 20 -q 10.64.1.1 >"$T/ping" || :
	keep rtt.idle "$(sed -nE 's|^rtt .* = [^/]*/([^/]*)/.*|\1|p' "$T/ping")"
}

# --- times ---

times_of_attach() {
	local since
	since=$(now_us)
	attach_four
	keep attach_time "$(jq -n "($(now_us) - $since) / 1000")"
}

connected() {
	[ "$(modem_stat .calls)" = "$1" ] && ping -I 10.64.1.2 -c 1 -W 1 -q 10.64.1.1 >/dev/null 2>&1
}

# From the moment the network drops PDN 1's IPv4 call to the first packet that passes again.
reconnect() {
	local since calls
	calls=$(modem_stat .calls)
	since=$(now_us)
	modem disconnect pdn=1 family=4 >/dev/null
	wait_for 30 connected "$calls"
	keep reconnect_time "$(jq -n "($(now_us) - $since) / 1000")"
}

adopted() {
	socket_listens && [ "$(field .state 2>/dev/null)" = "$1" ]
}

# From the start of a killed daemon's successor until it has adopted the trunk.
adopt() {
	local since state
	state=$(field .state)
	qmapd_kill KILL || :
	since=$(now_us)
	"$build/qmapd" -v 2>>"$T/qmapd.log" &
	qmapd_pid=$!
	wait_for 10 adopted "$state"
	keep adopt_time "$(jq -n "($(now_us) - $since) / 1000")"
}

# --- idle ---

switches() { # voluntary: each is one going to sleep
	awk '$1 == "voluntary_ctxt_switches:" { print $2 }' "/proc/$qmapd_pid/status"
}

idle() {
	local before
	before=$(switches)
	sleep "$IDLE" # the passing time is the quantity measured
	keep wakeups_idle "$(jq -n "($(switches) - $before) / $IDLE")"
	keep rss "$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$qmapd_pid/status")"
}

results() {
	local how="iperf3 over four PDNs at once, software modem and qmapd" way
	for way in down up; do
		result throughput.$way Mbit/s wall "$how" higher
		result cpu_per_gbit.$way "ms/s per Gbit/s" "cpu time" "busy time of all CPUs, whatever made them busy"
		result rtt.$way ms wall "ping on PDN 1 meanwhile, average"
	done
	result rtt.idle ms wall "ping, average, nothing else going on"
	result attach_time ms wall "qmapctl attach of four PDNs, the modem answering at once"
	[ ! -e "$T/samples.reconnect_time" ] ||
		result reconnect_time ms wall "call dropped by the network until packets pass again"
	result adopt_time ms wall "qmapd started after a kill until it shows the trunk as before"
	result rss kB "memory" "VmRSS of qmapd with four PDNs"
	result wakeups_idle wakeups/s "cpu time" "voluntary context switches of qmapd, nothing going on"
}

measure() {
	local round pdn
	modem_start --model RG500Q
	qmapd_start
	times_of_attach
	for pdn in 1 2 3 4; do
		ip netns exec net iperf3 -s -p "520$pdn" >/dev/null &
	done
	wait_for 5 servers_up
	for ((round = 1; round <= rounds; round++)); do
		echo "round $round of $rounds" >&2
		if [ "$round" -gt 1 ]; then
			qmapctl detach wwan0 >&2
			times_of_attach
		fi
		idle_rtt
		throughput down -R
		throughput up
		idle
		adopt
		reconnect
	done
	results
	qmapctl detach wwan0 >&2
}

inside() {
	enter_sandbox || exit 1
	trap 'kill $(jobs -p) 2>/dev/null' EXIT
	(
		set -e
		measure
	)
	local status=$?
	[ $status = 0 ] || show_logs >&2
	exit $status
}

if [ "${1:-}" = --inside ]; then
	inside
fi
exec timeout --foreground -k 5 300 unshare --mount --net --pid --fork --kill-child --mount-proc bash "$0" --inside
