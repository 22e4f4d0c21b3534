#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Policy routing: the rules of PDNs with a routing table of their own follow their addresses, and go with them.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

# Behind the network, at no PDN's own addresses.
FAR=198.51.100.7 FAR6=2001:db8:ffff::7

# `ip rule` without the kernel's own rules, in NETNS or here.
rules() { # 4|6 [NETNS]
	ip ${2:+-n "$2"} "-$1" rule show | grep -v '^\(0\|32766\|32767\):' | sed 's/\t/ /; s/ $//'
}

of_v4() { # table port address
	echo "20002: from $3 lookup main suppress_prefixlength 0 proto static"
	echo "20003: from all oif $2 lookup $1 proto static"
	echo "20003: from $3 lookup $1 proto static"
}

of_v6() { # table port prefix
	of_v4 "$@"
}

rules_are() { # 4|6 WANTED [NETNS]
	[ "$(rules "$1" "${3:-}" | sort)" = "$(sort <<<"$2")" ]
}

follows() { # 4|6 WANTED [NETNS]: eventually
	wait_for 5 rules_are "$@" || fail "rules of IPv$1: expected
$2
got
$(rules "$1" "${3:-}")
$(qmapctl show)"
}

of_pdn_1() {
	follows 4 "$(of_v4 100 "${1:-wwan0.1}" 10.64.1.2)"
	follows 6 "$(of_v6 100 "${1:-wwan0.1}" 2001:db8:64:1::/64)"
}

start() { # modem option...
	modem_start "$@"
	ip netns exec net ip address add $FAR/32 dev lo
	ip netns exec net ip address add $FAR6/128 dev lo
	qmapd_start
}

sent() { # PDN: packets of its uplink
	modem_stat ".pdn[\"$1\"].ul_packets"
}

# leaves_by PDN COMMAND...: it succeeds, and its packet leaves by that PDN and no other.
leaves_by() {
	local pdn=$1 before after
	shift
	before=$(sent 1),$(sent 2),$(sent 3)
	"$@" >/dev/null || fail "no answer: $*"
	after=$(sent 1),$(sent 2),$(sent 3)
	equal "PDN of: $*" "$pdn" "$(paste -d' ' <(tr , '\n' <<<"$before") <(tr , '\n' <<<"$after") |
		awk '$1 != $2 { print NR }' | paste -sd ' ')"
}

one_ping() {
	ping -c 1 -W 5 -q "$@"
}

# IMS, a company's network and the internet: each program reaches its own by address or by port.
test_pdns_side_by_side() {
	start
	attach --pdn 1,table=100 --pdn 2,table=70000 --pdn 3 >/dev/null
	equal "IPv4" "$({ of_v4 100 wwan0.1 10.64.1.2; of_v4 70000 wwan0.2 10.64.2.2; } | sort)" "$(rules 4 | sort)"
	equal "IPv6" "$({ of_v6 100 wwan0.1 2001:db8:64:1::/64; of_v6 70000 wwan0.2 2001:db8:64:2::/64; } | sort)" \
		"$(rules 6 | sort)"
	for pdn in 1 2 3; do
		leaves_by $pdn one_ping -I 10.64.$pdn.2 $FAR
		leaves_by $pdn one_ping -I wwan0.$pdn $FAR
		leaves_by $pdn one_ping -I 2001:db8:64:$pdn::2 $FAR6
		leaves_by $pdn one_ping -I wwan0.$pdn $FAR6
	done
	leaves_by 3 one_ping $FAR
	leaves_by 3 one_ping $FAR6
	equal "damage" "" "$(field '.pdns[].damage[]')"
	qmapctl detach wwan0
	nothing_left
}

# A host of the LAN that asks the PDN's address gets its answer, from there, by the LAN.
test_local_networks_come_first() {
	start
	attach --pdn 1,table=100 >/dev/null
	lan
	wait_for 5 ip netns exec lan ping -c 1 -W 5 -q 10.64.1.2 >/dev/null || fail "$(ip rule; ip route)"
	wait_for 5 ip netns exec lan ping -c 1 -W 5 -q 2001:db8:64:1::2 >/dev/null || fail "$(ip -6 rule; ip -6 route)"
	equal "packets to the modem" 0 "$(sent 1)"
}

