#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ownership: names of ports, files and hooks keyed by PDN, addresses that another program sets, routing
# tables.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

ports() {
	field '.pdns | map(.port) | join(" ")'
}

# for the PDNs 1 and 2
pings() { # [NETNS/]DEV PDN
	local in=()
	[[ $1 != */* ]] || in=(ip netns exec "${1%%/*}")
	"${in[@]}" ping -c 1 -W 10 -q -I "${1#*/}" "10.64.$2.1" >/dev/null
}

test_ports_by_a_template() {
	local template
	modem_start
	qmapd_start
	for template in wwan0-%n:wwan0-1:wwan0-2 qmap%n:qmap1:qmap2 lte%nq:lte1q:lte2q; do
		attach --port "${template%%:*}" --pdn 1 --pdn 2 >/dev/null
		equal "ports" "$(cut -d: -f2- <<<"${template//:/ }" | sed 's/^[^ ]* //')" "$(ports)"
		pings "$(cut -d: -f2 <<<"$template")" 1
		pings "$(cut -d: -f3 <<<"$template")" 2
		equal "files" "wwan0.1.resolv.conf wwan0.2.resolv.conf" "$(cd /run/qmapd && echo *.resolv.conf)"
		qmapctl detach wwan0
		nothing_left
		[ ! -e "/sys/class/net/$(cut -d: -f2 <<<"$template")" ] || fail "a port is left"
	done
	attach --port internet --pdn 3 >/dev/null
	equal "port" internet "$(ports)"
	pings internet 3
	ip link del internet
	wait_for 5 pings internet 3 || fail "$(qmapctl show; ip link)"
	qmapd_kill KILL || :
	qmapd_start
	wait_for 5 pings internet 3
	qmapctl detach wwan0
	nothing_left
}

test_templates_that_are_none() {
	modem_start
	qmapd_start
	refused 1 "all PDNs would have one name" attach --port lte --pdn 1 --pdn 2
	refused 1 "is no name for a port" attach --port 'a/%n' --pdn 1
	refused 1 "is no name for a port" attach --port 'a%d' --pdn 1
	refused 1 "is no name for a port" attach --port 'a%n%n' --pdn 1
	refused 1 "is no name for a port" attach --port wwan0 --pdn 1
	refused 1 "is no name for a port" attach --port lo --pdn 1
	refused 1 "is no name for a port" attach --port all --pdn 1
	refused 1 "is no name for a port" attach --port default --pdn 1
	refused 1 "longer than 15" attach --port 'abcdefghijklmn%n' --pdn 10
	refused 1 "itself is the port" attach --port 'a%n' --qmap off --pdn 1
	nothing_left
}

# systemd names a USB modem wwx and its MAC: no suffix fits, but the name is always the same.
test_ports_of_a_long_name_stay() {
	local long=wwx0a1b2c3d4e5f port i
	modem_start --trunk $long
	qmapd_start
	printf '[trunk %s]\ncontrol = %s\npoll = 1\n[trunk %s pdn 1]\nip = v4\n' $long "$T/qmi" $long >"$T/conf"
	qmapctl apply "$T/conf" >/dev/null
	wait_for 10 is_up 1 4 || fail "$(qmapctl show)"
	port=$(ports)
	[ -e "/run/qmapd/$long.1.resolv.conf" ] || fail "$(ls /run/qmapd)"
	for i in 1 2; do
		modem_stop || :
		ip tuntap add "other$i" mode tun # takes the ifindex that was ours
		modem_start --trunk $long
		wait_for 15 has_come_back "$port" || fail "$(qmapctl show)"
		equal "port" "$port" "$(ports)"
		pings "$port" 1
	done
	qmapctl detach $long
	nothing_left
}

is_up() { # pdn family
	[ "$(field ".pdns[] | select(.number == $1) | .families[] | select(.family == $2) | .state")" = up ]
}

has_come_back() { # port
	is_up 1 4 && [ "$(field .state)" = attached ] && [ -e "/sys/class/net/$1" ]
}

hooked() { # line
	grep -qx "$1" "$T/hooked"
}

# The owner of a port's namespace names it freely; files and hooks of other PDNs are out of his reach.
test_names_of_a_tenant() {
	ip netns add car
	modem_start
	# shellcheck disable=SC2016 # for the hook to expand
	printf '#!/bin/sh\necho "$QMAP_EVENT $QMAP_PDN $QMAP_FAMILY" >>%s/hooked\n' "$T" >"$T/hook"
	chmod 755 "$T" "$T/hook"
	qmapd_start
	attach --hook "$T/hook" --pdn 1,ip=v4 --pdn 2,ip=v4,netns=car >/dev/null
	wait_for 5 hooked "up 2 4"
	ip -n car link set wwan0.2 down
	wait_for 5 hooked "down 2 4" || fail "$(cat "$T/hooked")"
	ip -n car link set wwan0.2 name wwan0.1
	# and gives its old name to a device of his own
	ip -n car link add wwan0.2 type veth peer name his
	ip -n car link set wwan0.1 up
	wait_for 5 pings car/wwan0.1 2 || fail "$(ip -n car address)"
	modem disconnect pdn=2 >/dev/null
	wait_for 5 went_down_twice || fail "$(cat "$T/hooked")"
	wait_for 5 pings car/wwan0.1 2 || fail "$(ip -n car address)"
	equal "PDN 1's servers" "10.64.1.53 10.64.1.54" "$(servers wwan0.1)"
	equal "PDN 2's servers" "10.64.2.53 10.64.2.54" "$(servers wwan0.2)"
	equal "files" "wwan0.1.resolv.conf wwan0.2.resolv.conf" "$(cd /run/qmapd && echo *.resolv.conf)"
	! hooked "down 1 4" || fail "$(cat "$T/hooked")"
	equal "his netdev" "" "$(ip -n car -o address show dev wwan0.2)"
	qmapctl detach wwan0
	wait_for 5 hooked "down 1 4"
	equal "facts left" "" "$(find /run/qmapd -name '*.facts')"
	nothing_left
}

went_down_twice() {
	[ "$(grep -cx "down 2 4" "$T/hooked")" = 2 ] && [ "$(grep -cx "up 2 4" "$T/hooked")" = 3 ]
}

servers() { # key of the file
	sed -n 's/^nameserver //p' "/run/qmapd/$1.resolv.conf" | tr '\n' ' ' | sed 's/ $//'
}

# It was renamed, and another device got its name, while no daemon was running.
test_name_that_is_another_s_by_now() {
	ip netns add car
	modem_start
	qmapd_start
	attach --pdn 1,ip=v4,netns=car >/dev/null
	qmapd_kill KILL || :
	ip -n car link set wwan0.1 down
	ip -n car link set wwan0.1 name mine
	ip -n car link add wwan0.1 type veth peer name his
	ip -n car link set mine up
	qmapd_start
	wait_for 5 port_is mine || fail "$(qmapctl show)"
	wait_for 5 pings car/mine 1 || fail "$(ip -n car address)"
	equal "his netdev" "" "$(ip -n car -o address show dev wwan0.1)"
	qmapctl detach wwan0
	nothing_left
	[ -n "$(ip -n car -o link show dev wwan0.1)" ] || fail "his netdev was deleted"
}

port_is() { # name
	[ "$(field '|[.daemon, .pdns[0].port] | map(tostring) | join(" ")')" = "null $1" ]
}

sockets() { # open in qmapd, without those of commands that have ended
	wait_for 5 clients_have_left || echo "a client stays"
	find "/proc/$qmapd_pid/fd" -lname 'socket:*' | wc -l
}

sockets_are() { # NUMBER
	[ "$(sockets)" = "$1" ]
}

# The namespace goes with the port, and comes back without it. A watcher would keep a deleted one alive.
test_namespace_is_deleted() {
	local watching
	ip netns add car
	modem_start
	# shellcheck disable=SC2016 # for the hook to expand
	printf '#!/bin/sh\necho "$QMAP_EVENT $QMAP_PDN $QMAP_FAMILY" >>%s/hooked\n' "$T" >"$T/hook"
	chmod 755 "$T" "$T/hook"
	qmapd_start
	attach --poll 1 --hook "$T/hook" --pdn 1,ip=v4 --pdn 2,ip=v4,netns=car >/dev/null
	wait_for 5 hooked "up 2 4"
	watching=$(sockets)
	ip netns del car
	wait_for 10 damage_of_2_is "its network namespace is gone" || fail "$(qmapctl -j show)"
	equal "state" damaged "$(field '.pdns[1].families[0].state')"
	wait_for 5 hooked "down 2 4" || fail "$(cat "$T/hooked")"
	pings wwan0.1 1
	# polls say it no second time
	wait_for 10 polled_twice
	equal "events" 1 "$(field '.events | map(select((.reason // "") | contains("namespace"))) | length')"
	wait_for 5 sockets_are $((watching - 1)) || fail "$(sockets) sockets, $watching with a watcher"
	ip netns add car
	wait_for 10 pings car/wwan0.2 2 || fail "$(qmapctl show)"
	wait_for 10 damage_of_2_is "" || fail "$(qmapctl show)"
	wait_for 5 sockets_are "$watching" || fail "the new namespace is not watched"
	qmapctl detach wwan0
	nothing_left
}

damage_of_2_is() {
	[ "$(field '.pdns[1].damage | join(" ")')" = "$1" ]
}

polled_twice() {
	local n=${polls:=$(modem_stat .qmi.requests)}
	[ "$(modem_stat .qmi.requests)" -ge $((n + 6)) ]
}

# --- addresses that another program sets ---

test_addresses_of_others() {
	modem_start
	# shellcheck disable=SC2016 # for the hook to expand
	printf '#!/bin/sh\n[ "$QMAP_EVENT" != up ] || echo "$QMAP_PORT $QMAP_ADDRESS/$QMAP_PREFIX $QMAP_MTU $QMAP_DNS" >>%s/hooked\n' "$T" >"$T/hook"
	chmod 755 "$T" "$T/hook"
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	qmapd_start
	attach --hook "$T/hook" --pdn 1,addresses=none --pdn 2 >/dev/null
	equal "addresses" "" "$(ip -o address show dev wwan0.1)"
	equal "routes" "wwan0.2 wwan0.2" "$({ ip -j route show default; ip -j -6 route show default; } | jq -rs 'add | map(.dev) | join(" ")')"
	equal "MTU" 1500 "$(cat /sys/class/net/wwan0.1/mtu)"
	equal "state" "none up up" "$(field '.pdns[0] | [.addresses, .families[].state] | join(" ")')"
	equal "address told" 10.64.1.2 "$(field '.pdns[0].families[0].address')"
	wait_for 5 hooked "wwan0.1 10.64.1.2/30 1400 10.64.1.53 10.64.1.54" || fail "$(cat "$T/hooked")"
	equal "servers" "10.64.1.53 10.64.1.54 2001:db8:64:1::53 2001:db8:64:1::54" "$(servers wwan0.1)"
	# as netifd does
	ip address add 10.64.1.2/32 dev wwan0.1
	ip link set wwan0.1 mtu 1300
	ip route add default dev wwan0.1 metric 5
	pings wwan0.1 1
	generated -c 20 wwan0.1=1 -- count=20 size=1500
	ip address flush dev wwan0.1
	ip link set wwan0.1 down
	ip link set wwan0.1 up
	modem reconfigure pdn=1 mtu=1280 >/dev/null
	read -rt 0.5 <> <(:) || :
	equal "addresses" "" "$(ip -o -4 address show dev wwan0.1)"
	equal "MTU" 1300 "$(cat /sys/class/net/wwan0.1/mtu)"
	equal "damage" '[]' "$(field '.pdns[0].damage | tojson')"
	equal "events" "" "$(field '.events[] | select(.kind == "netdev") | .reason')"
	qmapctl detach wwan0
	nothing_left
}

# One owner after the other: each finds the port clean.
test_addresses_change_hands() {
	local who n
	modem_start
	qmapd_start
	for who in qmapd none qmapd; do
		printf '[trunk wwan0]\ncontrol = %s\n[trunk wwan0 pdn 1]\naddresses = %s\n' "$T/qmi" $who >"$T/conf"
		qmapctl apply "$T/conf" >/dev/null
		wait_for 10 is_up 1 4 || fail "$(qmapctl show)"
		wait_for 10 is_up 1 6 || fail "$(qmapctl show)"
		[ $who = qmapd ] && n=2 || n=0
		equal "addresses of $who" $n "$(ip -o address show dev wwan0.1 | wc -l)"
		equal "routes of $who" $n "$({ ip -o route show default; ip -6 -o route show default; } | wc -l)"
		# addresses left by the other owner
		[ $who = qmapd ] || ip address add 192.0.2.7/32 dev wwan0.1
	done
	equal "addresses" 10.64.1.2 "$(ip -j -4 address show dev wwan0.1 | jq -r '.[0].addr_info[].local')"
}

# --- routing tables ---

table_routes() { # table
	{
		ip -j -4 route show table "$1" 2>/dev/null
		ip -j -6 route show table "$1" 2>/dev/null
	} | jq -rs 'add | map(select(.dst == "default") | .dev + ":" + (.metric | tostring)) | join(" ")'
}

test_routing_tables() {
	modem_start
	qmapd_start
	refused 1 "table=255 is the kernel's table of local addresses" attach --pdn 1,table=255
	nothing_left
	attach --pdn 1,table=100 --pdn 2,table=70000,metric=9 --pdn 3 >/dev/null
	equal "main" "wwan0.3:703 wwan0.3:703" "$(table_routes main)"
	equal "100" "wwan0.1:701 wwan0.1:701" "$(table_routes 100)"
	equal "70000" "wwan0.2:9 wwan0.2:9" "$(table_routes 70000)"
	equal "tables shown" "100 70000 0" "$(field '.pdns | map(.table | tostring) | join(" ")')"
	ping -c 1 -W 20 -q -I 10.64.1.2 198.51.100.1
	equal "way of the ping" 1 "$(modem_stat '.pdn["1"].ul_packets')"
	ip route flush table 100
	ip -6 route flush table 70000
	wait_for 5 repaired || fail "$(qmapctl show)"
	qmapctl dump >"$T/conf"
	sed -i 's/table = 100/table = 101/' "$T/conf"
	qmapctl apply "$T/conf" >/dev/null
	wait_for 10 tables_are "" "wwan0.1:701 wwan0.1:701" || fail "$(ip route show table 100; ip route show table 101)"
	qmapctl detach wwan0
	equal "left" "  " "$(table_routes 100) $(table_routes 101) $(table_routes 70000)"
	nothing_left
}

repaired() {
	[ "$(table_routes 100) $(table_routes 70000)" = "wwan0.1:701 wwan0.1:701 wwan0.2:9 wwan0.2:9" ]
}

tables_are() { # of 100, of 101
	[ "$(table_routes 100)" = "$1" ] && [ "$(table_routes 101)" = "$2" ]
}

run_tests "$@"
