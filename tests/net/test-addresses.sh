#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A port has the addresses and routes from the configuration and QMI, and no others, for anything that
# the network sends, the kernel does by itself, or the administrator has set for the kernel.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

# addresses DEV [NETNS]: all of them, also those added by the kernel.
addresses() {
	ip ${2:+-n "$2"} -o address show dev "$1" | awk '{print $4}' | sort | tr '\n' ' ' | sed 's/ $//'
}

# routes [NETNS]: through ports, in every table, except those that the kernel adds for an address.
routes() {
	{
		ip ${1:+-n "$1"} -o -4 route show table all
		ip ${1:+-n "$1"} -o -6 route show table all
	} | grep 'dev wwan0\.' | grep -v 'table local\|^multicast' | sed 's/ proto.*//; s/ scope.*//; s/ metric.*//' |
		sort | tr '\n' ',' | sed 's/,$//; s/ ,/,/g'
}

damage() { # pdn
	field ".pdns[] | select(.number == $1) | .damage | tojson"
}

damage_is() { # pdn json
	[ "$(damage "$1")" = "$2" ]
}

# --- a kernel that does not let itself be kept quiet ---

# As in a container: what could not be set is said, and no other program is blamed.
test_read_only_sysctls() {
	modem_start
	mount --bind /proc/sys /proc/sys
	mount -o remount,bind,ro /proc/sys
	qmapd_start
	attach --poll 1 --pdn 1 >/dev/null
	damage_is 1 '["cannot set net.ipv6.conf.wwan0.1.accept_ra to 0: Read-only file system"]' ||
		fail "$(damage 1)"
	equal "states" "up up" "$(field '.pdns[0].families | map(.state) | join(" ")')"
	equal "blamed or repaired" "" "$(field '.events[] | select(.kind == "netdev" and .to == "repaired") | .reason')"
	mount -o remount,bind,rw /proc/sys
	wait_for 10 damage_is 1 '[]' || fail "$(damage 1)"
	equal "accept_ra" 0 "$(cat /proc/sys/net/ipv6/conf/wwan0.1/accept_ra)"
	qmapctl detach wwan0
}

# --- router advertisements ---

