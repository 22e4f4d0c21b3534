#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# failover: the default route of a link that is dead has a higher metric.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

# begin WATCHDOG OPTION of attach...: beside a route of another uplink, of metric 800, for both IP families,
# and with a DNS server in the network. Nothing but the questions of qmapd is sent.
begin() {
	local watchdog=$1
	shift
	cat >"$T/hook" <<-EOC
		#!/bin/sh
		[ "\$QMAP_EVENT" = failover ] && echo "\$QMAP_DEV \$QMAP_PORT \$QMAP_PDN \$QMAP_LINK" >>$T/hook.log
		exit 0
	EOC
	chmod +x "$T/hook"
	ip link add other type veth peer name other-end
	ip link set other up
	ip link set other-end up
	ip addr add 192.0.2.1/24 dev other
	ip route add default via 192.0.2.2 dev other metric 800
	ip -6 addr add 2001:db8:ff::1/64 dev other nodad
	ip -6 route add default via 2001:db8:ff::2 dev other metric 800
	modem_start
	echo none >"$T/dns.word"
	ip netns exec net "$here/dns64.py" :: "$T/dns.word" >"$T/dns.log" 2>&1 &
	wait_for 10 grep -qs ready "$T/dns.log"
	qmapd_start
	qmapctl attach wwan0 --control "$T/qmi" --watchdog "$watchdog" --backoff-min 100 --hook "$T/hook" "$@" \
		>/dev/null
}

# The metrics of all default routes through port 1.
metrics() { # family
	ip "-$1" -j route show default | jq -c '[.[] | select(.dev == "wwan0.1") | .metric]'
}

routes_are() { # metric
	[ "$(metrics 4) $(metrics 6)" = "[$1] [$1]" ]
}

routes_become() { # metric
	wait_for 30 routes_are "$1" || fail "not $1: $(metrics 4) $(metrics 6); $(qmapctl show)"
}

# The netdev that packets to the internet leave through.
uses() { # family
	ip "-$1" -j route get "$([ "$1" = 4 ] && echo 198.51.100.1 || echo 2001:db8:99::1)" | jq -r '.[0].dev'
}

downlink() { # off|on
	ip netns exec net ip link set pdn1 "$([ "$1" = off ] && echo down || echo up)"
	# the kernel removes the addresses of IPv6 from a netdev that goes down
	[ "$1" = off ] || ip netns exec net ip -6 route replace 2001:db8:64:1::/64 dev pdn1
}

links() { # events
	field '.events | map(select(.kind == "failover") | .to) | join(" ")'
}

questions() {
	grep -c asked "$T/dns.log"
}

has_asked() { # times
	[ "$(questions)" -ge "$1" ]
}

test_dead_link() {
	begin 4 --recover off --pdn 1,failover=1000
	routes_become 701
	equal "uplink" "wwan0.1 wwan0.1" "$(uses 4) $(uses 6)"
	downlink off
	routes_become 1701
	equal "uplink" "other other" "$(uses 4) $(uses 6)"
	equal "show" "true 1701" "$(field '.pdns[0] | "\(.dead) \(.metric)"')"
	try qmapctl show
	says "wwan0.1: its link is dead; metric 1701 until it works"
	qmapctl metrics | grep -qx 'qmap_pdn_dead{trunk="wwan0",pdn="1",port="wwan0.1"} 1' || fail "$(qmapctl metrics)"
	downlink on
	routes_become 701
	equal "uplink" "wwan0.1 wwan0.1" "$(uses 4) $(uses 6)"
	equal "show" "false 701" "$(field '.pdns[0] | "\(.dead) \(.metric)"')"
	equal "events" "dead alive" "$(links)"
	wait_for 10 grep -qsx "wwan0 wwan0.1 1 alive" "$T/hook.log" || fail "hooks: $(cat "$T/hook.log")"
	equal "hooks" "wwan0 wwan0.1 1 dead" "$(head -n 1 "$T/hook.log")"
	equal "damage" "[]" "$(field '.pdns[0].damage' | jq -c)"
}

