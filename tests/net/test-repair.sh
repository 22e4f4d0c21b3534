#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Other programs change our netdevs: damage is repaired, deliberate changes are reported, and the
# repairs end.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

start() {
	modem_start
	qmapd_start
	attach "${@:---pdn=1}" >/dev/null
}

# Events of kind netdev, as "port to: reason".
netdev_events() {
	field '.events[] | select(.kind == "netdev") | "\(.port) \(.to): \(.reason)"' 2>/dev/null
}

# field, of every element.
told() {
	netdev_events | grep -qF "$1"
}

is_told() { # event
	wait_for 5 told "$1" || fail "nobody says \"$1\": $(netdev_events)"
}

count_told() {
	netdev_events | grep -cF "$1"
}

pings() { # [family]
	ping -c 1 -W 1 -q -I wwan0.1 "$([ "${1:-4}" = 4 ] && echo 10.64.1.1 || echo 2001:db8:64:1::1)" \
		>/dev/null 2>&1
}

both_answer() {
	pings 4 && pings 6
}

works_again() {
	wait_for 5 both_answer || fail "$(ip address show dev wwan0.1; ip route)"
}

# soon LIMIT NAME COMMAND...: waits until it succeeds.
soon() {
	local limit=$1 what=$2 began=${EPOCHREALTIME/./}
	shift 2
	wait_for 10 "$@" || fail "$what: never"
	took "$began" "$what" "$limit"
}

# insists EVENT COMMAND...: repeats it until the event comes; no time limit depends on it.
insists() {
	local what=$1 tries=0
	shift
	until told "$what"; do
		"$@"
		[ $((++tries)) -lt 2000 ] || fail "nobody says \"$what\": $(netdev_events)"
	done
}

# Returns when all earlier changes to the netdevs have been handled: the route of a port is repaired.
all_is_seen() { # port
	local repaired
	repaired=$(count_told "deleted its default route") || :
	ip route del default dev "$1"
	wait_for 5 told_again "$repaired" || fail "a deleted route is not repaired: $(netdev_events)"
}

told_again() {
	[ "$(count_told "deleted its default route")" -gt "$1" ]
}

has_address() {
	[ -n "$(ip -o -4 address show dev wwan0.1 scope global)" ] &&
		[ -n "$(ip -o -6 address show dev wwan0.1 scope global)" ]
}

has_routes() {
	[ -n "$(ip -4 route show default dev wwan0.1)" ] && [ -n "$(ip -6 route show default dev wwan0.1)" ]
}

test_addresses_are_flushed() {
	start
	ip address flush dev wwan0.1
	soon 1000 "addresses are back" has_address
	soon 1000 "routes are back" has_routes
	works_again
	is_told "wwan0.1 repaired: somebody has deleted its address"
	qmapctl detach wwan0
	nothing_left
}

test_default_route_is_deleted() {
	start
	ip route del default dev wwan0.1
	ip -6 route del default dev wwan0.1
	soon 1000 "routes are back" has_routes
	is_told "wwan0.1 repaired: somebody has deleted its default route"
	works_again
	equal "metric" 701 "$(ip -j route show default | jq '.[0].metric')"
	qmapctl detach wwan0
	nothing_left
}

mtu_is() {
	[ "$(cat /sys/class/net/wwan0.1/mtu)" = "$1" ]
}

test_mtu_is_lowered() {
	start --pdn 1 --pdn 2,ip=v4
	ip link set wwan0.1 mtu 1300
	soon 1000 "MTU is back" mtu_is 1500
	is_told "wwan0.1 repaired: somebody has lowered its MTU"
	# below 1280 bytes, IPv6 is removed entirely
	ip link set wwan0.1 mtu 600
	soon 1000 "MTU is back" mtu_is 1500
	works_again
	ip link set wwan0.1 mtu 1600 # a larger MTU is no damage
	all_is_seen wwan0.2
	mtu_is 1600 || fail "a larger MTU was taken back"
	qmapctl detach wwan0
	nothing_left
}

