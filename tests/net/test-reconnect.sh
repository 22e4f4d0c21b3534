#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Calls that end are redialled: how soon, after which ends, and which are not.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

attach_one() {
	attach -q --backoff-min 200 --backoff-max 800 --pdn 1,apn=internet,ip=v4 "$@"
}

# Sends a datagram every two ms to the echo port of the network side; prints the time, in microseconds,
# of each answer.
echo_server() {
	ip netns exec net python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.64.1.1", 7))
while True:
    d, a = s.recvfrom(2048)
    s.sendto(d, a)
' &
}

echo_client() {
	python3 -u -c '
import socket, time
s = None
while True:
    try:
        if not s:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(("10.64.1.2", 0))
            s.settimeout(0.002)
        s.sendto(b"x", ("10.64.1.1", 7))
        s.recv(16)
        print(int(time.time() * 1e6))
        time.sleep(0.002)
    except TimeoutError:
        pass
    except OSError:
        s = None
        time.sleep(0.001)
' >"$T/echoes" &
}

# echoed_after MICROSECONDS
echoed_after() {
	[ "$(tail -n 1 "$T/echoes")" -gt "$1" ] 2>/dev/null
}

# back_after MICROSECONDS: end of the longest silence since then, in ms.
back_after() {
	awk -v t="$1" '$1 > t - 20000 { if (last && $1 - last > gap) { gap = $1 - last; back = $1 } last = $1 }
		END { printf "%d\n", (back - t) / 1000 }' "$T/echoes"
}

dialled() { # number of times
	[ "$(starts)" -ge "$1" ]
}

# Required: 300 ms from when the modem accepts the call to the first packet through.
test_disconnect_is_redialled() {
	local ended took worst=0 all='' round ifindex
	start
	attach_one
	ifindex=$(cat /sys/class/net/wwan0.1/ifindex)
	echo_server
	echo_client
	for round in 1 2 3 4 5; do
		# long enough up for the next end to be the first
		wait_for 5 echoed_after $((${EPOCHREALTIME/./} + 900000))
		ended=${EPOCHREALTIME/./}
		modem disconnect pdn=1 >/dev/null
		wait_for 5 dialled $((round + 1))
		wait_for 5 echoed_after $((ended + 300000))
		took=$(back_after "$ended")
		all+=" $took"
		[ "$took" -le "$worst" ] || worst=$took
	done
	figure "first packet after the network has ended the call, ms:$all"
	takes "$worst" "the longest of these" 300
	equal "calls dialled" 6 "$(starts)"
	equal "netdev" "$ifindex" "$(cat /sys/class/net/wwan0.1/ifindex)"
	detach
	nothing_left
}

# The network accepts late: the time counts from then on.
test_network_accepts_late() {
	local ended back
	start
	attach_one
	echo_server
	echo_client
	wait_for 5 echoed_after 0
	modem delay wds start ms=700 count=1
	ended=${EPOCHREALTIME/./}
	modem disconnect pdn=1 >/dev/null
	wait_for 5 dialled 2 # the call that has ended may echo until then
	becomes 1 4 up
	wait_for 5 echoed_after "${EPOCHREALTIME/./}"
	back=$(back_after "$ended")
	at_least "ms without traffic" 700 "$back"
	takes $((back - 700)) "first packet after the network has accepted the call" 300
	detach
	nothing_left
}

# A call that does not last is not redialled at once for ever.
test_flapping_backs_off() {
	start
	attach_one --backoff-min 2000 --backoff-max 60000
	modem disconnect pdn=1
	wait_for 5 dialled 2
	becomes 1 4 up
	modem disconnect pdn=1
	call_comes_to 1 4 backing-off "regular_deactivation (3gpp reason 36)"
	wait_for 5 dialled 3
	becomes 1 4 up
	detach
	nothing_left
}

# Time from each attempt to the next, in ms, by the stamps of the events: at least the wait in between.
between_attempts() {
	field .events | jq -r '[.[] | select(.kind == "call" and .to == "starting").time |
		(.[0:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber)] | [., .[1:]] | transpose[] |
		select(.[1]) | .[1] - .[0]'
}

