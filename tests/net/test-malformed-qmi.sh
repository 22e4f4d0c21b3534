#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 10,000 malformed QMI messages during four calls, with valid framing and without: none does harm, each
# is counted, control and traffic continue.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

count=10000

start() {
	modem_start
	qmapd_start
	attach --pdn 1,apn=internet --pdn 2,apn=ims >/dev/null
}

rss_kb() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$qmapd_pid/status"
}

# Everything that qmapd has discarded, as messages and as bytes outside of any.
malformed() {
	field '.qmi.malformed | add'
}

all_sent() {
	[ "$(modem_stat .noise.messages_left)" = 0 ]
}

# All of it has been read when a later message has been seen.
all_read() {
	[ "$(field .qmi.indications)" -gt "$1" ]
}

# noise FRAMING SEED: sends it and waits until qmapd has read it.
noise() {
	local indications
	modem qmi-malformed count=$count "framing=$1" "seed=$2" >/dev/null
	wait_for 30 all_sent
	indications=$(field .qmi.indications)
	modem reconfigure pdn=2 >/dev/null
	wait_for 10 all_read "$indications"
}

calls_run() {
	equal "state" "attached 4" "$(field '| "\(.state) \([.pdns[].families[] | select(.state == "up")] | length)"')"
	equal "calls" 4 "$(modem_stat .calls)"
	answers 10.64.1.1
	answers 2001:db8:64:2::1
}

# No answer in the noise may have been taken for a real one: control still works.
control_works() {
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	wait_for 5 mtu_is wwan0.1 1400 || fail "new settings do not arrive"
	modem refuse pdn=2 family=4 verbose=26 >/dev/null
	modem disconnect pdn=2 family=4 >/dev/null
	wait_for 5 disconnected || fail "a disconnect does not arrive"
	qmapctl detach wwan0
	nothing_left
	modem clear >/dev/null
	attach --pdn 1,apn=internet >/dev/null
	answers 10.64.1.1
	qmapctl detach wwan0
	nothing_left
}

disconnected() {
	[ "$(field '.pdns[1].families[0].state')" = backing-off ]
}

# A message with valid framing is discarded alone and counted alone.
test_ten_thousand_with_framing() {
	local before after others
	start
	noise keep 1 # the allocator keeps its caches from then on
	before=$(rss_kb)
	noise keep 2
	after=$(rss_kb)
	others=$(field '.qmi | .late + .mismatched + .unknown_client + .unexpected')
	figure "RSS $before kB, $count malformed messages later $after kB; of $((2 * count)) $(malformed) counted as malformed, $others otherwise"
	at_least "counted" $((2 * count)) $(($(malformed) + others))
	[ "$after" -le $((before + 256)) ] || fail "RSS grew from $before kB to $after kB"
	calls_run
	control_works
}

# Lengths and markers are random, too: one message may take its neighbours with it, so bytes count.
test_ten_thousand_without_framing() {
	local before after descriptors
	start
	noise break 3
	before=$(rss_kb) descriptors=$(descriptors)
	noise break 4
	after=$(rss_kb)
	figure "RSS $before kB, $count malformed messages later $after kB; $(malformed) counted, $(field .qmi.skipped_bytes) bytes skipped"
	at_least "malformed" 100 "$(malformed)"
	at_least "bytes skipped" $((2 * count * 60)) "$(field .qmi.skipped_bytes)"
	[ "$after" -le $((before + 256)) ] || fail "RSS grew from $before kB to $after kB"
	equal "open files" "$descriptors" "$(descriptors)"
	calls_run
	control_works
}

# During a dial-up, too: the expected answers come between the noise.
test_attach_amid_noise() {
	local seed
	modem_start
	qmapd_start
	for seed in 11 12 13 14; do
		modem latency ms=5 >/dev/null
		attach --pdn 1,apn=internet --pdn 2,apn=ims >"$T/said" 2>&1 &
		modem qmi-malformed count=2000 framing=keep seed=$seed >/dev/null
		wait $! || fail "$(cat "$T/said")"
		wait_for 10 all_sent
		calls_run
		qmapctl detach wwan0
		nothing_left
	done
}

run_tests "$@"
