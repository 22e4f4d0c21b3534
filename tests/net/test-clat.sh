#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# IPv4 on an IPv6-only network by 464XLAT: a NAT64 (tayga) and a server for IPv4 stand behind the software
# modem, and a DNS server that tells the prefix.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

PREFIX=2001:db8:ffff::/96
SERVER=203.0.113.1
DNS=2001:db8:64:1::53 # the first server that the modem names for PDN 1

in_net() {
	ip netns exec net "$@"
}

# nat64_start: tayga between the modem's network side and the server's addresses.
nat64_start() {
	command -v tayga >/dev/null || skip "needs tayga (Debian: tayga)"
	cat >"$T/tayga.conf" <<-EOC
		tun-device nat64
		ipv4-addr 198.51.100.1
		ipv6-addr 2001:db8:fffe::1
		prefix $PREFIX
		dynamic-pool 198.51.100.128/25
		data-dir $T
	EOC
	in_net tayga -c "$T/tayga.conf" --mktun >/dev/null
	in_net ip link set nat64 up
	in_net ip address add $SERVER/32 dev lo
	# tayga counts no fragment header when it tells the server an MTU
	in_net ip route add 198.51.100.0/24 dev nat64 mtu 1472
	in_net ip -6 route add $PREFIX dev nat64
	in_net ip -6 route add 2001:db8:fffe::1 dev nat64
	in_net sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_net tayga -c "$T/tayga.conf" -d >>"$T/tayga.log" 2>&1 &
}

# dns_start WORD: see dns64.py.
dns_start() {
	echo "$1" >"$T/dns.word"
	in_net "$here/dns64.py" $DNS "$T/dns.word" >"$T/dns.log" 2>&1 &
	wait_for 10 grep -q ready "$T/dns.log" || fail "$(cat "$T/dns.log")"
}

clat() { # .path
	field ".pdns[0].clat$1"
}

reason_is() {
	[ "$(clat .reason)" = "$1" ]
}

clat_is() { # state
	[ "$(clat .state)" = "$1" ]
}

becomes() { # state
	wait_for 15 clat_is "$1" || fail "clat is not $1: $(field '.pdns[0].clat')"
}

v4_address() {
	ip -o -4 address show dev wwan0.1 | awk '{print $4}'
}

v4_route() {
	ip -4 route show default | sed 's/ *$//'
}

# Ids of our programs on the port: those of TCX, and of filters.
tcx_ids() { # [dev]
	"$build/tcx-tool" list "${1-wwan0.1}" | sed -n 's/.* qmap_clat_[a-z]* //p'
}

filter_ids() { # [dev]
	local way
	for way in ingress egress; do
		tc filter show dev "${1-wwan0.1}" $way 2>/dev/null | sed -n 's/.*qmap_clat.* id \([0-9]*\).*/\1/p'
	done
}

programs() {
	{ tcx_ids; filter_ids; } | wc -l
}

# The kernel that qmapd runs on from now on has no TCX, as before Linux 6.6.
without_tcx() {
	export LD_PRELOAD=$build/no_tcx.so
}

# Only then is there a choice to test.
needs_tcx() {
	"$build/tcx-tool" list lo || skip "needs TCX (Linux 6.6)"
}

programs_are() {
	[ "$(programs)" = "$1" ]
}

start() { # option of attach...
	modem_start
	qmapd_start
	nat64_start
	attach "$@" >/dev/null
}

# Bytes are compared in both directions, over TCP and UDP.
works() {
	answers $SERVER
	head -c 3000000 /dev/urandom >"$T/sent"
	in_net timeout 60 python3 -c '
import socket, sys
s = socket.create_server((sys.argv[1], 7777))
print("ready", flush=True)
c, peer = s.accept()
data = b""
while len(data) < 3000000:
    part = c.recv(65536)
    if not part:
        break
    data += part
c.sendall(data)
c.close()' $SERVER >"$T/echo.log" &
	wait_for 5 grep -q ready "$T/echo.log"
	timeout 60 python3 -c '
import socket, sys, threading
data = open(sys.argv[2], "rb").read()
c = socket.create_connection((sys.argv[1], 7777))
threading.Thread(target=lambda: c.sendall(data)).start()
back = b""
while len(back) < len(data):
    part = c.recv(65536)
    if not part:
        break
    back += part
sys.exit(back != data)' $SERVER "$T/sent" || fail "TCP: other bytes came back"
	udp_works
}

