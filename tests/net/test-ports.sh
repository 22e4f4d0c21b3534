#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A port in the system: addresses, MTU, routes, DNS, namespace, TCP.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

addresses() { # dev [netns]
	ip ${2:+-n "$2"} -j address show dev "$1" |
		jq -r '[.[0].addr_info[] | select(.scope == "global") | .local + "/" + (.prefixlen | tostring)] | join(" ")'
}

default_routes() { # option of ip...
	ip "$@" -j route show default | jq -r 'map(.dev + ":" + (.metric | tostring)) | sort | join(" ")'
}

test_addresses_and_dns() {
	modem_start
	qmapd_start
	attach --pdn 1,ip=v4v6 --pdn 2,ip=v4 --pdn 3,ip=v6
	equal "PDN 1" "10.64.1.2/30 2001:db8:64:1::2/64" "$(addresses wwan0.1)"
	equal "PDN 2" "10.64.2.2/30" "$(addresses wwan0.2)"
	equal "PDN 3" "2001:db8:64:3::2/64" "$(addresses wwan0.3)"
	equal "DNS of PDN 1" "10.64.1.53 10.64.1.54 2001:db8:64:1::53 2001:db8:64:1::54" "$(dns 1)"
	equal "DNS of PDN 2" "10.64.2.53 10.64.2.54" "$(dns 2)"
	equal "DNS of PDN 3" "2001:db8:64:3::53 2001:db8:64:3::54" "$(dns 3)"
	answers 10.64.1.53 -I wwan0.1
	answers 2001:db8:64:3::53 -I wwan0.3
	qmapctl detach wwan0
	nothing_left
}

# The file named by `show` has one nameserver a line, as a resolver expects.
dns() { # pdn
	local file
	file=$(field ".pdns[] | select(.number == $1) | .resolv_conf")
	[ "$(grep -cvE '^(#.*|nameserver [0-9a-f.:]+)$' "$file")" = 0 ] || fail "$(cat "$file")"
	sed -n 's/^nameserver //p' "$file" | tr '\n' ' ' | sed 's/ $//'
}

test_default_routes_by_metric() {
	modem_start
	qmapd_start
	attach --pdn 1,ip=v4v6 --pdn 2,ip=v4,metric=50 --pdn 3,ip=v6,default-route=no
	equal "IPv4 routes" "wwan0.1:701 wwan0.2:50" "$(default_routes -4)"
	equal "IPv6 routes" "wwan0.1:701" "$(default_routes -6)"
	answers 198.51.100.1
	answers 2001:db8:ffff::1
	equal "way of the IPv4 ping" 1 "$(modem_stat '.pdn["2"].ul_packets')"
	equal "way of the IPv6 ping" 1 "$(modem_stat '.pdn["1"].ul_packets')"
	modem refuse pdn=2 >/dev/null # otherwise it is redialled at once
	modem disconnect pdn=2 >/dev/null
	wait_for 2 routes_are "wwan0.1:701"
	answers 198.51.100.1
	qmapctl detach wwan0
	nothing_left
}

routes_are() {
	[ "$(default_routes -4)" = "$1" ]
}

test_no_default_route() {
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2 --no-default-route
	equal "IPv4 routes" "" "$(default_routes -4)"
	equal "IPv6 routes" "" "$(default_routes -6)"
	answers 10.64.2.1 -I wwan0.2
}

test_a_default_route_of_others_stays() {
	modem_start
	qmapd_start
	ip tuntap add eth9 mode tun
	ip link set eth9 up
	ip route add default dev eth9 metric 10
	attach --pdn 1,ip=v4
	equal "routes" "eth9:10 wwan0.1:701" "$(default_routes -4)"
	qmapctl detach wwan0
	equal "routes" "eth9:10" "$(default_routes -4)"
}

