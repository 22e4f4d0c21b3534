#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Before dialling: SIM, PIN, registration; dialling: waiting, falling back, refusals for good; and
# modems that lack a service.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# attach_one OPTION...: one PDN with short waits.
attach_one() {
	attach --backoff-min 200 --backoff-max 800 --poll 1 --pdn 1,apn=internet,ip=v4 "$@"
}

# A waiting call may start to wait for something else without leaving its state.
waits() { # state reason
	wait_for 5 waits_with "$@" || fail "expected $1: \"$2\", got $(family 1 4 '| "\(.state): \"\(.reason)\""')"
}

waits_with() {
	[[ $(family 1 4 '| "\(.state): \(.reason)"') == "$1: "*"$2"* ]]
}

# --- SIM and PIN ---

test_pin_is_entered() {
	start --pin 1234
	attach_one --pin 1234
	equal "state" up "$(family 1 4 .state)"
	equal "SIM" ready "$(field .sim.state)"
	equal "PINs tried" 1 "$(modem_stat .qmi.pins)"
	answers 10.64.1.1
	qmapctl -j show | grep -q 1234 && fail "show tells the PIN"
	grep -q 1234 "$T/qmapd.log" && fail "the log tells the PIN"
	detach
	nothing_left
}

# Old modems have no UIM service; DMS knows PINs, too.
test_pin_is_entered_by_dms() {
	start --pin 1234 --without uim
	attach_one --pin 1234
	equal "state" up "$(family 1 4 .state)"
	equal "PINs tried" 1 "$(modem_stat .qmi.pins)"
	detach
	nothing_left
}

test_pin_is_wanted() {
	start --pin 1234
	refused 2 'PDN 1 (APN "internet") is not connected: the SIM wants its PIN, and none is configured' attach_one
	says "hint: it goes on when pin= is given, or the PIN is entered by hand"
	waits waiting-for-sim "none is configured (pin=)"
	equal "SIM" pin-required "$(field .sim.state)"
	equal "attempts left" 3 "$(field .sim.pin_retries)"
	try qmapctl show
	says "wwan0.1: IPv4 waiting-for-sim: the SIM wants its PIN"
	equal "calls tried" 0 "$(starts)"
	equal "PINs tried" 0 "$(modem_stat .qmi.pins)"
	enter_pin 1234
	becomes 1 4 up
	answers 10.64.1.1
	detach
	nothing_left
}

# enter_pin DIGITS: by another program.
enter_pin() {
	qmicli_free_pin "$1" >/dev/null
}

# A UIM client of its own on the same channel: allocate, verify, release.
qmicli_free_pin() {
	python3 - "$T/qmi" "$1" <<-'END'
		import socket, struct, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		s.settimeout(60)
		stream = s.makefile("rb")
		# One chunk may contain an indication and the answer.
		def next_message():
		    head = stream.read(3)
		    return head + stream.read(struct.unpack("<H", head[1:])[0] - 2)
		def ask(service, client, message, tlvs):
		    head = b"\0\x01" if service == 0 else b"\0\x01\0"
		    sdu = head + struct.pack("<HH", message, len(tlvs)) + tlvs
		    s.send(struct.pack("<BHBBB", 1, len(sdu) + 5, 0, service, client) + sdu)
		    while True:
		        m = next_message()
		        if m[4] == service and m[5] == client and m[6] == (1 if service == 0 else 2):
		            return m
		def tlv(t, v):
		    return struct.pack("<BH", t, len(v)) + v
		a = ask(0, 0, 0x22, tlv(1, b"\x0b"))
		client = a[a.index(b"\x01\x02\0\x0b") + 4]
		pin = sys.argv[2].encode()
		ask(0x0b, client, 0x26, tlv(1, b"\0\0") + tlv(2, bytes([1, len(pin)]) + pin))
		ask(0, 0, 0x23, tlv(1, bytes([0x0b, client])))
	END
}

# `apply` supplies the right one while the calls wait.
test_pin_is_corrected() {
	start --pin 1234
	printf '[trunk wwan0]\ncontrol = %s\npin = %s\n[trunk wwan0 pdn 1]\nip = v4\n' "$T/qmi" 4321 >"$T/conf"
	qmapctl apply "$T/conf" >/dev/null || :
	waits waiting-for-sim "the PIN is wrong"
	sed -i s/4321/1234/ "$T/conf"
	qmapctl apply "$T/conf"
	becomes 1 4 up
	equal "PINs tried" 2 "$(modem_stat .qmi.pins)"
	detach
	nothing_left
}

