#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A dead link is repaired by measures that grow stronger. The rungs' times and budgets are in
# tests/unit/test_ladder.c.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

# start OPTION of attach...: with a hook that writes down its reasons, and traffic on PDN 1.
start() {
	cat >"$T/hook" <<-EOC
		#!/bin/sh
		[ "\$QMAP_EVENT" = recover ] && echo "\$QMAP_DEV: \$QMAP_REASON" >>$T/hook.log
		exit 0
	EOC
	chmod +x "$T/hook"
	modem_start
	qmapd_start
	attach --watchdog 1 --backoff-min 100 --poll 1 --hook "$T/hook" --pdn 1,ip=v4 "$@" >/dev/null
	answers 10.64.1.1
	ping -i 0.2 10.64.1.1 >/dev/null 2>&1 &
}

downlink() { # off|on
	if [ "$1" = off ]; then
		ip netns exec net ip link set pdn1 down
	else
		ip netns exec net ip link set pdn1 up
	fi
}

has_called() {
	[ "$(calls)" -ge "$1" ]
}

becomes() { # measure
	wait_for 15 measured "$1" || fail "$1 is not among: $(measures)"
}

test_silent_downlink() {
	start --recover redial,radio
	downlink off
	becomes "silent radio"
	downlink on
	becomes "silent repaired"
	equal "measures" "silent radio, silent repaired" "$(measures)"
	equal "redialled" 1 "$(taken redial)"
	equal "radio" 1 "$(taken radio)"
	at_least "operating modes that were set" 2 "$(modem_stat .qmi.modes)"
	equal "mode" online "$(field .operating_mode)"
	answers 10.64.1.1
}

# The modem loses everything with the second message, as it does when it obeys.
test_modem_is_restarted() {
	start --recover redial,reset
	modem strike DMS SET_OPERATING_MODE what=reboot skip=1 ms=500 >/dev/null
	downlink off
	becomes "silent reset"
	downlink on
	becomes "silent repaired"
	wait_for 10 call_was 1 4 up || fail "$(qmapctl show)"
	answers 10.64.1.1
}

# One that cannot be restarted by QMI keeps its radio.
test_modem_refuses_to_restart() {
	start --recover redial,reset
	downlink off
	becomes "silent reset"
	downlink on
	becomes "silent repaired"
	wait_for 10 is_online || fail "$(field .operating_mode)"
	answers 10.64.1.1
}

is_online() {
	[ "$(field .operating_mode)" = online ]
}

# With radio=keep, too, a radio that a measure has switched off is switched on again.
test_radio_is_not_left_off() {
	start --radio keep --recover radio
	modem error dms set_operating_mode code=3 skip=1 count=1
	downlink off
	becomes "silent radio"
	downlink on
	wait_for 10 is_online || fail "after a refusal: $(qmapctl show)"
	answers 10.64.1.1
	becomes "silent repaired"
	modem radio low_power
	wait_for 10 is_off || fail "another program's switch is not respected"
}

test_radio_is_not_left_off_by_a_crash() {
	start --radio keep --recover radio
	modem strike dms set_operating_mode what=host
	downlink off
	wait_for 15 has_ended "$qmapd_pid"
	downlink on
	qmapd_pid=''
	qmapd_start
	wait_for 10 is_online || fail "$(qmapctl show)"
	answers 10.64.1.1
}

# The modem has not answered yet to being switched off.
test_radio_is_not_left_off_by_a_detach() {
	start --recover radio
	modem delay dms set_operating_mode ms=1000
	downlink off
	becomes "silent radio"
	qmapctl detach wwan0
	modem clear
	downlink on
	attach --radio keep --pdn 1,ip=v4 >/dev/null
	answers 10.64.1.1
}

is_off() {
	[[ $(qmapctl show) == *"the radio is off (low_power), and radio=keep leaves it so"* ]]
}

has_ended() { # pid
	! kill -0 "$1" 2>/dev/null
}