# Each size, up to packets in fragments; checksums on and off. A packet that is lost because the path's MTU
# had to be found is sent again.
udp_works() {
	in_net timeout 60 python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 7778))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data, peer)' $SERVER >"$T/udp.log" &
	wait_for 5 grep -q ready "$T/udp.log"
	timeout 60 python3 -c '
import os, socket, sys
sent = []
for no_check in 0, 1:
    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    c.setsockopt(socket.SOL_SOCKET, 11, no_check)  # SO_NO_CHECK
    c.settimeout(2)
    c.connect((sys.argv[1], 7778))
    for size in 0, 1, 2, 100, 1200, 1400, 1444, 1445, 1472, 1473, 4000, 8000:
        if no_check and size > 1444:  # a checksum cannot be made for fragments
            continue
        data = os.urandom(size)
        sent.append(data)
        for again in range(20):
            try:
                c.send(data)
                # the answer to one that was sent again may come twice
                while (back := c.recv(65536)) != data and back in sent:
                    pass
                break
            except (TimeoutError, OSError) as error:
                back = error
        if back != data:
            sys.exit(f"size {size}, no_check {no_check}: {back}")' $SERVER || fail "UDP does not work"
}

# --- the prefix ---

test_configured_prefix() {
	start --pdn 1,ip=v6,clat=$PREFIX
	becomes on
	equal "prefix" $PREFIX "$(clat .prefix)"
	equal "address" 192.0.0.1/32 "$(v4_address)"
	equal "route" "default dev wwan0.1 proto static scope link metric 701 mtu 1472" "$(v4_route)"
	works
	at_least "packets to IPv6" 100 "$(clat .to_v6)"
	at_least "packets to IPv4" 100 "$(clat .to_v4)"
	qmapctl show | grep -q "192.0.0.1 (464XLAT)" || fail "$(qmapctl show)"
	no_complaints
	qmapctl detach wwan0
	nothing_left
}

test_prefix_by_dns() {
	modem_start
	dns_start 2001:db8:ffff::c000:aa
	qmapd_start
	nat64_start
	attach --pdn 1,ip=v6 >/dev/null
	becomes on
	equal "prefix" $PREFIX "$(clat .prefix)"
	field '.events[].reason' | grep -q "IPv4 by 464XLAT: 192.0.0.1, NAT64 prefix $PREFIX" ||
		fail "$(field .events)"
	works
	no_complaints
}

# router_start PREFIX CODE LIFETIME: see router.py.
router_start() {
	in_net "$here/router.py" pdn1 "$@" >"$T/router.log" 2>&1 &
	wait_for 10 grep -q ready "$T/router.log" || fail "$(cat "$T/router.log")"
}

# What routers say outranks DNS, also where that has another prefix or does not answer.
test_prefix_by_router() {
	local word
	modem_start
	router_start 2001:db8:ffff:: 0 600
	dns_start silent
	qmapd_start
	nat64_start
	for word in silent none servfail 64:ff9b::c000:aa; do
		echo $word >"$T/dns.word"
		attach --pdn 1,ip=v6 >/dev/null
		becomes on
		equal "prefix" $PREFIX "$(clat .prefix)"
		[ $word != none ] || works
		qmapctl detach wwan0
	done
	at_least "solicitations" 4 "$(grep -c asked "$T/router.log")"
}

# By the rules for its port and its address.
test_servers_by_a_table_of_its_own() {
	modem_start
	nat64_start
	dns_start 2001:db8:ffff::c000:aa
	qmapd_start
	attach --pdn 1,ip=v6,table=100 --pdn 2 >/dev/null
	becomes on
	equal "prefix" $PREFIX "$(clat .prefix)"
	answers $SERVER -I "$(v4_address | cut -d/ -f1)"
	answers $SERVER -I wwan0.1
}

# Servers are not reached without a default route, and routers need none.
test_prefix_by_router_alone() {
	modem_start
	router_start 2001:db8:ffff:: 0 600
	qmapd_start
	attach --pdn 1,ip=v6,default-route=no >/dev/null
	becomes on
	equal "prefix" $PREFIX "$(clat .prefix)"
}

test_router_withdraws() {
	modem_start
	router_start 2001:db8:ffff:: 0 0
	dns_start none
	qmapd_start
	attach --pdn 1,ip=v6 >/dev/null
	becomes no-nat64
}

