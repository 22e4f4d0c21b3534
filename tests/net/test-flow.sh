#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# QMAP commands: flow control stops and starts the uplink of one PDN, and every command is answered.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

start() { # modem's options
	modem_start "$@"
	qmapd_start
	attach --pdn 1 --pdn 2
	deep_queues
}

acks_are() { # acks unsupported
	modem wait trunk.command_acks '>=' "$1" timeout=2000 >/dev/null || :
	modem wait trunk.command_unsupported '>=' "$2" timeout=2000 >/dev/null || :
	# acks, unsupported, invalid, unexpected
	equal "answers" "[$1,$2,0,0]" "$(modem stats | jq -c '.trunk
		| [.command_acks, .command_unsupported, .command_invalid, .command_mismatched]')"
}

# uplink COUNT-1 COUNT-2 [WORD...]: sends 100 datagrams each through PDN 1 and 2, of which so many
# arrive, after a command to the modem. A stop only lasts 5 s, so it is sent again here.
uplink() {
	modem reset >/dev/null
	[ $# = 2 ] || modem "${@:3}" >/dev/null
	send -c 100 wwan0.1=1@10.64.1.1 wwan0.2=2@10.64.2.1
	sink_has 1 "$1"
	sink_has 2 "$2"
	equal "sent in spite of it" '[0,0]' "$(modem stats | jq -c '[.pdn["1", "2"].ul_flow_off]')"
}

dropped() { # of PDN 1
	stat_of ' | [.drops.flow_disabled, .ports[0].tx_dropped] | unique | join(" ")'
}

stop_and_go() { # modem's options
	start "$@"
	modem flow disable pdn=1 >/dev/null
	acks_are 1 0
	equal "stopped" "true false" "$(stat_of '.ports | map(.flow_off | tostring) | join(" ")')"
	uplink 0 100 flow disable pdn=1
	equal "dropped" 100 "$(dropped)"
	generated wwan0.1=1 wwan0.2=2 -- # downlink goes on
	modem flow enable pdn=1 >/dev/null
	acks_are 2 0
	uplink 100 100
	equal "dropped" 100 "$(dropped)"
	equal "commands" 3 "$(stat_of '.ports[0].commands')"
	modem flow disable pdn=1 >/dev/null
	modem flow disable pdn=2 >/dev/null
	modem flow enable pdn=1 >/dev/null
	acks_are 3 0
	uplink 100 0 flow disable pdn=2
	no_violations
}

no_violations() {
	equal "violations" 0 "$(modem_stat .violations.total)"
	equal "warnings" 0 "$(modem_stat .warnings.total)"
}

test_stop_and_go_v5() { stop_and_go --model RG500Q; }
test_stop_and_go_v4() { stop_and_go --model SDX20; }
test_stop_and_go_v1_tun() { stop_and_go --model EM12 --inject tun; }

uplink_goes() {
	ping -c 1 -W 1 -q -I wwan0.1 10.64.1.1 >/dev/null
}

# An enable lost on the way must not stop a PDN for good.
test_stopped_for_five_seconds_at_most() {
	start
	local began=${EPOCHREALTIME/./}
	modem flow disable pdn=1 >/dev/null
	acks_are 1 0
	wait_for 7 uplink_goes || fail "still stopped after 7 s"
	at_least "ms stopped" 4900 $(((${EPOCHREALTIME/./} - began) / 1000))
	took "$began" "a stop that nobody ends" 6000
	equal "stopped" false "$(stat_of '.ports[0].flow_off')"
}

test_commands_between_packets() {
	start
	for _ in {1..20}; do
		generated -c 200 wwan0.1=1 wwan0.2=2 -- count=200 size=200 &
		modem flow disable pdn=1 >/dev/null
		modem flow enable pdn=1 >/dev/null
		wait $!
	done
	acks_are 40 0
	uplink 100 100
	no_complaints
}

# Answered, so that the modem need not wait, and counted; of each at most 256 bytes are kept.
test_unknown_commands() {
	start
	modem command name=7 pdn=1 >/dev/null
	acks_are 0 1
	modem command name=200 pdn=2 "data=$(printf '%02x' {1..13})" >/dev/null
	modem command name=3 pdn=2 "data=$(printf '%02x' {0..255})" >/dev/null
	acks_are 0 3
	equal "refused" 3 "$(stat_of .drops.command_refused)"
	equal "commands" 3 "$(stat_of .commands)"
	no_violations
	uplink 100 100
}

# A command for an unknown mux id is not ours.
test_command_for_nobody() {
	start
	modem flow disable mux=77 >/dev/null
	modem flow disable pdn=1 >/dev/null
	acks_are 1 0
	equal "unknown mux" 1 "$(stat_of .drops.unknown_mux)"
	equal "its number and frames" '1 1' "$(stat_of '.unknown | "\(length) \(.[0].rx_dropped)"')"
	qmapctl stats | grep -qx "dropped 1 frames of mux id $(printf 0x%02x "$(stat_of '.unknown[0].mux')"), which no PDN has"
}

# An answer from the modem must not be answered, or the two would never stop.
test_answers_are_not_answered() {
	start
	local type
	for type in 01 02 03; do
		modem inject "hex=8081000801${type}000000000009" >/dev/null
	done
	modem flow disable pdn=2 >/dev/null
	acks_are 1 0
	equal "commands" 4 "$(stat_of .commands)"
	uplink 100 0 flow disable pdn=2
}

# The program in the kernel obeys without a daemon; answers wait for one.
test_without_daemon() {
	start
	qmapd_kill KILL || :
	uplink 0 100 flow disable pdn=1
	modem flow enable pdn=1 >/dev/null
	uplink 100 100
	qmapd_start
	acks_are 2 0
}

test_three_hundred_commands() {
	start
	for _ in {1..100}; do
		modem flow disable pdn=1
		modem flow enable pdn=1
		modem command name=9 pdn=2
	done >/dev/null
	acks_are 200 100
	no_violations
	uplink 100 100
}

run_tests "$@"
