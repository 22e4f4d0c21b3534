#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The data path outlives its daemon: killed and stopped at any moment, adopted by the next.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

# Load both ways through PDN 1, in the background; no packet may be lost.
DOWN=30000 UP=15000 RATE=20000
load_start() {
	deep_queues
	generated -c "$DOWN" wwan0.1=1 -- count="$DOWN" pdn=1 rate=$RATE &
	down_pid=$!
	"$build/pattern-tool" send -c "$UP" -r $((RATE / 2)) "wwan0.1=1@10.64.1.1" >"$T/sent" &
	up_pid=$!
	load_reaches 10
}

# load_reaches PERCENT, both ways.
load_reaches() {
	modem wait pdn.1.dl_packets '>=' $((DOWN * $1 / 100)) timeout=10000 >/dev/null
	modem wait pdn.1.sink.ok '>=' $((UP * $1 / 100)) timeout=10000 >/dev/null
}

load_is_whole() {
	wait "$down_pid" || fail "downlink was lost"
	wait "$up_pid"
	sink_has 1 "$UP"
	equal_counts
	no_complaints
}

# Detects a process that dials or synchronizes from here on: calls would be refused.
forbid_dialling() {
	modem refuse >/dev/null
	before=$(session_ids)
}

# SYNCs, client ids by service, calls by PDN.
session_ids() {
	modem stats | jq -c '[.qmi.syncs, .qmi.clients, (.pdn[] | [.v4, .v6, .mux])]'
}

nobody_has_dialled() {
	equal "SYNCs, client ids, calls" "$before" "$(session_ids)"
	modem clear >/dev/null
}

# Leaves behind what a qmapd leaves that dies while it changes the data path, when it has taken down the
# old one and not yet built the new one: pins without a data path, and the calls.
between_two_datapaths() {
	local dir netdev
	dir=/sys/fs/bpf/qmap/$(cat /sys/class/net/wwan0/ifindex)
	"$(dirname "$0")/forget-datapath.py" "$dir/meta"
	find "$dir" -mindepth 1 ! -name meta -delete
	tc qdisc del dev wwan0 clsact
	for netdev in wwan0.{sa,se,1p,2p}; do
		ip link del "$netdev"
	done
}

test_killed_between_two_datapaths() {
	modem_start
	qmapd_start
	attach --datapath auto --pdn 1 --pdn 2,ip=v4
	forbid_dialling
	qmapd_kill KILL || :
	between_two_datapaths
	qmapd_start
	wait_for 10 is_attached || fail "$(qmapctl show)"
	equal "data path" xdp "$(field .datapath)"
	nobody_has_dialled
	load_start
	load_is_whole
	qmapctl detach wwan0
	nothing_left
}

# A modem that grants another version of QMAP after a restart: the data path is chosen and built again.
test_modem_is_back_with_another_version() {
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2,ip=v4
	equal "version" v5 "$(field .qmap)"
	modem error wda 0x20 code=94 count=1 >/dev/null # of three that are asked for, v5
	modem reboot ms=50 >/dev/null
	wait_for 10 version_is v4 || fail "$(qmapctl show)"
	wait_for 10 is_attached || fail "$(qmapctl show)"
	grep -q "another data format than before" "$T/qmapd.log" || fail "$(cat "$T/qmapd.log")"
	equal "data path" xdp "$(field .datapath)"
	load_start
	load_is_whole
	qmapctl detach wwan0
	nothing_left
}

version_is() {
	[ "$(field .qmap)" = "$1" ]
}

