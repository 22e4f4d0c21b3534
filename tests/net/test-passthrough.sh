#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The IPv4 address of a PDN on a host of the LAN (passthrough=), by the hook passthrough-dnsmasq.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

FAR=198.51.100.7

in_lan() {
	ip netns exec lan "$@"
}

# A LAN port with one host, and a server somewhere behind the network.
start() {
	command -v dnsmasq >/dev/null || skip "needs dnsmasq (Debian: dnsmasq-base)"
	ip netns add lan
	ip link add lan0 type veth peer name eth0 netns lan
	ip link set lan0 up
	in_lan ip link set lo up
	in_lan ip link set eth0 up
	sysctl -qw net.ipv4.ip_forward=1
	cp "$top/system/hooks/passthrough-dnsmasq" "$T/passthrough"
	cat >"$T/lease" <<-'END'
		#!/bin/sh
		ip -4 address flush dev eth0
		[ "$1" = bound ] || [ "$1" = renew ] || exit 0
		ip address add "$ip/$subnet" dev eth0
		ip route replace default via "$router" dev eth0
		ip link set eth0 mtu "$mtu"
		echo "$ip $dns $mtu" >"$0.got"
	END
	chmod +x "$T/lease"
	modem_start
	ip netns exec net ip address add $FAR/32 dev lo
	qmapd_start
}

host_asks() {
	rm -f "$T/lease.got"
	in_lan busybox udhcpc -i eth0 -s "$T/lease" -n -q -t 5 -T 1 -O mtu >"$T/udhcpc.log" 2>&1
}

# The old server may still answer for a moment.
host_gets() { # address
	host_asks && [ "$(cut -d' ' -f1 "$T/lease.got")" = "$1" ]
}

attach_to_host() {
	attach --backoff-min 100 --hook "$T/passthrough" --pdn 1,passthrough=lan0,ip=v4 "$@" >/dev/null
	wait_for 10 host_asks || fail "$(cat "$T/udhcpc.log"; ip -4 address; ip rule; cat /run/qmapd/passthrough/*)"
}

nothing_is_set() {
	[ -z "$(ip -4 -o address show dev lan0)$(ip rule | grep 2000)$(find /run/qmapd/passthrough -type f 2>/dev/null)" ]
}

warnings() { # file
	sed -nE 's/.*warning: (.*hook.*)/\1/p' "$1"
}

# The settings do nothing by themselves; attach, apply and qmapd say so.
test_no_hook() {
	local said="wwan0: PDN 1: passthrough=lan0 takes the address from the port, and no hook brings it to the host; see passthrough-dnsmasq
wwan0: PDN 2: lan=lan0 does nothing without a hook, such as lan-radvd"
	start
	attach --pdn 1,passthrough=lan0 --pdn 2,lan=lan0 2>"$T/said" >/dev/null
	equal "attach" "$said" "$(warnings "$T/said")"
	qmapctl dump >"$T/conf"
	qmapctl apply "$T/conf" 2>"$T/said" >/dev/null
	equal "apply" "$said" "$(warnings "$T/said")"
	qmapd_kill TERM
	: >"$T/qmapd.log"
	qmapd_start -c "$T/conf"
	equal "qmapd" "$said" "$(warnings "$T/qmapd.log")"
	qmapctl detach wwan0
	attach --hook "$T/passthrough" --pdn 1,passthrough=lan0 --pdn 2,lan=lan0 >/dev/null 2>"$T/said"
	equal "with a hook" "" "$(cat "$T/said")"
}

test_host_has_the_address() {
	start
	attach_to_host
	equal "lease" "10.64.1.2 10.64.1.53 10.64.1.54 1500" "$(cat "$T/lease.got")"
	equal "addresses of the port" "" "$(ip -4 -o address show dev wwan0.1)"
	equal "default route of the router" "" "$(ip -4 route show default)"
	in_lan ping -c 2 -W 2 -q $FAR >/dev/null || fail "$(in_lan ip route; ip rule; ip route show table all)"
	# The far end gets the address itself.
	deep_queues
	send -c 500 lan/eth0=1@$FAR
	sink_has 1 500
	in_lan ping -c 1 -W 2 -q "$(ip -4 -o address show dev lan0 | awk '{sub("/.*", "", $4); print $4}')" >/dev/null ||
		fail "the router cannot be reached"
	equal "damage" "[]" "$(field '.pdns[0].damage | tostring')"
	equal "passthrough" lan0 "$(field '.pdns[0].passthrough')"
	qmapctl detach wwan0
	wait_for 10 nothing_is_set || fail "$(ip -4 address; ip rule; ls /run/qmapd/passthrough)"
}

# The smaller MTU of the host's link and the network.
test_mtu() {
	start
	ip link set lan0 mtu 1400
	attach_to_host
	equal "MTU" 1400 "$(awk '{ print $NF }' "$T/lease.got")"
	modem reconfigure pdn=1 mtu=1300 >/dev/null
	wait_for 10 mtu_given 1300 || fail "$(cat "$T/lease.got")"
	qmapctl detach wwan0
}