# Neither a repair of something else nor another family changes it; another MTU of the network does.
test_larger_mtu_stays() {
	start
	ip link set wwan0.1 mtu 1600
	ip address flush dev wwan0.1
	soon 1000 "addresses are back" has_address
	mtu_is 1600 || fail "the repair of addresses has set an MTU of $(cat /sys/class/net/wwan0.1/mtu)"
	ip route del default dev wwan0.1
	soon 1000 "routes are back" has_routes
	mtu_is 1600 || fail "the repair of a route has set an MTU of $(cat /sys/class/net/wwan0.1/mtu)"
	modem disconnect pdn=1 family=6 >/dev/null
	wait_for 5 family_is_back || fail "$(qmapctl show)"
	mtu_is 1600 || fail "a redialled family has set an MTU of $(cat /sys/class/net/wwan0.1/mtu)"
	kill -9 "$qmapd_pid"
	wait "$qmapd_pid" || :
	qmapd_start
	wait_for 5 family_is 1 4 up || fail "$(qmapctl show)"
	mtu_is 1600 || fail "the qmapd that adopts has set an MTU of $(cat /sys/class/net/wwan0.1/mtu)"
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	wait_for 5 mtu_is 1400 || fail "the network's MTU is not set: $(cat /sys/class/net/wwan0.1/mtu)"
	ip link set wwan0.1 mtu 600
	soon 1000 "MTU is back" mtu_is 1400
	ip link set wwan0.1 mtu 1450
	ip link del wwan0.1
	wait_for 5 mtu_is 1400 || fail "the new port has another MTU: $(cat /sys/class/net/wwan0.1/mtu)"
	qmapctl detach wwan0
	nothing_left
}

family_is_back() {
	[ "$(field '.events | map(select(.kind == "call" and .family == 6 and .to == "up")) | length')" = 2 ]
}

port_is_back() {
	[ -e /sys/class/net/wwan0.1 ] && [ -n "$(ip -o -4 address show dev wwan0.1 scope global)" ]
}

test_port_is_deleted() {
	start --pdn 1 --pdn 2,ip=v4
	ip link del wwan0.1
	soon 1000 "the port is back" port_is_back
	is_told "wwan0.1 repaired: somebody has deleted it"
	works_again
	deep_queues
	generated wwan0.1=1 wwan0.2=2 --
	send wwan0.1=1@10.64.1.1
	sink_has 1 1000
	qmapctl detach wwan0
	nothing_left
}

# Another netdev has got its name meanwhile, and keeps it for a while.
test_port_is_deleted_and_its_name_taken() {
	start --poll 1 --pdn 1
	kill -STOP "$qmapd_pid"
	ip link delete dev wwan0.1
	ip link add wwan0.1 type veth peer name other
	kill -CONT "$qmapd_pid"
	is_told "wwan0.1 failed: somebody has deleted it; cannot create"
	wait_for 5 shows "somebody has deleted it" || fail "$(qmapctl show)"
	ip link delete dev other
	works_again
	is_told "wwan0.1 repaired: somebody has deleted it"
}

shows() {
	qmapctl show | grep -qF "$1"
}

# Down stays down, until it is set up again; then it works as before.
test_port_is_set_down() {
	start
	ip link set wwan0.1 down
	is_told "wwan0.1 reported: somebody has set it down"
	equal "flags" "" "$(ip -o link show dev wwan0.1 up)"
	ip link set wwan0.1 up
	is_told "wwan0.1 reported: somebody has set it up again"
	works_again
	qmapctl detach wwan0
	nothing_left
}

test_port_is_renamed() {
	start
	ip link set wwan0.1 down
	ip link set wwan0.1 name lte0
	ip link set lte0 up
	is_told "lte0 reported: somebody has renamed it: it was wwan0.1"
	equal "port in show" lte0 "$(field .pdns[0].port)"
	wait_for 5 ping -c 1 -W 1 -q -I lte0 10.64.1.1 >/dev/null || fail "$(ip address)"
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	wait_for 5 lte0_mtu_is 1400 || fail "the renamed port does not follow the network"
	qmapd_kill KILL || :
	qmapd_start
	wait_for 5 is_attached
	ip address flush dev lte0
	wait_for 5 ping -c 1 -W 1 -q -I lte0 10.64.1.1 >/dev/null || fail "nobody repairs it after a kill"
	qmapctl detach wwan0
	nothing_left
	[ ! -e /sys/class/net/lte0 ] || fail "lte0 is left"
}

is_attached() {
	[ "$(field '|[.daemon, .state] | map(tostring) | join(" ")')" = "null attached" ]
}

lte0_mtu_is() {
	[ "$(cat /sys/class/net/lte0/mtu)" = "$1" ]
}

test_port_is_moved_away() {
	ip netns add blue
	start --pdn 1 --pdn 2
	ip link set wwan0.1 netns blue
	is_told "wwan0.1 reported: somebody has moved it to another namespace"
	[ ! -e /sys/class/net/wwan0.1 ] || fail "it was made again"
	generated wwan0.2=2 -- pdn=2
	qmapctl detach wwan0
	nothing_left
	equal "left in blue" "" "$(ip -n blue -o link | grep -o 'wwan0[^:@]*')"
}

red_has_address() {
	[ -n "$(ip -n red -o -4 address show dev wwan0.1 scope global 2>/dev/null)" ]
}