# A PIN that was wrong once is not tried again, after a lost modem, a restart of qmapd, a new attach.
test_wrong_pin_is_tried_once() {
	start --pin 1234
	refused 2 "is not connected: the PIN is wrong: it is not tried again (2 attempts left)" attach_one --pin 4321
	waits waiting-for-sim "the PIN is wrong: it is not tried again (2 attempts left)"
	equal "PINs tried" 1 "$(modem_stat .qmi.pins)"
	sleep_polls 2
	equal "PINs tried after two polls" 1 "$(modem_stat .qmi.pins)"
	qmapd_kill KILL || :
	qmapd_start
	waits waiting-for-sim "the PIN is wrong: it is not tried again (2 attempts left)"
	equal "PINs tried after a crash" 1 "$(modem_stat .qmi.pins)"
	detach
	refused 2 "the PIN is wrong" attach_one --pin 4321
	waits waiting-for-sim "the PIN is wrong"
	equal "PINs tried after an attach" 1 "$(modem_stat .qmi.pins)"
	detach
	attach_one --pin 1234
	equal "state with the right one" up "$(family 1 4 .state)"
	equal "PINs tried" 2 "$(modem_stat .qmi.pins)"
	detach
	nothing_left
}

# --- attempts for a PIN ---

polled() { # number of requests for the card's status since
	wait_for 15 cards_asked_for $((cards + $1)) || fail "the modem is not asked any more"
}

cards_asked_for() {
	[ "$(modem_stat .qmi.cards)" -ge "$1" ]
}

faulted() {
	modem_stat .qmi.faulted
}

write_pin() { # poll=
	printf '[trunk wwan0]\ncontrol = %s\npin = 1234\npoll = %s\n[trunk wwan0 pdn 1]\nip = v4\n' "$T/qmi" "$1" >"$T/conf"
}

# RM520N while its SIM initialises: it requests a PIN although there is none, and does not check it.
test_pin_lock_that_is_none() {
	local cards=0
	start
	modem card locked
	modem error uim verify_pin code=52
	write_pin 3600
	qmapctl apply "$T/conf"
	waits waiting-for-sim "the modem does not check the PIN yet (device_not_ready)"
	equal "PINs sent before the next poll" 1 "$(faulted)"
	write_pin 1
	qmapctl apply "$T/conf" || : # its answer may come after the last attempt
	wait_for 15 reason_is "the modem has not checked the PIN in 3 attempts (device_not_ready): it is not tried again" ||
		fail "$(family 1 4 .reason)"
	equal "PINs sent" 3 "$(faulted)"
	cards=$(modem_stat .qmi.cards)
	polled 3
	qmapd_kill KILL || :
	qmapd_start
	waits waiting-for-sim "it is not tried again"
	detach
	refused 2 "it is not tried again" attach_one --pin 1234
	equal "PINs sent after a crash and an attach" 3 "$(faulted)"
	modem card true
	becomes 1 4 up
	# as far as the session knows, it was right all the time
	modem card locked
	wait_for 5 sent 4 || fail "not tried though the SIM was open meanwhile"
	detach
}

sent() {
	[ "$(faulted)" -ge "$1" ]
}

reason_is() {
	[[ $(family 1 4 .reason) == *"$1"* ]]
}

# Once the modem is ready to check it, it is entered.
test_pin_is_checked_late() {
	start --pin 1234
	modem error uim verify_pin code=52 count=1
	attach_one --pin 1234 --poll 1
	becomes 1 4 up
	equal "PINs tried" 1 "$(modem_stat .qmi.pins)"
	detach
	nothing_left
}

# An attempt that cannot be written down could be repeated by each process that follows.
test_pin_needs_room() {
	modem_start --pin 1234
	mkdir -p /run/qmapd
	mount -t tmpfs -o size=16k,mode=755 none /run/qmapd
	qmapd_start
	dd if=/dev/zero of=/run/qmapd/fill bs=1k 2>/dev/null || :
	refused 2 "the PIN is not tried, because that cannot be written down" attach_one --pin 1234
	printf '[trunk wwan0]\ncontrol = %s\npin = 1234\npoll = 1\n[trunk wwan0 pdn 1]\nip = v4\n' "$T/qmi" >"$T/conf"
	qmapctl apply "$T/conf" >/dev/null || :
	waits waiting-for-sim "cannot be written down"
	equal "until" "when the run directory takes files again (asked every poll=)" "$(family 1 4 .until)"
	equal "PINs tried" 0 "$(modem_stat .qmi.pins)"
	rm /run/qmapd/fill
	becomes 1 4 up
	equal "PINs tried" 1 "$(modem_stat .qmi.pins)"
	detach
	qmapd_kill || :
	umount /run/qmapd
}