mtu_given() { # MTU
	host_asks && [ "$(awk '{ print $NF }' "$T/lease.got")" = "$1" ]
}

test_another_address() {
	local last
	start
	attach_to_host
	# All positions within a network of four.
	for last in 4 5 6 7 255; do
		modem pretend pdn=1 host4=10.64.1.$last >/dev/null
		modem disconnect pdn=1 >/dev/null
		wait_for 10 grep -q "^10.64.1.$last " /run/qmapd/passthrough/lan0.set || fail "$(cat /run/qmapd/passthrough/*)"
		wait_for 10 host_gets 10.64.1.$last || fail "$(cat "$T/lease.got" "$T/udhcpc.log"; ip -4 address)"
	done
	equal "rules" 2 "$(ip rule | grep -c 2000)"
	qmapctl detach wwan0
	wait_for 10 nothing_is_set || fail "$(ip -4 address; ip rule; ls /run/qmapd/passthrough)"
}

servers() {
	pgrep -cf "dnsmasq .*--interface=lan0" || :
}

servers_are() {
	[ "$(servers)" = "$1" ]
}

# On a busy machine a dnsmasq takes its time to end.
test_server_ends_late() {
	local old
	start
	attach_to_host
	old=$(cat /run/qmapd/passthrough/lan0.pid)
	kill -STOP "$old"
	modem pretend pdn=1 host4=10.64.1.6 >/dev/null
	modem disconnect pdn=1 >/dev/null
	sleep 2
	kill -CONT "$old"
	wait_for 10 host_gets 10.64.1.6 || fail "$(cat "$T/lease.got" "$T/udhcpc.log"; ip -4 address)"
	wait_for 10 servers_are 1 || fail "$(pgrep -af dnsmasq)"
	qmapctl detach wwan0
	wait_for 10 servers_are 0 || fail "$(pgrep -af dnsmasq)"
}

# dnsmasq was killed, and another process has its number.
test_number_of_another() {
	local other
	start
	attach_to_host
	kill -KILL "$(cat /run/qmapd/passthrough/lan0.pid)"
	sleep 1000 &
	other=$!
	echo $other >/run/qmapd/passthrough/lan0.pid
	qmapctl detach wwan0
	wait_for 10 nothing_is_set || fail "$(ls /run/qmapd/passthrough)"
	kill -0 $other || fail "the other process was ended"
}

# The capabilities that the unit file leaves to hooks suffice.
test_capabilities_of_the_unit() {
	start
	qmapd_kill
	qmapd_start_as_unit
	attach_to_host
	qmapctl detach wwan0
	wait_for 10 nothing_is_set || fail "$(ip -4 address; ip rule; ls /run/qmapd/passthrough)"
}

test_changed_in_place() {
	start
	attach_to_host
	conf 'ip = v4'
	wait_for 10 nothing_is_set || fail "$(ip -4 address; ip rule)"
	equal "address of the port" 10.64.1.2/30 "$(ip -4 -o address show dev wwan0.1 | awk '{print $4}')"
	conf 'ip = v4' 'passthrough = lan0'
	equal "addresses of the port" "" "$(ip -4 -o address show dev wwan0.1)"
	wait_for 10 host_asks || fail "$(cat "$T/udhcpc.log")"
	qmapd_kill KILL || :
	qmapd_start
	equal "addresses of the port" "" "$(ip -4 -o address show dev wwan0.1)"
	in_lan ping -c 2 -W 2 -q $FAR >/dev/null || fail "$(in_lan ip route; ip rule)"
	qmapctl detach wwan0
}

conf() { # line of the PDN...
	{
		printf '[trunk wwan0]\ncontrol = %s\nhook = %s\n[trunk wwan0 pdn 1]\n' "$T/qmi" "$T/passthrough"
		printf '%s\n' "$@"
	} >"$T/conf"
	qmapctl apply "$T/conf" >/dev/null
}

# An address of 464XLAT is the router's own, and the port has none.
test_ipv6_alone() {
	modem_start
	qmapd_start
	attach --pdn 1,ip=v6,passthrough=lan0,clat=64:ff9b::/96 >/dev/null
	answers 2001:db8:64:1::1
	equal "clat" null "$(field '.pdns[0].clat')"
	equal "programs" "" "$(tc filter show dev wwan0.1 egress)"
	conf 'ip = v6' 'clat = 64:ff9b::/96'
	equal "address of the port" 192.0.0.1/32 "$(ip -4 -o address show dev wwan0.1 | awk '{print $4}')"
	conf 'ip = v6' 'clat = 64:ff9b::/96' 'passthrough = lan0'
	equal "addresses of the port" "" "$(ip -4 -o address show dev wwan0.1)"
	equal "programs" "" "$(tc filter show dev wwan0.1 egress)"
	equal "damage" "[]" "$(field '.pdns[0].damage | tostring')"
}

test_bad_words() {
	modem_start
	qmapd_start
	refused 1 "is not a name of a network device" attach --pdn 1,passthrough=a/b
	refused 1 "is in another namespace than netns=x" attach --pdn 1,passthrough=lan0,netns=x
}

run_tests "$@"
