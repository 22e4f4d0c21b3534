#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a guest: the data path qmimux, and all data paths measured in turn by `qmap-bench modem`, on an
# emulated USB modem. The rest is in guest_usb.sh, which runs the tests.
#
#   guest_peers.sh [TEST...]

# shellcheck disable=SC2034 # for guest_usb.sh
DATAPATH=qmimux

# qmimux does not pad (kernel qmi_wwan.c, qmimux_start_xmit()).
as_qmimux() {
	no_violations() {
		equal "violations and warnings" '{}' "$(modem stats | jq -c '.violations +
			(.warnings | del(.unpadded)) | del(.total) | with_entries(select(.value > 0))')"
	}
}

no_qmimux_left() {
	equal "links of qmimux" "" "$(ls -d "$sysfs"/upper_* /sys/class/net/qmimux* 2>/dev/null)"
}

# qmapd does not request versions that qmimux lacks, and ports have the same names as on all data paths.
test_qmimux_attach() {
	as_qmimux
	start
	equal "data path" qmimux "$(field .datapath)"
	equal "version, both ways" "v1 v1" "$(modem stats | jq -r '.format | "\(.dl) \(.ul)"')"
	equal "ports" "wwan0.1 wwan0.2 wwan0.3 wwan0.4 " "$(cd "$sysfs" && printf '%s ' upper_* | sed 's/upper_//g')"
	equal "queue" pfifo_fast "$(queue)"
	ping_all
	patterns
	detached
	no_qmimux_left
	refused 3 "data path qmimux knows QMAP v1 alone" \
		qmapctl attach wwan0 --datapath qmimux --qmap v5 --pdn 1
	nothing_left
	attach_all --qmap v1
	ping_all
	detached
	no_qmimux_left
}

# Compares the counters of modem and host.
test_qmimux_counters() {
	as_qmimux
	start
	lossless "${pdns[@]/#/wwan0.}"
	modem reset >/dev/null
	patterns
	same_counts() { [ "$(modem_counts)" = "$(host_counts)" ]; }
	qmapctl detach wwan0 && attach_all
	modem reset >/dev/null
	ping_all
	wait_for 5 same_counts || equal "counts [mux, down, bytes, up, bytes]" "$(modem_counts)" "$(host_counts)"
	equal "drops" 0 "$(stat_of ".drops | add")"
	detached
}

# The observer in front of qmimux says as much as the data paths that split aggregates themselves.
test_qmimux_stats() {
	as_qmimux
	start
	check_stats
	detached
}

test_qmimux_drops() {
	as_qmimux
	start
	check_drops
	detached
}

test_qmimux_adopt() {
	as_qmimux
	start
	kill -9 "$qmapd_pid"
	wait "$qmapd_pid" || :
	ping_all
	qmapd_start
	wait_for 10 state_is attached || fail "$(qmapctl show)"
	equal "calls" 8 "$(modem_stat .calls)"
	ping_all
	patterns
	# and taken down without a daemon
	kill -9 "$qmapd_pid"
	wait "$qmapd_pid" || :
	detached
	no_qmimux_left
}

# The kernel removes its netdevs before the trunk: qmapd must add none in between, or the trunk stays
# for ever. Repeats CYCLES times under load; the guest checks the kernel's log in the end.
test_qmimux_replug() {
	local cycle
	as_qmimux
	start
	for ((cycle = 0; cycle < ${CYCLES:-5}; cycle++)); do
		modem generate count=100000 size=1400 rate=2000 >/dev/null
		unplug
		wait_for 10 modem_state_is absent || fail "$(qmapctl show)"
		equal "netdevs left" "" "$(netdevs_left)"
		plug_in
		back_within 6000 replugged
		pin_controller
	done
	patterns
	detached
	no_qmimux_left
}

# Every other data path takes its place and gives it back while calls are up: all of them know v1, which
# qmimux has agreed on.
test_qmimux_change_datapath() {
	local path starts
	without
	start
	starts=$(modem_stat .qmi.starts)
	for path in xdp qmimux rmnet qmimux shim qmimux; do
		apply_datapath "$path"
		equal "data path and version" "$path v1" "$(field '| "\(.datapath) \(.qmap)"')"
		calls_stay "$starts"
	done
	detached
	no_qmimux_left
}