test_network_without_nat64() {
	modem_start
	dns_start none
	qmapd_start
	attach --pdn 1,ip=v6 >/dev/null
	becomes no-nat64
	equal "programs" 0 "$(programs)"
	equal "IPv4 address" "" "$(v4_address)"
	qmapctl show | grep -q "no IPv4: the network offers no NAT64" || fail "$(qmapctl show)"
}

test_dns_that_fails() {
	modem_start
	dns_start servfail
	qmapd_start
	attach --pdn 1,ip=v6 >/dev/null
	becomes failed
	# The first answer may come too late on a busy machine; the servers are asked again.
	wait_for 60 reason_is "its DNS servers fail" || fail "$(clat .reason)"
	echo 2001:db8:ffff::c000:aa >"$T/dns.word"
	becomes on
}

test_off() {
	modem_start
	dns_start 2001:db8:ffff::c000:aa
	qmapd_start
	attach --pdn 1,ip=v6,clat=off >/dev/null
	answers 2001:db8:64:1::1
	equal "clat" null "$(field .pdns[0].clat)"
	equal "questions" 0 "$(grep -c asked "$T/dns.log")"
}

test_bad_prefix() {
	modem_start
	qmapd_start
	refused 1 "is not a NAT64 prefix" attach --pdn 1,ip=v6,clat=64:ff9b::/95
}

# --- when ---

# IPv4 of the network's own is better.
test_ipv4_of_the_network() {
	modem_start
	dns_start 2001:db8:ffff::c000:aa
	qmapd_start
	attach --pdn 1 >/dev/null
	equal "clat" null "$(field .pdns[0].clat)"
	equal "address" 10.64.1.2/30 "$(v4_address)"
	equal "questions" 0 "$(grep -c asked "$T/dns.log")"
}

# IPv4 that is refused, and then is not.
test_ipv4_comes_late() {
	modem_start
	modem refuse pdn=1 family=4 reason=2 type=6 verbose=51 >/dev/null
	dns_start 2001:db8:ffff::c000:aa
	qmapd_start
	nat64_start
	attach --pdn 1 >/dev/null || :
	becomes on
	works
	modem clear >/dev/null
	qmapctl redial wwan0 >/dev/null
	wait_for 10 own_ipv4 || fail "$(qmapctl show; ip address show dev wwan0.1)"
	equal "programs" 0 "$(programs)"
	equal "clat" null "$(field .pdns[0].clat)"
	answers 10.64.1.1
}

own_ipv4() {
	[ "$(v4_address)" = 10.64.1.2/30 ] && programs_are 0
}

test_ipv6_goes_and_comes() {
	start --pdn 1,ip=v6,clat=$PREFIX --backoff-min 100
	becomes on
	modem disconnect pdn=1 >/dev/null
	call_comes_to 1 6 backing-off
	becomes on
	works
	no_complaints
}

# --- other processes ---

test_adoption() {
	local before
	start --pdn 1,ip=v6,clat=$PREFIX
	becomes on
	answers $SERVER
	before=$(tcx_ids; filter_ids)
	equal "programs" 2 "$(wc -w <<<"$before")"
	qmapd_kill KILL || :
	answers $SERVER
	equal "state without a daemon" on "$(clat .state)"
	qmapd_start
	becomes on
	equal "address" 192.0.0.1/32 "$(v4_address)"
	equal "programs" "$before" "$(tcx_ids; filter_ids)"
	works
	qmapd_kill KILL || :
	qmapctl detach wwan0
	nothing_left
}

# There is no notification of programs that another process removes from TCX.
test_repair() {
	needs_tcx
	start --poll 1 --pdn 1,ip=v6,clat=$PREFIX
	becomes on
	equal "programs of filters" "" "$(filter_ids)"
	"$build/tcx-tool" detach wwan0.1 egress
	wait_for 10 programs_are 2 || fail "$("$build/tcx-tool" list wwan0.1)"
	answers $SERVER
	"$build/tcx-tool" detach wwan0.1 ingress
	wait_for 10 programs_are 2 || fail "$("$build/tcx-tool" list wwan0.1)"
	address_comes_back
}