# One refusal after the other: each wait is about twice the one before, up to the limit.
test_waits_grow() {
	local waits
	start
	modem refuse verbose=26
	attach_one --backoff-min 100 --backoff-max 800
	wait_for 5 dialled 7
	mapfile -t waits < <(between_attempts)
	figure "waits between attempts, ms: ${waits[*]}"
	# a quarter of each is random
	at_least "first wait" 74 "${waits[0]}"
	at_least "second wait" 149 "${waits[1]}"
	at_least "third wait" 299 "${waits[2]}"
	at_least "fourth wait" 599 "${waits[3]}"
	takes "${waits[4]}" "the fifth wait, which the limit holds" 1100
	modem clear
	becomes 1 4 up
	detach
	nothing_left
}

# At a redial, too, the network may offer one family only.
test_families_give_way() {
	local fault down up
	start
	while read -r fault down up; do
		attach_one --pdn 2,apn=ims
		modem refuse pdn=2 type=6 "verbose=$fault" "family=$down"
		modem disconnect pdn=2
		becomes 2 "$down" failed
		becomes 2 "$up" up
		modem clear
		qmapctl show | grep -q "wwan0.2: IPv$down failed: "
		equal "PDN 1" up "$(family 1 4 .state)"
		detach
		nothing_left
	done <<-END
		50 6 4
		51 4 6
		52 6 4
	END
}

# The profile has one IP version: the other is not dialled for ever.
test_profile_of_one_family() {
	local tried
	start
	modem refuse pdn=1 type=2 verbose=231 family=6
	attach_one --pdn 2,apn=ims
	modem clear
	modem refuse pdn=2 type=2 verbose=231 family=6
	modem disconnect pdn=2
	becomes 2 6 failed
	becomes 2 4 up
	equal "why" ip_version_mismatch "$(family 2 6 .call_end.verbose_name)"
	tried=$(starts)
	modem disconnect pdn=1
	wait_for 5 dialled $((tried + 1))
	becomes 1 4 up
	equal "calls dialled since, of PDN 1" $((tried + 1)) "$(starts)"
	detach
	nothing_left
}

# "No effect" to Start Network, and no call: the session ends the call that the modem believes in, then
# the client.
no_effect_is_overcome() { # until most
	local until=$1 most=$2
	start
	modem stale "until=$until" count=2
	attach_one
	becomes 1 4 up
	answers 10.64.1.1
	at_least "attempts" 3 "$(starts)"
	at_least "attempts left of $most" 0 $((most - $(starts)))
	at_least "calls stopped" 1 "$(modem_stat .qmi.stops)"
	detach
	nothing_left
}

test_no_effect_until_stop() {
	no_effect_is_overcome stop 4
}

test_no_effect_until_release() {
	no_effect_is_overcome release 7
}

# The modem says so by an indication, and does not answer for the status.
test_no_effect_is_told_of() {
	start
	modem stale until=stop count=1
	modem strike wds status what=abort count=1000
	attach_one --timeout 1
	becomes 1 4 up
	at_least "calls stopped" 1 "$(modem_stat .qmi.stops)"
	answers 10.64.1.1
	detach
	nothing_left
}

# The attempts needed are saved: a new qmapd does not repeat them.
test_no_effect_is_remembered() {
	start
	modem stale until=release count=1
	attach_one --backoff-min 60000 --backoff-max 60000
	becomes 1 4 backing-off
	says_of_call "no_effect (error 26)"
	qmapd_restarts
	becomes 1 4 backing-off
	says_of_call "no_effect (error 26)"
	detach
	nothing_left
}

says_of_call() { # sentence
	[[ $(family 1 4 .reason) == *"$1"* ]] || fail "expected \"$1\", got \"$(family 1 4 .reason)\""
}

# The modem reports the end and never answers Start Network.
test_start_is_aborted() {
	local since
	start
	modem strike wds start what=abort
	since=${EPOCHREALTIME/./}
	attach_one --timeout 1
	becomes 1 4 up
	figure "up after an aborted start: $(((${EPOCHREALTIME/./} - since) / 1000)) ms, timeout 1 s"
	equal "calls dialled" 2 "$(starts)"
	answers 10.64.1.1
	detach
	nothing_left
}

# Only then: a network that takes long and sends nothing is waited for.
test_start_is_aborted_late() {
	start
	modem strike wds start what=abort
	modem delay wds start ms=1500 count=1 skip=1
	attach_one --timeout 1
	becomes 1 4 up
	equal "calls dialled" 2 "$(starts)"
	detach
	nothing_left
}