test_addresses_change() {
	local tell host=2
	start
	attach --poll 1 --pdn 1,apn=internet,table=100 >/dev/null
	for tell in nothing connected reconfigure; do
		host=$((host + 2))
		modem readdress pdn=1 host=$host tell=$tell >/dev/null
		follows 4 "$(of_v4 100 wwan0.1 10.64.1.$host)"
		follows 6 "$(of_v6 100 wwan0.1 2001:db8:64:1::/64)"
		leaves_by 1 one_ping -I 10.64.1.$host $FAR
		leaves_by 1 one_ping -I 2001:db8:64:1::$host $FAR6
	done
	# one family after the other ends
	modem refuse pdn=1 family=4 verbose=26 >/dev/null
	modem disconnect pdn=1 family=4 >/dev/null
	follows 4 ""
	modem clear
	follows 4 "$(of_v4 100 wwan0.1 10.64.1.$host)"
	qmapctl detach wwan0
	nothing_left
}

# Another process changes them; rules that are not ours stay.
test_deleted_by_another_process() {
	start
	attach --pdn 1,table=100 >/dev/null
	ip rule add from 192.0.2.1 lookup 100 priority 20003
	ip rule add from 192.0.2.2 lookup 7 priority 20004 protocol static
	ip rule del priority 20003 from 10.64.1.2
	wait_for 5 says_event "somebody has deleted its routing rules" || fail "$(field .events | jq -c '.[]')"
	follows 4 "$(of_v4 100 wwan0.1 10.64.1.2
		echo "20003: from 192.0.2.1 lookup 100"
		echo "20004: from 192.0.2.2 lookup 7 proto static")"
	ip -6 -batch - <<-END
		rule del priority 20002
		rule del priority 20003
		rule del priority 20003
	END
	follows 6 "$(of_v6 100 wwan0.1 2001:db8:64:1::/64)"
	equal "damage" '[]' "$(field '.pdns[0].damage | tojson')"
	# who insists has the last word, and `show` says so
	while [ "$(field '.pdns[0].damage | tojson')" != '["somebody has deleted its routing rules"]' ]; do
		ip rule del priority 20002 2>/dev/null || :
	done
	qmapctl detach wwan0
	nothing_left
	equal "left" "20003: from 192.0.2.1 lookup 100
20004: from 192.0.2.2 lookup 7 proto static" "$(rules 4)"
	equal "left" "" "$(rules 6)"
}

says_event() { # text
	field '.events[].reason' | grep -qF "$1"
}

# With all that has changed while no qmapd was there.
test_killed() {
	start
	attach --pdn 1,table=100 --pdn 2,table=200 >/dev/null
	qmapd_kill KILL || :
	qmapd_start
	wait_for 10 is_attached || fail "$(qmapctl show)"
	follows 4 "$(of_v4 100 wwan0.1 10.64.1.2; of_v4 200 wwan0.2 10.64.2.2)"
	equal "events" "" "$(field '.events[] | select(.kind == "netdev") | .reason')"
	qmapd_kill KILL || :
	modem readdress pdn=1 host=8 tell=nothing >/dev/null
	modem disconnect pdn=2 >/dev/null
	modem refuse pdn=2 verbose=26 >/dev/null
	ip link set wwan0.1 name lte
	qmapd_start
	wait_for 10 is_attached || fail "$(qmapctl show)"
	follows 4 "$(of_v4 100 lte 10.64.1.8)"
	follows 6 "$(of_v6 100 lte 2001:db8:64:1::/64)"
	qmapd_kill KILL || :
	modem_stop
	qmapd_start
	follows 4 ""
	follows 6 ""
}

test_unplugged() {
	start
	attach --pdn 1,table=100 >/dev/null
	modem_stop
	wait_for 5 modem_is absent || fail "$(qmapctl show)"
	follows 4 ""
	follows 6 ""
	modem_start
	of_pdn_1
}