test_kill_under_load() {
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2,ip=v4
	load_start
	forbid_dialling
	qmapd_kill KILL || :
	load_reaches 25
	equal "trunk shown" wwan0 "$(field .dev)"
	equal "daemon" false "$(field .daemon)"
	equal "ports" "wwan0.1 wwan0.2" "$(field '.pdns | map(.port) | join(" ")')"
	at_least "packets in stats" $((DOWN / 4)) "$(stat_of '.ports[0].rx_packets')"
	load_reaches 50
	local began=$((${EPOCHREALTIME/./} / 1000)) ready
	qmapd_start
	wait_for 5 is_attached
	# from before the fork of the daemon to the modem's "ready", as the daemon has noted it
	ready=$(date -d "$(field .modem.since)" +%s%3N)
	load_is_whole
	takes $((ready - began)) "adopted under load, 0 of $((DOWN + UP)) packets lost" 500
	nobody_has_dialled
	qmapctl detach wwan0
	nothing_left
}

# cdc-wdm drops its pending notifications when its owner is killed: the modem keeps these messages, and
# each later notification fetches an older message than its own.
test_messages_stay_in_the_modem() {
	local lag
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2,ip=v4 >/dev/null
	for lag in 1 3; do
		forbid_dialling
		qmapd_kill KILL || :
		modem lag messages=$lag >/dev/null
		# messages that no process read before the kill
		modem reconfigure pdn=1 mtu=1500 >/dev/null
		qmapd_start
		wait_for 10 is_attached || fail "not adopted, $lag messages behind: $(qmapctl show)"
		nobody_has_dialled
		modem disconnect pdn=1 family=4 >/dev/null
		reconnected() { [ "$(modem_stat .calls)" = 3 ] && ping -c 1 -W 1 -q -I wwan0.1 10.64.1.1 >/dev/null; }
		wait_for 20 reconnected || fail "not dialled again, $lag messages behind: $(qmapctl show)"
	done
	qmapctl detach wwan0
	nothing_left
	attach --pdn 1,ip=v4 >/dev/null
	modem lag >/dev/null
	answers 10.64.1.1 -I wwan0.1
	qmapctl detach wwan0
	nothing_left
}

test_restart_under_load() {
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2,ip=v4
	load_start
	forbid_dialling
	for percent in 20 40 60; do
		load_reaches $percent
		qmapd_kill TERM
		qmapd_start
		wait_for 5 is_attached
	done
	load_is_whole
	nobody_has_dialled
	qmapctl detach wwan0
	nothing_left
}

# An upgrade: qmapd-rebuilt has the same programs by other instructions. Eight times, and back.
test_replace_under_load() {
	local DOWN=100000 UP=50000 percent
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2,ip=v4
	load_start
	forbid_dialling
	for percent in 15 25 35 45 55 65 75 85; do
		load_reaches $percent
		replace_programs
	done
	equal "replacements in the log" 8 "$(grep -c 'BPF programs replaced' "$T/qmapd.log")"
	# the same build again has nothing to replace
	qmapd_kill TERM || :
	qmapd_start
	wait_for 5 is_attached
	equal "replacements in the log" 8 "$(grep -c 'BPF programs replaced' "$T/qmapd.log")"
	load_is_whole
	nobody_has_dialled
	qmapctl detach wwan0
	nothing_left
}

test_detach_under_load() {
	modem_start
	qmapd_start
	for round in 1 2 3; do
		attach --pdn 1 --pdn 2 -q
		deep_queues
		modem generate count=10000000 rate=$RATE >/dev/null
		"$build/pattern-tool" send -c 10000000 -r $RATE "wwan0.1=1@10.64.1.1" >/dev/null 2>&1 &
		modem wait pdn.1.dl_packets '>=' $((3000 * round)) >/dev/null
		qmapctl detach wwan0
		nothing_left
		kill $! 2>/dev/null || :
	done
	modem generate count=0 2>/dev/null || :
	attach --pdn 1 -q
	deep_queues
	modem reset >/dev/null
	generated wwan0.1=1 -- pdn=1
	send wwan0.1=1@10.64.1.1
	sink_has 1 1000
}