test_repair_filters() {
	without_tcx
	start --pdn 1,ip=v6,clat=$PREFIX
	becomes on
	tc qdisc del dev wwan0.1 clsact
	wait_for 10 programs_are 2 || fail "$(tc filter show dev wwan0.1 egress)"
	answers $SERVER
	tc filter del dev wwan0.1 ingress
	wait_for 10 programs_are 2 || fail "$(tc filter show dev wwan0.1 ingress)"
	address_comes_back
}

address_comes_back() {
	ip -4 address flush dev wwan0.1
	wait_for 10 has_address || fail "$(ip address show dev wwan0.1)"
	works
}

# The kernel is newer than the qmapd before, or that one knew filters alone. Its counters go on.
test_from_filters_to_tcx() {
	needs_tcx
	without_tcx
	start --pdn 1,ip=v6,clat=$PREFIX
	becomes on
	answers $SERVER -c 20 -i 0.05
	equal "filters" 2 "$(filter_ids | wc -l)"
	equal "programs of TCX" "" "$(tcx_ids)"
	unset LD_PRELOAD
	at_least "packets counted before" 20 "$(clat .to_v6)"
	qmapd_kill TERM || :
	qmapd_start
	becomes on
	equal "the same code: filters" 2 "$(filter_ids | wc -l)"
	qmapd_kill TERM || :
	qmapd_program=qmapd-rebuilt
	qmapd_start
	wait_for 10 has_moved || fail "$("$build/tcx-tool" list wwan0.1)"
	becomes on
	at_least "packets counted" 20 "$(clat .to_v6)"
	works
	qmapctl detach wwan0
	nothing_left
}

has_moved() {
	[ "$(tcx_ids | wc -l)$(filter_ids)" = 2 ]
}

apply_clat() { # setting
	cat >"$T/conf" <<-EOC
		[trunk wwan0]
		control = $T/qmi
		[trunk wwan0 pdn 1]
		ip = v6
		clat = $1
	EOC
	qmapctl apply "$T/conf" >/dev/null
}

has_address() {
	[ "$(v4_address)" = 192.0.0.1/32 ] && [ "$(v4_route)" = "default dev wwan0.1 proto static scope link metric 701 mtu 1472" ]
}

test_changed_while_attached() {
	start --pdn 1,ip=v6,clat=$PREFIX
	becomes on
	apply_clat off
	wait_for 10 programs_are 0 || fail "$(qmapctl show)"
	equal "IPv4 address" "" "$(v4_address)"
	sed -i "s|clat = off|clat = $PREFIX|" "$T/conf"
	qmapctl apply "$T/conf" >/dev/null
	becomes on
	works
}

# qmapctl(8): a translation that has failed is tried again, also with a configured prefix.
test_begins_late() {
	without_tcx
	modem_start
	qmapd_start
	attach --pdn 1,ip=v6,clat=off >/dev/null
	tc qdisc add dev wwan0.1 clsact
	tc filter add dev wwan0.1 egress pref 464 protocol ip bpf bytecode '1,6 0 0 0'
	apply_clat "$PREFIX"
	becomes failed
	[[ $(clat .reason) == *"File exists"* ]] || fail "$(clat .reason)"
	tc filter del dev wwan0.1 egress pref 464
	becomes on
}

# SQM and its like add the qdisc `ingress`, which excludes clsact: TCX needs neither. A filter there sees the
# packets that have been translated.
test_beside_ingress() {
	needs_tcx
	start --pdn 1,ip=v6,clat=$PREFIX
	becomes on
	tc qdisc add dev wwan0.1 handle ffff: ingress
	tc filter add dev wwan0.1 parent ffff: pref 10 protocol ipv6 bpf da bytecode '1,6 0 0 2'
	answers $SERVER
	tc filter add dev wwan0.1 parent ffff: pref 11 protocol ip bpf da bytecode '1,6 0 0 2'
	! ping -c 2 -W 1 -q $SERVER >/dev/null || fail "the filter does not see IPv4"
	tc filter del dev wwan0.1 parent ffff: pref 11
	answers $SERVER
	apply_clat off
	wait_for 10 programs_are 0 || fail "$(qmapctl show)"
	apply_clat "$PREFIX"
	becomes on
	qmapd_kill KILL || :
	qmapd_start
	becomes on
	works
	apply_clat off
	wait_for 10 programs_are 0 || fail "$(qmapctl show)"
	equal "the qdisc" 1 "$(tc qdisc show dev wwan0.1 | grep -c ingress)"
}

in_car() {
	ip netns exec car "$@"
}

