# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by guest_usb.sh: the data path `usb`, for which qmapd gives the modem's USB interface to the
# driver qmap_usb, and takes it back.

# shellcheck disable=SC2034,SC2086,SC2154 # variables of guest_usb.sh; numbers have no spaces

interfaces=/sys/module/qmap_usb/parameters/interfaces
own_driver=yes

driver_is() { # driver [netdev]
	[ "$(basename "$(readlink "/sys/class/net/${2:-wwan0}/device/driver")")" = "$1" ]
}

# Requests of the module's driver.
urbs() { # counter
	ethtool -S wwan0 | awk -v name="$1:" '$1 == name { print $2 }'
}

# The modem is as it was before it was attached.
at_home() {
	wait_for 10 driver_is qmi_wwan || fail "driver $(readlink $sysfs/device/driver)"
	equal "interfaces of qmap_usb" "" "$(tr -d '\n' <$interfaces)"
}

test_driver_attach() {
	start
	equal "data path" usb "$(field .datapath)"
	equal "control device" /dev/cdc-wdm0 "$(field .control)"
	driver_is qmap_usb || fail "driver $(readlink $sysfs/device/driver)"
	equal "kind of the netdev" qmap_usb "$(ip -d -j link show wwan0 | jq -r '.[0].linkinfo.info_kind')"
	equal "MTU" 1500 "$(cat $sysfs/mtu)"
	equal "requests and their size" "8 31744" "$(urbs usb_rx_urbs) $(urbs usb_rx_urb_bytes)"
	ping_all
	patterns
	detached
	attach_all
	ping_all
	detached
}

# As the modem's other netdevs were: up, and under a name of the user's.
test_driver_keeps_name() {
	usb_start
	ip link set wwan0 name lte0
	ip link set lte0 up
	qmapd_start
	qmapctl -q attach lte0 --datapath usb --pdn 1
	driver_is qmap_usb lte0 || fail "$(ip -o link)"
	ping -c 2 -i 0.2 -W 5 -I lte0.1 "$(gateway 1 4)" >/dev/null || fail "no answer"
	qmapctl detach lte0
	driver_is qmi_wwan lte0 || fail "$(ip -o link)"
	[ -n "$(ip -o link show dev lte0 up)" ] || fail "it is down"
	qmapd_kill TERM || :
	unplug
}

# Kernels that limit the MTU to 1500 give usbnet buffers of that size alone.
test_driver_large_aggregates() {
	start --dl-max-bytes 31744
	equal "MTU" 1500 "$(cat $sysfs/mtu)"
	lossless "${pdns[@]/#/wwan0.}"
	set_streams 4
	modem reset >/dev/null
	arrived -c 5000 "${ports[@]}" -- "$build/qmap-modem" ctl "$T/faults" generate count=5000 size=1400
	at_least "bytes of an aggregate" 25000 "$(modem stats | jq '.trunk.dl_bytes / .trunk.dl_aggregates | floor')"
	equal "lost in the modem" '[0,0]' "$(modem stats | jq -c '[.trunk.dl_lost, .trunk.dl_beyond_urb]')"
	equal "transfers too large" 0 "$(urbs usb_rx_overflows)"
	detached
}

# --- who has it, and who is told ---

# shellcheck disable=SC2016 # backquotes for people
test_driver_auto() {
	local datapath=auto
	usb_start
	qmapd_start
	equal "probe" available "$(probed '.datapaths[0] | select(.name == "usb") | .reason')"
	attach_all
	equal "data path" usb "$(field .datapath)"
	equal "driver" qmap_usb "$(probed .driver)"
	equal "next" 'it is attached: `qmapctl show wwan0`' "$(probed .next)"
	equal "said" 1 "$(grep -c 'driver qmap_usb has the modem now' "$T/qmapd.log")"
	detached
	rmmod qmap_usb
	equal "probe" "the driver qmap_usb is not loaded" \
		"$(probed '.datapaths[] | select(.name == "usb") | .reason')"
	refused 3 "the driver qmap_usb is not loaded" qmapctl attach wwan0 --datapath usb
	attach_all
	equal "data path" shim "$(field .datapath)"
	equal "reason" "usb: the driver qmap_usb is not loaded" "$(field .datapath_reason)"
	ping_all
	qmapctl detach wwan0
	insmod /ko/qmap_usb.ko
	attach_all
	equal "data path" usb "$(field .datapath)"
	detached
}