test_port_is_renamed_or_deleted() {
	start
	attach --pdn 1,table=100 >/dev/null
	ip link set wwan0.1 name lte0
	of_pdn_1 lte0
	equal "events" "somebody has renamed it: it was wwan0.1" "$(field '.events[] | select(.kind == "netdev") | .reason')"
	leaves_by 1 one_ping -I lte0 $FAR6
	ip link del lte0
	of_pdn_1
	qmapctl detach wwan0
	nothing_left
}

test_in_a_namespace() {
	ip netns add red
	start
	attach --pdn 1,table=100,netns=red >/dev/null
	equal "rules here" "" "$(rules 4; rules 6)"
	follows 4 "$(of_v4 100 wwan0.1 10.64.1.2)" red
	ip -n red rule del priority 20002
	follows 4 "$(of_v4 100 wwan0.1 10.64.1.2)" red
	ip netns exec red ping -c 1 -W 5 -q -I 10.64.1.2 $FAR >/dev/null || fail "no answer"
	qmapctl detach wwan0
	equal "left in red" "" "$(rules 4 red; rules 6 red)"
}

tables() { # family: of the default routes through port 1
	ip "-$1" -j route show table all default | jq -r '[.[] | select(.dev == "wwan0.1") | .table // "main"] | join(" ")'
}

# Each way to have no table of its own, from one to the next.
test_configuration_changes() {
	local setting calls
	start
	printf '[trunk wwan0]\ncontrol = %s\n[trunk wwan0 pdn 1]\ntable = 100\n' "$T/qmi" >"$T/with"
	for setting in "table = 0" "table = 254" $'table = 100\ndefault-route = no' $'table = 100\naddresses = none'; do
		qmapctl apply "$T/with" >/dev/null
		of_pdn_1
		{ grep -v table "$T/with"; echo "$setting"; } >"$T/without"
		qmapctl apply "$T/without" >/dev/null
		follows 4 ""
		follows 6 ""
	done
	sed 's/100/101/' "$T/with" >"$T/other"
	qmapctl apply "$T/with" >/dev/null
	calls=$(starts)
	qmapctl apply "$T/other" >/dev/null
	follows 4 "$(of_v4 101 wwan0.1 10.64.1.2)"
	follows 6 "$(of_v6 101 wwan0.1 2001:db8:64:1::/64)"
	equal "routes" "101 101" "$(tables 4) $(tables 6)"
	equal "calls dialled for it" "$calls" "$(starts)"
	equal "damage" "[]" "$(field '.pdns[0].damage' | jq -c)"
	leaves_by 1 one_ping -I 10.64.1.2 $FAR
	qmapctl detach wwan0
	nothing_left
}

# The port is in another namespace: its rules are not, and its routes follow when it is back.
test_configuration_changes_while_away() {
	start
	ip netns add blue
	printf '[trunk wwan0]\ncontrol = %s\n[trunk wwan0 pdn 1]\ntable = 100\n' "$T/qmi" >"$T/with"
	grep -v table "$T/with" >"$T/without"
	qmapctl apply "$T/with" >/dev/null
	of_pdn_1
	ip link set wwan0.1 netns blue
	wait_for 5 is_damaged "somebody has moved it to another namespace" || fail "$(qmapctl show)"
	qmapctl apply "$T/without" >/dev/null || fail "refused: $(qmapctl show)"
	follows 4 ""
	follows 6 ""
	ip -n blue link set wwan0.1 netns 1
	answers 10.64.1.1 -I wwan0.1
	equal "routes" "main main" "$(tables 4) $(tables 6)"
	ip link set wwan0.1 netns blue
	wait_for 5 is_damaged "somebody has moved it to another namespace" || fail "$(qmapctl show)"
	qmapctl apply "$T/with" >/dev/null || fail "refused: $(qmapctl show)"
	ip -n blue link set wwan0.1 netns 1
	answers 10.64.1.1 -I wwan0.1
	of_pdn_1
	equal "routes" "100 100" "$(tables 4) $(tables 6)"
	qmapctl detach wwan0
	nothing_left
}

# The address is the LAN host's, and the port has none.
test_passthrough() {
	start
	ip link add lan0 type veth peer name lan1
	attach --pdn 1,table=100,passthrough=lan0 >/dev/null 2>&1
	follows 4 ""
	follows 6 "$(of_v6 100 wwan0.1 2001:db8:64:1::/64)"
}

run_tests "$@"