# The card's status never counts down: the modem's answer to the PIN counts.
test_pin_answer_counts_for_more_than_status() {
	local cards pin tried=0
	start --pin 1234
	modem card locked
	for pin in 4321 5555; do
		tried=$((tried + 1))
		refused 2 "the PIN is wrong: it is not tried again ($((3 - tried)) attempt" \
			attach_one --pin $pin --poll 1
		cards=$(modem_stat .qmi.cards)
		polled 3
		equal "PINs tried" $tried "$(modem_stat .qmi.pins)"
		equal "attempts left" $((3 - tried)) "$(field .sim.pin_retries)"
		detach
	done
	refused 2 "with 1 attempt left it is not tried; enter it by hand" attach_one --pin 1234
	equal "PINs tried" 2 "$(modem_stat .qmi.pins)"
	detach
	refused 2 "the PIN is wrong" attach_one --pin 4321
	equal "PINs tried" 2 "$(modem_stat .qmi.pins)"
	detach
}

# An answer without a number counts as one attempt, too.
test_pin_answer_without_attempts() {
	local cards
	start --pin 1234
	modem error uim verify_pin code=12
	refused 2 "the PIN is wrong: it is not tried again" attach_one --pin 1234 --poll 1
	cards=$(modem_stat .qmi.cards)
	polled 3
	try qmapctl redial wwan0
	equal "PINs sent" 1 "$(faulted)"
	detach
}

# Another card has another PIN, and the first one is remembered.
test_pin_of_another_sim() {
	start --pin 1234
	refused 2 "the PIN is wrong" attach_one --pin 4321
	equal "ICCID" 89001010000000000000 "$(field .sim.iccid)"
	modem sim out
	modem sim in card=7
	wait_for 5 pins_tried 2 || fail "not tried on another SIM"
	waits waiting-for-sim "the PIN is wrong"
	equal "ICCID" 89001010000000000007 "$(field .sim.iccid)"
	modem sim out
	modem sim in card=0
	waits waiting-for-sim "the PIN is wrong"
	equal "PINs tried" 2 "$(modem_stat .qmi.pins)"
	equal "mode" 600 "$(stat -c %a /run/qmapd/pins-tried)"
	grep -r 4321 /run/qmapd && fail "a file tells the PIN"
	detach
	nothing_left
}

# The SIM is changed before the modem has answered for the one before.
test_sim_changes_before_its_iccid_is_read() {
	start --pin 1234
	attach_one --pin 1234
	becomes 1 4 up
	modem sim out
	waits waiting-for-sim "there is no SIM"
	modem delay uim read_transparent ms=1000 count=2
	modem sim in card=1
	modem sim out
	modem sim in card=2
	becomes 1 4 up
	equal "ICCID" 89001010000000000002 "$(field .sim.iccid)"
	detach
	nothing_left
}

# A modem without UIM does not report that the SIM is out, or another one. The second change falls between
# two polls.
test_sim_changes_unreported() {
	start --pin 1234 --without uim
	attach_one --pin 1234 --poll 2
	becomes 1 4 up
	modem sim out
	wait_for 5 sim_is unknown || fail "$(field .sim)"
	equal "ICCID" null "$(field .sim.iccid)"
	modem sim in card=1
	becomes 1 4 up
	equal "ICCID" 89001010000000000001 "$(field .sim.iccid)"
	modem sim out
	modem sim in card=2
	wait_for 5 iccid_is 89001010000000000002 || fail "ICCID $(field .sim.iccid)"
	becomes 1 4 up
	equal "PINs tried" 3 "$(modem_stat .qmi.pins)"
	detach
	nothing_left
}

iccid_is() { # number
	[ "$(field .sim.iccid)" = "$1" ]
}

sim_is() { # state
	[ "$(field .sim.state)" = "$1" ]
}

pins_tried() {
	[ "$(modem_stat .qmi.pins)" -ge "$1" ]
}

# Modems that do not read files report the ICCID by DMS; without an ICCID there is one PIN per trunk.
test_pin_without_iccid() {
	start --pin 1234
	modem error uim read_transparent code=94
	refused 2 "the PIN is wrong" attach_one --pin 4321
	equal "ICCID" 89001010000000000000 "$(field .sim.iccid)"
	detach
	modem error dms iccid code=94
	refused 2 "the PIN is wrong" attach_one --pin 5555
	equal "ICCID" null "$(field .sim.iccid)"
	detach
	refused 2 "the PIN is wrong" attach_one --pin 5555
	equal "PINs tried" 2 "$(modem_stat .qmi.pins)"
	detach
}

# qmapd dies before the answer to the PIN; the SIM has counted it.
test_pin_answer_is_never_read() {
	start --pin 1234
	modem strike uim verify_pin what=host
	attach_one --pin 4321 || :
	wait "$qmapd_pid" 2>/dev/null || :
	equal "PINs tried" 1 "$(modem_stat .qmi.pins)"
	qmapd_start
	wait_for 10 nothing_attached || fail "$(qmapctl show)"
	refused 2 "the PIN is wrong: it is not tried again (2 attempts left)" attach_one --pin 4321
	equal "PINs tried" 1 "$(modem_stat .qmi.pins)"
	detach
	modem clear
	modem never uim verify_pin
	refused 2 "the PIN is wrong: it is not tried again (1 attempt left)" attach_one --pin 5555
	equal "PINs tried" 2 "$(modem_stat .qmi.pins)"
	detach
}