# A program on the control device would lose it.
test_driver_held() {
	local holder
	usb_start
	qmapd_start
	sleep 1000 <>/dev/cdc-wdm0 &
	holder=$!
	refused 3 "sleep (pid $holder) has /dev/cdc-wdm0 open, which goes when qmap_usb takes over" \
		qmapctl attach wwan0 --datapath usb
	driver_is qmi_wwan || fail "it was taken all the same"
	qmapctl -q attach wwan0
	equal "data path" shim "$(field .datapath)"
	qmapctl detach wwan0
	kill $holder
	wait $holder || :
	attach_all
	ping_all
	detached
}

# qmicli and others find the device where it is now.
test_driver_control() {
	start
	qmapctl detach wwan0
	attach_all --control none --qmap v5
	driver_is qmap_usb || fail "driver $(readlink $sysfs/device/driver)"
	# libqmi takes a device for QMI by itself only from drivers that it knows by name
	qmi --device-open-qmi --dms-get-model | grep -q RG500Q-EA || fail "qmicli has no answer"
	detached
}

# The driver is taken away from under the trunk, and comes back.
test_driver_unloaded() {
	start
	rmmod qmap_usb
	wait_for 10 state_is lost || fail "$(qmapctl show)"
	wait_for 10 driver_is qmi_wwan || fail "nobody has the modem"
	equal "netdevs left" "" "$(netdevs_left)"
	insmod /ko/qmap_usb.ko
	wait_for 30 state_is attached || fail "$(qmapctl show)"
	ping_all
	detached
}

# The administrator has given the modem to the driver: it stays there.
test_driver_by_hand() {
	local interface
	usb_start
	interface=$(basename "$(readlink -f $sysfs/device)")
	echo "$interface" >$interfaces
	echo -n "$interface" >/sys/bus/usb/drivers/qmi_wwan/unbind
	echo -n "$interface" >/sys/bus/usb/drivers/qmap_usb/bind
	qmapd_start
	refused 3 "wwan0 belongs to driver qmap_usb" qmapctl attach wwan0 --datapath shim
	datapath=auto attach_all
	ping_all
	qmapctl detach wwan0
	equal "ports left" "" "$(netdevs_left)"
	driver_is qmap_usb || fail "it was given away"
	equal "interfaces of qmap_usb" "$interface" "$(tr -d '\n' <$interfaces)"
	echo >$interfaces
	unplug
}

# --- a death at each step ---

# die_in VARIABLE=N COMMAND...: the step at which it dies is one that there is.
die_in() {
	local status=0
	env LD_PRELOAD="$build/die_at.so" "$@" 2>>"$T/qmapd.log" || status=$?
	equal "status of $*" 137 $status
}

# A qmapd that dies at the step while it attaches.
die_attaching() { # VARIABLE=N
	die_in "$1" "$build/qmapd" -v -c "$T/qmapd.conf"
}

test_driver_killed_in_attach() {
	local step
	usb_start
	wait_conf
	for step in DIE_AT={1,2,3} DIE_AFTER=3; do
		die_attaching $step
		qmapd_start -c "$T/qmapd.conf"
		wait_for 20 state_is attached || fail "$step: $(qmapctl show)"
		driver_is qmap_usb || fail "$step: $(readlink $sysfs/device/driver)"
		ping_all
		detached
		at_home
		qmapd_kill TERM || :
	done
}

# Without a configuration nobody wants the modem any more: it goes back.
test_driver_killed_by_command() {
	local step
	usb_start
	for step in DIE_AT={1,2,3} DIE_AFTER=3; do
		env LD_PRELOAD="$build/die_at.so" $step "$build/qmapd" -v 2>>"$T/qmapd.log" &
		qmapd_pid=$!
		wait_for 10 socket_listens
		try attach_all
		[ "$status" != 0 ] || fail "$step: it did not die"
		wait $qmapd_pid || :
		if [ $step = DIE_AT=2 ]; then
			qmapctl detach wwan0 # without a daemon
		else
			qmapd_start
			wait_for 20 drivers_ready || fail "$step: $(ip -o link)"
			wait_for 20 nothing_attached || fail "$step: $(qmapctl show)"
			qmapd_kill TERM || :
		fi
		at_home
		nothing_left
	done
}

nothing_attached() {
	[ "$(qmapctl -j show)" = "[]" ] && driver_is qmi_wwan
}