test_detach_without_daemon() {
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2,ip=v4
	qmapd_kill KILL || :
	answers 10.64.1.1 -I wwan0.1
	qmapctl detach wwan0
	nothing_left
	equal "SYNCs" 1 "$(modem_stat .qmi.syncs)"
	qmapd_start
	attach --pdn 1 -q
	answers 10.64.1.1 -I wwan0.1
}

test_detach_without_daemon_or_modem() {
	modem_start
	qmapd_start
	attach --pdn 1
	qmapd_kill KILL || :
	mv "$T/qmi" "$T/gone"
	qmapctl detach wwan0 2>"$T/said" || :
	modem_pid='' nothing_left # the modem cannot be reached
}

# After a static attach there is no modem to ask: ports and mux ids come from the pins alone.
test_adopt_without_control_channel() {
	modem_start
	qmapd_start
	qmapctl attach wwan0 --control none --qmap v1 --pdn 1,mux=9 --pdn 5
	qmapd_kill KILL || :
	qmapd_start
	equal "ports" "wwan0.1 wwan0.5" "$(field '.pdns | map(.port) | join(" ")')"
	equal "mux ids" "9 133" "$(field '.pdns | map(.mux | tostring) | join(" ")')"
	equal "state" attached "$(field .state)"
	qmapctl detach wwan0
	nothing_left
}

# The pinned state has room for the largest number of PDNs, with both families each.
test_adopt_many_pdns() {
	local pdns=() ports=()
	for n in {1..16}; do
		pdns+=("--pdn=$n,apn=a-rather-long-access-point-name.example")
		ports+=("wwan0.$n=$n")
	done
	modem_start --pdns 16 --clients 40
	qmapd_start
	attach -q "${pdns[@]}"
	forbid_dialling
	qmapd_kill KILL || :
	qmapd_start
	wait_for 5 is_attached
	equal "connected" 32 "$(field '.pdns | map(.families[] | select(.state == "up")) | length')"
	nobody_has_dialled
	generated "${ports[@]}" -- size=100
	qmapctl detach wwan0
	nothing_left
}

# Ports in namespaces are found again there.
test_adopt_ports_in_namespaces() {
	ip netns add red
	modem_start
	qmapd_start
	attach --pdn 1,netns=red --pdn 2
	qmapd_kill KILL || :
	qmapd_start
	wait_for 5 is_attached
	generated red/wwan0.1=1 wwan0.2=2 --
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	wait_for 2 mtu_in_red_is 1400 || fail "the adopted port does not follow the network"
	qmapctl detach wwan0
	nothing_left
	equal "left in red" "" "$(ip -n red -o link | grep -o 'wwan0[^:@]*')"
}

mtu_in_red_is() {
	[ "$(ip -n red -j link show dev wwan0.1 | jq '.[0].mtu')" = "$1" ]
}

# A port is deleted meanwhile, or moved there and back with another number, or its name is taken.
test_port_lost_while_nobody_was_there() {
	local number
	ip netns add blue
	ip netns add red
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2,netns=red >/dev/null
	qmapd_kill KILL || :
	ip link del wwan0.1
	ip -n red link del wwan0.2
	qmapd_start
	answers 10.64.1.1 -I wwan0.1
	wait_for 5 ip netns exec red ping -c 1 -W 5 -q 10.64.2.1 >/dev/null || fail "$(qmapctl show)"
	generated wwan0.1=1 red/wwan0.2=2 --
	qmapd_kill KILL || :
	number=$(cat /sys/class/net/wwan0.1/ifindex)
	ip -n blue link add other0 index "$number" type veth peer name other1
	ip link set wwan0.1 netns blue
	ip -n blue link set wwan0.1 netns 1
	qmapd_start
	answers 10.64.1.1 -I wwan0.1
	answers 2001:db8:64:1::1 -I wwan0.1
	qmapd_kill KILL || :
	ip link del wwan0.1
	ip link add wwan0.1 type veth peer name other
	qmapd_start
	wait_for 5 is_damaged "somebody has deleted it" || fail "$(qmapctl show)"
	equal "addresses of another netdev" "" "$(ip -o address show dev wwan0.1)"
	ip link del wwan0.1
	qmapctl redial wwan0 1 >/dev/null || : # its budget is whole again, and it is made at the next look
	answers 10.64.1.1 -I wwan0.1
	qmapctl detach wwan0
	nothing_left
}