test_a_default_route_of_the_same_metric_stays() {
	local routes="default via 192.168.1.1 dev eth9 default via 2001:db8:1::1 dev eth9"
	ip tuntap add eth9 mode tun
	ip link set eth9 up
	ip address add 192.168.1.2/24 dev eth9
	ip address add 2001:db8:1::2/64 dev eth9 nodad
	ip route add default via 192.168.1.1 metric 701
	ip -6 route add default via 2001:db8:1::1 metric 701
	start
	attach --pdn 1
	equal "IPv4 routes" "eth9:701 wwan0.1:701" "$(default_routes -4)"
	equal "IPv6 routes" "eth9:701 wwan0.1:701" "$(default_routes -6)"
	equal "those in use" "eth9 eth9" "$(ip -j route get 198.51.100.1 | jq -r '.[0].dev') $(ip -j route get 2001:db8:ffff::1 | jq -r '.[0].dev')"
	ip route del default dev wwan0.1
	wait_for 5 has_default_route wwan0.1 || fail "the route is not repaired: $(ip route)"
	equal "IPv4 routes" "eth9:701 wwan0.1:701" "$(default_routes -4)"
	qmapctl detach wwan0
	equal "routes left" "$routes" "$({ ip route show default; ip -6 route show default; } | grep -o '^default via [^ ]* dev eth9' | tr '\n' ' ' | sed 's/ $//')"
}

has_default_route() { # dev
	[ -n "$(ip route show default dev "$1")" ]
}

# PDN 1 of each modem has the same metric, unless it is configured.
test_default_routes_of_two_modems() {
	local first=$T
	start
	T=$first/second
	mkdir "$T"
	ip netns add net2
	modem_start --trunk wwan1 --net-netns net2
	T=$first
	attach --pdn 1 >/dev/null
	qmapctl attach wwan1 --control "$T/second/qmi" --pdn 1 >/dev/null
	equal "IPv4 routes" "wwan0.1:701 wwan1.1:701" "$(default_routes -4)"
	equal "IPv6 routes" "wwan0.1:701 wwan1.1:701" "$(default_routes -6)"
	answers 198.51.100.1
	qmapctl detach wwan0
	answers 198.51.100.1
	equal "damage" "[]" "$(qmapctl -j show wwan1 | jq -c '.[0].pdns[0].damage')"
	qmapctl detach wwan1
}

test_mtu_of_the_network() {
	modem_start
	qmapd_start
	modem reconfigure pdn=1 mtu=1420 >/dev/null
	attach --pdn 1 --pdn 2
	mtu_is wwan0.1 1420 || fail "the MTU at attach is not taken"
	mtu_is wwan0.2 1500
	equal "MTU shown" 1420 "$(field '.pdns[0] | .mtu // .families[0].mtu')"
	modem reconfigure pdn=1 mtu=1300 >/dev/null
	wait_for 2 mtu_is wwan0.1 1300 || fail "a new MTU is not taken"
	deep_queues
	ping -c 1 -W 20 -q -M "do" -s 1272 -I wwan0.1 10.64.1.1
	! ping -c 1 -W 1 -q -M "do" -s 1273 -I wwan0.1 10.64.1.1 || fail "1301 bytes went out"
	send -c 100 -s 1300 wwan0.1=1@10.64.1.1
	sink_has 1 100
	modem reconfigure pdn=1 mtu=1500 >/dev/null
	wait_for 2 mtu_is wwan0.1 1500 || fail "back to 1500"
	send -c 100 -s 1500 wwan0.2=2@10.64.2.1
	sink_has 2 100
	no_complaints
}

# sizes MTU: around the limits of an MTU, of a veth, of a page and of an aggregate.
sizes() { # mtu
	echo $(($1)) $(($1 + 1)) $(($1 + 4)) $(($1 + 5)) 1500 1504 1505 2000 4060 4061 9000 15300
}

