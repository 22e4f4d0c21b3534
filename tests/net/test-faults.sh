#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Faults in modem and network, one at a time: the resulting state, counter, sentence and exit code; and
# everything begun is undone.
#
# slow_start_never_answered takes two minutes and only runs when it is named.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

no_answer="the modem did not answer while"
not_connected='PDN 1 (APN "internet") is not connected:'

# --- shared by the tests ---

# attach_one OPTION...: one PDN, one second for an answer.
attach_one() {
	attach --timeout 1 --backoff-min 300 --pdn 1,apn=internet,ip=v4 "$@"
}

addresses() { # port
	ip -o address show dev "$1" scope global | awk '{ print $4 }' | sort | tr '\n' ' '
}

routes() { # port
	{
		ip -o route show default dev "$1"
		ip -6 -o route show default dev "$1"
	} | wc -l
}

mtu_of() { # port
	ip -j link show dev "$1" | jq '.[0].mtu'
}

pdn_answers() { # n
	answers "10.64.$1.1"
	answers "2001:db8:64:$1::1"
}

# ends ...: the network ends a call, and refuses to take it up again.
ends() {
	modem refuse "$@"
	modem disconnect "$@"
}

# --- the network ends calls ---

test_network_ends_one_family() {
	start
	attach --backoff-min 60000 --pdn 1,apn=internet --pdn 2,apn=ims
	ends pdn=1 family=4 type=6 verbose=36
	becomes 1 4 backing-off
	equal "call end" "6 36 regular_deactivation" \
		"$(family 1 4 .call_end | jq -r '"\(.verbose_type) \(.verbose_reason) \(.verbose_name)"')"
	equal "the other family" up "$(family 1 6 .state)"
	equal "trunk" attached "$(field .state)"
	equal "addresses" "2001:db8:64:1::2/64 " "$(addresses wwan0.1)"
	equal "default routes" 1 "$(routes wwan0.1)"
	equal "DNS servers left" "2001:db8:64:1::53 2001:db8:64:1::54" \
		"$(sed -n 's/^nameserver //p' /run/qmapd/wwan0.1.resolv.conf | paste -sd ' ')"
	try qmapctl show wwan0
	says "wwan0.1: IPv4 backing-off: regular_deactivation (3gpp reason 36)"
	answers 2001:db8:64:1::1
	pdn_answers 2
	detach
	nothing_left
}

test_network_ends_a_pdn() {
	start
	attach --backoff-min 60000 --pdn 1,apn=internet --pdn 2,apn=ims
	ends pdn=1 type=3 verbose=2001 reason=3
	becomes 1 4 backing-off
	becomes 1 6 backing-off
	equal "addresses" "" "$(addresses wwan0.1)"
	equal "default routes" 0 "$(routes wwan0.1)"
	equal "port" false "$(stat_of '.ports[] | select(.mux == 129) | .up')"
	equal "link" DOWN "$(ip -j link show dev wwan0.1 | jq -r '.[0].operstate')"
	[ ! -e /run/qmapd/wwan0.1.resolv.conf ] || fail "resolv.conf of a PDN that is down"
	try qmapctl show
	says "wwan0.1: IPv4 backing-off: no_service (call_manager reason 2001)"
	says "wwan0.1: IPv6 backing-off: no_service (call_manager reason 2001)"
	pdn_answers 2
	detach
	nothing_left
}

test_call_ends_have_names() {
	local n=0 state fault sentence
	start
	attach --backoff-min 60000 --pdn 1 --pdn 2 --pdn 3 --pdn 4
	while IFS='|' read -r state fault sentence; do
		# shellcheck disable=SC2086 # the fault is several words
		ends "pdn=$((n / 2 + 1))" "family=$((n % 2 * 2 + 4))" $fault >/dev/null
		becomes $((n / 2 + 1)) $((n % 2 * 2 + 4)) "$state"
		try qmapctl show
		says "wwan0.$((n / 2 + 1)): IPv$((n % 2 * 2 + 4)) $state: $sentence"
		n=$((n + 1))
	done <<-END
		failed|type=6 verbose=8 reason=1|operator_determined_barring (3gpp reason 8)
		backing-off|type=6 verbose=26|insufficient_resources (3gpp reason 26)
		backing-off|type=6 verbose=39|reattach_required (3gpp reason 39)
		backing-off|type=3 verbose=2500|offline (call_manager reason 2500)
		backing-off|type=0 verbose=0 reason=2|client_end (call end reason 2)
		backing-off|type=0 verbose=0 reason=1003|network_end (call end reason 1003)
		backing-off|type=9 verbose=1|prefix_unavailable (ipv6 reason 1)
		backing-off|type=99 verbose=1|no name known (type 99 reason 1)
	END
	equal "calls ended" 8 $n
	detach
	nothing_left
}

