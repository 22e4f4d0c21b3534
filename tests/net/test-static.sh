#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The data path alone, without a control channel: --control none.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

test_attach_and_detach_leave_nothing() {
	modem_start
	qmapd_start
	qmapctl attach wwan0 --control none --qmap v1 --pdn 1,mux=0x81 --pdn 7,mux=9
	equal "ports" "wwan0.1 wwan0.7" "$(field '.pdns | map(.port) | join(" ")')"
	equal "mux ids" "129 9" "$(field '.pdns | map(.mux | tostring) | join(" ")')"
	ip link show dev wwan0.7 >/dev/null
	qmapctl detach wwan0
	nothing_left
}

test_attach_twice_is_refused() {
	modem_start
	qmapd_start
	qmapctl attach wwan0 --control none --pdn 1
	local status=0 out
	out=$(qmapctl attach wwan0 --control none --pdn 1 2>&1) || status=$?
	equal "exit code" 2 "$status"
	[[ $out == *"attached already"* ]] || fail "$out"
	equal "state" attached "$(field .state)"
}

run_tests "$@"