test_driver_killed_in_detach() {
	local step
	usb_start
	for step in DIE_AT={1,2,3} DIE_AFTER=3; do
		qmapd_start
		attach_all
		qmapd_kill KILL || :
		die_in $step "$build/qmapctl" detach wwan0
		qmapd_start
		wait_for 20 nothing_attached || fail "$step: $(qmapctl show)"
		at_home
		nothing_left
		qmapd_kill TERM || :
	done
}

# --- unplugged, and two of them ---

# Unplugged at once when it has been moved, again and again, and while no daemon runs.
test_driver_unplugged() {
	start
	unplug
	wait_for 10 modem_state_is absent || fail "$(qmapctl show)"
	equal "interfaces of qmap_usb" "" "$(tr -d '\n' <$interfaces)"
	qmapd_kill KILL || :
	plug
	driver_is qmi_wwan || fail "taken without a daemon"
	qmapd_start
	wait_for 20 state_is lost || :
	qmapctl -q detach wwan0 || :
	at_home
	attach_all
	unplug
	qmapctl detach wwan0
	equal "interfaces of qmap_usb" "" "$(tr -d '\n' <$interfaces)"
	plug
	driver_is qmi_wwan || fail "taken without an attach"
	nothing_left
}

# A second modem, whose PDNs have a namespace of their own on the host.
second_modem() {
	local line
	ip netns add net2
	ip netns add host2
	rm -f "$T/ready2"
	mkfifo "$T/ready2"
	"$build/qmap-modem" --usb vhci --control "$T/qmi2" --faults "$T/faults2" --net-netns net2 \
		>"$T/ready2" 2>>"$T/modem.log" &
	read -rt $((10 * PATIENCE)) line <"$T/ready2" || :
	equal "second modem" ready "$line"
	wait_for 20 test -e /sys/class/net/wwan1/qmi/raw_ip || fail "no wwan1: $(ip -o link)"
	wait_for 20 test -c /dev/cdc-wdm1 || fail "no cdc-wdm1"
}

second_answers() {
	ip netns exec host2 ping -c 2 -i 0.2 -W 5 -I wwan1.1 "$(gateway 1 4)" >/dev/null || fail "wwan1.1: no answer"
}

drivers_are() { # of wwan0, of wwan1
	driver_is "$1" wwan0 || fail "wwan0 has not driver $1"
	driver_is "$2" wwan1 || fail "wwan1 has not driver $2"
}

test_driver_beside_qmi_wwan() {
	local pdns=(1)
	usb_start
	second_modem
	qmapd_start
	qmapctl -q attach wwan1 --datapath shim --pdn 1,netns=host2
	attach_all
	drivers_are qmap_usb qmi_wwan
	ping_all
	second_answers
	qmapctl detach wwan0
	at_home
	second_answers
	qmapctl detach wwan1
	# the other way round, and both
	qmapctl -q attach wwan1 --datapath usb --control /dev/cdc-wdm1 --pdn 1,netns=host2
	drivers_are qmi_wwan qmap_usb
	second_answers
	attach_all
	ping_all
	second_answers
	qmapctl detach wwan0
	second_answers
	# the first one's numbers are free now: the second gets them when it is moved
	qmapctl detach wwan1
	unplug_first
	qmapctl -q attach wwan1 --datapath usb --control /dev/cdc-wdm1 --pdn 1,netns=host2
	equal "control device" /dev/cdc-wdm0 "$(qmapctl -j show wwan1 | jq -r '.[0].control')"
	second_answers
	qmapctl detach wwan1
	driver_is qmi_wwan wwan1 || fail "$(ip -o link)"
	equal "interfaces of qmap_usb" "" "$(tr -d '\n' <$interfaces)"
	"$build/qmap-modem" ctl "$T/faults2" unplug >/dev/null
	wait_for 20 drivers_gone || fail "wwan1 stays"
}

unplug_first() {
	modem unplug >/dev/null
	wait_for 20 no_first || fail "wwan0 stays"
}

no_first() {
	[ ! -e $sysfs ] && [ ! -e /dev/cdc-wdm0 ]
}