# --- calls are refused ---

test_one_family_is_enough() {
	local fault down up name answering
	start
	while read -r fault down up answering name; do
		modem refuse pdn=1 type=6 "verbose=$fault" "family=$down" >/dev/null
		attach --pdn 1,apn=internet --pdn 2,apn=ims >/dev/null
		equal "IPv$down" failed "$(family 1 "$down" .state)"
		equal "why" "$name" "$(family 1 "$down" .call_end.verbose_name)"
		equal "IPv$up" up "$(family 1 "$up" .state)"
		try qmapctl show
		says "$name (3gpp reason $fault)"
		answers "$answering"
		pdn_answers 2
		detach
		nothing_left
		modem clear >/dev/null
	done <<-END
		50 6 4 10.64.1.1 ipv4_only_allowed
		51 4 6 2001:db8:64:1::1 ipv6_only_allowed
		52 6 4 10.64.1.1 single_address_bearer_only
	END
}

test_both_families_refused() {
	start
	modem refuse pdn=1 family=4 type=6 verbose=51
	modem refuse pdn=1 family=6 type=6 verbose=50
	refused 2 "$not_connected IPv4: the network refused with ipv6_only_allowed (3gpp reason 51); \
IPv6: the network refused with ipv4_only_allowed (3gpp reason 50)" attach --pdn 1,apn=internet --pdn 2,apn=ims
	nothing_left
}

# --- the modem does not answer ---

# later SENTENCE: the call waits for another attempt, which succeeds once the fault is gone.
later() {
	attach_one >/dev/null
	call_comes_to 1 4 backing-off "$1"
	modem clear >/dev/null
	becomes 1 4 up
	answers 10.64.1.1
	detach
}

start_pending() {
	[ "$(modem_stat .qmi.never_answered)" -ge 1 ]
}

# A network may take two minutes to answer Start Network; only that waits for it.
test_start_unanswered() {
	local attaching
	start
	modem never wds start
	attach_one >"$T/said" 2>&1 &
	attaching=$!
	wait_for 5 start_pending
	equal "state" attaching "$(field .state)"
	equal "call" starting "$(family 1 4 .state)"
	refused 2 "wwan0 is attaching right now" attach_one
	# the modem dies: waiting ends
	kill -KILL $modem_pid
	modem_pid=''
	status=0
	wait $attaching || status=$?
	said=$(cat "$T/said")
	at_least "exit code" 1 "$status"
	says "control channel is gone"
	equal "trunks" "[]" "$(qmapctl -j show)"
	nothing_left
}

slow_start_never_answered() {
	start
	modem never wds start
	later "$no_answer starting the call"
	nothing_left
}

test_answers_late_but_in_time() {
	start
	modem delay '*' '*' ms=100
	attach_one --timeout 10
	equal "state" up "$(family 1 4 .state)"
	equal "given up on" 0 "$(field .qmi.timeouts)"
	modem clear
	detach
	nothing_left
	modem delay wds start ms=1500 # has a deadline of its own
	attach_one
	equal "state" up "$(family 1 4 .state)"
	detach
	nothing_left
}

# SYNC is sent every second until the modem answers, which it does to each, but later than that.
test_first_answers_are_slow() {
	local sync
	start
	for sync in yes no; do
		modem delay ctl sync ms=2500
		modem delay ctl version_info ms=2500
		attach_one --timeout 10 --sync $sync
		equal "state" up "$(family 1 4 .state)"
		modem clear
		detach
		nothing_left
	done
}

# --- the modem changes its mind ---