car_answers() {
	wait_for 5 in_car ping -c 1 -W 5 -q $SERVER >/dev/null 2>&1 || fail "no answer in the namespace: $(qmapctl show)"
}

test_in_a_namespace() {
	needs_tcx
	ip netns add car
	start --pdn 1,ip=v6,clat=$PREFIX,netns=car
	becomes on
	in_car tc qdisc add dev wwan0.1 handle ffff: ingress
	car_answers
	equal "programs" 2 "$(in_car "$build/tcx-tool" list wwan0.1 | grep -c qmap_clat)"
	qmapd_kill KILL || :
	car_answers
	qmapctl detach wwan0
	nothing_left
}

# Its successor is made by qmapd, and has no programs.
test_port_is_deleted() {
	start --pdn 1,ip=v6,clat=$PREFIX
	becomes on
	answers $SERVER
	ip link del wwan0.1
	wait_for 10 programs_are 2 || fail "$(qmapctl show)"
	answers $SERVER
}

# Filters of outgoing packets have no place there: they would be some of incoming packets.
test_beside_ingress_without_tcx() {
	without_tcx
	start --pdn 1,ip=v6,clat=off
	tc qdisc add dev wwan0.1 handle ffff: ingress
	apply_clat "$PREFIX"
	becomes failed
	[[ $(clat .reason) == *'qdisc "ingress"'*"Linux 6.6 or newer" ]] || fail "$(clat .reason)"
	equal "filters" "" "$(tc filter show dev wwan0.1 ingress)"
	tc qdisc del dev wwan0.1 ingress
	becomes on
	works
}

# --- what IPv4 programs want ---

port_is_unreachable() {
	python3 -c '
import socket, sys
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
c.settimeout(10)
c.connect((sys.argv[1], 9))
c.send(b"x")
try:
    c.recv(1)
    sys.exit("no error")
except ConnectionRefusedError:
    pass' $SERVER || fail "port unreachable is not reported"
}

# The NAT64 is the first hop (its answer has an IPv4 address of its own); ports that nobody listens on,
# and packets that are too large, are reported.
test_icmp_errors() {
	start --pdn 1,ip=v6,clat=$PREFIX
	becomes on
	answers $SERVER
	ping -c 1 -W 5 -t 1 $SERVER | grep -q "Time to live exceeded" || fail "$(ping -c 1 -W 5 -t 1 $SERVER)"
	port_is_unreachable
	try ping -c 1 -W 5 -M "do" -s 1445 $SERVER
	says "mtu=1472"
	# tayga cuts larger answers, and fragments of ICMP are not translated (RFC 7915, 1.2)
	answers $SERVER -M "do" -s 1200
}

# In a router: hosts behind NAT44 on the port.
test_hosts_behind_the_router() {
	command -v nft >/dev/null || skip "needs nftables"
	start --pdn 1,ip=v6,clat=$PREFIX
	becomes on
	ip netns add lan
	ip link add lan0 type veth peer name eth0 netns lan
	ip address add 192.168.1.1/24 dev lan0
	ip link set lan0 up
	ip -n lan address add 192.168.1.2/24 dev eth0
	ip -n lan link set eth0 up
	ip -n lan route add default via 192.168.1.1
	sysctl -qw net.ipv4.ip_forward=1
	nft -f - <<-EOC
		table ip nat {
			chain post { type nat hook postrouting priority srcnat; oifname "wwan0.1" masquerade; }
		}
	EOC
	wait_for 5 ip netns exec lan ping -c 1 -W 5 -q $SERVER >/dev/null || fail "no answer in the LAN"
	# large packets learn the smaller MTU
	ip netns exec lan ping -c 3 -W 5 -M "do" -s 1472 $SERVER >"$T/ping" || :
	grep -q "mtu = 1472\|mtu=1472" "$T/ping" || fail "$(cat "$T/ping")"
}

# Raw IP, without an Ethernet header and without aggregates, whose netdev stays when it is detached.
test_qmap_off() {
	modem_start --model EC25
	qmapd_start
	nat64_start
	attach --qmap off --pdn 1,ip=v6,clat=$PREFIX >/dev/null
	becomes on
	answers $SERVER
	port_is_unreachable
	qmapctl detach wwan0
	equal "programs left" "" "$(tcx_ids wwan0; filter_ids wwan0)"
	equal "address left" "" "$(ip -o -4 address show dev wwan0)"
}

run_tests "$@"
