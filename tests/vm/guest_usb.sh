#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Inside a guest: qmapd and qmicli on an emulated USB modem that the kernel's own drivers bind.
#
#   guest_usb.sh [TEST...]

# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/../net/lib-traffic.sh"

sysfs=/sys/class/net/wwan0

drivers_ready() {
	[ -e $sysfs/qmi/raw_ip ] && [ -c /dev/cdc-wdm0 ]
}

drivers_gone() {
	[ ! -e $sysfs ] && [ ! -e /dev/cdc-wdm0 ]
}

usb_start() { # OPTION...
	modem_start --usb vhci "$@"
	wait_for 20 drivers_ready
}

test_drivers() {
	usb_start
	ls -l $sysfs/device/driver
	equal "driver" qmi_wwan "$(basename "$(readlink $sysfs/device/driver)")"
	equal "interface" 04 "$(cat $sysfs/device/bInterfaceNumber)"
	equal "control device" cdc-wdm0 "$(ls $sysfs/device/usbmisc)"
	equal "speed" 5000 "$(cat $sysfs/device/../speed)"
	equal "DTR" true "$(modem_stat .usb.dtr)"
	modem unplug
	wait_for 10 drivers_gone
}

test_qmicli() {
	usb_start
	qmicli -d /dev/cdc-wdm0 --dms-get-model
}

test_attach() {
	usb_start
	qmapd_start
	qmapctl attach wwan0 --pdn 1 --pdn 2 --pdn 3 --pdn 4
	qmapctl show
	cat $sysfs/qmi/raw_ip $sysfs/qmi/pass_through $sysfs/mtu
	modem stats | jq -c .usb
	ping -c 3 -W 2 -I wwan0.1 10.64.1.1
	qmapctl stats
	qmapctl detach wwan0
}

# --- running: one test after the other in the guest's own namespace ---

clean_up() {
	local pid
	for pid in $qmapd_pid $modem_pid; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	wait_for 10 drivers_gone
	find /sys/fs/bpf/qmap -type f -delete 2>/dev/null
}

in_guest() { # function
	T=$(mktemp -d /run/test.XXXXXX)
	trap clean_up EXIT
	(
		set -e
		trap clean_up EXIT
		"$1"
	)
}

main() {
	local t status=0 names=("$@")
	ln -sfn /proc/self/fd /dev/fd
	mkdir -p /run/netns /run/qmapd
	echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	ip netns add net
	[ $# -gt 0 ] || mapfile -t names < <(declare -F | sed -n 's/^declare -f \(test_.*\)$/\1/p')
	for t in "${names[@]}"; do
		T=$(mktemp -d /run/test.XXXXXX)
		if (
			set -eE
			trap clean_up EXIT
			"$t"
		) >"$T/out" 2>&1; then
			echo "PASS ${t#test_}"
		else
			echo "FAIL ${t#test_}"
			sed 's/^/  /' "$T/out"
			show_logs
			status=1
		fi
	done
	return $status
}

main "$@"