nothing_attached() {
	[ "$(qmapctl -j show)" = "[]" ]
}

# sleep_polls N: waits for N requests for the signal.
sleep_polls() {
	local n
	n=$(($(modem_stat .qmi.requests) + $1))
	wait_for 10 asked_for "$n"
}

asked_for() {
	[ "$(modem_stat .qmi.requests)" -ge "$1" ]
}

test_last_attempts_are_left_alone() {
	start --pin 1234
	enter_pin 1111
	enter_pin 2222
	refused 2 "with 1 attempt left it is not tried" attach_one --pin 1234
	waits waiting-for-sim "with 1 attempt left it is not tried; enter it by hand"
	equal "PINs tried by us" 2 "$(modem_stat .qmi.pins)"
	enter_pin 3333
	waits waiting-for-sim "the SIM wants its PUK"
	equal "SIM" puk-required "$(field .sim.state)"
	equal "PINs tried by us" 3 "$(modem_stat .qmi.pins)"
	detach
	nothing_left
}

test_sim_comes_and_goes() {
	start
	modem sim out
	refused 2 "there is no SIM in the modem" attach_one
	says "it goes on when a SIM is put in"
	waits waiting-for-sim "there is no SIM in the modem"
	equal "calls tried" 0 "$(starts)"
	refused 2 "there is no SIM in the modem" qmapctl redial wwan0
	modem sim in
	becomes 1 4 up
	answers 10.64.1.1
	modem sim out
	waits waiting-for-sim "there is no SIM in the modem"
	equal "addresses" "" "$(ip -o address show dev wwan0.1 scope global)"
	modem sim in
	becomes 1 4 up
	detach
	nothing_left
}

# --- the radio ---

test_radio_is_switched_on() {
	local mode
	start
	for mode in low_power offline persistent_low_power; do
		modem radio $mode
		attach_one
		equal "state" up "$(family 1 4 .state)"
		equal "mode" online "$(field .operating_mode)"
		answers 10.64.1.1
		detach
		nothing_left
	done
	equal "times it was set" 3 "$(modem_stat .qmi.modes)"
}

test_radio_is_kept() {
	start
	modem radio low_power
	refused 2 "the radio is off (low_power), and radio=keep leaves it so" attach_one --radio keep
	says "hint: it goes on when it is switched on (AT+CFUN=1), or with radio=on"
	equal "state" radio-off "$(family 1 4 .state)"
	try qmapctl show
	says "wwan0.1: IPv4 radio-off: the radio is off (low_power)"
	equal "times it was set" 0 "$(modem_stat .qmi.modes)"
	equal "calls tried" 0 "$(starts)"
	modem radio online
	becomes 1 4 up
	modem radio low_power
	becomes 1 4 radio-off
	equal "addresses" "" "$(ip -o address show dev wwan0.1 scope global)"
	printf '[trunk wwan0]\ncontrol = %s\n[trunk wwan0 pdn 1]\napn = internet\nip = v4\n' "$T/qmi" >"$T/conf"
	qmapctl apply "$T/conf"
	equal "state" up "$(family 1 4 .state)"
	detach
	nothing_left
}

# After repeated switching off it stays off, also for a later qmapd.
test_radio_is_no_fight() {
	local n
	start
	attach_one
	for n in 1 2 3; do
		modem radio low_power >/dev/null
		wait_for 10 switched_on $n || fail "not switched on again: $(qmapctl show)"
		becomes 1 4 up
	done
	modem radio low_power
	becomes 1 4 radio-off
	waits radio-off "it was switched on 3 times, and off again by something else"
	qmapd_kill KILL || :
	qmapd_start
	waits radio-off "it was switched on 3 times"
	equal "times it was set" 3 "$(modem_stat .qmi.modes)"
	qmapctl redial wwan0
	equal "state" up "$(family 1 4 .state)"
	detach
	nothing_left
}

switched_on() { # number of times
	[ "$(modem_stat .qmi.modes)" -ge "$1" ]
}

test_radio_cannot_be_switched_on() {
	start
	modem radio low_power switch=1
	refused 2 "the radio is off (low_power), by a switch" attach_one
	equal "times it was set" 0 "$(modem_stat .qmi.modes)"
	modem radio online
	becomes 1 4 up
	detach
	modem radio low_power
	modem error dms set_operating_mode code=60
	attach_one || :
	waits radio-off "the modem refuses to switch it on with invalid_transition (error 60)"
	modem clear
	becomes 1 4 up
	detach
	nothing_left
}

