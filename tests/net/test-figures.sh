#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Duration of an attach, memory of qmapd and that it does not grow, system calls of a poll. Only `make
# bench` checks times.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

attach_ms=100 # of four dual-stack PDNs, above the modem's own answer times
rss_limit=8192 # kB
anon_limit=2500 # kB of memory that is no file's, with up to 64 PDNs

attach_four() {
	attach --pdn 1,apn=internet --pdn 2,apn=ims --pdn 3,apn=iot --pdn 4,apn=corp >/dev/null
}

status_kb() { # VmRSS, VmHWM, ...
	awk -v key="$1:" '$1 == key { print $2 }' "/proc/$qmapd_pid/status"
}

netdevs() {
	ip -o link | wc -l
}

at_most() { # name limit actual
	[ "$3" -le "$2" ] || fail "$1: at most $2 expected, got $3"
}

# --- time ---

# The time of one attach beyond the modem's own, in microseconds; all eight calls are up.
host_time() {
	local since busy
	modem reset >/dev/null
	since=${EPOCHREALTIME/./}
	attach_four
	since=$((${EPOCHREALTIME/./} - since))
	busy=$(modem_stat .answers.busy_us)
	equal "calls" 8 "$(modem_stat .calls)"
	detach # before the echo: its reader continues at once
	echo "$((since - busy)) $since $busy"
}

attach_time() { # modem option...
	local n own all busy best=''
	start "$@"
	for n in 1 2 3 4 5; do
		read -r own all busy < <(host_time)
		figure "attach of four dual-stack PDNs, $*: $((all / 1000)) ms, the modem's answers $((busy / 1000)) ms, own $((own / 1000)) ms"
		[ -n "$best" ] && [ "$best" -le "$own" ] || best=$own
	done
	takes $((best / 1000)) "best own time of an attach" $attach_ms
	nothing_left
}

test_attach_time() {
	attach_time --latency 0
}

test_attach_time_with_a_slow_modem() {
	attach_time --latency 20
}

# --- system calls ---

# poll_costs PDNS LIMIT: system calls of one poll of that many dual-stack PDNs on `xdp`. In a poll the
# modem gets one request for its signal, and for each call one for its status and one for its settings.
poll_costs() {
	local pdns=() i before sent calls each=$((1 + 4 * $1))
	for ((i = 1; i <= $1; i++)); do
		pdns+=(--pdn "$i,ip=v4v6")
	done
	start --clients 254 --pdns 64
	attach --datapath xdp --poll 2 --watchdog 0 "${pdns[@]}" >/dev/null
	before=$(modem_stat .qmi.requests)
	modem wait qmi.requests '>=' $((before + each)) timeout=20000 >/dev/null # the first poll is over
	before=$(modem_stat .qmi.requests)
	strace -qq -o "$T/calls" -p "$qmapd_pid" 2>"$T/strace" &
	i=$!
	modem wait qmi.requests '>=' $((before + 4 * each)) timeout=30000 >/dev/null
	kill $i
	wait $i || :
	sent=$(($(modem_stat .qmi.requests) - before))
	calls=$(($(wc -l <"$T/calls") * each / sent))
	figure "system calls of a poll, $1 dual-stack PDNs: $calls; RSS $(status_kb VmRSS) kB, $(status_kb RssAnon) kB anonymous"
	at_least "system calls of a poll" "$each" "$calls" # at least one each: the trace is complete
	at_most "system calls of a poll" "$2" "$calls"
	at_most "anonymous memory in kB" $anon_limit "$(status_kb RssAnon)"
	detach
	modem_stop
	qmapd_kill
}

test_system_calls_of_a_poll() {
	command -v strace >/dev/null || skip "no strace"
	poll_costs 1 100
	poll_costs 16 250
	poll_costs 64 800
}

# --- memory ---

test_memory() {
	start
	attach_four
	figure "qmapd with four dual-stack PDNs: RSS $(status_kb VmRSS) kB, at most $(status_kb VmHWM) kB"
	at_most "RSS in kB" $rss_limit "$(status_kb VmRSS)"
	at_most "peak of RSS in kB" $rss_limit "$(status_kb VmHWM)"
	detach
	nothing_left
}

# Everything that could grow, except RSS, which the allocator rounds.
inventory() {
	echo "descriptors $(descriptors), netdevs $(netdevs), client ids $(modem_stat '.qmi.clients | add')," \
		"connections $(modem_stat .qmi.connections)," \
		"pins $(find /sys/fs/bpf/qmap 2>/dev/null | wc -l), files $(find /run/qmapd | wc -l)"
}

# The larger of a figure and RSS in kB. The allocator gives back memory at some times and not at others,
# up to 460 kB in 160 cycles that end where they began: the highest of many looks is compared.
highest() { # kB
	local now
	now=$(status_kb VmRSS)
	echo $((now > $1 ? now : $1))
}

flat() { # before rss_before name
	local rss
	rss=$(status_kb VmRSS)
	figure "after $3: RSS $rss kB, at most $2 kB before; $(inventory)"
	equal "inventory after $3" "$1" "$(inventory)"
	# the heap grows in steps, of 288 kB at most in past runs
	at_most "RSS in kB after $3" $(($2 + 384)) "$rss"
}

test_fifty_cycles() {
	local n before rss=0
	start
	for n in {1..50}; do
		if [ "$n" = 21 ]; then # the caches of the allocator and the log of events are full
			before=$(inventory)
		fi
		[ "$n" -gt 21 ] || rss=$(highest "$rss")
		attach_four
		detach
		nothing_left
	done
	flat "$before" "$rss" "50 cycles of attach and detach"
}

test_eighty_refusals() {
	local n before rss
	start
	modem refuse pdn=4 type=6 verbose=27
	for n in {1..80}; do
		if [ "$n" = 51 ]; then # as above; the heap takes its last step between the 30th and the 40th
			before=$(inventory) rss=$(status_kb VmRSS)
		fi
		refused 2 "unknown_apn" attach_four
		nothing_left
	done
	flat "$before" "$rss" "80 refused attaches"
}

test_nine_hundred_questions() {
	local n before rss=0
	start
	attach_four
	for n in {1..300}; do
		if [ "$n" = 20 ]; then
			before=$(inventory)
		fi
		[ "$n" -gt 20 ] || rss=$(highest "$rss")
		qmapctl -j show >/dev/null
		qmapctl -j stats >/dev/null
		qmapctl -j show nosuch0 >/dev/null 2>&1 || :
	done
	flat "$before" "$rss" "900 questions"
	detach
	nothing_left
}

run_tests "$@"