# Its traffic is the questions, which are answered: an idle PDN is alive, and is not dialled again.
test_idle_link() {
	begin 6 --pdn 1,failover=1000
	wait_for 60 has_asked 3 || fail "$(questions) questions"
	equal "events" "" "$(links)"
	equal "calls" 2 "$(calls)"
	routes_are 701 || fail "$(metrics 4) $(metrics 6)"
}

# The ladder dials again meanwhile: the route comes back with the metric that it had.
test_redialled_while_dead() {
	begin 1 --recover redial --pdn 1,ip=v4,failover=1000
	downlink off
	wait_for 30 has_called 3 || fail "$(qmapctl show)"
	wait_for 30 family_is 1 4 up
	equal "metrics" "[1701]" "$(metrics 4)"
	equal "events" dead "$(links)"
	downlink on
	wait_for 30 is_alive || fail "$(qmapctl show)"
	equal "metrics" "[701]" "$(metrics 4)"
}

has_called() { # times
	[ "$(calls)" -ge "$1" ]
}

is_alive() {
	[[ $(links) == "dead alive"* ]]
}

test_outlives_the_daemon() {
	begin 1 --recover off --pdn 1,failover=1000
	downlink off
	routes_become 1701
	qmapd_kill KILL || :
	equal "without a daemon" "true" "$(field '.pdns[0].dead')"
	qmapd_start
	wait_for 20 is_attached
	routes_are 1701 || fail "$(metrics 4) $(metrics 6)"
	downlink on
	routes_become 701
}

# The process has died between two requests to the kernel.
test_no_route_is_left() {
	begin 60 --recover off --pdn 1,failover=1000
	qmapd_kill KILL || :
	ip route add default dev wwan0.1 scope link proto static metric 1701
	ip -6 route add default dev wwan0.1 proto static metric 1701
	qmapd_start
	routes_become 701
}

test_deleted_route() {
	begin 1 --recover off --pdn 1,failover=1000
	downlink off
	routes_become 1701
	ip route del default dev wwan0.1
	ip -6 route del default dev wwan0.1
	routes_become 1701
}

configure() { # failover
	printf '[trunk wwan0]\ncontrol = %s\nwatchdog = 1\nbackoff-min = 100\n[trunk wwan0 pdn 1]\n%s' "$T/qmi" \
		"${1:+failover = $1}" >"$T/conf"
	qmapctl apply "$T/conf" >/dev/null
}

test_changed_while_dead() {
	begin 1 --recover off --pdn 1,failover=1000
	downlink off
	routes_become 1701
	configure 2000
	routes_become 2701
	configure ""
	routes_become 701
	equal "dead" null "$(field '.pdns[0].dead')"
	configure 3000
	routes_become 3701
	qmapctl detach wwan0
	equal "routes left" "[] []" "$(metrics 4) $(metrics 6)"
}

# There is nothing to ask: silence alone is no proof. The modem reports address, gateway and netmask.
test_without_servers() {
	begin 60 --pdn 1,ip=v4,failover=1000
	modem tell wds settings hex=1e04000201400a2004000101400a210400fcffffff
	configure 1000
	qmapctl redial wwan0
	equal "servers" 0 "$(grep -c nameserver /run/qmapd/wwan0.1.resolv.conf)"
	downlink off
	wait_for 30 has_called 4 || fail "$(qmapctl show)"
	equal "events" "" "$(links)"
}

test_needs_the_watchdog() {
	modem_start
	qmapd_start
	refused 1 "failover needs the watchdog" qmapctl attach wwan0 --control "$T/qmi" --pdn 1,failover=1000
	refused 1 "exceed" qmapctl attach wwan0 --control "$T/qmi" --watchdog 5 --pdn 1,metric=4294967295,failover=1
}

run_tests "$@"