test_hook() {
	start --recover hook
	downlink off
	becomes "silent hook"
	wait_for 5 test -s "$T/hook.log"
	equal "reason" "wwan0: wwan0.1 sends, and nothing was received for 1 s" "$(head -n 1 "$T/hook.log")"
	equal "redialled" 0 "$(taken redial)"
	equal "operating modes that were set" 0 "$(modem_stat .qmi.modes)"
}

test_off() {
	start --recover off
	downlink off
	wait_for 10 sent_enough
	equal "measures" "" "$(measures)"
	equal "calls" 1 "$(calls)"
}

sent_enough() {
	[ "$(stat_of '.ports[0].tx_packets')" -ge 25 ]
}

# Nothing is sent: the call is made again, and nothing else is done.
test_idle_link() {
	modem_start
	qmapd_start
	attach --watchdog 1 --backoff-min 100 --pdn 1,ip=v4 >/dev/null
	wait_for 15 has_called 4
	equal "measures" "" "$(measures)"
	equal "operating modes that were set" 0 "$(modem_stat .qmi.modes)"
}

# Another PDN receives: the modem works.
test_one_of_two() {
	start --recover redial,radio --pdn 2,ip=v4
	answers 10.64.2.1 -I wwan0.2
	ping -I wwan0.2 -i 0.2 10.64.2.1 >/dev/null 2>&1 &
	downlink off
	wait_for 15 has_called 5
	equal "measures" "" "$(measures)"
}

test_counters_outlive_the_daemon() {
	start --recover redial,radio
	downlink off
	becomes "silent radio"
	qmapd_kill KILL || :
	qmapd_start
	equal "radio" 1 "$(taken radio)"
	equal "rung" radio "$(field .recover.rung)"
	downlink on
	becomes "silent repaired"
}

# The modem takes no packet, and still sends some. Its answers to redials and polls come, too.
test_stalled_uplink() {
	start --recover redial,radio
	modem generate pdn=1 count=100000 size=100 rate=20 >/dev/null
	modem uplink off >/dev/null
	becomes "stalled radio"
	modem uplink on >/dev/null
	becomes "stalled repaired"
	equal "measures" "stalled radio, stalled repaired" "$(measures)"
	equal "redialled" 0 "$(taken redial)"
	answers 10.64.1.1
}

# Between two calls, there is no route.
sends_a_packet() {
	ping -c 1 -W 1 10.64.1.1 >/dev/null
	[ $? = 1 ]
}

# Some packets wait, and none follows. The last is sent after qmapd has counted those taken before: it does
# so when it dials again.
test_stalled_and_silent() {
	modem_start
	qmapd_start
	attach --watchdog 1 --backoff-min 100 --recover redial,radio --pdn 1,ip=v4 >/dev/null
	answers 10.64.1.1
	modem uplink off >/dev/null
	ping -c 5 -i 0.3 -W 1 10.64.1.1 >/dev/null || :
	wait_for 15 has_called 2 || fail "no call is made again: $(qmapctl show)"
	wait_for 15 sends_a_packet || fail "$(ip route)"
	becomes "silent radio"
	modem uplink on >/dev/null
	becomes "silent repaired"
}

# Nothing waits: the modem has nothing to take.
test_downlink_alone() {
	modem_start
	qmapd_start
	attach --watchdog 1 --backoff-min 100 --pdn 1,ip=v4 >/dev/null
	answers 10.64.1.1
	modem uplink off >/dev/null
	# without a receiver, the kernel would answer with errors of ICMP
	"$build/pattern-tool" receive -c 100000 wwan0.1=1 >/dev/null &
	wait_for 5 listens
	modem generate pdn=1 count=100000 size=100 rate=20 >/dev/null
	wait_for 15 has_received 60
	equal "measures" "" "$(measures)"
	equal "calls" 1 "$(calls)"
}