test_new_settings_are_applied() {
	local ifindex
	start
	attach --pdn 1,apn=internet --pdn 2,apn=ims
	ifindex=$(cat /sys/class/net/wwan0.1/ifindex)
	modem reconfigure pdn=1 mtu=1400
	wait_for 5 mtu_is wwan0.1 1400 || equal "MTU" 1400 "$(mtu_of wwan0.1)"
	becomes 1 4 up
	becomes 1 6 up
	equal "MTU in show" 1400 "$(family 1 4 .mtu)"
	equal "the other's MTU" 1500 "$(mtu_of wwan0.2)"
	equal "port is still the same" "$ifindex" "$(cat /sys/class/net/wwan0.1/ifindex)"
	equal "addresses" "10.64.1.2/30 2001:db8:64:1::2/64 " "$(addresses wwan0.1)"
	equal "default routes" 2 "$(routes wwan0.1)"
	equal "calls started" 4 "$(modem_stat .calls)"
	pdn_answers 1
	detach
	nothing_left
}

given_up_is() {
	[ "$(field .qmi.timeouts)" = "$1" ]
}

test_settings_cannot_be_read_again() {
	start
	attach --timeout 1 --pdn 1,apn=internet
	modem never wds settings
	modem reconfigure pdn=1 mtu=1400
	wait_for 5 start_pending
	pdn_answers 1
	wait_for 5 given_up_is 2 || equal "given up on" 2 "$(field .qmi.timeouts)"
	equal "state meanwhile and after" "up up" "$(family 1 4 .state) $(family 1 6 .state)"
	equal "MTU" 1500 "$(mtu_of wwan0.1)"
	pdn_answers 1
	detach
	nothing_left
}

# --- the modem is gone ---

awake() {
	[ "$(modem_stat .silent)" = false ]
}

lost_is_told() {
	local n
	trunk_becomes lost
	for n in 1 2; do
		equal "addresses of wwan0.$n" "" "$(addresses wwan0.$n)"
		equal "routes of wwan0.$n" 0 "$(routes wwan0.$n)"
	done
	# a modem that is gone takes its netdev and data path along, which has no ports any more
	equal "PDNs that are up" 0 "$(qmapctl -j stats | jq '[.[].ports[] | select(.up)] | length')"
	try qmapctl show
	says "wwan0: $1"
}

test_modem_restarts() {
	local announce
	start
	for announce in before after both; do
		attach --pdn 1,apn=internet --pdn 2,apn=ims >/dev/null
		modem reboot ms=300 announce=$announce >/dev/null
		wait_for 5 opened_again || fail "$announce: $(qmapctl -j show | jq -c '.[0].events')"
		equal "why" "modem has restarted: its calls and client ids are gone" \
			"$(field '.events | map(select(.kind == "modem" and .to == "lost"))[-1].reason')"
		refused 2 "wwan0 is attached already" attach
		pdn_answers 2
		detach
		nothing_left
	done
}

# Lost since it was last attached, and ready again.
opened_again() {
	[ "$(field '.events | map(select(.kind == "modem") | .to) |
		rindex("lost") > (rindex("absent") // -1) and rindex("ready") > rindex("lost")')" = true ]
}

# No indication; detach finds a modem that knows none of the ids, or one that is silent.
test_modem_restarts_unannounced() {
	local since
	start
	attach_one
	modem reboot ms=0 announce=never
	wait_for 5 awake
	detach
	nothing_left
	attach_one
	modem reboot ms=60000 announce=never
	since=${EPOCHREALTIME/./}
	detach
	took "$since" "detach of a silent modem" 4000
	nothing_left
	refused 2 "modem does not answer QMI on $T/qmi within 1 s" attach_one
	nothing_left
}

test_modem_is_killed() {
	local since
	start
	attach --pdn 1,apn=internet --pdn 2,apn=ims
	kill -KILL $modem_pid
	modem_pid=''
	lost_is_told ""
	at_least "length of the reason" 10 "$(field '.reason | length')"
	since=${EPOCHREALTIME/./}
	detach
	took "$since" "detach of a modem that is gone" 2000
	nothing_left
	equal "trunks" "[]" "$(qmapctl -j show)"
	modem_start
	attach --pdn 1,apn=internet --pdn 2,apn=ims
	pdn_answers 1
	detach
	nothing_left
}

run_tests "$@"