# --- addresses that change ---

addresses() {
	ip -o address show dev wwan0.1 scope global | awk '{ print $4 }' | sort | tr '\n' ' '
}

addresses_are() {
	[ "$(addresses)" = "$1" ]
}

test_address_changes() {
	local tell host=2
	start
	attach -q --poll 1 --pdn 1,apn=internet
	for tell in nothing connected reconfigure; do
		host=$((host + 2))
		modem readdress pdn=1 host=$host tell=$tell >/dev/null
		wait_for 5 addresses_are "10.64.1.$host/30 2001:db8:64:1::$host/64 " ||
			fail "tell=$tell: $(addresses)"
		equal "shown" "10.64.1.$host" "$(family 1 4 .address)"
		answers 10.64.1.1
		answers 2001:db8:64:1::1
	done
	equal "calls dialled" 2 "$(starts)"
	detach
	nothing_left
}

settings_read() { # number of times
	[ "$(modem_stat .qmi.settings)" -ge "$1" ]
}

# Settings that are read again unchanged cause no event.
test_address_stays() {
	start
	attach_one --poll 1
	wait_for 10 settings_read 4 || fail "settings are not read again"
	equal "changes told" 0 "$(qmapctl -j show | jq '[.[0].events[] | select(.from == "up" and .to == "up")] | length')"
	detach
	nothing_left
}

# --- indications that are not for this call ---

# ended CLIENT FAMILY: Packet Service Status, disconnected.
ended() {
	qmi 1 "$1" "040000""2200""0900""0102000100""120100""0$2"
}

test_end_of_the_other_family() {
	local client
	start
	attach -q --pdn 1,apn=internet --pdn 2,apn=ims
	client=$(family 1 4 .client_id)
	ended "$client" 6
	ended 255 6
	ended 255 4
	modem signal rsrp=-111
	wait_for 5 shown_signal -111
	equal "states" "up up up up" "$(field '| [.pdns[].families[].state] | join(" ")')"
	equal "calls dialled" 4 "$(starts)"
	ended "$client" 4
	wait_for 5 dialled 5 || fail "the end of its own family is not heard of"
	becomes 1 4 up
	detach
	nothing_left
}

shown_signal() { # RSRP
	[ "$(field '.network.signal[0].rsrp')" = "$1" ]
}

# A broadcast makes the session ask for the status.
test_end_told_to_all() {
	start
	attach_one
	modem disconnect pdn=1 announce=0
	ended 255 4
	wait_for 5 dialled 2 || fail "not asked for"
	becomes 1 4 up
	detach
	nothing_left
}

# The modem's autoconnect is not disturbed.
test_modem_brings_it_back() {
	local tried
	start
	attach_one --backoff-min 60000 --backoff-max 60000
	modem refuse verbose=26
	modem disconnect pdn=1
	becomes 1 4 backing-off
	tried=$(starts)
	modem connect pdn=1 family=4
	becomes 1 4 up
	equal "calls dialled since" "$tried" "$(starts)"
	answers 10.64.1.1
	detach
	nothing_left
}

suspended_is() {
	[ "$(family 1 4 .suspended)" = "$1" ]
}

test_suspended() {
	local client
	start
	attach_one
	client=$(printf %02x "$(family 1 4 .client_id)")
	# packet status, suspended
	modem qmi "hex=0111008001${client}04000022000500010200""0300" >/dev/null
	wait_for 5 suspended_is true
	equal "state" up "$(family 1 4 .state)"
	modem qmi "hex=0111008001${client}04000022000500010200""0200" >/dev/null
	wait_for 5 suspended_is false
	answers 10.64.1.1
	detach
	nothing_left
}

# The indications are lost.
test_suspended_unseen() {
	start
	attach_one --poll 1
	modem tell wds status hex=01010003
	wait_for 5 suspended_is true || fail "it is not seen by polling"
	qmapd_restarts
	wait_for 5 suspended_is true || fail "it is not seen after a restart"
	modem clear
	wait_for 5 suspended_is false || fail "its end is not seen"
	equal "calls dialled" 1 "$(starts)"
	detach
	nothing_left
}