# A socket of PDN 1 whose reader has stopped, for which chains of datagrams stay in the driver's buffers.
keeper_start() {
	ethtool -K wwan0.1 rx-udp-gro-forwarding on
	rm -f "$T/keeper"
	"$build/pattern-tool" receive -c 1000000 wwan0.1=1 -- touch "$T/keeper" >"$T/kept" &
	keeper=$!
	wait_for 10 test -e "$T/keeper" || fail "no socket"
	wait_for 10 keeper_sleeps || fail "it does not wait for packets"
	kill -STOP $keeper
	modem generate pdn=1 count=1000000 size=1400 >/dev/null
	wait_for 60 lent 100 || fail "lent: $(urbs usb_rx_lent_bytes) bytes"
}

# It has looked for SIGTERM before, and will read once when it goes on.
keeper_sleeps() {
	[ "$(cut -d' ' -f3 "/proc/$keeper/stat")" = S ]
}

lent() { # buffers
	[ "$(urbs usb_rx_lent_bytes)" -ge $(($1 * 32768)) ]
}

# What was in the buffers is still there, also without modem and driver.
keeper_ends() {
	kill -TERM $keeper
	kill -CONT $keeper
	wait $keeper || : # the same numbers may have come again
	equal "bad and foreign" "0 0" "$(jq -r '.[0] | "\(.bad) \(.foreign)"' "$T/kept")"
	at_least "datagrams kept" 2000 "$(jq '.[0] | .ok + .duplicate' "$T/kept")"
}

# KiB that neither the page cache nor slabs that shrink explain: a driver's pages are in no other sum.
# Compaction takes back the free pages that each CPU keeps.
in_use() {
	echo 1 >/proc/sys/vm/compact_memory
	awk '{ n[$1] = $2 }
		END { print n["MemTotal:"] - n["MemFree:"] - n["Buffers:"] - n["Cached:"] - n["SReclaimable:"] }' \
		/proc/meminfo
}

# Processes come and go with some MB; a hundred buffers are three.
in_use_again() { # before
	[ $(($(in_use) - $1)) -lt 32768 ]
}

# Moves there and back with packets on their way both ways, and a hundred buffers that a socket keeps.
test_driver_moves() {
	local i before after keeper used
	usb_start
	qmapd_start
	for ((i = 0; i < cycles; i++)); do
		attach_all
		keeper_start
		modem generate count=1000000 size=1400 rate=3000 >/dev/null
		modem wait pdn.2.dl_packets '>=' 100 timeout=20000 >/dev/null
		"$build/pattern-tool" send -r 1000 -c 100 wwan0.1=1@10.64.1.1 >/dev/null &
		qmapctl -q detach wwan0
		wait $! || : # its packets have nowhere to go
		at_home
		keeper_ends
		modem reset >/dev/null
		[ $i != 3 ] || { before=$(unreclaimable) && used=$(in_use); }
		[ $(((i + 1) % 10)) != 0 ] || echo "cycle $((i + 1)), in use $(in_use) KiB"
	done
	after=$(unreclaimable)
	echo "DATA moves $cycles there and back, unreclaimable KiB $before -> $after, in use KiB $used -> $(in_use)"
	[ $((after - before)) -lt 4096 ] || fail "memory grows: $before -> $after KiB"
	wait_for 20 in_use_again "$used" || fail "memory grows: $used -> $(in_use) KiB"
	equal "control devices" cdc-wdm0 "$(ls /sys/class/usbmisc)"
	nothing_left
	# ends the generator, whose packets would be foreign to the patterns
	unplug
	plug
	attach_all
	ping_all
	patterns
	detached
}

# --- ModemManager ---

# It asks devices of qmi_wwan alone for QMI, whatever a udev property says; it leaves this modem alone.
test_driver_modemmanager() {
	local pid
	start
	wait_for 20 proxy_is qmapd || fail "not serving: $(ss -Hxlp)"
	bus_start
	udev_knows "c$(cat /sys/class/usbmisc/cdc-wdm0/dev)" ID_MM_CANDIDATE=1 ID_MM_PORT_TYPE_QMI=1
	udev_knows "n$(cat "$sysfs/ifindex")" ID_MM_CANDIDATE=1
	/usr/sbin/ModemManager --debug >/tmp/mm.log 2>&1 &
	pid=$!
	wait_for 90 grep -aq "couldn't create modem" /tmp/mm.log || mm_fail "ModemManager has not looked at it"
	mm -L | grep -q "No modems" || mm_fail "ModemManager has taken it: $(mm -L)"
	ping_all
	kill $pid
	wait $pid || :
	patterns
	detached
}