is_whole() {
	[ "$(field '.pdns | map(.damage[]) | tojson')" = '[]' ] &&
		ping -c 1 -W 5 -q 10.64.1.1 >/dev/null && ping -6 -c 1 -W 5 -q 2001:db8:64:1::1 >/dev/null &&
		ip netns exec red ping -c 1 -W 5 -q 10.64.2.1 >/dev/null
} 2>/dev/null

# Each part that the next qmapd takes over is damaged, one after the other.
test_damage_while_nobody_was_there() {
	local damage
	modem_start
	qmapd_start
	ip netns add red
	attach --pdn 1 --pdn 2,netns=red >/dev/null
	for damage in "ip link set wwan0.1 down" "ip address flush dev wwan0.1" "ip link set wwan0.1 mtu 600" \
		"ip route flush table main; ip -6 route flush table main" \
		"ip link del wwan0.sa" "ip link del wwan0.1p" "ip link set wwan0.1q name other" "ip link del wwan0.se" \
		"bpftool link detach pinned \$(find /sys/fs/bpf/qmap -name \"*link*\" | head -n 1)" "tc qdisc del dev wwan0 clsact" \
		"ip link set wwan0 down" "ip link set wwan0 mtu 1500" "rm -r /run/qmapd" \
		"echo 1 >/proc/sys/net/ipv6/conf/wwan0.1/disable_ipv6; echo 0 >/proc/sys/net/ipv6/conf/wwan0.1/disable_ipv6" \
		"ip netns del red; ip netns add red" \
		"for dev in wwan0.{1,sa,se,1p,2p}; do ip link del \$dev || :; done" "ip link set wwan0 name wwan7; ip link del wwan0.1"; do
		qmapd_kill KILL || :
		eval "$damage" 2>/dev/null
		qmapd_start
		wait_for 10 is_attached || fail "$damage: $(qmapctl show)"
		wait_for 10 is_whole || fail "$damage: $(qmapctl show)"
	done
	qmapctl detach wwan0
	nothing_left
}

# A container has it, since before qmapd was killed or after: the next qmapd leaves it there, too, and adds
# it again when the container has ended.
test_port_stays_away() {
	local when
	modem_start
	qmapd_start
	attach --pdn 1 >/dev/null
	for when in before after; do
		ip netns add blue
		[ "$when" = after ] || ip link set wwan0.1 netns blue
		qmapd_kill KILL || :
		[ "$when" = before ] || ip link set wwan0.1 netns blue
		qmapd_start
		wait_for 10 is_attached || fail "$when: $(qmapctl show)"
		wait_for 5 is_damaged "somebody has moved it to another namespace" || fail "$when: $(qmapctl show)"
		ip -n blue link show dev wwan0.1 >/dev/null
		ip -n blue link set wwan0.1 netns 1
		answers 10.64.1.1 -I wwan0.1
		ip link set wwan0.1 netns blue
		wait_for 5 is_damaged "somebody has moved it to another namespace" || fail "$when: $(qmapctl show)"
		ip netns del blue
		answers 10.64.1.1 -I wwan0.1
	done
	qmapctl detach wwan0
	nothing_left
}

# Changes in the network meanwhile are noticed.
test_call_ended_while_nobody_was_there() {
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2
	qmapd_kill KILL || :
	modem disconnect pdn=2 >/dev/null
	modem refuse pdn=2 verbose=26 >/dev/null
	qmapd_start
	wait_for 5 is_attached
	wait_for 5 pdn_2_is_down || fail "PDN 2: $(field '.pdns[1].families')"
	answers 10.64.1.1 -I wwan0.1
	equal "addresses of PDN 2" "" "$(ip -o address show dev wwan0.2 scope global)"
	modem clear
	wait_for 5 pdn_2_is_up || fail "PDN 2: $(field '.pdns[1].families')"
	answers 10.64.2.1 -I wwan0.2
	qmapctl detach wwan0
	nothing_left
}

