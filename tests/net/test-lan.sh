#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The IPv6 prefix of a PDN on a LAN (lan=): announced by radvd, withdrawn and renewed with the network.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

FAR=2001:db8:cafe::1

in_lan() {
	ip netns exec lan "$@"
}

# start OPTION of --pdn: a LAN with one host, and a server somewhere behind the network.
start() {
	command -v radvd >/dev/null || skip "needs radvd (Debian: radvd)"
	ip netns add lan
	ip link add br-lan type veth peer name eth0 netns lan
	ip link set br-lan up
	in_lan ip link set lo up
	in_lan ip link set eth0 up
	sysctl -qw net.ipv6.conf.all.forwarding=1
	cp "$top/system/hooks/lan-radvd" "$T/lan-radvd"
	modem_start
	ip netns exec net ip address add $FAR/128 dev lo nodad
	ip netns exec net sysctl -qw net.ipv6.conf.all.forwarding=1
	qmapd_start
	attach --backoff-min 100 --hook "$T/lan-radvd" --pdn "1,lan=br-lan$1" >/dev/null
}

# Addresses of the host with a prefix, valid and not deprecated.
host_has() { # prefix
	in_lan ip -6 -o address show dev eth0 scope global -deprecated | grep -q "inet6 $1"
}

host_lacks() {
	! host_has "$1"
}

route_is_gone() {
	[ -z "$(ip -6 route show 2001:db8:64:1::/64)$(ip -6 rule | grep 2001:db8:64:1:)" ]
}

hook_is_done() {
	route_is_gone && [ -z "$(find /run/qmapd/lan -type f 2>/dev/null)" ]
}

reaches() {
	wait_for 10 in_lan ping -c 1 -W 2 -q $FAR >/dev/null 2>&1 || fail "$(in_lan ip -6 address; in_lan ip -6 route; ip -6 route)"
}

test_host_gets_an_address() {
	start
	wait_for 15 host_has 2001:db8:64:1: || fail "$(in_lan ip -6 address; cat /run/qmapd/lan/*)"
	reaches
	in_lan ip -6 route show default | grep -q "via fe80" || fail "$(in_lan ip -6 route)"
	qmapctl detach wwan0
	wait_for 10 host_lacks 2001:db8:64:1: || fail "$(in_lan ip -6 address)"
	wait_for 10 hook_is_done || fail "$(ip -6 route show 2001:db8:64:1::/64; ls /run/qmapd/lan)"
}

# The main table has no default route.
test_table() {
	start ,table=77
	wait_for 15 host_has 2001:db8:64:1: || fail "$(in_lan ip -6 address; cat /run/qmapd/lan/*)"
	reaches
	qmapctl detach wwan0
	wait_for 10 hook_is_done || fail "$(ip -6 rule; ls /run/qmapd/lan)"
	equal "table of the hook" "" "$(ip -6 route show table all | grep 'table 20')"
}

# A host's packets leave by the PDN that its prefix is of, though another one has the default route.
test_prefix_of_the_second_pdn() {
	start
	qmapctl detach wwan0
	attach --backoff-min 100 --hook "$T/lan-radvd" --pdn 1 --pdn 2,lan=br-lan >/dev/null
	wait_for 15 host_has 2001:db8:64:2: || fail "$(in_lan ip -6 address)"
	ip -6 route get $FAR from 2001:db8:64:2::99 iif br-lan >"$T/way"
	grep -q 'dev wwan0\.2 ' "$T/way" || fail "$(cat "$T/way"; ip -6 rule)"
}

host_mtu_is() {
	[ "$(in_lan cat /proc/sys/net/ipv6/conf/eth0/mtu)" = "$1" ]
}

# The smaller MTU of LAN and network: radvd announces nothing with one above that of its device.
test_mtu() {
	start
	wait_for 15 host_has 2001:db8:64:1: || fail "$(in_lan ip -6 address)"
	ip link set br-lan mtu 1400
	modem pretend pdn=1 host6=2001:db8:99:7::2 >/dev/null
	modem disconnect pdn=1 >/dev/null
	wait_for 15 host_has 2001:db8:99:7: || fail "$(in_lan ip -6 address; cat /run/qmapd/lan/*)"
	wait_for 5 host_mtu_is 1400 || fail "$(in_lan ip -d link show dev eth0)"
	modem reconfigure pdn=1 mtu=1300 >/dev/null
	wait_for 15 host_mtu_is 1300 || fail "$(in_lan cat /proc/sys/net/ipv6/conf/eth0/mtu; cat /run/qmapd/lan/*)"
}

test_another_prefix() {
	start
	wait_for 15 host_has 2001:db8:64:1: || fail "$(in_lan ip -6 address)"
	modem pretend pdn=1 host6=2001:db8:99:7::2 >/dev/null
	modem disconnect pdn=1 >/dev/null
	wait_for 15 host_has 2001:db8:99:7: || fail "$(in_lan ip -6 address; field '.pdns[0].families')"
	wait_for 10 host_lacks 2001:db8:64:1: || fail "$(in_lan ip -6 address)"
	wait_for 10 route_is_gone || fail "$(ip -6 route)"
}

# The prefix of a PDN stays when the PDN goes whose prefix it has replaced.
test_two_pdns() {
	local other=1 mine
	start
	qmapctl detach wwan0
	attach --backoff-min 100 --hook "$T/lan-radvd" --pdn 1,lan=br-lan --pdn 2,lan=br-lan >/dev/null
	wait_for 15 host_has 2001:db8:64: || fail "$(in_lan ip -6 address)"
	qmapd_kill # the last run has ended then
	qmapd_start
	mine=$(cat /run/qmapd/lan/br-lan.route)
	[ "$mine" != 2001:db8:64:1::/64 ] || other=2
	modem refuse pdn=$other family=6 type=6 verbose=27 >/dev/null
	modem disconnect pdn=$other >/dev/null
	call_comes_to $other 6 failed
	qmapd_kill
	equal "announced" "$mine" "$(cat /run/qmapd/lan/br-lan.route)"
	wait_for 15 host_has "${mine%:/64}" || fail "$(in_lan ip -6 address)"
}

# radvd was killed, and another process has its number.
test_number_of_another() {
	local other
	start
	wait_for 15 host_has 2001:db8:64:1: || fail "$(in_lan ip -6 address)"
	pkill -KILL radvd
	sleep 1000 &
	other=$!
	echo $other >/run/qmapd/lan/br-lan.pid
	qmapctl detach wwan0
	wait_for 10 hook_is_done || fail "$(ls /run/qmapd/lan)"
	kill -0 $other || fail "the other process was ended"
}

test_without_forwarding() {
	start
	wait_for 15 host_has 2001:db8:64:1: || fail "$(in_lan ip -6 address)"
	sysctl -qw net.ipv6.conf.all.forwarding=0
	modem disconnect pdn=1 family=6 >/dev/null
	wait_for 10 grep -q "IPv6 is not forwarded" "$T/qmapd.log" || fail "nothing is said"
	wait_for 10 host_lacks 2001:db8:64:1: || fail "$(in_lan ip -6 address)"
}

test_bad_name() {
	modem_start
	qmapd_start
	refused 1 "is not a name of a network device" attach --pdn 1,lan=br/lan
}

run_tests "$@"