# Modems that do not report their mode are dialled all the same.
test_radio_is_not_told_of() {
	start
	modem error dms get_operating_mode code=94
	attach_one
	equal "state" up "$(family 1 4 .state)"
	equal "mode" null "$(field .operating_mode)"
	detach
	modem clear
	modem error dms event_report code=94
	attach_one
	equal "state" up "$(family 1 4 .state)"
	detach
	nothing_left
}

# --- the network ---

test_registration_comes_late() {
	local since
	start
	modem network searching
	attach_one
	waits waiting-for-registration "the modem is searching for a network"
	equal "registration" searching "$(field .network.registration)"
	equal "calls tried" 0 "$(starts)"
	hints "check antenna and coverage"
	modem network denied
	waits waiting-for-registration "the network denies registration"
	hints "ask the operator"
	since=${EPOCHREALTIME/./}
	modem network registered
	wait_for 5 family_is 1 4 up
	figure "registered to up: $(((${EPOCHREALTIME/./} - since) / 1000)) ms"
	answers 10.64.1.1
	detach
	nothing_left
}

# hints TEXT: JSON and the line of show suggest it for IPv4 of PDN 1.
hints() {
	[[ $(family 1 4 .hint) == *"$1"* ]] || fail "hint: $(family 1 4 .hint)"
	qmapctl show | grep -F "wwan0.1: IPv4 " | grep -qF "$1" || fail "$(qmapctl show)"
}

test_hints_of_what_backs_off() {
	start --clients 2
	attach --pdn 1,ip=v4 --pdn 2,ip=v4 --pdn 3,ip=v4 >/dev/null
	try qmapctl show
	says "client_ids_exhausted (QMI error 5)"
	says "the modem has no client ids left; other programs hold them or leaked them: restart the modem"
	equal "hints" 1 "$(field '.pdns | map(.families[].hint | strings) | length')"
	detach
	modem refuse type=2 verbose=241 >/dev/null
	attach_one --backoff-min 60000 --backoff-max 60000
	hints "another program has this call; stop it, or use its PDN"
	modem clear >/dev/null
	qmapctl redial wwan0
	becomes 1 4 up
	equal "hint of what is up" null "$(family 1 4 .hint)"
	detach
}

test_coverage_is_lost() {
	start
	attach_one
	modem network searching
	waits waiting-for-registration "the modem is searching for a network"
	equal "addresses" "" "$(ip -o address show dev wwan0.1 scope global)"
	equal "calls tried" 1 "$(starts)"
	modem network registered
	becomes 1 4 up
	equal "calls tried" 2 "$(starts)"
	answers 10.64.1.1
	detach
	nothing_left
}

reconfigure() { # line
	printf '[trunk wwan0]\ncontrol = %s\n%s\n[trunk wwan0 pdn 1]\napn = internet\nip = v4\n' "$T/qmi" "$1" >"$T/conf"
	qmapctl apply "$T/conf"
}

test_no_data_while_roaming() {
	start
	modem network registered roaming=1
	attach_one --roaming off
	waits roaming "the modem roams in 001-01 qmap test, and roaming=off"
	equal "what ends it" "in the home network, or with roaming=on" "$(family 1 4 .until)"
	try qmapctl redial wwan0
	equal "calls tried" 0 "$(starts)"
	modem network registered roaming=0
	becomes 1 4 up
	answers 10.64.1.1
	# A call that is up ends at the border, also if it was being read or polled there.
	modem network registered roaming=1
	waits roaming "the modem roams"
	equal "addresses" "" "$(ip -o address show dev wwan0.1 scope global)"
	equal "calls of the modem" 0 "$(modem_stat .calls)"
	qmapd_kill KILL || :
	qmapd_start
	waits roaming "the modem roams"
	equal "calls tried" 1 "$(starts)"
	reconfigure "roaming = on"
	becomes 1 4 up
	reconfigure "roaming = off"
	becomes 1 4 roaming
	detach
	nothing_left
}

# The border is crossed while no qmapd runs, and while the call is being dialled.
test_roaming_begins_unseen() {
	start
	attach_one --roaming off
	qmapd_kill KILL || :
	modem network registered roaming=1
	qmapd_start
	waits roaming "the modem roams"
	equal "calls of the modem" 0 "$(modem_stat .calls)"
	modem delay wds start ms=1500
	modem network registered roaming=0
	call_comes_to 1 4 starting
	modem network registered roaming=1
	waits roaming "the modem roams"
	equal "calls of the modem" 0 "$(modem_stat .calls)"
	detach
	nothing_left
}