pdn_2_is_down() {
	[ "$(field '.pdns[1].families | map(.state) | unique | join(" ")')" = backing-off ]
}

pdn_2_is_up() {
	[ "$(field '.pdns[1].families | map(.state) | unique | join(" ")')" = up ]
}

is_detached() {
	[ "$(qmapctl -j show)" = "[]" ]
}

# One attach that does not end: killed when the modem has got so many requests, or after so many ms. The
# next daemon undoes it. A modem for each: client ids that have wrapped around cannot be distinguished
# from those of others.
die_attaching() { # requests|ms number
	modem_start --latency 5
	qmapd_start
	attach -q --pdn 1 --pdn 2 2>/dev/null &
	local asking=$!
	if [ "$1" = requests ]; then
		wait_for 5 requests_or_end "$2" $asking
	else
		read -rt "0.$(printf %03d "$2")" <> <(:) || :
	fi
	qmapd_kill KILL || :
	wait $asking || :
	qmapd_start
	wait_for 5 is_settled || fail "$1 $2: $(qmapctl -j show)"
	is_detached || qmapctl detach wwan0 # the attach was complete before the kill
	nothing_left || fail "killed at $1 $2"
	qmapd_kill
	modem_stop
}

# The modem has got so many requests, or the command ended with fewer.
requests_or_end() { # number pid
	[ "$(modem_stat .qmi.requests)" -ge "$1" ] || ! kill -0 "$2" 2>/dev/null
}

is_settled() {
	is_detached || is_attached
}

test_kill_at_every_request_of_an_attach() {
	for n in {1..26}; do
		die_attaching requests "$n"
	done
}

test_kill_while_building() {
	for n in {1..20}; do
		die_attaching ms $((30 + n * 4))
	done
}

# The same for a detach that has finished with the modem and takes the data path down.
test_kill_while_taking_down() {
	modem_start
	for n in {1..12}; do
		qmapd_start
		qmapctl attach -q wwan0 --control none --pdn 1 --pdn 2
		qmapctl detach wwan0 2>/dev/null &
		asking=$!
		read -rt "0.$(printf %03d $((n * 4)))" <> <(:) || :
		qmapd_kill KILL || :
		wait $asking || :
		qmapd_start
		wait_for 5 is_settled_static
		is_detached || qmapctl detach wwan0 # the detach had not begun yet
		nothing_left || fail "killed after $((n * 4)) ms"
		qmapd_kill
	done
}

is_settled_static() {
	is_detached || [ "$(field ' | [.daemon, .state] | map(tostring) | join(" ")')" = "null attached" ]
}

