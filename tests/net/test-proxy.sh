#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Several programs on one control channel: through libqmi's qmi-proxy, and through ours.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

proxy_pid='' device=''

# The abstract socket of a proxy; whether somebody listens there.
proxy_listens() {
	[ -n "$(ss -Hx state listening src @qmi-proxy)" ]
}

# libqmi's own proxy, and a character device that it can open: a pseudo terminal before the modem.
libqmi_proxy_start() {
	bridge_start
	/usr/libexec/qmi-proxy --verbose --no-exit >>"$T/proxy.log" 2>&1 &
	proxy_pid=$!
	wait_for 10 proxy_listens
}

bridge_start() {
	"$build/pty-bridge" "$T/qmi" >"$T/device" &
	wait_for 10 test -s "$T/device"
	device=$(cat "$T/device")
}

# cli OPTION...: qmicli through whichever proxy there is, on $device.
cli() {
	timeout 30 qmicli -p --device-open-qmi -d "$device" "$@"
}

client_ids() {
	modem stats | jq -c .qmi.clients
}

# many N: so many qmicli at once, of four services; each must be told something true.
many() {
	local i pids=() p
	for ((i = 0; i < $1; i++)); do
		case $((i % 4)) in
		0) cli --dms-get-model ;;
		1) cli --nas-get-signal-strength ;;
		2) cli --uim-get-card-status ;;
		3) cli --wds-get-packet-service-status ;;
		esac >"$T/many.$i" 2>&1 &
		pids+=($!)
	done
	for p in "${pids[@]}"; do
		wait "$p" || fail "one of $1 qmicli has failed: $(tail -qn 2 "$T"/many.*)"
	done
	equal "models told" $((($1 + 3) / 4)) "$(grep -c "Model: 'RG500Q-EA'" "$T"/many.* | grep -c ':1$')"
	equal "card states told" $((($1 + 1) / 4)) "$(grep -c "Card state: 'present'" "$T"/many.* | grep -c ':1$')"
}

is_connected() {
	[ "$(field ' | [.daemon, .state, .pdns[0].families[0].state] | map(tostring) | join(" ")')" = "null attached connected" ]
}

pings() {
	ping -c 3 -i 0.1 -W 5 -q 198.51.100.1 >/dev/null || fail "no ping"
}

# --- as a client of libqmi's proxy ---

test_client_of_qmi_proxy() {
	modem_start
	libqmi_proxy_start
	qmapd_start
	qmapctl attach wwan0 --control "qmi-proxy:$device" --pdn 1 --pdn 2
	equal exclusive false "$(field .exclusive)"
	pings
	before=$(client_ids)
	ping -i 0.05 -c 100 -W 5 -q 198.51.100.1 >"$T/ping" &
	local pinging=$!
	many 12
	wait "$pinging" || fail "pings got lost: $(cat "$T/ping")"
	equal "client ids beside" "$before" "$(client_ids)"
	equal "answers for others" 0 "$(field .qmi.unknown_client)"
	equal "SYNCs" 0 "$(modem_stat .qmi.syncs)"
	qmapctl detach wwan0
	nothing_left
}

# Indications come through the proxy, and only ours.
test_client_indications() {
	modem_start
	libqmi_proxy_start
	qmapd_start
	qmapctl attach wwan0 --control "qmi-proxy:$device" --pdn 1,ip=v4
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	mtu_is() { [ "$(cat /sys/class/net/wwan0.1/mtu)" = "$1" ]; }
	wait_for 10 mtu_is 1400 || fail "no indication has come: $(ip -o link show wwan0.1)"
	equal "indications for others" 0 "$(field .qmi.unknown_client)"
}

test_client_adoption() {
	modem_start
	libqmi_proxy_start
	qmapd_start
	qmapctl attach wwan0 --control "qmi-proxy:$device" --pdn 1
	before=$(client_ids)
	qmapd_kill KILL || :
	qmapd_start
	wait_for 10 is_connected || fail "not adopted"
	equal "client ids" "$before" "$(client_ids)"
	pings
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	mtu_is() { [ "$(cat /sys/class/net/wwan0.1/mtu)" = "$1" ]; }
	wait_for 10 mtu_is 1400 || fail "no indication after adoption"
	qmapctl detach wwan0
	nothing_left
}

test_client_of_the_modems_own_proxy() {
	modem_start --qmi-proxy
	qmapd_start
	qmapctl attach wwan0 --control "qmi-proxy:$T/qmi" --pdn 1
	pings
	qmapctl detach wwan0
	nothing_left
}

test_client_errors() {
	modem_start
	qmapd_start
	refused 2 "qmi-proxy does not answer: Connection refused" \
		qmapctl attach wwan0 --control qmi-proxy:/dev/null
	says "start it (ModemManager does)"
	refused 4 "no control device of wwan0 found" qmapctl attach wwan0 --control qmi-proxy
	libqmi_proxy_start
	refused 4 "qmi-proxy cannot open /dev/cdc-wdm9" qmapctl attach wwan0 --control qmi-proxy:/dev/cdc-wdm9
	"$build/proxy-tool" "$device" hold >"$T/held" &
	wait_for 10 test -s "$T/held"
	refused 2 "control channel $device belongs to qmi-proxy (pid $proxy_pid)" \
		qmapctl attach wwan0 --control "$device"
	says "share it: --control qmi-proxy:$device"
	nothing_left
}

# Whoever takes the proxy's name first has it: root does not listen to just anybody.
test_client_trusts_root_only() {
	modem_start
	setpriv --reuid 65534 --clear-groups perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0);
		bind(S, pack_sockaddr_un("\0qmi-proxy")); listen(S, 1); sleep 100' &
	wait_for 10 proxy_listens
	qmapd_start
	refused 5 "what serves as qmi-proxy is run by user 65534, not by root" \
		qmapctl attach wwan0 --control qmi-proxy:/dev/null
	nothing_left
}

test_client_loses_proxy() {
	modem_start
	libqmi_proxy_start
	qmapd_start
	qmapctl attach wwan0 --control "qmi-proxy:$device" --pdn 1
	kill "$proxy_pid"
	lost() { [ "$(field .state)" != attached ]; }
	wait_for 10 lost || fail "the loss of the proxy goes unnoticed: $(qmapctl show)"
}

run_tests "$@"