# advertise MUX: sends a router advertisement as a packet gateway does: prefix with L and A flag, a
# default route, MTU 1400.
advertise() {
	local header hex mux=$1
	# ICMPv6: type, code, checksum, hop limit, flags, lifetime 1800, reachable, retransmit
	hex='8600CCCC40000708''0000000000000000''030440c00001518000015180''00000000'
	hex+='20010db8006400010000000000000000''05010000''00000578'
	header='60000000'$(printf %04x $((${#hex} / 2)))'3aff''fe800000000000000000000000000001''ff020000000000000000000000000001'
	hex=${hex/CCCC/$(checksum "${header:16}$(printf %08x $((${#hex} / 2)))0000003a${hex/CCCC/0000}")}
	modem inject hex="$(printf 40%02x%04x04000000 "$mux" $(((${#header} + ${#hex}) / 2)))$header$hex" >/dev/null
}

checksum() { # hex
	local sum=0 i
	for ((i = 0; i < ${#1}; i += 4)); do
		sum=$((sum + 0x${1:i:4}))
	done
	while [ $((sum >> 16)) -gt 0 ]; do
		sum=$(((sum & 0xffff) + (sum >> 16)))
	done
	printf %04x $((~sum & 0xffff))
}

received() { # at least so many packets
	[ "$(stat_of '.ports[0].rx_packets')" -ge "$1" ]
}

# as_told [NETNS]: PDN 1 has the addresses from the modem, and no others.
as_told() {
	equal "addresses" "10.64.1.2/30 2001:db8:64:1::2/64" "$(addresses wwan0.1 "${1:-}")"
	equal "routes" "${routes-default dev wwan0.1,default dev wwan0.1}" "$(routes "${1:-}")"
}

test_router_advertisements_are_not_obeyed() {
	modem_start
	qmapd_start
	attach --pdn 1 >/dev/null
	advertise 0x81
	wait_for 5 received 1
	as_told
	equal "source" 2001:db8:64:1::2 "$(ip -j -6 route get 2001:db8:ffff::1 | jq -r '.[0].prefsrc')"
	equal "IPv6 MTU" 1500 "$(cat /proc/sys/net/ipv6/conf/wwan0.1/mtu)"
	equal "events" "" "$(field '.events[] | select(.kind == "netdev") | .reason')"
	no_complaints
}

test_router_advertisements_and_no_default_route() {
	ip netns add red
	modem_start
	qmapd_start
	attach --pdn 1,netns=red,default-route=no >/dev/null
	advertise 0x81
	wait_for 5 received 1
	routes='' as_told red
}

# net.ipv6.conf.default applies to a new netdev, and again after IPv6 was off.
test_settings_of_the_administrator() {
	local sysctl
	for sysctl in /proc/sys/net/ipv6/conf/{default,all}/{accept_ra,autoconf,accept_redirects}; do
		echo 1 >"$sysctl"
	done
	echo 2 >/proc/sys/net/ipv6/conf/default/accept_ra
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	modem_start
	qmapd_start
	attach --pdn 1 >/dev/null
	advertise 0x81
	wait_for 5 received 1
	as_told
	# an MTU too small for IPv6 removes IPv6 from the port, with all its settings
	ip link set wwan0.1 mtu 600
	wait_for 5 told "repaired: somebody has lowered its MTU"
	wait_for 5 as_told 2>/dev/null || as_told
	advertise 0x81
	wait_for 5 received 2
	as_told
}

told() {
	field '.events[] | select(.kind == "netdev") | "\(.to): \(.reason)"' | grep -qF "$1"
}

# A setting changed later by udev or sysctl.d shows with the next advertisement.
test_setting_that_comes_late() {
	modem_start
	qmapd_start
	attach --pdn 1 >/dev/null
	echo 2 >/proc/sys/net/ipv6/conf/wwan0.1/accept_ra
	echo 1 >/proc/sys/net/ipv6/conf/wwan0.1/autoconf
	advertise 0x81
	wait_for 5 told "repaired: somebody has let it obey router advertisements" || fail "$(ip address)"
	# the kernel may add an address after the first repair, as a consequence of the same advertisement
	wait_for 5 as_told 2>/dev/null || as_told
	equal "accept_ra" 0 "$(cat /proc/sys/net/ipv6/conf/wwan0.1/accept_ra)"
	equal "damage" '[]' "$(damage 1)"
}

has_two() {
	[ "$(ip -o -6 address show dev wwan0.1 scope global | wc -l)" = 2 ]
}

test_slaac_where_it_is_wanted() {
	modem_start
	qmapd_start
	attach --pdn 1,slaac=yes --pdn 2 >/dev/null
	advertise 0x81
	advertise 0x82
	wait_for 5 has_two || fail "$(ip address show dev wwan0.1)"
	ip -o address show dev wwan0.1 | grep -q ' 2001:db8:64:1::2/64 ' || fail "$(ip address show dev wwan0.1)"
	wait_for 5 has_default_routes_alone || fail "$(ip -6 route)"
	equal "PDN 2" "10.64.2.2/30 2001:db8:64:2::2/64" "$(addresses wwan0.2)"
	read -rt 0.3 <> <(:) || :
	has_two || fail "somebody has taken it away again"
	equal "damage" '[]' "$(damage 1)"
	qmapctl detach wwan0
	nothing_left
}

has_default_routes_alone() {
	[ "$(routes)" = "default dev wwan0.1,default dev wwan0.1,default dev wwan0.2,default dev wwan0.2" ]
}

# --- prefixes ---

# The administrator's own default route must stay in use, for any prefix from the network.
test_prefixes_make_no_routes() {
	modem_start
	qmapd_start
	ip link add eth9 type veth peer name eth8
	ip link set eth9 up
	ip link set eth8 up
	ip address add 192.168.1.2/24 dev eth9
	ip -6 address add 2001:db8:1::2/64 dev eth9 nodad
	ip route add default via 192.168.1.1 metric 100
	ip -6 route add default via 2001:db8:1::1 metric 100
	attach --pdn 1,default-route=no >/dev/null
	for told in 128.0.0.0,1 0.0.0.0,0 255.0.0.0,3 255.255.255.0,64 255.255.255.255,128; do
		modem pretend pdn=1 mask4="${told%,*}" prefix6="${told#*,}" >/dev/null
		wait_for 5 has_prefix "${told#*,}" || fail "$told: $(ip address show dev wwan0.1)"
		equal "routes with $told" "" "$(routes)"
		equal "IPv4 with $told" eth9 "$(way 129.0.0.9)"
		equal "IPv6 with $told" eth9 "$(way 2600::1)"
	done
	equal "damage" '[]' "$(damage 1)"
}

has_prefix() { # of IPv6
	[ "$(ip -j -6 address show dev wwan0.1 | jq '.[0].addr_info[0].prefixlen')" = "$1" ] &&
		[ "$(ip -j -4 address show dev wwan0.1 | jq '.[0].addr_info | length')" = 1 ]
}

way() { # address
	ip -j route get "$1" | jq -r '.[0].dev'
}

# --- addresses that no host can have, or that the kernel refuses ---

# The call is up but unusable: show, hooks and damage report that, and the reason.
test_addresses_that_are_none() {
	local host why
	modem_start
	qmapd_start
	attach --pdn 1 >/dev/null
	for host in 127.0.0.1=loopback 127.9.9.9=loopback 224.0.0.1=multicast 239.1.1.1=multicast \
		0.0.0.1=unspecified 255.255.255.255=broadcast; do
		why=${host#*=}
		modem pretend pdn=1 host4="${host%=*}" >/dev/null
		wait_for 5 family_is 1 4 damaged || fail "$host: $(qmapctl show)"
		equal "$host" "2001:db8:64:1::2/64" "$(addresses wwan0.1)"
		family 1 4 .reason | grep -q "${host%=*}, .* is $why" || fail "$host: $(family 1 4 .reason)"
		qmapctl show | grep -q "^wwan0.1: the network has given it ${host%=*}, " || fail "$(qmapctl show)"
		equal "IPv6" up "$(family 1 6 .state)"
		modem pretend pdn=1 >/dev/null
		wait_for 5 family_is 1 4 up || fail "after $host: $(qmapctl show)"
		as_told
		equal "damage" '[]' "$(damage 1)"
	done
	for host in ::1=loopback ff02::1=multicast ff0e::7=multicast ::ffff:192.0.2.1=IPv4-mapped; do
		modem pretend pdn=1 host6="${host%=*}" >/dev/null
		wait_for 5 family_is 1 6 damaged || fail "$host: $(qmapctl show)"
		family 1 6 .reason | grep -q "is ${host#*=}" || fail "$host: $(family 1 6 .reason)"
		equal "$host" "10.64.1.2/30" "$(addresses wwan0.1)"
		equal "DNS" "10.64.1.53 10.64.1.54" "$(sed -n 's/^nameserver //p' /run/qmapd/wwan0.1.resolv.conf | tr '\n' ' ' | sed 's/ $//')"
		modem pretend pdn=1 >/dev/null
		wait_for 5 family_is 1 6 up || fail "after $host: $(qmapctl show)"
	done
	# without another PDN none is up, and redial reports that
	modem pretend pdn=1 host4=127.0.0.1 host6=::1 >/dev/null
	wait_for 5 family_is 1 6 damaged
	refused 2 "PDN 1 is connected, but its port wwan0.1 is of no use" qmapctl redial wwan0
	equal "state" damaged "$(qmapctl show | awk '/^wwan0.1 /{print $4}')"
	equal "blamed on others" "" "$(field '.events[] | select(.kind == "netdev") | .reason' | grep somebody || :)"
	qmapctl detach wwan0
	nothing_left
}

# A request for such a PDN reports it, also by its exit status.
test_attach_and_apply_say_so() {
	modem_start
	modem pretend pdn=1 host4=127.0.0.1 >/dev/null
	modem pretend pdn=2 host4=224.0.0.1 >/dev/null
	qmapd_start
	refused 2 "which no host can have: it is loopback" attach --pdn 1,ip=v4
	printf '[trunk wwan0]\ncontrol = %s\n[trunk wwan0 pdn 2]\nip = v4\n' "$T/qmi" >"$T/conf"
	refused 2 "which no host can have: it is multicast" qmapctl apply "$T/conf"
	modem pretend pdn=2 >/dev/null
	wait_for 5 family_is 2 4 up
	try qmapctl apply "$T/conf"
	equal "exit status" 0 "$status"
	says "Nothing to do"
}

# The kernel may accept later an address that it refuses: here IPv6 is switched off, and on again.
test_addresses_that_the_kernel_refuses() {
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	modem_start
	# shellcheck disable=SC2016 # for the hook to expand
	printf '#!/bin/sh\necho "$QMAP_EVENT $QMAP_FAMILY" >>%s/hooked\n' "$T" >"$T/hook"
	chmod 755 "$T" "$T/hook"
	qmapd_start
	attach --hook "$T/hook" --poll 1 --pdn 1 >/dev/null
	equal "IPv6" damaged "$(family 1 6 .state)"
	equal "IPv4" up "$(family 1 4 .state)"
	equal "state" partial "$(qmapctl show | awk '/^wwan0.1 /{print $4}')"
	family 1 6 .reason | grep -q "cannot add address" || fail "$(family 1 6 .reason)"
	equal "addresses" "10.64.1.2/30" "$(addresses wwan0.1)"
	wait_for 5 grep -qx "up 4" "$T/hooked"
	! grep -q " 6$" "$T/hooked" || fail "$(cat "$T/hooked")"
	echo 0 >/proc/sys/net/ipv6/conf/wwan0.1/disable_ipv6
	wait_for 30 family_is 1 6 up || fail "$(qmapctl show)"
	as_told
	wait_for 5 grep -qx "up 6" "$T/hooked" || fail "$(cat "$T/hooked")"
	equal "damage" '[]' "$(damage 1)"
}

hooked() { # lines, in this order for each family
	[ "$(grep '4$' "$T/hooked" | tr '\n' ' ')" = "${1//F/4} " ] && [ "$(grep '6$' "$T/hooked" | tr '\n' ' ')" = "${1//F/6} " ]
}

# An unusable call is not up for hooks either, for any cause.
test_hooks_follow_the_port() {
	modem_start
	# shellcheck disable=SC2016 # for the hook to expand
	printf '#!/bin/sh\necho "$QMAP_EVENT $QMAP_FAMILY" >>%s/hooked\n' "$T" >"$T/hook"
	chmod 755 "$T" "$T/hook"
	qmapd_start
	attach --hook "$T/hook" --pdn 1 >/dev/null
	wait_for 5 hooked "up F" || fail "$(cat "$T/hooked")"
	# Repaired at once, without a hook. Without the limit, ip deletes an address again that is back already.
	ip -loops 1 address flush dev wwan0.1 2>/dev/null || :
	wait_for 5 told "repaired: somebody has deleted its address"
	ip link set wwan0.1 down
	wait_for 5 hooked "up F down F" || fail "$(cat "$T/hooked")"
	ip link set wwan0.1 up
	wait_for 5 hooked "up F down F up F" || fail "$(cat "$T/hooked")"
	gives_up ip address flush dev wwan0.1
	wait_for 5 hooked "up F down F up F down F" || fail "$(cat "$T/hooked")"
	modem disconnect pdn=1 >/dev/null
	wait_for 10 hooked "up F down F up F down F up F" || fail "$(cat "$T/hooked")"
	as_told
}

# --- show agrees with ip ---

# agrees: for PDN 1 in any namespace, show's state, address and MTU are those of the netdev.
agrees() {
	local port v shown is
	port=$(field '.pdns[0].port')
	for v in 4 6; do
		shown=$(family 1 $v ' | select(.state == "up") | .address + "/" + (.prefix | tostring)')
		is=$(ip -o "-$v" address show dev "$port" up scope global 2>/dev/null | awk '{print $4}')
		equal "IPv$v of $port" "$is" "$shown" || return 1
	done
	is=$(ip -j link show dev "$port" 2>/dev/null | jq '.[0].mtu')
	[ -z "$is" ] || equal "MTU" "$is" "$(field '.pdns[0].mtu')"
}

# gives_up COMMAND...: repeats it until qmapd stops repairing.
gives_up() {
	local i
	for i in {1..500}; do
		"$@" 2>/dev/null || :
		read -rt 0.2 <> <(:) || :
		told "again and again" && break
	done
	told "again and again" || fail "never given up: $*"
}

test_show_agrees_with_ip() {
	local how
	for how in "address flush dev wwan0.1" "-4 address flush dev wwan0.1" "-6 address flush dev wwan0.1" \
		"link set wwan0.1 mtu 1300" "link set wwan0.1 mtu 600" "link del wwan0.1"; do
		modem_start
		qmapd_start
		attach --pdn 1 >/dev/null
		agrees || fail "before"
		# shellcheck disable=SC2086
		gives_up ip $how
		agrees || fail "after ip $how: $(qmapctl show; ip address)"
		[ "$(damage 1)" != '[]' ] || fail "no damage after ip $how"
		qmapd_kill KILL || :
		agrees || fail "without a daemon, after ip $how"
		qmapd_start
		qmapctl detach wwan0
		nothing_left
		modem_stop || :
		qmapd_kill TERM || :
	done
}

test_show_agrees_with_ip_when_down_renamed_or_gone() {
	ip netns add blue
	modem_start
	qmapd_start
	attach --pdn 1 >/dev/null
	ip link set wwan0.1 down
	wait_for 5 damage_is 1 '["somebody has set it down"]' || fail "$(qmapctl show)"
	agrees
	equal "state" damaged "$(qmapctl show | awk '/^wwan0.1 /{print $4}')"
	ip link set wwan0.1 name lte0
	ip link set lte0 up
	wait_for 5 damage_is 1 '[]' || fail "$(qmapctl show)"
	wait_for 5 agrees 2>/dev/null || agrees
	ip link set lte0 netns blue
	wait_for 5 damage_is 1 '["somebody has moved it to another namespace"]' || fail "$(qmapctl show)"
	agrees
}

run_tests "$@"