# The modem does not report what it has found.
test_roaming_begins_unreported() {
	start
	modem error nas register_indications code=94
	attach_one --roaming off --poll 1
	becomes 1 4 up
	modem network registered roaming=1
	waits roaming "the modem roams"
	equal "calls of the modem" 0 "$(modem_stat .calls)"
	modem network registered roaming=0
	becomes 1 4 up
	modem network registered mnc=7
	wait_for 5 plmn_is 001-07 || fail "$(field .network)"
	detach
	nothing_left
}

plmn_is() { # PLMN
	[ "$(field .network.plmn)" = "$1" ]
}

# entered STATE .jq.path: of the last event that led to the state.
entered() {
	qmapctl -j show | jq -r "[.[0].events[] | select(.to == \"$1\")] | last | $2"
}

as_ms='.time | (.[0:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber)'

# Circuit switched service is not registered here; packet service is attached, and tried.
test_attached_but_not_registered() {
	local state why
	start
	while read -r state why; do
		modem network "$state" attached=1 >/dev/null
		attach_one
		wait_for 20 family_is 1 4 up || fail "$(family 1 4 .reason)"
		equal "waited for" "$why, though it is attached to packet service" "$(entered waiting-for-registration .reason)"
		at_least "ms until it was tried" 2900 $(($(entered starting "$as_ms") - $(entered waiting-for-registration "$as_ms")))
		answers 10.64.1.1
		detach
		nothing_left
		modem reset >/dev/null
	done <<-END
		denied the network denies registration
		searching the modem is searching for a network
		none the modem is not registered with a network
	END
	modem network denied
	attach_one
	waits waiting-for-registration "the network denies registration"
	equal "what ends it" "when the modem is registered" "$(family 1 4 .until)"
	detach
}

test_sims_that_cannot_be_used() {
	local state why until
	start
	while IFS='|' read -r state why until; do
		modem card "$state" >/dev/null
		attach_one
		waits waiting-for-sim "$why"
		equal "SIM" initialising "$(field .sim.state)"
		[[ $(family 1 4 .until) == *"$until"* ]] || fail "$(family 1 4 .until)"
		modem card true >/dev/null
		becomes 1 4 up
		detach
	done <<-END
		empty|an eSIM without a profile|when a profile is enabled
		inactive|no provisioning session for it|qmicli --uim-change-provisioning-session
	END
	nothing_left
}

signal_is() {
	[ "$(field '.network.signal[0] | "\(.radio) \(.rsrp)"')" = "$1" ]
}

test_signal_and_network_are_shown() {
	start
	attach_one
	wait_for 5 signal_is "lte -90" || fail "signal: $(field .network)"
	equal "network" "registered attached lte false 001-01 qmap test" \
		"$(field '.network | "\(.registration) \(.packet_service) \(.radio) \(.roaming) \(.plmn) \(.operator)"')"
	equal "signal" "-61 -9 18" "$(field '.network.signal[0] | "\(.rssi) \(.rsrq) \(.snr)"')"
	modem network registered radio=12 rsrp=-101 roaming=1
	wait_for 5 signal_is "5gnr -101" || fail "signal: $(field .network)"
	equal "network" "5gnr true" "$(field '.network | "\(.radio) \(.roaming)"')"
	modem network searching
	becomes 1 4 waiting-for-registration
	equal "no network" "searching null null null" \
		"$(field '.network | "\(.registration) \(.roaming) \(.plmn) \(.operator)"')"
	[[ $(qmapctl show) != *roaming* ]] || fail "$(qmapctl show)"
	modem network registered roaming=0
	becomes 1 4 up
	equal "network" "false 001-01 qmap test" "$(field '.network | "\(.roaming) \(.plmn) \(.operator)"')"
	detach
	nothing_left
}

# told: monitor's events about the signal.
told() {
	jq -r 'select(.kind == "signal") | "\(.from) -> \(.to) (\(.dbm))"' "$T/events"
}

told_of() { # level
	told | grep -q "($1)"
}

# The session does not ask again: the modem has reported everything that it knows then.
signal_comes_by_itself() {
	local before
	attach_one --poll 0
	events_start
	wait_for 5 test -s "$T/events" # it listens
	wait_for 5 signal_is "lte -90" || fail "signal: $(field .network)"
	modem wait qmi.signal_clients == 1 timeout=5000 >/dev/null
	before=$(modem_stat .qmi.requests)
	modem signal rsrp=-93
	modem signal rsrp=-96
	wait_for 5 told_of -96 || fail "told: $(told)"
	modem signal rsrp=-98
	modem signal rsrp=-97
	modem signal rsrp=-88
	wait_for 5 told_of -88 || fail "told: $(told)"
	equal "shown" "lte -88" "$(field '.network.signal[0] | "\(.radio) \(.rsrp)"')"
	equal "told" "lte RSRP -90 dBm -> lte RSRP -96 dBm (-96)
lte RSRP -96 dBm -> lte RSRP -88 dBm (-88)" "$(told)"
	equal "requests meanwhile" "$before" "$(modem_stat .qmi.requests)"
	equal "signal among the events shown" 0 "$(field '.events | map(select(.kind == "signal")) | length')"
	detach
	nothing_left
}

