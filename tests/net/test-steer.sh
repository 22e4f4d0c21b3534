#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets are spread to CPUs by steer=, and what other programs choose is respected or undone by it.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

rps=/sys/class/net/wwan0.1p/queues/rx-0/rps_cpus # of xdp, the data path here

start() {
	modem_start
	qmapd_start
	attach --pdn 1,ip=v4 "$@" >/dev/null
}

mask() { # as a number
	echo $((0x$(tr -d , <$rps)))
}

mask_is() {
	[ "$(mask)" = "$1" ]
}

becomes() { # mask
	wait_for 10 mask_is "$1" || fail "the mask is $(mask), not $1"
}

# All CPUs, because no interrupt belongs to this modem; none on a machine with one.
auto_mask() {
	local n
	n=$(nproc --all)
	[ "$n" -gt 1 ] && echo $(((1 << n) - 1)) || echo 0
}

test_auto() {
	start
	equal "mask" "$(auto_mask)" "$(mask)"
	[ "$(auto_mask)" = 0 ] || equal "cpus" "0-$(($(nproc --all) - 1))" "$(field '.pdns[0].cpus')"
	answers 10.64.1.1 -I wwan0.1
}

# Another program's choice stays, also when a new qmapd adopts it.
test_auto_respects() {
	start
	echo 1 >$rps
	qmapctl redial wwan0
	qmapd_kill KILL || :
	qmapd_start
	wait_for 10 family_is 1 4 up
	equal "mask" 1 "$(mask)"
	equal "cpus" 0 "$(field '.pdns[0].cpus')"
}

is_reported() {
	field '.events[].reason' | grep -q "somebody has steered its packets to other CPUs"
}

test_list_is_restored() {
	start --steer 0 --poll 1
	equal "mask" 1 "$(mask)"
	echo 0 >$rps
	becomes 1
	wait_for 10 is_reported || fail "no event"
}

test_off() {
	start --steer off
	equal "mask" 0 "$(mask)"
	equal "cpus" null "$(field '.pdns[0].cpus')"
	echo 1 >$rps
	equal "cpus" 1 "$(mask)"
}

apply_steer() {
	printf '%s\n' '[trunk wwan0]' "control = $T/qmi" "steer = $1" '[trunk wwan0 pdn 1]' 'ip = v4' >"$T/f"
	equal "steps" "done    wwan0: change because of steer $2 -> $1" "$(qmapctl apply "$T/f")"
}

# A change of steer= takes back what it has set, and nothing is dialled again.
test_changed_in_place() {
	start --steer 0
	apply_steer off 0
	equal "mask" 0 "$(mask)"
	apply_steer 0 off
	equal "mask" 1 "$(mask)"
	apply_steer auto 0
	equal "mask" "$(auto_mask)" "$(mask)"
}

# The port may be in another namespace: its packets come through a netdev that is not.
test_namespace() {
	ip netns add lte
	start --steer 0 --pdn 2,ip=v4,netns=lte
	equal "mask" 1 "$((0x$(tr -d , </sys/class/net/wwan0.2p/queues/rx-0/rps_cpus)))"
}

test_refused() {
	modem_start
	qmapd_start
	refused 1 'bad steer "x"' attach --steer x
	refused 1 'bad steer "3-1"' attach --steer 3-1
}

run_tests "$@"