# A port's MTU limits sending: the network may send larger packets than it accepts.
test_receives_more_than_it_may_send() {
	local mtu size pdn
	ip netns add red
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2,netns=red >/dev/null
	deep_queues
	for mtu in 1280 1400 1500; do
		for pdn in 1 2; do
			modem reconfigure pdn=$pdn mtu=$mtu >/dev/null
		done
		wait_for 5 mtu_is wwan0.1 $mtu || fail "MTU $mtu is not taken"
		for size in $(sizes $mtu); do
			generated -c 20 wwan0.1=1 red/wwan0.2=2 -- count=20 "size=$size" rate=2000
			generated -6 -c 20 wwan0.1=1 red/wwan0.2=2 -- v=6 count=20 "size=$size" rate=2000
		done
	done
	equal_counts
	no_complaints
}

# A network may send any number: an impossible one must not leave the port without an MTU.
test_mtu_of_any_size() {
	local told is
	modem_start
	qmapd_start
	attach --pdn 1 >/dev/null
	modem reconfigure pdn=1 mtu=9000 >/dev/null
	wait_for 5 mtu_is wwan0.1 8181 # as much as an uplink aggregate of 8192 bytes can hold
	for told in 0=1500 68=1280 1000=1280 1279=1280 1281=1281 8000=8000 8181=8181 8182=8181 \
		65535=8181 65536=1500 1400=1400 4294967295=1500; do
		is=${told#*=}
		modem pretend pdn=1 mtu="${told%=*}" >/dev/null
		wait_for 5 mtu_is wwan0.1 "$is" || fail "told ${told%=*}: $(ip link show dev wwan0.1)"
		wait_for 5 shown_mtu_is "$is"
		try ping -c 1 -W 0.1 -M "do" -s $((is - 27)) -I wwan0.1 10.64.1.1
		says "mtu=$is"
		send -c 5 -s "$is" wwan0.1=1@10.64.1.1
	done
	sink_has 1 60
	equal "damage" "[]" "$(field '.pdns[0].damage | tojson')"
	no_complaints
}

shown_mtu_is() {
	[ "$(field .pdns[0].mtu)" = "$1" ]
}

# With QMAP off the netdev's MTU is the driver's receive buffer.
test_mtu_without_qmap() {
	modem_start --model EC25
	qmapd_start
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	attach --qmap off --pdn 1 >/dev/null
	at_least "MTU of the netdev" 1500 "$(cat /sys/class/net/wwan0/mtu)"
	equal "IPv4" 1400 "$(ip -j -4 route show default | jq '.[0].metrics[0].mtu')"
	equal "IPv6" 1400 "$(ip -j -6 route show default | jq '.[0].metrics[0].mtu')"
	equal "of IPv6" 1400 "$(cat /proc/sys/net/ipv6/conf/wwan0/mtu)"
	deep_queues
	generated -c 20 wwan0=1 -- count=20 size=1500
	try ping -c 1 -W 1 -M "do" -s 1373 198.51.100.1
	says "mtu=1400"
	modem reconfigure pdn=1 mtu=2000 >/dev/null
	wait_for 5 mtu_is wwan0 2000 || fail "$(ip link show dev wwan0)"
	generated -c 20 wwan0=1 -- count=20 size=2000
	modem reconfigure pdn=1 mtu=1280 >/dev/null
	wait_for 5 routes_have_mtu 1280 || fail "$(ip route)"
	equal "damage" "[]" "$(field '.pdns[0].damage | tojson')"
	ip address flush dev wwan0
	wait_for 5 routes_have_mtu 1280 || fail "$(ip route)"
	qmapctl detach wwan0
	nothing_left
	equal "accept_ra" 1 "$(cat /proc/sys/net/ipv6/conf/wwan0/accept_ra)"
}

routes_have_mtu() {
	[ "$(ip -j -4 route show default | jq '.[0].metrics[0].mtu')" = "$1" ] &&
		[ "$(ip -j -6 route show default | jq '.[0].metrics[0].mtu')" = "$1" ]
}

# A sender of forwarded packets learns the network's MTU by ICMP.
test_forwarded_packets_that_are_too_big() {
	modem_start
	qmapd_start
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	attach --pdn 1 >/dev/null
	lan
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	try ip netns exec lan ping -c 1 -W 2 -M "do" -s 1472 10.64.1.1
	says "mtu = 1400"
	try ip netns exec lan ping -c 1 -W 2 -M "do" -s 1452 2001:db8:64:1::1
	says "mtu=1400"
}

test_a_port_that_is_down_receives_nothing() {
	modem_start
	qmapd_start
	attach --pdn 1 >/dev/null
	generated -c 20 wwan0.1=1 -- count=20
	ip link set wwan0.1 down
	wait_for 5 port_is_shut || fail "$(qmapctl show)"
	modem generate pdn=1 count=20 >/dev/null
	wait_for 5 dropped port_down 20 || fail "$(qmapctl stats)"
	equal "received" 20 "$(stat_of '.ports[0].rx_packets')"
	ip link set wwan0.1 up
	wait_for 5 ping -c 1 -W 1 -q -I wwan0.1 10.64.1.1 >/dev/null
}

port_is_shut() {
	[ "$(field '.pdns[0].damage | tojson')" = '["somebody has set it down"]' ]
}

dropped() { # reason packets
	[ "$(stat_of ".drops.$1")" = "$2" ]
}

test_ports_in_namespaces() {
	ip netns add red
	ip netns add blue
	modem_start
	qmapd_start
	attach --pdn 1,netns=red --pdn 2,netns=blue,ip=v4v6 --pdn 3
	equal "red" "10.64.1.2/30 2001:db8:64:1::2/64" "$(addresses wwan0.1 red)"
	equal "blue" "10.64.2.2/30 2001:db8:64:2::2/64" "$(addresses wwan0.2 blue)"
	equal "red's routes" "wwan0.1:701" "$(default_routes -n red -4)"
	equal "our routes" "wwan0.3:703" "$(default_routes -4)"
	deep_queues
	generated red/wwan0.1=1 blue/wwan0.2=2 wwan0.3=3 --
	generated -6 red/wwan0.1=1 blue/wwan0.2=2 wwan0.3=3 -- v=6
	send red/wwan0.1=1@10.64.1.1 blue/wwan0.2=2@10.64.2.1 wwan0.3=3@10.64.3.1
	sink_has 1 1000
	sink_has 2 1000
	ip netns exec red ping -c 1 -W 20 -q 198.51.100.1
	equal_counts
	no_complaints
	qmapctl detach wwan0
	nothing_left
	equal "left in red" "" "$(ip -n red -o link | grep -o 'wwan0[^:@]*')"
	equal "left in blue" "" "$(ip -n blue -o link | grep -o 'wwan0[^:@]*')"
}

test_sixteen_pdns() {
	local n pdns=() down=() up=()
	for n in {1..16}; do
		pdns+=(--pdn "$n")
		down+=("wwan0.$n=$n")
		up+=("wwan0.$n=$n@10.64.$n.1")
	done
	modem_start --pdns 16 --clients 40
	qmapd_start
	attach "${pdns[@]}"
	equal "calls" 32 "$(modem_stat .calls)"
	deep_queues
	generated "${down[@]}" --
	send -c 500 "${up[@]}"
	for n in {1..16}; do
		sink_has "$n" 500
	done
	equal_counts
	no_complaints
	qmapctl detach wwan0
	nothing_left
}

# Mux ids chosen by the user, the ends of the range among them.
test_mux_ids_of_ones_own() {
	modem_start
	qmapd_start
	attach --pdn 1,mux=1 --pdn 2,mux=254 --pdn 3
	equal "mux ids" "1 254 131" "$(modem_stat '.pdn | map(select(.v4).mux | tostring) | join(" ")')"
	deep_queues
	generated wwan0.1=1 wwan0.2=2 wwan0.3=3 --
	send wwan0.1=1@10.64.1.1 wwan0.2=2@10.64.2.1
	sink_has 1 1000
	sink_has 2 1000
	no_complaints
}

test_checksum_results() {
	modem_start
	qmapd_start
	attach --pdn 1
	generated wwan0.1=1 --
	generated -6 wwan0.1=1 -- v=6
	equal "vouched for" "2000 0" "$(csum)"
	modem checksums off >/dev/null
	generated -c 700 wwan0.1=1 -- count=700
	equal "not vouched for" "2000 700" "$(csum)"
	no_complaints
}

csum() {
	stat_of '.ports[0] | [.rx_csum_ok, .rx_csum_none] | map(tostring) | join(" ")'
}

# Packets that the kernel itself sent over the trunk, when it was up before, must not go out.
test_a_trunk_that_was_up() {
	modem_start
	ip link set wwan0 up
	wait_for 2 has_link_local
	qmapd_start
	attach --pdn 1
	! has_link_local || fail "the trunk has an address of its own"
	modem reset >/dev/null # earlier packets are not our fault
	answers 10.64.1.1 -I wwan0.1
	no_complaints
	qmapctl detach wwan0
	[[ $(ip link show wwan0) == *[\<,]UP[,\>]* ]] || fail "the trunk is down now"
	nothing_left
}

# Settings chosen before are restored.
test_trunk_makes_addresses_as_before() {
	modem_start
	ip link set wwan0 addrgenmode random
	qmapd_start
	attach --pdn 1 >/dev/null
	equal "while attached" none "$(addrgen)"
	qmapd_kill KILL || :
	qmapd_start
	wait_for 5 is_taken_over
	qmapctl detach wwan0
	equal "afterwards" random "$(addrgen)"
}

addrgen() {
	ip -d -j link show dev wwan0 | jq -r '.[0].inet6_addr_gen_mode'
}

has_link_local() {
	[ -n "$(ip -6 -o address show dev wwan0)" ]
}

listening() { # port
	[ -n "$(ip netns exec net ss -Hltn "sport = :$1")" ]
}

# carry FAMILY: a file each way over one TCP connection, compared by its sum.
carry() {
	local tool=$build/tcp-tool to from=$T/file servers=()
	to=$(gateway 1 "$1")
	ip netns exec net "$tool" listen receive "$to" 7100 >"$T/up" &
	servers+=($!)
	ip netns exec net "$tool" listen send "$to" 7200 <"$from" &
	servers+=($!)
	wait_for 2 listening 7100 && wait_for 2 listening 7200
	"$tool" connect receive "$to" 7200 >"$T/down" &
	"$tool" connect send "$to" 7100 <"$from"
	wait $! "${servers[@]}"
	cmp "$from" "$T/up"
	cmp "$from" "$T/down"
}

test_tcp_carries_files() {
	modem_start
	qmapd_start
	attach --pdn 1
	deep_queues
	head -c 16M /dev/urandom >"$T/file"
	carry 4
	carry 6
	equal_counts
	no_complaints
}

# iperf3 does not count bytes that are on their way when its sender has written the last one; small
# buffers keep these few on a slow machine, too.
iperf() { # option...
	transfers "$T/iperf.json" -c 10.64.1.1 -B 10.64.1.2 -n 30M -w 256K "$@"
	at_least "bytes received" 10000000 "$(jq .end.sum_received.bytes "$T/iperf.json")"
}

test_iperf3_both_ways() {
	modem_start
	qmapd_start
	attach --pdn 1
	ip netns exec net iperf3 -s >/dev/null &
	wait_for 5 listening 5201
	iperf
	iperf -R
	iperf -P 4
	iperf --bidir
	no_complaints
}

run_tests "$@"
