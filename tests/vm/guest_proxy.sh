#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a guest: several programs on the one /dev/cdc-wdm0. Tests of guest_usb.sh, which sources it.

# shellcheck disable=SC2154 # variables of guest_usb.sh and lib.sh
# shellcheck disable=SC2086,SC2046,SC2005 # as there

# cli OPTION...: runs qmicli through the proxy that is running.
cli() {
	timeout 600 qmicli -p -d /dev/cdc-wdm0 "$@"
}

client_ids() {
	modem stats | jq -c .qmi.clients
}

ids_are() {
	[ "$(client_ids)" = "$1" ]
}

# Runs several qmicli at once; each must get a true answer.
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

proxy_is() { # name of the program that owns the socket
	ss -Hxp state listening src @qmi-proxy | grep -q "\"$1\""
}

device_opened() { # times, by qmapd
	local fd
	[ "$(for fd in "/proc/$qmapd_pid"/fd/*; do readlink "$fd"; done | grep -cx /dev/cdc-wdm0)" = "$1" ]
}

test_client_of_qmi_proxy() {
	usb_start
	/usr/libexec/qmi-proxy --no-exit &
	wait_for 20 proxy_is qmi-proxy || fail "no qmi-proxy: $(ss -Hxlp)"
	qmapd_start
	# both forms: the proxy holds the device as soon as a program has opened it
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
	# an attach takes over a device that the server has opened for clients
	proxy-tool /dev/cdc-wdm0 alloc=3 hold >/tmp/held &
	wait_for 20 grep -q holding /tmp/held
	attach_all
	device_opened 1 || fail "it has opened the device more than once"
	ping_all
	several
	# unplugged: the server disconnects its clients
	timeout 600 proxy-tool /dev/cdc-wdm0 alloc=3 closed >/tmp/told &
	local reader=$!
	wait_for 20 test -s /tmp/told
	unplug
	wait "$reader" || fail "a client is not hung up when the modem goes"
	# the trunk waits for its modem: nothing of it may be left for the next test
	qmapctl detach wwan0
	equal "netdevs left" "" "$(netdevs_left)"
}

# --- ModemManager ---

mm_pid=''

mm() {
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/dbus/system_bus_socket timeout 600 /usr/bin/mmcli "$@"
}

# Writes the data base of udevd, which is files; no udevd runs here.
udev_knows() { # ID PROPERTY...
	local id=$1
	shift
	mkdir -p /run/udev/data
	printf '%s\n' I:1000000 "${@/#/E:}" >"/run/udev/data/$id"
}

bus_start() {
	[ ! -e /no-modemmanager ] || skip "$(cat /no-modemmanager)"
	mkdir -p /run/dbus /var/lib /var/run
	cat >/run/dbus.conf <<-'XML'
		<busconfig>
		  <type>system</type>
		  <listen>unix:path=/run/dbus/system_bus_socket</listen>
		  <auth>EXTERNAL</auth>
		  <policy context="default">
		    <allow user="*"/><allow own="*"/>
		    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
		  </policy>
		</busconfig>
	XML
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/dbus/system_bus_socket
	/usr/bin/dbus-daemon --config-file=/run/dbus.conf --nofork >/tmp/dbus.log 2>&1 &
	wait_for 20 socket_listens /run/dbus/system_bus_socket || fail "no D-Bus: $(cat /tmp/dbus.log)"
	/usr/lib/polkit-1/polkitd --no-debug >/tmp/polkit.log 2>&1 &
}

# mm_start PROPERTY...: with these udev properties of the netdev.
mm_start() {
	bus_start
	udev_knows "c$(cat /sys/class/usbmisc/cdc-wdm0/dev)" ID_MM_CANDIDATE=1
	udev_knows "n$(cat "$sysfs/ifindex")" "$@"
	/usr/sbin/ModemManager --debug >/tmp/mm.log 2>&1 &
	mm_pid=$!
	wait_for 90 mm_is disabled || mm_fail "ModemManager does not take the modem"
}