test_signal_changes_are_told() {
	start
	signal_comes_by_itself
}

# The modem loses its first answers: the session asks once more, although it does not poll.
test_signal_answers_are_lost() {
	start
	modem never nas signal_info count=1
	modem never nas config_signal_v2 count=1
	attach_one --poll 0 --timeout 1
	wait_for 20 signal_is "lte -90" || fail "signal: $(field .network)"
	modem wait qmi.signal_clients == 1 timeout=20000 >/dev/null
	detach
	nothing_left
}

network_is() { # registration
	[ "$(field .network.registration)" = "$1" ]
}

test_answer_about_the_network_is_lost() {
	start
	modem never nas serving_system count=1
	attach_one --poll 0 --timeout 1
	wait_for 20 network_is registered || fail "network: $(field .network)"
	detach
	nothing_left
}

test_signal_changes_by_levels() {
	start
	modem error nas config_signal_v2 code=71
	signal_comes_by_itself
}

test_signal_cannot_be_told() {
	start
	modem error nas config_signal_v2 code=71
	modem error nas config_signal code=71
	attach_one
	modem signal rsrp=-101
	wait_for 5 signal_is "lte -101" || fail "signal: $(field .network)"
	detach
	nothing_left
}

test_modem_without_nas_and_uim() {
	start --without nas,uim
	attach_one
	equal "state" up "$(family 1 4 .state)"
	equal "network" null "$(field .network)"
	answers 10.64.1.1
	detach
	nothing_left
}

# Services that exist and do not answer cost their time limit, and no more.
test_nas_and_uim_do_not_answer() {
	start
	modem never nas '*'
	modem never uim '*'
	attach_one
	equal "state" up "$(family 1 4 .state)"
	answers 10.64.1.1
	modem clear
	detach
	nothing_left
}

test_nas_and_uim_answer_nonsense() {
	start
	modem error nas '*' code=71
	modem error uim '*' code=71
	attach_one
	equal "state" up "$(family 1 4 .state)"
	modem clear
	detach
	nothing_left
}

# --- dialling ---

test_profile_is_dialled() {
	start --apn internet=1,ims=2
	attach_one --pdn 2,profile=3,ip=v4
	answers 10.64.3.1
	equal "address" 10.64.3.2 "$(family 2 4 .address)"
	detach
	nothing_left
}

test_permanent_refusals_stop() {
	local tried
	start
	attach_one --pdn 2,apn=ims,ip=v4
	modem refuse pdn=1 type=6 verbose=33
	modem disconnect pdn=1
	waits failed "option_unsubscribed (3gpp reason 33)"
	tried=$(starts)
	sleep_polls 3
	equal "calls tried since" "$tried" "$(starts)"
	equal "the other PDN" up "$(family 2 4 .state)"
	detach
	nothing_left
}

# --- refusals for good end, too ---

# fail_pdn OPTION...: PDN 1 is refused for good, and the network accepts it from now on.
fail_pdn() {
	attach_one "$@"
	modem refuse pdn=1 type=6 verbose=27 >/dev/null
	modem disconnect pdn=1 >/dev/null
	waits failed "unknown_apn (3gpp reason 27)"
	modem clear >/dev/null
}

test_failed_until_the_network_is_back() {
	start
	fail_pdn
	equal "what ends it" true "$(family 1 4 '.until | test("^in [0-9]+ min, when SIM or network change, or by .qmapctl redial wwan0 1.$")')"
	at_least "seconds until then" 400 "$(family 1 4 .retry_in)"
	try qmapctl show
	says "wwan0.1: IPv4 failed: unknown_apn (3gpp reason 27); dialled again in "
	modem network searching
	modem network registered
	becomes 1 4 up
	answers 10.64.1.1
	detach
	nothing_left
}

test_failed_until_the_sim_is_back() {
	start
	fail_pdn
	modem sim out
	modem sim in
	becomes 1 4 up
	detach
	nothing_left
}

test_failed_until_another_network() {
	start
	fail_pdn
	modem network registered mnc=2
	becomes 1 4 up
	equal "network" 001-02 "$(field .network.plmn)"
	detach
	nothing_left
}

# Also while no qmapd was running.
test_failed_until_another_network_unseen() {
	start
	fail_pdn
	qmapd_kill KILL || :
	modem network registered mnc=2
	qmapd_start
	becomes 1 4 up
	detach
	nothing_left
}

