#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Another process detaches programs and deletes filters: qmapd restores them, reports it, and traffic
# goes on.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

start() {
	modem_start
	qmapd_start
	attach --datapath xdp --poll "$poll" --pdn 1,apn=internet,ip=v4 --pdn 2,apn=ims,ip=v4
	wait_for 5 both_answer || fail "no traffic to begin with"
}

poll=0

both_answer() {
	pings 1 && pings 2
}

# detach_link PIN: as an administrator would who has found it in `bpftool link`.
detach_link() {
	bpftool link detach pinned "$(find /sys/fs/bpf/qmap -name "$1")"
}

is_told() { # sentence
	wait_for 5 log_says "$1" || fail "nobody says \"$1\""
}

goes_on() {
	wait_for 5 both_answer || fail "no traffic any more"
	qmapctl detach wwan0
	nothing_left
}

test_filter_of_trunk_deleted() {
	start
	tc filter del dev wwan0 ingress
	is_told "wwan0: repaired: somebody has taken the program off wwan0"
	goes_on
}

test_qdisc_of_trunk_deleted() {
	start
	tc qdisc del dev wwan0 clsact
	is_told "wwan0: repaired: somebody has taken the program off wwan0"
	goes_on
}

test_filter_of_port_deleted() {
	start
	tc filter del dev wwan0.2q ingress
	is_told "wwan0: repaired: somebody has taken the program off wwan0.2q"
	goes_on
}

# If it is repeated for ever, once a second is enough.
test_filter_deleted_again_and_again() {
	local before
	start
	before=${EPOCHREALTIME/./}
	for _ in 1 2 3; do
		wait_for 5 has_filter || fail "the filter does not come back"
		tc filter del dev wwan0 ingress
	done
	wait_for 5 has_filter || fail "the filter does not come back"
	at_least "ms for three repairs" 2000 $(((${EPOCHREALTIME/./} - before) / 1000))
	goes_on
}

has_filter() {
	[ -n "$(tc filter show dev wwan0 ingress)" ]
}

# The kernel sends no notification: the next request for the trunk finds it, or another event of the
# trunk before that.
link_detached() { # pin netdev command
	start
	detach_link "$1"
	! both_answer || wait_for 2 log_says "repaired: somebody has taken the program off $2" ||
		fail "traffic passes without a program on $2"
	qmapctl "$3" >/dev/null
	is_told "wwan0: repaired: somebody has taken the program off $2"
	goes_on
}

test_split_program_detached() {
	link_detached link_split wwan0.se show
}

# The kernel reports a change of this netdev: it is noticed at once.
test_deliver_program_detached() {
	start
	detach_link link_deliver
	is_told "wwan0: repaired: somebody has taken the program off wwan0.sb"
	goes_on
}

test_detached_is_found_by_the_poll() {
	poll=1
	start
	detach_link link_split
	is_told "wwan0: repaired: somebody has taken the program off wwan0.se"
	goes_on
}

# The pin is the new link, which the next daemon finds.
test_next_daemon_has_what_was_put_back() {
	start
	detach_link link_split
	tc filter del dev wwan0 ingress
	wait_for 5 has_filter
	qmapctl show >/dev/null
	is_told "somebody has taken the program off wwan0.se"
	qmapd_kill KILL || :
	wait_for 5 both_answer || fail "no traffic without a daemon"
	qmapd_start
	goes_on
}

test_detached_while_nobody_was_there() {
	start
	qmapd_kill KILL || :
	detach_link link_deliver
	tc filter del dev wwan0.1q ingress
	qmapd_start
	is_told "wwan0: repaired: somebody has taken the program off wwan0.sb, wwan0.1q"
	goes_on
}

# A foreign filter in its place (any program will do) is not replaced, and reported once.
test_place_is_taken() {
	start
	qmapd_kill KILL || :
	tc filter del dev wwan0 ingress
	tc filter add dev wwan0 ingress protocol all prio 1 handle 1 bpf direct-action \
		object-pinned "$(find /sys/fs/bpf/qmap -name prog_uplink)"
	qmapd_start
	is_told "wwan0: failed: somebody has taken the program off wwan0; cannot attach the program to wwan0: File exists"
	qmapctl show >/dev/null
	qmapctl stats >/dev/null
	equal "times told" 1 "$(grep -c 'failed: somebody has taken' "$T/qmapd.log")"
	tc filter del dev wwan0 ingress
	is_told "wwan0: repaired: somebody has taken the program off wwan0"
	goes_on
}

# The kernel refuses to remove an XDP link by netlink.
test_xdp_off_is_refused() {
	start
	refused 2 "XDP" ip link set dev wwan0.sb xdpdrv off
	wait_for 5 both_answer || fail "no traffic after a refused attempt"
	goes_on
}

run_tests "$@"