mm_fail() {
	grep -aE '<info>|<warn>|<err|registration|imed out' /tmp/mm.log | cut -c1-160 | tail -n 60
	fail "$1"
}

mm_is() { # state
	mm -m any 2>/dev/null | grep -q " state: .*$1" # coloured, even without a terminal
}

mm_stop() {
	kill "$mm_pid"
	wait "$mm_pid" || :
}

# ModemManager dials, by the qmi-proxy that libqmi starts for it; the data path is ours.
test_modemmanager_owns() {
	usb_start --model EC25
	qmapd_start --qmi-proxy no
	mm_start ID_MM_CANDIDATE=1
	proxy_is qmi-proxy || fail "not through qmi-proxy: $(ss -Hxlp)"
	mm -m any --simple-connect="apn=internet,ip-type=ipv4" || mm_fail "does not connect"
	mm_is connected || mm_fail "is not connected"
	qmapctl attach wwan0 --control none --qmap off
	ip addr add 10.64.1.2/30 dev wwan0
	ping -c 3 -i 0.2 -W 5 -q -I wwan0 10.64.1.1 || mm_fail "no traffic"
	mm_is connected || mm_fail "ModemManager has lost its call"
	qmapctl detach wwan0
	mm -m any --simple-disconnect
	mm_stop
	unplug
}

# --- both at once: ModemManager takes the modem while our PDNs are up ---

# Through the ports, both ways, until shared_ends: five pings a second, each answer compared.
shared_begins() {
	local n
	for n in "${pdns[@]}"; do
		ping -i 0.2 -I "wwan0.$n" "$(gateway "$n" 4)" >"/tmp/ping.$n" 2>&1 &
		pingers[n]=$!
	done
}

answers() { # pdn
	grep -c 'bytes from' "/tmp/ping.$1" || :
}

# Every PDN has continued to pass packets since then; hardly any was lost.
shared_goes_on() {
	local n before=()
	for n in "${pdns[@]}"; do
		before[n]=$(answers "$n")
	done
	for n in "${pdns[@]}"; do
		more_answers() { [ "$(answers "$n")" -ge $((before[n] + 5)) ]; }
		wait_for 10 more_answers || fail "PDN $n has stopped: $(tail -n 5 "/tmp/ping.$n"; netdev_events)"
	done
}

shared_ends() {
	local n out lost=0
	for n in "${pdns[@]}"; do
		kill -INT "${pingers[n]}"
		wait "${pingers[n]}" || :
		out=$(cat "/tmp/ping.$n")
		[[ $out != *wrong* ]] || fail "$out"
		lost=$((lost + $(sed -nE 's/^([0-9]+) packets transmitted, ([0-9]+) received.*/\1 - \2/p' <<<"$out")))
	done
	echo "DATA usb-$datapath ModemManager beside us: $lost pings lost, others did: $(netdev_events | sort | uniq -c | tr -s " \n" " ")"
	at_most "pings lost" 20 "$lost"
}

at_most() { # name most actual
	[ "$3" -le "$2" ] || fail "$1: $3, more than $2"
}

# ModemManager's view of the modem, and its changes to the netdev, while all PDNs pass packets.
taken_beside_us() {
	local pingers=() largest calls
	largest=$(field .dl_max_bytes)
	calls=$(modem_stat .calls)
	shared_begins
	shared_goes_on
	mm_start ID_MM_CANDIDATE=1
	shared_goes_on
	mm -m any --enable || mm_fail "ModemManager does not enable the modem"
	wait_for 30 mm_is registered || mm_fail "ModemManager sees no network"
	shared_goes_on
	mm -m any | grep -q "model:.* RG500Q-EA" || mm_fail "$(mm -m any)"
	wait_for 10 as_prepared || fail "raw_ip, pass_through, MTU: $(echo $(cat $sysfs/{qmi/raw_ip,qmi/pass_through,mtu}))"
	patterns_beside
	mm_stop
	shared_goes_on
	shared_ends
	equal "calls" "$calls" "$(modem_stat .calls)"
	equal "our format" "v5 $largest" "$(modem_stat '.format | "\(.dl) \(.dl_max_size)"')"
}