# If the network changes by the minute, it is not dialled each time.
test_failed_again_and_again() {
	local n
	start
	attach_one --backoff-min 60000 --backoff-max 60000
	modem refuse pdn=1 type=6 verbose=27
	modem disconnect pdn=1
	waits failed "unknown_apn"
	equal "calls tried" 2 "$(starts)"
	for n in 1 2 3 4; do
		modem network searching >/dev/null
		modem network registered >/dev/null
	done
	becomes 1 4 backing-off
	equal "calls tried since" 2 "$(starts)"
	detach
	nothing_left
}

test_failed_until_time_has_passed() {
	start
	fail_pdn --retry-failed 1
	becomes 1 4 up
	answers 10.64.1.1
	detach
	nothing_left
}

# A qmapd that restarts before the time is over does not extend it.
test_failed_until_time_across_restarts() {
	local n left
	start
	fail_pdn
	left=$(family 1 4 .retry_in)
	at_least "seconds until it is dialled" 400 "$left"
	qmapd_kill KILL || :
	qmapd_start
	becomes 1 4 failed
	at_least "seconds less than before the restart" 0 $((left - $(family 1 4 .retry_in)))
	equal "calls tried" 2 "$(starts)"
	detach
	nothing_left
}

test_failed_for_ever() {
	start
	fail_pdn --retry-failed 0
	equal "seconds until then" null "$(family 1 4 .retry_in)"
	equal "what ends it" "when SIM or network change, or by \`qmapctl redial wwan0 1\`" "$(family 1 4 .until)"
	detach
	nothing_left
}

# --- redial ---

test_redial_what_has_failed() {
	start
	attach_one --pdn 2,apn=ims,ip=v4
	modem refuse pdn=1 type=6 verbose=27
	modem disconnect pdn=1
	becomes 1 4 failed
	refused 2 'PDN 1 (APN "internet") is not connected: the network refused with unknown_apn' qmapctl redial wwan0 1
	says "hint: check the APN's spelling"
	equal "calls tried" 4 "$(starts)"
	modem clear
	qmapctl redial wwan0 1
	equal "state" up "$(family 1 4 .state)"
	answers 10.64.1.1
	equal "calls tried" 5 "$(starts)"
	detach
	nothing_left
}

test_redial_what_is_up() {
	local handle other ifindex
	start
	attach_one --pdn 2,apn=ims,ip=v4
	ifindex=$(cat /sys/class/net/wwan0.1/ifindex)
	handle=$(family 1 4 .handle)
	other=$(family 2 4 .handle)
	qmapctl redial wwan0 1
	equal "state" up "$(family 1 4 .state)"
	[ "$(family 1 4 .handle)" != "$handle" ] || fail "it is the same call"
	equal "the other PDN's call" "$other" "$(family 2 4 .handle)"
	equal "port" "$ifindex" "$(cat /sys/class/net/wwan0.1/ifindex)"
	answers 10.64.1.1
	qmapctl redial wwan0
	[ "$(family 2 4 .handle)" != "$other" ] || fail "it is the same call"
	equal "calls tried" 5 "$(starts)"
	equal "calls stopped" 3 "$(modem_stat .qmi.stops)"
	detach
	nothing_left
}

test_redial_what_backs_off_or_waits() {
	start
	modem refuse verbose=26
	attach_one --backoff-min 60000 --backoff-max 60000
	becomes 1 4 backing-off
	modem clear
	qmapctl redial wwan0
	equal "state" up "$(family 1 4 .state)"
	modem network searching
	becomes 1 4 waiting-for-registration
	qmapctl redial wwan0 1
	equal "state" waiting-for-registration "$(family 1 4 .state)"
	detach
	nothing_left
}

test_redial_nonsense() {
	start
	refused 4 "wwan0 is not attached" qmapctl redial wwan0
	attach_one
	refused 1 "the name of a network device is missing" qmapctl redial
	refused 1 "bad number" qmapctl redial wwan0 x
	refused 1 "bad number" qmapctl redial wwan0 0
	refused 1 "one PDN at most" qmapctl redial wwan0 1 2
	refused 4 "wwan0 has no PDN 7" qmapctl redial wwan0 7
	equal "state" up "$(family 1 4 .state)"
	detach
	attach --control none
	refused 3 "wwan0 has no control channel" qmapctl redial wwan0
	detach
}

# --- detach in every state ---

waiting_start() {
	[ "$(modem_stat .qmi.never_answered)" -ge 1 ]
}

test_detach_while_backing_off() {
	start
	modem refuse verbose=26
	attach_one
	becomes 1 4 backing-off
	detach
	nothing_left
	modem network searching
	attach_one
	becomes 1 4 waiting-for-registration
	detach
	nothing_left
}

run_tests "$@"