busy_rtnl() {
	while :; do
		ip link add busy type veth peer name busier || :
		ip link del busy || :
	done
}

# qmi_wwan leaves the netdev of a modem that is gone behind if it finds the RTNL taken. The modem's next netdev
# has another name. Last of all, because nothing removes the first one.
test_qmimux_netdev_left_over() {
	local try plugs rtnl n
	as_qmimux
	start
	busy_rtnl &
	rtnl=$!
	for ((try = 0; try < 20; try++)); do
		plugs=$(modem_stat .usb.plugs)
		modem reboot ms=100 >/dev/null
		modem wait usb.plugs '>=' $((plugs + 1)) timeout=30000 >/dev/null
		wait_for 60 pings || fail "no traffic: $(qmapctl show)"
		! is_left_over || break
	done
	kill "$rtnl"
	wait "$rtnl" || :
	echo "DATA the netdev is left over by reboot $((try + 1))"
	is_left_over || skip "the driver has never found the RTNL taken"
	equal "ports" "$(printf 'wwan0.%s\n' "${pdns[@]}")" "$(qmapctl -j show | jq -r '.[].pdns[].port')"
	for n in "${pdns[@]}"; do
		wait_for 2 pings "$n" || fail "PDN $n: $(qmapctl show)"
	done
	timeout 60 "$build/qmapctl" detach wwan0 || fail "detach: $(qmapctl show)"
	equal "ports left" "" "$(ip -o link | grep -F wwan0.)"
}

test_qmimux_port_deleted() {
	as_qmimux
	start
	echo 129 >"$sysfs"/qmi/del_mux
	port_is_back() { ping -c 1 -W 1 -I wwan0.1 10.64.1.1 >/dev/null 2>&1; }
	wait_for 20 port_is_back || fail "$(qmapctl show)"
	ping_all
	detached
	no_qmimux_left
}

# The modem's flow control, as with rmnet; the user's queue stays.
# Its netdevs come back when a namespace ends, as those of hardware do.
test_qmimux_port_is_moved_away() {
	as_qmimux
	test_port_is_moved_away
	no_qmimux_left
}

test_qmimux_flow() {
	as_qmimux
	start
	check_flow
	detached
	no_qmimux_left
}

# A PDN in another namespace is found there, also for its removal.
test_qmimux_netns() {
	local difference
	as_qmimux
	ip netns add other
	usb_start
	qmapd_start
	qmapctl -q attach wwan0 --datapath qmimux --pdn 1 --pdn 2,netns=other
	counting
	ip netns exec other ping -c 2 -i 0.2 -W 5 -I wwan0.2 10.64.2.1 >/dev/null || fail "no ping from there"
	all_counted
	equal "mux ids counted" "[129,130]" "$(stat_of '.ports | map(.mux) | tojson')"
	detached
	equal "netdevs there" "" "$(ip -n other -o link | grep -v ' lo:')"
	no_qmimux_left
	ip netns del other
}

# Every available data path in turn on one modem; afterwards the configuration is the original one.
test_modem_bench() {
	local path before
	usb_start
	qmapd_start
	qmapctl -q attach wwan0 --datapath xdp --pdn 1 --pdn 2
	before=$(qmapctl -j dump)
	try "$build/qmap-bench" -q -o "$T/results" modem --seconds 2 --window 32 --check \
		--datapath shim,xdp,rmnet,qmimux wwan0
	equal "exit code: $said" 0 "$status"
	for path in shim xdp rmnet qmimux; do
		of_path() { jq -r "select(.name == \"modem.$path.loopback.$1\") | $2" "$T/results"; }
		at_least "packets sent by $path: $said" 10 "$(of_path down .sent)"
		equal "packets lost by $path" 0 "$(of_path down .lost)"
		at_least "aggregates of $path" 1 "$(of_path aggregates '.value | ceil')"
		echo "DATA modem-bench $path $(of_path frames_per_aggregate '.value * 10 | round / 10') frames an aggregate"
	done
	equal "what is attached" "$before" "$(qmapctl -j dump)"
	detached
	no_qmimux_left
}

# shellcheck source=tests/vm/guest_usb.sh
. "$(dirname "$0")/guest_usb.sh"