# Polls do not end a call because the modem leaves its status out of an answer.
test_status_is_left_out() {
	local n
	start
	attach_one --poll 1
	modem tell wds status hex=
	n=$(modem_stat .qmi.requests)
	modem wait qmi.requests '>=' $((n + 3)) >/dev/null
	equal "state" up "$(family 1 4 .state)"
	qmapd_restarts
	becomes 1 4 up
	equal "calls dialled" 1 "$(starts)"
	answers 10.64.1.1
	detach
	nothing_left
}

# --- the watchdog ---

test_watchdog() {
	start
	attach_one --watchdog 1
	wait_for 5 dialled 2 || fail "a call that receives nothing is not dialled again"
	becomes 1 4 up
	answers 10.64.1.1
	detach
	nothing_left
}

pinged() { # so often
	[ "$(modem_stat '.pdn["1"].ul_packets')" -ge "$1" ]
}

test_watchdog_sees_traffic() {
	start
	attach_one --watchdog 5
	ping -i 0.05 -q 10.64.1.1 >/dev/null &
	wait_for 20 pinged 200
	equal "calls dialled" 1 "$(starts)"
	detach
	nothing_left
}

# --- calls in every state when the daemon dies ---

qmapd_restarts() {
	qmapd_kill KILL || :
	qmapd_start
}

test_adopted_while_waiting() {
	start
	modem network searching
	attach_one
	becomes 1 4 waiting-for-registration
	qmapd_restarts
	becomes 1 4 waiting-for-registration
	modem network registered
	becomes 1 4 up
	answers 10.64.1.1
	detach
	nothing_left
}

test_adopted_while_backing_off() {
	start
	attach_one
	modem refuse verbose=26
	modem disconnect pdn=1
	becomes 1 4 backing-off
	qmapd_restarts
	becomes 1 4 backing-off
	call_comes_to 1 4 backing-off insufficient_resources
	modem clear
	becomes 1 4 up
	answers 10.64.1.1
	detach
	nothing_left
}

test_adopted_when_failed() {
	local tried
	start
	attach_one --pdn 2,apn=ims,ip=v4
	modem refuse pdn=1 verbose=33
	modem disconnect pdn=1
	becomes 1 4 failed
	modem clear
	tried=$(starts)
	qmapd_restarts
	becomes 2 4 up
	becomes 1 4 failed
	equal "why" option_unsubscribed "$(family 1 4 .call_end.verbose_name)"
	equal "calls dialled" "$tried" "$(starts)"
	detach
	nothing_left
}

# --- detach in every state ---

start_is_pending() {
	[ "$(modem_stat .qmi.never_answered)" -ge 1 ]
}

test_detach_while_start_is_silent() {
	local attaching since
	start
	modem never wds start
	attach_one --pdn 2,apn=ims >"$T/said" 2>&1 &
	attaching=$!
	wait_for 5 start_is_pending
	since=${EPOCHREALTIME/./}
	detach
	took "$since" "detached while three calls were being started" 2000
	status=0
	wait $attaching || status=$?
	at_least "exit code of attach" 1 "$status"
	nothing_left
}

# A modem that has hung up its control side sends no indication: it is asked twice, and opened again
# until it answers.
test_silent_modem_is_found() {
	local began
	start
	attach_one --poll 1 --timeout 1 --sync yes
	answers 10.64.1.1
	began=${EPOCHREALTIME/./}
	modem never '*' '*' >/dev/null
	modem_is_away() { ! modem_is ready; }
	wait_for 10 modem_is_away || fail "not noticed"
	figure "silent modem noticed after $(((${EPOCHREALTIME/./} - began) / 1000)) ms, poll and timeout of 1 s each"
	field .reason | grep -q "does not answer" || fail "reason: $(field .reason)"
	modem clear >/dev/null
	wait_for 10 modem_is ready || fail "not opened again: $(qmapctl show | paste -sd '|')"
	becomes 1 4 up
	answers 10.64.1.1
	detach
	nothing_left
}

# As long as it carries traffic, its silence does not matter.
test_silent_modem_with_traffic_is_left_alone() {
	local n
	start
	attach_one --poll 1 --timeout 1
	n=$(modem_stat .qmi.never_answered)
	modem never '*' '*' >/dev/null
	ping -q -i 0.02 10.64.1.1 >/dev/null &
	modem wait qmi.never_answered '>=' $((n + 8)) timeout=20000 >/dev/null
	equal "state" "ready up" "$(field .modem.state) $(family 1 4 .state)"
	modem clear >/dev/null
	detach
	nothing_left
}

run_tests "$@"