# Another process has deleted the pins: the trunk is taken down, including objects that its pins no
# longer name, and built again.
test_pins_are_gone() {
	modem_start
	qmapd_start
	attach --pdn 1
	qmapd_kill KILL || :
	rm /sys/fs/bpf/qmap/*/ports
	qmapd_start
	wait_for 5 is_made_anew || fail "$(qmapctl -j show | jq -c '.[0].events')"
	grep -q '/ports: No such file' "$T/qmapd.log" || fail "no word of what was missing"
	answers 10.64.1.1 -I wwan0.1
	generated wwan0.1=1 -- pdn=1
	equal "client ids" 6 "$(modem_stat '.qmi.clients | add')"
	qmapctl detach wwan0
	nothing_left
}

is_made_anew() {
	is_attached && [ "$(field '.events | map(.to) | contains(["lost", "absent", "ready"])')" = true ]
}

test_kill_at_every_request_of_a_detach() {
	for n in {1..14}; do
		modem_start --latency 5
		qmapd_start
		attach -q --pdn 1 --pdn 2
		modem reset >/dev/null
		qmapctl detach wwan0 2>/dev/null &
		asking=$!
		wait_for 5 requests_or_end "$n" $asking
		qmapd_kill KILL || :
		wait $asking || :
		qmapd_start
		wait_for 5 is_settled
		is_detached || qmapctl detach wwan0 # the detach had not begun yet
		nothing_left || fail "killed at request $n"
		qmapd_kill
		modem_stop
	done
}

test_second_daemon_is_refused() {
	modem_start
	qmapd_start
	attach --pdn 1
	local status=0 out
	out=$(timeout 60 "$build/qmapd" 2>&1) || status=$?
	equal "exit code" 2 "$status"
	[[ $out == *"another qmapd"* ]] || fail "$out"
	answers 10.64.1.1 -I wwan0.1
	equal "state" attached "$(field .state)"
}

# hold FILE NAME: locks it for a part of a second, as a child does that has not yet executed its hook.
hold() {
	flock -n "$1" sh -c "touch $T/held.$2; sleep .4" &
	wait_for 5 test -e "$T/held.$2"
}

test_locks_outlive_the_daemon() {
	modem_start
	qmapd_start
	attach --pdn 1
	qmapd_kill KILL || :
	hold /run/qmapd/control.lock control
	hold "/sys/fs/bpf/qmap/$(cat /sys/class/net/wwan0/ifindex)" pins
	qmapd_start
	wait_for 5 is_attached
	no_complaints
	generated wwan0.1=1 -- pdn=1
}

# With another directory the second daemon starts, but the trunk stays the first one's.
test_second_daemon_leaves_the_trunk_alone() {
	modem_start
	qmapd_start
	attach --pdn 1
	mkdir "$T/run"
	"$build/qmapd" --run-dir "$T/run" 2>"$T/second.log" &
	local second=$! status=0 out
	wait_for 5 socket_listens "$T/run/control"
	out=$(qmapctl --socket "$T/run/control" attach wwan0 --control "$T/qmi" 2>&1) || status=$?
	equal "exit code" 2 "$status"
	[[ $out == *"another process"* ]] || fail "$out"
	equal "shown by the second" "[]" "$(qmapctl --socket "$T/run/control" -j show)"
	kill $second
	wait $second
	equal "state" attached "$(field .state)"
	generated wwan0.1=1 -- pdn=1
	no_complaints
}

# The state of 64 dual-stack PDNs whose words are as long as they may be, and twice as long in JSON, and
# which the network refuses: it has to fit into the pins.
sixty_four_with_long_words() {
	jq -nc --arg control "$T/qmi" '{command: "apply", trunks: [{dev: "wwan0", control: $control, pdns:
		[range(1; 65) | {number: ., apn: ("\"" * 100), user: ("\\" * 127), password: ("\"" * 127)}]}]}'
}

all_have_failed() {
	[ "$(field ' | [.pdns[].families[] | select(.state == "failed")] | length')" = 128 ]
}

test_state_of_64_refused_pdns() {
	modem_start --pdns 64 --clients 254
	modem refuse type=6 verbose=33 >/dev/null
	qmapd_start
	asked "$(sixty_four_with_long_words)
" >/dev/null
	wait_for 20 all_have_failed || fail "$(field '.pdns[].families')"
	! grep "does not fit" "$T/qmapd.log" || fail "the state does not fit"
	qmapd_kill KILL || :
	equal "PDNs without qmapd" 64 "$(field '.pdns | length')"
	all_have_failed || fail "without qmapd: $(field '.pdns[0].families')"
	qmapd_start
	wait_for 20 is_attached || fail "adopted: $(field .state)"
	all_have_failed || fail "after the adoption: $(field '.pdns[0].families')"
	qmapctl detach wwan0
	nothing_left
}

run_tests "$@"