# Its number was taken there.
test_port_is_moved_away_and_back() {
	local number
	ip netns add blue
	start --pdn 1
	number=$(cat /sys/class/net/wwan0.1/ifindex)
	ip -n blue link add other0 index "$number" type veth peer name other1
	ip link set wwan0.1 netns blue
	is_told "wwan0.1 reported: somebody has moved it to another namespace"
	# another netdev of its name is none of ours
	ip link add wwan0.1 type veth peer name other
	ip link set wwan0.1 up
	ip route add 192.0.2.1 dev wwan0.1
	ip link delete dev wwan0.1
	ip -n blue link set wwan0.1 netns 1
	[ "$(cat /sys/class/net/wwan0.1/ifindex)" != "$number" ] || fail "it has its number again"
	works_again
	is_told "wwan0.1 repaired: it has come back from another namespace"
	detach
	nothing_left
}

# A port that we have moved is watched in its namespace.
test_port_in_a_namespace() {
	ip netns add red
	start --pdn 1,netns=red
	ip -n red address flush dev wwan0.1
	soon 1000 "address in another namespace is back" red_has_address
	is_told "wwan0.1 repaired: somebody has deleted its address"
	ip -n red link del wwan0.1
	soon 1000 "port in another namespace is back" red_has_address
	generated red/wwan0.1=1 -- pdn=1
	qmapctl detach wwan0
	nothing_left
	equal "left in red" "" "$(ip -n red -o link | grep -o 'wwan0[^:@]*')"
}

# So is one whose PDN is added while the trunk is attached; events alone tell of it.
test_port_in_a_namespace_is_added() {
	ip netns add red
	modem_start
	qmapd_start
	printf '[trunk wwan0]\ncontrol = %s\npoll = 0\n[trunk wwan0 pdn 1]\n' "$T/qmi" >"$T/conf"
	qmapctl apply "$T/conf" >/dev/null
	printf '[trunk wwan0 pdn 2]\nnetns = red\n' >>"$T/conf"
	qmapctl apply "$T/conf" >/dev/null
	wait_for 5 red_2_has_address || fail "$(qmapctl show)"
	ip -n red address flush dev wwan0.2
	wait_for 5 red_2_has_address || fail "the address is not repaired"
	is_told "wwan0.2 repaired: somebody has deleted its address"
	qmapctl detach wwan0
	nothing_left
}

red_2_has_address() {
	[ -n "$(ip -n red -o -4 address show dev wwan0.2 scope global 2>/dev/null)" ]
}

# After three repairs it stays as it is.
test_no_fight_loop() {
	start
	insists "wwan0.1 failed: somebody has deleted its address again and again" ip address flush dev wwan0.1
	at_least "repairs before that" 3 "$(count_told "wwan0.1 repaired: somebody has deleted its address")"
	# a repair that had begun before may still have added one
	ip address flush dev wwan0.1
	equal "addresses" "" "$(ip -o address show dev wwan0.1 scope global)"
	equal "state" attached "$(field .state)"
	# a new call starts the count again
	modem disconnect pdn=1 >/dev/null
	wait_for 10 has_address || fail "$(qmapctl show)"
	works_again
	qmapctl detach wwan0
	nothing_left
}

test_inner_netdev_is_deleted() {
	start
	ip link del wwan0.sa
	wait_for 5 was_made_anew || fail "$(qmapctl show)"
	field '.events[].reason' | grep -q "somebody has deleted wwan0.s" || fail "no reason given"
	works_again
	generated wwan0.1=1 -- pdn=1
	qmapctl detach wwan0
	nothing_left
}