# The trunk's netdev has another name, and an idle one has its own: two modems that are plugged in again
# may exchange theirs.
test_another_netdev_has_the_name() {
	start --recover radio
	ip link set wwan0 down
	ip link set wwan0 name wwan9
	ip link set wwan9 up
	ip tuntap add wwan0 mode tun
	ip link set wwan0 up
	answers 10.64.1.1
	received_more 25 || fail "no traffic"
	equal "measures" "" "$(measures)"
	modem uplink off >/dev/null
	modem generate pdn=1 count=100000 size=100 rate=20 >/dev/null
	becomes "stalled radio"
	modem uplink on >/dev/null
}

received_more() { # packets
	wait_for 15 has_received $(($(stat_of '.ports[0].rx_packets') + $1))
}

listens() {
	[ -n "$(ss -Hnul 'sport = 7001')" ]
}

has_received() {
	[ "$(stat_of '.ports[0].rx_packets')" -ge "$1" ]
}

# A modem that answers nothing for 40 s cannot be asked for anything.
test_control_channel_is_dead() {
	start --watchdog 0 --timeout 1
	kill -STOP "$modem_pid"
	wait_for 90 measured "dead hook" || fail "$(measures); $(qmapctl show)"
	wait_for 5 test -s "$T/hook.log"
	equal "reason" "wwan0: the modem does not answer" "$(tail -n 1 "$T/hook.log")"
	kill -CONT "$modem_pid"
	wait_for 30 measured "dead repaired" || fail "$(measures)"
	wait_for 20 answers 10.64.1.1
}

# One that is away may get new firmware, and must be left alone.
test_modem_is_away() {
	start --watchdog 0 --timeout 1
	modem_stop
	wait_for 5 modem_is absent || fail "$(field .modem)"
	sleep 66
	equal "measures" "" "$(measures)"
	modem_start
	wait_for 20 modem_is ready || fail "$(field .modem)"
}

# --- how long a repair takes ---

has_taken() { # rung
	[ "$(taken "$1")" -ge 1 ]
}

# repaired_by RUNG RUNGS: a fault that this measure alone repairs. Prints the ms from fault to traffic.
repaired_by() {
	local began ping
	attach --watchdog 1 --backoff-min 100 --poll 1 --recover "$2" --pdn 1,ip=v4 >/dev/null
	answers 10.64.1.1
	ping -i 0.2 10.64.1.1 >/dev/null 2>&1 &
	ping=$!
	# the modem takes 5 s to start again
	[ "$1" != reset ] || modem strike DMS SET_OPERATING_MODE what=reboot ms=5000 \
		"skip=$([[ $2 == *radio* ]] && echo 3 || echo 1)" count=1 >/dev/null
	began=${EPOCHREALTIME/./}
	downlink off
	wait_for 60 has_taken "$1" || fail "$1 is not taken: $(measures)"
	downlink on
	wait_for 30 pings || fail "no traffic after $1: $(measures)"
	echo $(((${EPOCHREALTIME/./} - began) / 1000))
	kill $ping
	qmapctl -q detach wwan0
}

# median_repair RUNG RUNGS LIMIT
median_repair() {
	local all
	all=$(for ((i = 0; i < rounds; i++)); do repaired_by "$1" "$2" || exit 1; done | sort -n) || fail "$all"
	figure "$1 of $2: $(tr '\n' ' ' <<<"$all")ms"
	takes "$(sed -n "$(((rounds + 1) / 2))p" <<<"$all")" "median of repairs by $1 of $2" "$3"
}

test_times_of_repair() {
	local rounds=1
	[ "${JUDGE_TIMES:-no}" = no ] || rounds=5
	modem_start
	qmapd_start
	median_repair redial redial,radio,reset 5000
	median_repair radio redial,radio,reset 15000
	median_repair reset redial,reset 30000
	[ $rounds = 1 ] || median_repair reset redial,radio,reset 60000
}

run_tests "$@"