# patterns without the modem's counters, which include the pings.
patterns_beside() {
	lossless "${pdns[@]/#/wwan0.}"
	set_streams 4
	arrived -c 300 "${ports[@]}" -- "$build/pattern-tool" send -p 7001 -r 250 -c 300 -s 44-1500 "${down[@]}"
	"$build/pattern-tool" send -r 250 -c 300 -s 44-1500 "${up[@]}" >/dev/null
	for n in "${pdns[@]}"; do
		sink_has "$n" 300
	done
}

# ModemManager reaches the modem through our server. Its own calls are refused: the data format is ours.
test_modemmanager_beside_us() {
	start
	wait_for 20 proxy_is qmapd || fail "not serving: $(ss -Hxlp)"
	taken_beside_us
	ping_all
	patterns
	detached
	unplug
}

# The same through libqmi's qmi-proxy, with both as its clients.
test_modemmanager_and_us_by_qmi_proxy() {
	usb_start
	/usr/libexec/qmi-proxy --no-exit &
	wait_for 20 proxy_is qmi-proxy || fail "no qmi-proxy: $(ss -Hxlp)"
	qmapd_start --qmi-proxy no
	attach_all --control qmi-proxy
	taken_beside_us
	ping_all
	patterns
	detached
	unplug
}

# With QMAP, ModemManager multiplexes by qmi_wwan's own links, which get packets before pass_through
# does (kernel qmi_wwan.c, qmi_wwan_rx_fixup()): remove the links, keep its call, and attach our data
# path. ModemManager only takes links reported by udev, hence a udevd with its rules.
test_modemmanager_owns_with_qmap() {
	local mux
	usb_start
	qmapd_start --qmi-proxy no
	bus_start
	/lib/systemd/systemd-udevd --daemon
	udevadm trigger --action=add
	udevadm settle
	/usr/sbin/ModemManager --debug >/tmp/mm.log 2>&1 &
	mm_pid=$!
	wait_for 90 mm_is disabled || mm_fail "ModemManager does not take the modem"
	mm -m any --simple-connect="apn=internet,ip-type=ipv4,multiplex=required" || mm_fail "does not connect"
	equal "mux id and format" "1 v1" "$(modem stats | jq -r '"\(.pdn["1"].mux) \(.format.dl)"')"
	for mux in 0x01 0x02 0x03 0x04; do # as many as ModemManager makes at once
		echo $mux >$sysfs/qmi/del_mux
	done
	attach_to_call
	lossless wwan0.1
	modem reset >/dev/null
	receive -t 60000 -c 300 wwan0.1=1 -- "$build/pattern-tool" send -p 7001 -r 250 -c 300 \
		-s 44-1500 "net/pdn1=1@$(host 1 4)"
	"$build/pattern-tool" send -r 250 -c 300 -s 44-1500 "wwan0.1=1@$(gateway 1 4)" >/dev/null
	sink_has 1 300
	no_violations
	equal "drops" '{}' "$(drops_of_ours)"
	mm_is connected || mm_fail "ModemManager has lost its call"
	equal "calls" 1 "$(modem_stat .calls)"
	qmapctl detach wwan0
	mm -m any --simple-disconnect
	equal "calls" 0 "$(modem_stat .calls)"
	mm_stop
	unplug
}

# The PDN that ModemManager has dialled.
attach_to_call() {
	qmapctl attach wwan0 --control none --datapath "$datapath" --qmap v1 --pdn 1,mux=1
	ip addr add "$(host 1 4)/30" dev wwan0.1
	ping -c 3 -i 0.2 -W 5 -q -I wwan0.1 "$(gateway 1 4)" || mm_fail "no traffic: $(qmapctl stats)"
}
