#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Inside a guest: several programs on the one /dev/cdc-wdm0. Tests of guest_usb.sh, which sources it.

# shellcheck disable=SC2154 # variables of guest_usb.sh and lib.sh

# cli OPTION...: qmicli through whichever proxy there is.
cli() {
	timeout 60 qmicli -p -d /dev/cdc-wdm0 "$@"
}

client_ids() {
	modem stats | jq -c .qmi.clients
}

ids_are() {
	[ "$(client_ids)" = "$1" ]
}

# Some qmicli at once; each must be told something true.
several() {
	local pids=() p
	cli --dms-get-model >/tmp/several.1 2>&1 &
	pids+=($!)
	cli --nas-get-signal-strength >/tmp/several.2 2>&1 &
	pids+=($!)
	cli --uim-get-card-status >/tmp/several.3 2>&1 &
	pids+=($!)
	cli --wds-get-packet-service-status >/tmp/several.4 2>&1 &
	pids+=($!)
	for p in "${pids[@]}"; do
		wait "$p" || fail "a qmicli has failed: $(tail -n 3 /tmp/several.*)"
	done
	grep -q "RG500Q-EA" /tmp/several.1 || fail "$(cat /tmp/several.1)"
	grep -q "Card state: 'present'" /tmp/several.3 || fail "$(cat /tmp/several.3)"
}

proxy_is() { # name of the program that has the socket
	ss -Hxlp src @qmi-proxy | grep -q "\"$1\""
}

device_opened() { # times, by qmapd
	[ "$(find "/proc/$qmapd_pid/fd" -lname /dev/cdc-wdm0 | wc -l)" = "$1" ]
}

test_client_of_qmi_proxy() {
	usb_start
	/usr/libexec/qmi-proxy --no-exit &
	wait_for 20 proxy_is qmi-proxy || fail "no qmi-proxy: $(ss -Hxlp)"
	qmapd_start
	# both ways of saying it: the device is held by the proxy as soon as somebody has it open
	qmapctl -q attach wwan0 --datapath "$datapath" --control qmi-proxy "${pdns[@]/#/--pdn=}"
	equal "control" qmi-proxy:/dev/cdc-wdm0 "$(field .control)"
	local before
	before=$(client_ids)
	several
	ids_are "$before" || fail "client ids: $before before, $(client_ids) now"
	ping_all
	equal "SYNCs" 0 "$(modem_stat .qmi.syncs)"
	equal "answers for others" 0 "$(field .qmi.unknown_client)"
	qmapctl detach wwan0
	equal "client ids left" 0 "$(modem_stat '.qmi.clients | add')"
	unplug
}

test_proxy_holds_device() {
	usb_start
	/usr/libexec/qmi-proxy --no-exit &
	wait_for 20 proxy_is qmi-proxy
	proxy-tool /dev/cdc-wdm0 hold >/tmp/held &
	wait_for 20 grep -q holding /tmp/held
	qmapd_start
	refused 2 "control channel /dev/cdc-wdm0 belongs to qmi-proxy" qmapctl attach wwan0 --datapath "$datapath"
	says "share it: --control qmi-proxy:/dev/cdc-wdm0"
	unplug
}

# qmicli beside live calls; then without a trunk, on a device that qmapd opens for it alone.
test_server_of_qmi_proxy() {
	start
	local before
	wait_for 20 proxy_is qmapd || fail "not serving: $(ss -Hxlp)"
	before=$(client_ids)
	several
	wait_for 20 ids_are "$before" || fail "client ids: $before before, $(client_ids) now"
	ping_all
	patterns
	proxy-tool /dev/cdc-wdm0 alloc=1 alloc=3 hold >/tmp/held &
	local held=$!
	wait_for 20 grep -q holding /tmp/held
	qmapd_kill KILL || :
	qmapd_start
	wait_for 20 state_is attached
	wait_for 20 ids_are "$before" || fail "after a kill: $before before, $(client_ids) now"
	kill "$held" 2>/dev/null || :
	detached
	several
	nobody() { [ "$(modem_stat '.qmi.clients | add')" = 0 ]; }
	wait_for 20 nobody || fail "client ids left: $(client_ids)"
	wait_for 20 device_opened 0 || fail "the device stays open with nobody there"
	# an attach takes over a device that was opened for others
	proxy-tool /dev/cdc-wdm0 alloc=3 hold >/tmp/held &
	wait_for 20 grep -q holding /tmp/held
	attach_all
	device_opened 1 || fail "it has opened the device more than once"
	ping_all
	several
	# unplugged: clients are hung up
	timeout 60 proxy-tool /dev/cdc-wdm0 alloc=3 closed >/tmp/told &
	local reader=$!
	wait_for 20 test -s /tmp/told
	unplug
	wait "$reader" || fail "a client is not hung up when the modem goes"
}