was_made_anew() {
	[ "$(field '.events | map(select(.kind == "modem") | .to) |
		rindex("ready") > rindex("lost") and rindex("lost") > 0')" = true ]
}

# --- the trunk's own netdev ---

is_up() { # netdev
	[ -n "$(ip -o link show dev "$1" up)" ]
}

# Events about the trunk itself, as "to: reason".
trunk_is_told() { # event
	wait_for 5 trunk_told "$1" || fail "nobody says \"$1\": $(netdev_events)"
}

trunk_told() {
	netdev_events | grep -qF "null $1"
}

inner_is_right() { # name
	[[ $(ip -o link show dev "$1") == *[\<,]UP[,\>]*"mtu 65535 "* ]]
}

# "Set the MTU of all netdevs", or set them down: those that carry the port come back, too.
test_inner_netdevs_are_changed() {
	local dev
	modem_start
	qmapd_start
	attach --poll 1 --pdn 1 >/dev/null
	for dev in wwan0.sa wwan0.sb wwan0.se wwan0.1p wwan0.1q; do
		ip link set $dev down
		wait_for 10 inner_is_right $dev || fail "$(ip link show dev $dev)"
		ip link set $dev mtu 1280
		wait_for 10 inner_is_right $dev || fail "$(ip link show dev $dev)"
		wait_for 10 mtu_of_port_is 1500 || fail "$(qmapctl show)"
		wait_for 10 answers_now || fail "after $dev: $(qmapctl show; ip link)"
	done
	grep -q "somebody has set wwan0.1p down, lowered its MTU" "$T/qmapd.log" || fail "$(tail "$T/qmapd.log")"
	detach
	nothing_left
}

# "Switch the offloads of all netdevs off" or on: without GRO, veth drops packets that are redirected to it.
test_offloads_are_changed() {
	local change
	command -v ethtool >/dev/null || skip "needs ethtool"
	modem_start
	qmapd_start
	attach --poll 1 --pdn 1 >/dev/null
	for change in "gro off" "tx on sg on gso on"; do
		# shellcheck disable=SC2086 # words
		ethtool -K wwan0.1p $change
		wait_for 10 offloads_are_right || fail "$change: $(offloads)"
		wait_for 10 answers_now || fail "after $change: $(qmapctl show; ip link)"
	done
	grep -q "repaired: .* or changed its offloads" "$T/qmapd.log" || fail "$(tail "$T/qmapd.log")"
	detach
	nothing_left
}

offloads() {
	ethtool -k wwan0.1p | awk '/^(generic-receive-offload|\ttx-checksum-ip-generic|\ttx-scatter-gather|generic-segmentation-offload):/ { print $2 }' |
		tr '\n' ' '
}

offloads_are_right() {
	[ "$(offloads)" = "off off off on " ]
}

mtu_of_port_is() {
	[ "$(cat /sys/class/net/wwan0.1/mtu)" = "$1" ]
}

answers_now() {
	ping -q -c 1 -W 1 -s 1400 10.64.1.1 >/dev/null 2>&1
}

test_trunk_is_set_down() {
	start
	ip link set wwan0 down
	soon 1500 "the trunk is up again" is_up wwan0
	trunk_is_told "repaired: somebody has set it down"
	works_again
	deep_queues
	generated wwan0.1=1 -- pdn=1
	send wwan0.1=1@10.64.1.1
	sink_has 1 1000
	qmapctl detach wwan0
	nothing_left
}

# Renaming requires setting it down first: no repair interferes.
test_trunk_is_down_for_a_moment() {
	local began before took_us
	start
	for _ in {1..50}; do
		began=${EPOCHREALTIME/./} before=$(count_told "somebody has set it down") || :
		ip -b <(printf '%s\n' "link set wwan0 down" "link set wwan0 up")
		took_us=$((${EPOCHREALTIME/./} - began))
		read -rt 0.5 <> <(:) || : # the trunk is looked at a while later
		# a longer interval was no moment
		[ $took_us -gt 250000 ] || break
	done
	[ $took_us -le 250000 ] || skip "this machine is too busy for moments"
	all_is_seen wwan0.1
	equal "repairs" "$before" "$(count_told "somebody has set it down" || :)"
	works_again
}

# After three repairs it stays as it is, which show reports; a new set-up starts the count again.
test_no_fight_over_the_trunk() {
	start
	insists "null failed: somebody has set it down again and again" ip link set wwan0 down
	at_least "repairs before that" 3 "$(count_told "null repaired: somebody has set it down")"
	! is_up wwan0 || fail "it is up all the same"
	equal "state" attached "$(field .state)"
	equal "damage" '["somebody has set it down"]' "$(field '.damage | tojson')"
	qmapctl show | grep -qx "wwan0: somebody has set it down" || fail "$(qmapctl show)"
	modem reboot ms=100 announce=both >/dev/null
	soon 3000 "the trunk is up again" is_up wwan0
	works_again
	equal "damage" '[]' "$(field '.damage | tojson')"
	qmapctl detach wwan0
	nothing_left
}

# Changes while no daemon was running.
test_trunk_is_damaged_without_a_daemon() {
	start
	qmapd_kill KILL || :
	ip link set wwan0 down
	qmapd_start
	soon 3000 "the trunk is up again" is_up wwan0
	works_again
	qmapctl detach wwan0
	nothing_left
}

# Events are hints: those lost in a storm are looked up.
test_storm_of_events() {
	start
	kill -STOP "$qmapd_pid"
	ip -b <(for _ in {1..4000}; do echo "address add 192.0.2.1/32 dev lo"; echo "address del 192.0.2.1/32 dev lo"; done)
	ip address flush dev wwan0.1
	ip link del wwan0.se
	kill -CONT "$qmapd_pid"
	works_again
	grep -q "netlink events were lost" "$T/qmapd.log" || fail "the storm was too small to prove anything"
	qmapctl detach wwan0
	nothing_left
}

run_tests "$@"
