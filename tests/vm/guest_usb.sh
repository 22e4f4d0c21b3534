#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a guest: qmapd and qmicli on an emulated USB modem that the kernel's own drivers bind.
#
#   guest_usb.sh [TEST...]
#   DATAPATH=xdp                   or shim, rmnet, usb

# shellcheck disable=SC2086,SC2046,SC2005 # paths and numbers have no spaces

# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/../net/lib-traffic.sh"


sysfs=/sys/class/net/wwan0
cycles=${CYCLES:-20}
xdp_bytes=15360 # of the aggregates that data path xdp asks for
datapath=${DATAPATH:-xdp}
own_driver=

# --- the modem on USB ---

drivers_ready() {
	{ [ -e $sysfs/qmi/raw_ip ] || { [ "$datapath" = usb ] && [ -e $sysfs ]; }; } && [ -c /dev/cdc-wdm0 ]
}

drivers_gone() {
	[ ! -e $sysfs ] && [ ! -e /dev/cdc-wdm0 ]
}

# See trunk_dev_is_left_over(). Such a netdev stays, and so does its control device.
is_left_over() {
	ip link show wwan0 >/dev/null 2>&1 && ! [ -e /sys/class/net/wwan0/device ]
}

usb_start() { # OPTION...
	modem_start --usb vhci "$@"
	wait_for 20 drivers_ready || fail "qmi_wwan does not bind"
	pin_controller
}

# A controller's interrupt stays on one CPU, which keeps packets in order. The kernel thread that
# replaces it here does not stay by itself.
pin_controller() {
	local dir
	for dir in /proc/[0-9]*; do
		[ "$(cat "$dir/comm" 2>/dev/null)" != vhci_rx ] || taskset -p 1 "${dir#/proc/}" >/dev/null
	done
}

unplug() {
	modem unplug >/dev/null
	wait_for 20 drivers_gone || fail "drivers still hold the unplugged modem"
}

# Without pinning the controller to a CPU, which takes a while.
plug_in() {
	modem plug >/dev/null
	wait_for 20 drivers_ready || fail "qmi_wwan does not bind again"
	began=${EPOCHREALTIME/./}
}

plug() {
	plug_in
	pin_controller
}

# --- the host ---

pdns=(1 2 3 4)

# start OPTION...: starts modem and qmapd and attaches four PDNs; qmapd finds the devices itself.
start() {
	usb_start
	qmapd_start
	attach_all "$@"
}

attach_all() {
	qmapctl -q attach wwan0 --datapath "$datapath" "${pdns[@]/#/--pdn=}" "$@"
}

set_streams() { # family
	local n
	ports=() up=() down=()
	for n in "${pdns[@]}"; do
		ports+=("wwan0.$n=$n")
		up+=("wwan0.$n=$n@$(gateway "$n" "$1")")
		down+=("net/pdn$n=$n@$(host "$n" "$1")")
	done
}

# --- the observer of rmnet and qmimux: frames counted by mux id, and dropped by reason, are all sent ---

observed() {
	[[ " rmnet qmimux " == *" $(field .datapath) "* ]]
}

# Transfers of less than 14 bytes, which usbnet drops (usbnet.c, rx_process()): room for one frame.
too_short() {
	cat $sysfs/statistics/rx_length_errors
}

# Frames and commands that qmapctl has counted, less those that the modem has sent: those of the trunk,
# by the observer, and by mux id those of the ports, which the kernel's driver counts.
seen_less_sent() {
	jq -nc --argjson host "$(qmapctl -j stats)" --argjson modem "$(modem stats)" \
		--argjson short "$(too_short)" '$host[0] as $h |
		{trunk: ($h.frames + $h.commands + ($h.drops | add) - ($h.ports | map(.tx_dropped) | add) + $short -
			($modem.trunk | .dl_frames + .dl_noise_frames + .commands_sent))} +
		($h.ports | map({(.mux | tostring): (.rx_packets + .rx_dropped)}) | add) as $seen |
		reduce ($modem.pdn[] | select($h.ports[].mux == .mux)) as $p ($seen;
			.[$p.mux | tostring] -= $p.dl_packets + $p.dl_noise_frames)'
}

is_settled() {
	local before=$difference
	difference=$(seen_less_sent | jq -c "$compared")
	[ "$difference" = "$before" ]
}

# counting [.jq.path]: from here to all_counted the difference must not change; of that part alone.
counting() {
	compared=${1:-.} difference=
	! observed || wait_for 10 is_settled
}

same_difference() {
	[ "$(seen_less_sent | jq -c "$compared")" = "$difference" ]
}

all_counted() {
	! observed || wait_for 10 same_difference ||
		equal "frames counted and dropped by reason, less those sent" "$difference" \
			"$(seen_less_sent | jq -c "$compared")"
}

ping_all() {
	local n out family difference
	counting
	for n in "${pdns[@]}"; do
		for family in 4 6; do
			out=$(ping -c 2 -i 0.2 -W 5 -I "wwan0.$n" "$(gateway "$n" $family)") || fail "$out"
			[[ $out != *wrong* ]] || fail "$out"
		done
	done
	all_counted
}

# Frames for which the kernel had no room. The guest is slow: some such drops are not our fault. rmnet
# does not count them.
no_room() {
	stat_of '.drops.queue_full // 0'
}

# arrived OPTION... STREAM... -- COMMAND...: all datagrams arrive, once, in order and unchanged, except
# counted drops.
arrived() {
	local out dropped before difference status=0
	counting
	before=$(no_room)
	out=$("$build/pattern-tool" receive -t 60000 "$@" 2>&1) || status=$?
	all_counted
	[ $status != 0 ] || return 0
	dropped=$(($(no_room) - before))
	equal "bad, foreign, duplicate, late, missing" "0 0 0 0 $dropped" "$(sed -n '/^\[/,/\]$/p' <<<"$out" |
		jq -r '[map(.bad), map(.foreign), map(.duplicate), map(.late), map(.missing)] |
			map(add | tostring) | join(" ")')"
	echo "$dropped frames dropped for want of room"
}

# lossless DEV...: fq_codel, the default, drops a packet when a queue has been standing for 100 ms,
# which happens in a guest that gets no CPU for so long: that loss is not ours.
lossless() {
	local dev
	deep_queues
	for dev in "$@"; do
		tc qdisc replace dev "$dev" root pfifo limit 20000
	done
}

# rmnet itself does not pad (kernel rmnet_handlers.c, rmnet_map_egress_handler()).
no_violations() {
	equal "violations and warnings" '{}' "$(modem stats | jq -c --arg path "$datapath" '.violations +
		(.warnings | if $path == "rmnet" then del(.unpadded) else . end) | del(.total) |
		with_entries(select(.value > 0))')"
}

drops_of_ours() {
	qmapctl -j stats | jq -c '.[0].drops // {} | del(.queue_full) | with_entries(select(.value > 0))'
}

# Datagrams of all sizes up to the MTU, hence every pad, in both directions; bytes compared.
patterns() {
	local way
	lossless "${pdns[@]/#/wwan0.}"
	modem reset >/dev/null
	for way in "4 44" "6 64 -6"; do
		# shellcheck disable=SC2086 # words
		set -- $way
		set_streams "$1"
		arrived -c 300 ${3:-} "${ports[@]}" -- "$build/pattern-tool" send -p 7001 -r 250 \
			-c 300 -s "$2-1500" ${3:-} "${down[@]}"
		"$build/pattern-tool" send -r 250 -c 300 -s "$2-1500" ${3:-} "${up[@]}" >/dev/null
		arrived -c 300 ${3:-} "${ports[@]}" -- "$build/qmap-modem" ctl "$T/faults" \
			generate count=300 size=1400 rate=1500 "v=$1"
	done
	for n in "${pdns[@]}"; do
		sink_has "$n" 600
	done
	no_violations
	equal "drops but for want of room" '{}' "$(drops_of_ours)"
	equal "lost in the modem" '[0,0]' "$(modem stats | jq -c '[.trunk.dl_lost, .trunk.dl_beyond_urb]')"
}

queue() {
	tc qdisc show dev wwan0 root | cut -d' ' -f2
}

detached() {
	qmapctl detach wwan0
	nothing_left
	[ -z "$own_driver" ] || { at_home; return; } # and down, without a queue
	equal "queue" fq_codel "$(queue)"
	equal "filters left" "" "$(tc filter show dev wwan0 ingress)"
	equal "pass_through" N "$(cat $sysfs/qmi/pass_through)"
	equal "MTU" 1500 "$(cat $sysfs/mtu)"
}

# --- tests ---

test_drivers() {
	local speed
	for speed in super:5000 high:480; do
		usb_start --usb-speed "${speed%:*}"
		equal "driver" qmi_wwan "$(basename "$(readlink $sysfs/device/driver)")"
		equal "interface" 04 "$(cat $sysfs/device/bInterfaceNumber)"
		equal "control device" cdc-wdm0 "$(ls $sysfs/device/usbmisc)"
		equal "speed" "${speed#*:}" "$(cat $sysfs/device/../speed)"
		equal "interfaces" 5 "$(cat $sysfs/device/../bNumInterfaces | tr -d ' ')"
		equal "DTR" true "$(modem_stat .usb.dtr)"
		unplug
		modem_stop
	done
}

is_online() {
	ping -q -c 1 -W 1 -I wwan0.1 10.64.1.1
}

# The files of the package, on a machine into which a modem is plugged: the property by which udev makes systemd
# start the unit, the command of that unit, and the example configuration with the lines for an APN uncommented.
test_package() {
	local command
	[ -e /lib/systemd/system/qmapd.service ] || skip "no package: tests/packages.sh brings one"
	[ -e /lib/systemd/systemd-udevd ] || skip "no udev: $(cat /no-modemmanager)"
	qmapctl() { /usr/bin/qmapctl "$@"; }
	sed -i -E 's/^#(\[trunk wwan0( pdn 1)?\]|apn = internet)$/\1/' /etc/qmap/qmap.conf
	/lib/systemd/systemd-udevd --daemon
	usb_start
	udevadm settle
	equal "wanted by the device" "SYSTEMD_WANTS=qmapd.service TAGS=:systemd:" \
		"$(udevadm info -q property -n /dev/cdc-wdm0 | grep -E '^(TAGS|SYSTEMD_WANTS)=' | sort | xargs)"
	read -ra command < <(sed -n 's/^ExecStart=//p' /lib/systemd/system/qmapd.service)
	equal "command" /usr/sbin/qmapd "${command[*]}"
	"${command[@]}" 2>>"$T/qmapd.log" &
	wait_for 60 is_online || fail "$(qmapctl show)"
	ping -q -c 20 -i 0.05 -I wwan0.1 10.64.1.1 | grep -q ' 0% packet loss' || fail "packets are lost"
	echo "DATA package: data path $(field .datapath), $(stat_of '.ports[0].rx_packets') packets received"
	qmapctl detach wwan0
	nothing_left
}

# Output of `qmapctl probe` about the one modem, by jq.
probed() {
	qmapctl -j probe | jq -r ".[] | select(.bus == \"usb\") | $1"
}

no_modem() {
	[ -z "$(probed .device)" ]
}

# shellcheck disable=SC2016 # backquotes for people
test_probe() {
	usb_start
	equal "modem" '["usb","2c7c:0800","Quectel","RG500Q-EA","0123456789ABCDEF","RG500","v5",31744]' \
		"$(probed '[.bus, .id, .manufacturer, .product, .serial, .model, .qmap, .dl_max_bytes] | tojson')"
	equal "devices" '["wwan0","/dev/cdc-wdm0","qmi_wwan","QMI",0,4,false]' \
		"$(probed '[.dev, .control, .driver, .mode, .usbnet, .interface, .attached] | tojson')"
	equal "next" '`qmapctl attach wwan0`' "$(probed .next)"
	equal "data path" true "$(probed ".datapaths[] | select(.name == \"$datapath\") | .ok")"
	qmapd_start
	attach_all
	equal "next" true "$(probed .attached)"
	qmapctl probe | grep -qF 'wwan0: next: it is attached: `qmapctl show wwan0`' || fail "$(qmapctl probe)"
	detached
	echo -n "$(probed .device):1.4" >/sys/bus/usb/drivers/qmi_wwan/unbind
	equal "unbound" '[null,null,null,"QMI",4]' "$(probed '[.dev, .control, .driver, .mode, .interface] | tojson')"
	equal "next" "qmi_wwan is loaded and has not bound: echo 2c7c 0800 >/sys/bus/usb/drivers/qmi_wwan/new_id" \
		"$(probed .next)"
	# run the suggested command
	eval "$(probed .next | sed 's/.*: //')"
	wait_for 10 drivers_ready || fail "not bound again"
	# with the id alone qmi_wwan would take the AT ports of the next modem, too
	echo 2c7c 0800 >/sys/bus/usb/drivers/qmi_wwan/remove_id
	unplug
	wait_for 10 no_modem || fail "$(qmapctl probe)"
}

# A [model] section applies to probe and to the modem, which is identified by its id.
test_models() {
	mkdir -p /etc/qmap
	printf '[model 2c7c:0800]\nname = XY500\nqmap = v4\ndl-max-bytes = 6144\n' >/etc/qmap/models.conf
	usb_start
	qmapd_start
	equal "probe" '["XY500","v4",6144,true]' "$(probed '[.model, .qmap, .dl_max_bytes, .forces_qmap] | tojson')"
	attach_all
	equal "as asked for" "v4 6144" "$(field '| "\(.qmap) \(.dl_max_bytes)"')"
	ping_all
	detached
	printf '[model 2c7c:0800]\nforced = no\n' >/etc/qmap/models.conf
	kill -HUP "$qmapd_pid"
	attach_all
	equal "as it is built in" v5 "$(field .qmap)"
	equal "probe" '["RG500","v5",31744,false]' "$(probed '[.model, .qmap, .dl_max_bytes, .forces_qmap] | tojson')"
	detached
	rm /etc/qmap/models.conf
}

qmi() {
	timeout 300 qmicli -d /dev/cdc-wdm0 "$@"
}

# Dials in the order of ModemManager and scripts. Leaves the client that holds the call in $cid.
dial() {
	local out
	qmi --dms-get-model | grep -q RG500Q-EA
	qmi --dms-set-operating-mode=online >/dev/null
	qmi --get-expected-data-format | grep -qx 802-3
	qmi --set-expected-data-format=raw-ip >/dev/null
	equal "raw_ip" Y "$(cat $sysfs/qmi/raw_ip)"
	out=$(qmi --wda-set-data-format=link-layer-protocol=raw-ip,ul-protocol=qmap,dl-protocol=qmap,dl-max-datagrams=32,dl-datagram-max-size=16384,ep-type=hsusb,ep-iface-number=4)
	grep -q "Downlink data aggregation protocol: 'qmap'" <<<"$out" || fail "$out"
	out=$(qmi --wds-noop --client-no-release-cid)
	cid=$(sed -nE "s/^.*CID: '([0-9]+)'.*/\1/p" <<<"$out")
	qmi --wds-bind-mux-data-port=mux-id=129,ep-type=hsusb,ep-iface-number=4 \
		--client-cid="$cid" --client-no-release-cid >/dev/null
	out=$(qmi --wds-start-network=ip-type=4 --client-cid="$cid" --client-no-release-cid)
	grep -q "Network started" <<<"$out" || fail "$out"
	out=$(qmi --wds-get-current-settings --client-cid="$cid" --client-no-release-cid)
	grep -q "IPv4 address: 10.64.1.2" <<<"$out" || fail "$out"
	equal "calls" 1 "$(modem_stat .calls)"
}

# A client's calls end with it.
hang_up() {
	qmi --wds-noop --client-cid="$cid" >/dev/null
	equal "calls" 0 "$(modem_stat .calls)"
}

test_qmicli() {
	usb_start
	dial
	hang_up
}

# quiet DEV: turns off the kernel's own IPv6 packets, for which no call exists.
quiet() {
	echo 1 >/proc/sys/net/ipv6/conf/$1/disable_ipv6
}

# same_traffic DEV: PDN 1, IPv4, every pad, bytes compared both ways; sets $counted to the modem's
# counters: packets and bytes of IP, downlink and uplink.
same_traffic() {
	local dev=$1
	ping -c 2 -i 0.2 -W 5 -I $dev "$(gateway 1 4)" >/dev/null || fail "no answer through $dev"
	modem reset >/dev/null
	lossless "$dev"
	receive -t 60000 -c 300 "$dev=1" -- "$build/pattern-tool" send -p 7001 -r 250 -c 300 \
		-s 44-1500 "net/pdn1=1@$(host 1 4)"
	"$build/pattern-tool" send -r 250 -c 300 -s 44-1500 "$dev=1@$(gateway 1 4)" >/dev/null
	generated -t 60000 -c 300 "$dev=1" -- count=300 size=1400 rate=4000 v=4
	sink_has 1 300
	counted=$(modem stats | jq -c '.pdn["1"] | [.dl_packets, .dl_bytes, .ul_packets, .ul_bytes]')
	equal "violations" 0 "$(modem_stat .violations.total)"
}

# The kernel's own QMAP v1, in qmi_wwan by add_mux, and then qmapd's on the same modem.
test_qmimux() {
	local pdns=(1) by_qmimux counted cid
	usb_start
	dial
	quiet wwan0
	# Kernels with "usbnet: limit max_mtu" cap it at 1500 until raw_ip has been off once.
	echo N >$sysfs/qmi/raw_ip
	echo Y >$sysfs/qmi/raw_ip
	ip link set wwan0 mtu 16385 up
	echo 129 >$sysfs/qmi/add_mux
	quiet qmimux0
	ip addr add "$(host 1 4)/30" dev qmimux0
	ip link set qmimux0 up
	same_traffic qmimux0
	by_qmimux=$counted
	# qmimux does not pad (kernel qmi_wwan.c, qmimux_start_xmit()).
	at_least "uplink packets without a pad" 1 "$(modem_stat .warnings.unpadded)"
	echo 129 >$sysfs/qmi/del_mux
	ip link set wwan0 down
	ip link set wwan0 mtu 1500
	hang_up

	qmapd_start
	attach_all --qmap v1
	equal "version" v1 "$(modem_stat .format.dl)"
	same_traffic wwan0.1
	no_violations
	equal "drops" '{}' "$(drops_of_ours)"
	equal "packets and bytes, of qmimux and of qmapd" "$by_qmimux" "$counted"
	detached
}

test_attach() {
	[ "$datapath" != usb ] || return 0 # driver_attach
	start
	equal "control device" /dev/cdc-wdm0 "$(field .control)"
	equal "data path" "$datapath" "$(field .datapath)"
	equal "version" v5 "$(modem_stat .format.dl)"
	equal "raw_ip and pass_through" "Y Y" "$(echo $(cat $sysfs/qmi/raw_ip $sysfs/qmi/pass_through))"
	largest=$(field .dl_max_bytes)
	equal "largest aggregate" $([ "$datapath" = xdp ] && echo $xdp_bytes || echo 31744) "$largest"
	equal "MTU" $((largest + 1)) "$(cat $sysfs/mtu)"
	equal "bytes of a URB" $((largest + 1)) "$(modem_stat .usb.urb_size)"
	# fq_codel would mark congestion in the mux id
	equal "queue" pfifo_fast "$(queue)"
	ping_all
	patterns
	detached
	attach_all
	ping_all
	detached
}

# The modem's counters since attach: of each PDN, of the trunk.
counted_by_modem() {
	modem stats | jq -c '[(.pdn["1", "2", "3", "4"] | [.dl_packets, .dl_bytes, .ul_packets, .ul_bytes]),
		[.trunk.dl_aggregates, .trunk.dl_bytes, .trunk.dl_frames]]'
}

counted_by_host() {
	qmapctl -j stats | jq -c '.[0] | [(.ports[] | [.rx_packets, .rx_bytes, .tx_packets, .tx_bytes]),
		[.aggregates, .bytes, (.ports | map(.rx_csum_ok + .rx_csum_none) | add)]]'
}

# The kernel's own IPv6 multicast reports may come between the two.
counters_agree() {
	[ "$(counted_by_modem)" = "$(counted_by_host)" ]
}

test_counters() {
	local way
	start
	lossless "${pdns[@]/#/wwan0.}"
	for way in 4 "6 -6"; do
		# shellcheck disable=SC2086 # words
		set -- $way
		set_streams "$1"
		arrived -c 100 ${2:-} "${ports[@]}" -- "$build/pattern-tool" send -p 7001 -r 250 -c 100 \
			-s 64-1500 ${2:-} "${down[@]}"
		"$build/pattern-tool" send -r 250 -c 100 -s 64-1500 ${2:-} "${up[@]}" >/dev/null
	done
	for n in "${pdns[@]}"; do
		sink_has "$n" 200
	done
	wait_for 10 counters_agree || equal "counters" "$(counted_by_modem)" "$(counted_by_host)"
	detached
}

# The words of stats, without its numbers.
words_of_stats() {
	stat_of '| [keys_unsorted, (.drops, .ports[0], .unknown[0] | keys_unsorted)] | flatten | sort | join(" ")'
}

WORDS_OF_STATS="aggregates bad_verdict bytes command_refused commands commands datapath dev drops flow_disabled \
flow_off frames frames_per_aggregate length_beyond_aggregate mux mux no_memory not_ip not_qmap oversize pad_too_long \
port port_down ports queue_full redirect_failed rx_bytes rx_csum_none rx_csum_ok rx_dropped rx_dropped rx_packets \
short_command too_many_frames truncated_header truncated_trailer tx_bytes tx_dropped tx_packets unknown \
unknown_mux unknown_next_header up zero_length"

unknown_is() {
	[ "$(stat_of .drops.unknown_mux)" = "$1" ]
}

flow_is_off() {
	[ "$(stat_of '| [.ports[].flow_off] | map(tostring) | join(" ")')" = "$1" ]
}

# stats says the same on each data path that splits aggregates, whichever part of the kernel counts.
check_stats() {
	local stopper difference
	counting
	modem malformed kind=unknown_mux count=20 seed=7 >/dev/null
	modem flow disable mux=77 >/dev/null
	wait_for 20 unknown_is 21 || fail "$(qmapctl -j stats)"
	equal "by mux id" 21 "$(stat_of '| [.unknown[].rx_dropped] | add')"
	equal "of 77" 1 "$(stat_of '.unknown[] | select(.mux == 77) | .rx_dropped')"
	equal "of PDNs" '[]' "$(qmapctl -j stats | jq -c '.[0] | [.ports[].mux] - ([.ports[].mux] - [.unknown[].mux])')"
	qmapctl stats | grep -qx "dropped 1 frames of mux id 0x4d, which no PDN has" || fail "$(qmapctl stats)"
	qmapctl metrics | grep -q '^qmap_unknown_mux_drops_total.*mux="0x4d".* 1$' || fail "$(qmapctl metrics)"
	equal "words" "$WORDS_OF_STATS" "$(words_of_stats)"
	stop_pdn1
	wait_for 20 flow_is_off "true false false false" || fail "$(qmapctl -j stats)"
	go_pdn1
	wait_for 20 flow_is_off "false false false false" || fail "$(qmapctl -j stats)"
	[ "$(stat_of '.ports[0].commands')" -ge 2 ] || fail "$(qmapctl -j stats)"
	equal "commands of PDNs" "$(stat_of .commands)" "$(stat_of '| [.ports[].commands] | add')"
	all_counted
}

test_stats() {
	start
	check_stats
	detached
}

# drops_of KIND REASON [.jq.path]: one frame of each of 20 aggregates is dropped and counted, all others
# arrive and are counted, too.
drops_of() {
	local difference before short
	before=$(stat_of ".drops.$2") short=$(too_short)
	counting "${3:-}"
	modem malformed kind="$1" count=20 seed=7 >/dev/null
	all_counted
	equal "$1: dropped as $2, or by usbnet" 20 $(($(stat_of ".drops.$2") - before + $(too_short) - short))
}

# Some are too short for usbnet, and qmi_wwan gives up the rest of an aggregate at a frame that is too
# long: their mux ids are not known.
check_drops() {
	drops_of unknown_mux unknown_mux
	drops_of not_ip not_ip
	drops_of pad pad_too_long .trunk
	drops_of short_command short_command .trunk
	drops_of too_long length_beyond_aggregate "$([ "$datapath" = rmnet ] || echo .trunk)"
	ping_all
}

test_drops() {
	[ "$datapath" = rmnet ] || skip "the kernel's drivers only; the others have the fixtures"
	start
	check_drops
	detached
}

inner_is_up() {
	[[ $(ip -o link show dev wwan0.sh) == *[\<,]UP[,\>]* ]]
}

# shim: while its trunk device is down it drops every aggregate.
test_inner_is_set_down() {
	[ "$datapath" = shim ] || return 0
	start --poll 1
	ip link set wwan0.sh down
	wait_for 30 inner_is_up || fail "$(qmapctl show; ip link show dev wwan0.sh)"
	ping_all
	detached
}

# No command of the modem does harm, even on data paths that ignore it.
test_commands() {
	start
	modem flow disable pdn=1 >/dev/null
	modem command name=7 pdn=1 >/dev/null
	modem command name=200 pdn=2 >/dev/null
	modem flow enable pdn=1 >/dev/null
	ping_all
	patterns
	detached
}

acks_are() { # acks
	modem wait trunk.command_acks '>=' "$1" timeout=30000 >/dev/null || fail "$(modem stats | jq -c .trunk)"
	equal "other answers" '[0,0,0]' "$(modem stats | jq -c '.trunk |
		[.command_unsupported, .command_invalid, .command_mismatched]')"
}

held() {
	ip -o link show type ifb | grep -c wwan0
}

none_held() {
	[ "$(held)" = 0 ]
}

send_some() { # COUNT PDN...
	local n streams=()
	for n in "${@:2}"; do
		streams+=("wwan0.$n=$n@$(gateway "$n" 4)")
	done
	"$build/pattern-tool" send -c "$1" -r 1000 "${streams[@]}" >/dev/null
}

# As a modem does, which repeats the stop: one lasts for five seconds, and this guest is slow.
stop_pdn1() {
	modem flow disable pdn=1 >/dev/null
	while sleep 1; do
		modem flow disable pdn=1 >/dev/null
	done &
	stopper=$!
}

go_pdn1() {
	kill $stopper
	wait $stopper || :
	modem flow enable pdn=1 >/dev/null
}

# A stopped port's packets wait, in order, beside the queue that the user has chosen; others go on.
# $first_queue is that queue. Every packet arrives after the enable.
check_flow() {
	local stopper difference
	tc qdisc del dev wwan0.1 root 2>/dev/null || :
	tc qdisc replace dev wwan0.1 root handle 77: ${first_queue:-cake}
	modem reset >/dev/null
	counting
	stop_pdn1
	acks_are 1
	equal "held" 1 "$(held)"
	send_some 20 1 2
	sink_has 2 20
	equal "arrived, and sent in spite of the stop" '[0,0]' "$(modem stats |
		jq -c '.pdn["1"] | [.sink.ok // 0, .ul_flow_off]')"
	equal "stopped" "true false" "$(stat_of '.ports[:2] | map(.flow_off | tostring) | join(" ")')"
	go_pdn1
	sink_has 1 20
	wait_for 20 none_held || fail "$(ip -o link; tc -s qdisc)"
	equal "filters left on the port" "" "$(tc filter show dev wwan0.1 egress)"
	equal "queue of the user" "${first_queue:-cake} 77:" "$(tc qdisc show dev wwan0.1 root | cut -d' ' -f2,3)"
	send_some 20 1
	sink_has 1 40
	equal "drops" '{}' "$(drops_of_ours)"
	all_counted
}

# goes_on: the stop, which lasts five seconds, has ended.
goes_on() {
	modem wait pdn.1.sink.ok == 20 timeout=30000 >/dev/null || :
	sink_has 1 20
	wait_for 20 none_held || fail "$(ip -o link; tc -s qdisc)"
	all_counted
}

test_flow_is_held() {
	[ "$datapath" = rmnet ] || skip "the kernel's drivers only"
	start
	check_flow
	first_queue=fq_codel check_flow
	no_violations
	detached
}

# Without an enable a stop ends by itself, with qmapd or the next one; a hold without end has a limit.
test_flow_ends_by_itself() {
	local dropped stopper difference
	[ "$datapath" = rmnet ] || skip "the kernel's drivers only"
	start
	modem reset >/dev/null
	counting
	modem flow disable pdn=1 >/dev/null
	acks_are 1
	send_some 20 1
	goes_on
	modem reset >/dev/null
	counting
	modem flow disable pdn=1 >/dev/null
	acks_are 1
	kill -9 "$qmapd_pid"
	wait "$qmapd_pid" || :
	send_some 20 1
	qmapd_start
	wait_for 20 state_is attached || fail "$(qmapctl show)"
	goes_on
	modem reset >/dev/null
	counting
	stop_pdn1
	acks_are 1
	"$build/pattern-tool" send -c 1500 -s 1400-1400 "wwan0.1=1@$(gateway 1 4)" >/dev/null
	go_pdn1
	wait_for 20 none_held || fail "$(ip -o link; tc -s qdisc)"
	dropped=$(stat_of '.drops.flow_disabled // 0')
	sink_has 1 $((1500 - dropped))
	equal "dropped at the port" "$dropped" "$(stat_of '.ports[0].tx_dropped')"
	all_counted
	# a stopped PDN that is taken away
	modem reset >/dev/null
	modem flow disable pdn=1 >/dev/null
	acks_are 1
	detached
	equal "held" 0 "$(held)"
}

# A kernel that cannot hold packets: the modem is answered "unsupported", and the uplink goes on.
test_flow_is_unsupported() {
	[ "$datapath" = rmnet ] || skip "the kernel's drivers only"
	start
	rmmod sch_plug
	modem reset >/dev/null
	modem flow disable pdn=1 >/dev/null
	modem wait trunk.command_unsupported '>=' 1 timeout=30000 >/dev/null || fail "$(modem stats | jq -c .trunk)"
	equal "acknowledged" 0 "$(modem_stat .trunk.command_acks)"
	equal "held" 0 "$(held)"
	send_some 20 1
	sink_has 1 20
	equal "warnings" 1 "$(grep -c "The modem's flow control is not obeyed" "$T/qmapd.log")"
	modem flow enable pdn=1 >/dev/null
	modem wait trunk.command_unsupported '>=' 2 timeout=30000 >/dev/null || fail "$(modem stats | jq -c .trunk)"
	module sch_plug
	# nor can it beside the qdisc `ingress`: the hold would be one of incoming packets
	tc qdisc add dev wwan0.1 handle ffff: ingress
	modem reset >/dev/null
	modem flow disable pdn=1 >/dev/null
	modem wait trunk.command_unsupported '>=' 1 timeout=30000 >/dev/null || fail "$(modem stats | jq -c .trunk)"
	equal "held" 0 "$(held)"
	equal "filters" "" "$(tc filter show dev wwan0.1 ingress)"
	ping_all
	# it obeys as soon as the kernel can
	tc qdisc del dev wwan0.1 ingress
	modem reset >/dev/null
	check_flow
	detached
}

# Another program has set a large MTU on the trunk before.
test_large_mtu_before() {
	usb_start
	qmapd_start
	# leaving raw IP lifts the cap of 1500 that some kernels have
	echo Y >$sysfs/qmi/raw_ip
	echo N >$sysfs/qmi/raw_ip
	echo Y >$sysfs/qmi/raw_ip
	ip link set wwan0 mtu 20001
	attach_all
	ping_all
	patterns
	detached
}

# Uplink aggregates: shim makes them, and rmnet does with Linux 6.3.
test_uplink_aggregates() {
	local least=2
	[ "$datapath" = shim ] || [ "$datapath" = usb ] || [ -n "$(ethtool_can_aggregate)" ] || least=1
	start
	lossless "${pdns[@]/#/wwan0.}"
	set_streams 4
	modem reset >/dev/null
	"$build/pattern-tool" send -r 250 -c 400 -s 200-1200 "${up[@]}" >/dev/null
	for n in "${pdns[@]}"; do
		sink_has "$n" 400
	done
	echo "DATA frames of the fullest uplink transfer: $(modem_stat .trunk.ul_max_frames)"
	at_least "frames of the fullest transfer" $least "$(modem_stat .trunk.ul_max_frames)"
	equal "violations" 0 "$(modem_stat .violations.total)"
	detached
}

# Of the queue between port and modem, which takes 10 Mbit/s: 10 ms of it are 12,500 bytes. Bytes and not
# times are compared, because the guest is slow. A transfer that the modem is taking counts whole.
test_short_queue_below() {
	local i bytes over=0 most=0
	[ "$datapath" = shim ] || [ "$datapath" = usb ] || skip "its queue is the driver's"
	usb_start --ul-rate 10000
	qmapd_start
	qmapctl -q attach wwan0 --datapath "$datapath" --pdn 1,ip=v4
	"$build/pattern-tool" send -r 3000 -c 1000000 -s 1200 "wwan0.1=1@$(gateway 1 4)" >/dev/null &
	modem wait pdn.1.ul_packets '>=' 1500 timeout=20000 >/dev/null
	for ((i = 0; i < 40; i++)); do
		bytes=$(modem_stat .usb.out_bytes)
		[ "$bytes" -le "$most" ] || most=$bytes
		[ "$bytes" -le 12500 ] || over=$((over + 1))
	done
	echo "DATA bytes that wait for the modem: at most $most, more than 12500 in $over of 40 samples"
	at_least "bytes that wait" 1200 "$most"
	at_least "short queues" 36 $((40 - over))
	kill %%
	wait %% || :
	detached
}

# Median of the time of a ping, in us.
median_ping() {
	ping -c 31 -i 0.1 -W 5 "$(gateway 1 4)" | sed -n 's/.*time=\([0-9.]*\) ms/\1/p' | sort -n |
		awk '{t[NR] = $1} END {printf "%d", t[int((NR + 1) / 2)] * 1000}'
}

# An upload at three times the rate that the modem takes, which is never idle for it. Its times are judged in
# virtual time alone: a guest without -icount is slow.
test_ping_under_upload() {
	local idle busy before since taken qdisc
	[ "$datapath" = shim ] || [ "$datapath" = usb ] || skip "the queue below its port is the driver's"
	usb_start --ul-rate 10000
	qmapd_start
	qmapctl -q attach wwan0 --datapath "$datapath" --pdn 1,ip=v4
	ping -c 1 -W 5 "$(gateway 1 4)" >/dev/null
	idle=$(median_ping)
	for qdisc in fq_codel cake; do
		tc qdisc replace dev wwan0.1 root $qdisc
		modem reset >/dev/null
		"$build/pattern-tool" send -r 3000 -c 1000000 -s 1200 "wwan0.1=1@$(gateway 1 4)" >/dev/null &
		modem wait pdn.1.ul_packets '>=' 1500 timeout=20000 >/dev/null
		before=$(modem_stat '.pdn["1"].ul_packets') since=${EPOCHREALTIME/./}
		busy=$(median_ping)
		taken=$((($(modem_stat '.pdn["1"].ul_packets') - before) * 1228 * 8000 / (${EPOCHREALTIME/./} - since)))
		kill $!
		wait $! || :
		echo "DATA $qdisc: ping $busy us under upload, $idle us idle, the modem takes $taken of 10000 kbit/s"
		takes $(((busy - idle + 999) / 1000)) "$qdisc: ping under upload above idle" 10
		[ "$JUDGE_TIMES" = no ] || at_least "rate of the upload" 9500 "$taken"
	done
	detached
}

processed_by() { # CPU
	echo $((0x$(sed -n "$(($1 + 1))s/ .*//p" /proc/net/softnet_stat)))
}

# The controller is on CPU 0 (pin_controller). A flow keeps its order, and its packets are on the CPU of
# steer=; with auto some flows are on either.
test_steering() {
	local before
	[ "$(nproc)" -gt 1 ] || skip "one CPU"
	start --steer 1
	lossless "${pdns[@]/#/wwan0.}"
	set_streams 4
	equal "cpus" 1 "$(field '.pdns[0].cpus')"
	before=$(processed_by 1)
	arrived -c 400 "${ports[@]}" -- "$build/qmap-modem" ctl "$T/faults" generate count=400 size=1400 rate=1500
	at_least "packets on CPU 1" 1600 $(($(processed_by 1) - before))
	qmapctl -q detach wwan0
	attach_all
	equal "cpus" 0-1 "$(field '.pdns[0].cpus')"
	lossless "${pdns[@]/#/wwan0.}"
	arrived -c 400 "${ports[@]}" -- "$build/qmap-modem" ctl "$T/faults" generate count=400 size=1400 rate=1500
	detached
}

backlog() { # packets that one CPU's may hold
	echo "$1" >/proc/sys/net/core/netdev_max_backlog
}

# qmi_wwan gives up the rest of an aggregate at the first packet without room, and counts once.
need_exact_losses() {
	[ "$datapath" != qmimux ] || skip "qmi_wwan does not count the packets that it loses"
}

downlink() {
	lossless "${pdns[@]/#/wwan0.}"
	set_streams 4
	arrived -c 400 "${ports[@]}" -- "$build/qmap-modem" ctl "$T/faults" generate count=400 size=1400
}

all_are_counted() {
	[ "$(stat_of '.ports | map(.rx_packets) | add')" = $((1600 - $(no_room))) ]
}

# Packets that the backlog of the CPU that they are steered to had no room for are counted as such, and not
# as received. That of CPU 0 has room for the aggregates.
test_steered_backlog() {
	[ "$(nproc)" -gt 1 ] || skip "one CPU"
	need_exact_losses
	trap 'where $?; backlog 1000' EXIT
	start --steer 1
	backlog 40
	downlink
	at_least "dropped by the ports" 1 "$(stat_of '.ports | map(.rx_dropped) | add')"
	wait_for 10 all_are_counted || fail "not all of 1600 packets: $(no_room) lost, $(qmapctl -j stats)"
	detached
}

# Aggregates that a backlog had no room for: that of the trunk, and of the TUN that xdp hands them to; and
# xdp's copies of frames that the next veth had no room for.
lost_before_ports() {
	cat /sys/class/net/wwan0{,.se}/statistics/rx_dropped /sys/class/net/wwan0.sa/statistics/tx_dropped 2>/dev/null |
		jq -s add
}

has_sent() { # frames
	[ "$(modem_stat .trunk.dl_frames)" -ge "$1" ]
}

# So are aggregates that the backlog of the modem's CPU had no room for: not with a driver of its own.
test_full_backlog() {
	local lost
	need_exact_losses
	trap 'where $?; backlog 1000' EXIT
	start --steer off
	lossless
	backlog 1
	modem generate count=400 size=1400 >/dev/null
	wait_for 60 has_sent 1600
	backlog 1000
	lost=$(lost_before_ports)
	[ "$datapath" = usb ] || at_least "aggregates dropped" 1 "$lost"
	equal "dropped, not by ports" "$lost" "$(stat_of '| (.drops.queue_full // 0) -
		(.ports | map(.rx_dropped + .tx_dropped) | add)')"
	qmapctl -q detach wwan0
	attach_all
	equal "dropped since the next attach" 0 "$(no_room)"
	detached
}

ethtool_can_aggregate() {
	[ "$datapath" = rmnet ] && [ "$(printf '%s\n' 6.3 "$(uname -r)" | sort -V | head -n1)" = 6.3 ] &&
		echo yes
}

# The rmnet path: down keeps a port from sending, and links left by a dead qmapd are removed, too.
test_rmnet_links() {
	[ "$datapath" = rmnet ] || return 0
	start
	equal "link" "rmnet 129" "$(ip -d -j link show wwan0.1 | jq -r '.[0].linkinfo |
		"\(.info_kind) \(.info_data.mux_id)"')"
	kill -9 "$qmapd_pid"
	wait "$qmapd_pid" || :
	ip link set wwan0 mtu 16001 # rmnet refuses links on it beyond 16388
	ip link add link wwan0 name wwan0.9 type rmnet mux_id 200
	qmapctl detach wwan0
	equal "links left" "" "$(ip -o link show type rmnet)"
	qmapd_start
	attach_all
	ping_all
	detached
}

test_versions() {
	local version
	usb_start
	qmapd_start
	for version in v1 v4; do
		attach_all --qmap $version
		equal "version" $version "$(modem_stat .format.dl)"
		ping_all
		patterns
		detached
	done
}

fixture_muxes() { # the ports of the fixtures, as DEV=MUX
	local n=0 mux
	for mux in 0x81 0x82 0x83 0x84 0x01 0xfe; do
		echo "wwan0.$((n += 1))=$mux"
	done
}

port_is_up() { # pdn
	[ "$(stat_of ".ports[] | select(.port == \"wwan0.$1\") | .up")" = "$2" ]
}

# The tool's expectation in the form of qmapctl's output.
fixtures_counted() {
	qmapctl -j stats | jq -S '.[0] | {aggregates, bytes, frames, commands, drops, unknown,
		ports: [.ports[] | {mux, rx_packets, rx_bytes, rx_csum_ok, rx_csum_none, rx_dropped,
			commands}] | sort_by(.mux)}'
}

fixtures_expected() {
	jq -S 'del(.sent, .too_short)' "$T/expected"
}

fixtures_agree() {
	[ "$(fixtures_counted)" = "$(fixtures_expected)" ]
}

# The walker's fixtures: packets by bytes and in order, then the counters, drops by reason.
test_fixtures() {
	local version ports n too_short
	mapfile -t ports < <(fixture_muxes)
	usb_start --pdns 6
	qmapd_start
	for version in 1 4 5; do
		qmapctl -q attach wwan0 --datapath "$datapath" --qmap v$version \
			--pdn={1,2,3,4}",ip=v4" --pdn=5,ip=v4,mux=1 --pdn=6,ip=v4,mux=254
		for n in 1 2 3 4 5 6; do
			quiet wwan0.$n # the kernel's own packets would be counted
		done
		modem refuse pdn=4 >/dev/null
		modem disconnect pdn=4 >/dev/null
		wait_for 10 port_is_up 4 false
		ip link set wwan0.4 up     # qmapd has set it down
		ip link set wwan0 mtu 65535 # for aggregates larger than those of real modems
		too_short=$(cat $sysfs/statistics/rx_length_errors)
		"$build/fixture_tool" "$T/faults" "$datapath" $version "${ports[@]}" >"$T/expected" ||
			fail "$(cat "$T/expected")"
		wait_for 10 fixtures_agree || equal "counters" "$(fixtures_expected)" "$(fixtures_counted)"
		equal "transfers too short for usbnet" "$(jq .too_short "$T/expected")" \
			$(($(cat $sysfs/statistics/rx_length_errors) - too_short))
		echo "DATA usb-$datapath fixtures v$version: $(jq -r '"\(.sent) aggregates, \(.frames) packets, \([.drops[]] | add) drops"' "$T/expected")"
		modem clear >/dev/null
		qmapctl detach wwan0
		nothing_left
	done
}

# 31744 bytes are 31 packets of SuperSpeed: usbnet refuses such an MTU.
test_large_aggregates() {
	start --dl-max-bytes 31744
	equal "bytes of a URB" 31745 "$(modem_stat .usb.urb_size)"
	patterns
	detached
}

test_high_speed() {
	usb_start --usb-speed high
	qmapd_start
	attach_all
	if [ "$datapath" = usb ]; then
		equal "requests and their size" "4 31744" "$(urbs usb_rx_urbs) $(modem_stat .usb.urb_size)"
	else
		equal "bytes of a URB" $(($(field .dl_max_bytes) + 1)) "$(modem_stat .usb.urb_size)"
	fi
	ping_all
	patterns
	detached
}

# A URB is as large as the MTU: a larger aggregate is lost entirely, and no other packet is. A running
# qmapd would raise the MTU again.
test_beyond_the_urb() {
	start
	qmapd_kill KILL || :
	ip link set wwan0 mtu 1505 # rmnet needs room for its header
	set_streams 4
	try generated -t 3000 -c 100 "${ports[@]}" -- count=100 size=1400
	[ "$status" != 0 ] || fail "4 x 1400 bytes fit a URB of 1505"
	at_least "aggregates lost" 1 "$(modem_stat .trunk.dl_beyond_urb)"
	ping_all
	qmapd_start
	wait_for 10 mtu_is $(($(field .dl_max_bytes) + 1)) || fail "MTU $(cat $sysfs/mtu)"
	patterns
	detached
}

# --- other programs change the trunk's netdev ---

mtu_is() {
	[ "$(cat $sysfs/mtu)" = "$1" ]
}

netdev_events() {
	qmapctl -j show | jq -r '.[0].events[] | select(.kind == "netdev") | "\(.to): \(.reason)"'
}

told() { # event, times
	[ "$(netdev_events | grep -cF "$1")" = "$2" ]
}

is_told() { # event [times]
	wait_for 10 told "$1" "${2:-1}" || fail "\"$1\" is not told ${2:-once}: $(netdev_events)"
}

as_prepared() {
	[ "$(echo $(cat $sysfs/qmi/raw_ip $sysfs/qmi/pass_through))" = "Y Y" ] &&
		mtu_is $((largest + 1)) && [ "$(queue)" = pfifo_fast ] &&
		[ -n "$(ip -o link show dev wwan0 up)" ]
}

repaired() { # event
	is_told "repaired: $1"
	wait_for 10 as_prepared || fail "raw_ip, pass_through, MTU: $(echo $(cat $sysfs/{qmi/raw_ip,qmi/pass_through,mtu}))"
	ping_all
	patterns
}

dialled() { # times, as far as events are kept
	qmapctl -j show | jq '[.[0].events[] | select(.kind == "call" and .to == "up")] | length'
}

# As ModemManager does when it takes a modem.
back_to_ethernet() {
	ip link set wwan0 down
	echo N >$sysfs/qmi/pass_through
	echo N >$sysfs/qmi/raw_ip
}

test_repair() {
	local largest
	start --poll 2
	largest=$(field .dl_max_bytes)
	back_to_ethernet
	repaired "somebody has taken it out of raw IP"
	echo "events: $(netdev_events)"
	equal "events" 1 "$(netdev_events | wc -l)" # its consequences are not reported as further damage
	echo N >$sysfs/qmi/pass_through # the kernel sends no notification
	repaired "somebody has switched its pass_through off"
	ip link set wwan0 mtu 1505
	repaired "somebody has lowered its MTU"
	ip link set wwan0 down
	repaired "somebody has set it down"
	tc qdisc del dev wwan0 root
	repaired "somebody has given it a queue that marks congestion"
	equal "calls" 8 "$(modem_stat .calls)"
	equal "dialled" 8 "$(dialled)"
	detached
}

# Two programs do not fight for ever; after the modem is set up again, repairs start again.
test_repair_ends() {
	local largest
	start
	largest=$(field .dl_max_bytes)
	until netdev_events | grep -q "failed: somebody has taken it out of raw IP again and again"; do
		back_to_ethernet 2>/dev/null || : # refused while it is being repaired
	done
	at_least "repairs before that" 3 "$(netdev_events | grep -c "repaired: somebody has taken it out of raw IP")"
	equal "raw_ip" N "$(cat $sysfs/qmi/raw_ip)"
	equal "damage" '["somebody has taken it out of raw IP"]' "$(field '.damage | tojson')"
	equal "state" attached "$(field .state)"
	modem reboot ms=100 >/dev/null
	wait_for 20 plugged_again
	wait_for 30 state_is attached || fail "$(qmapctl show)"
	wait_for 30 pdn_works 4 || fail "$(qmapctl show)"
	equal "damage" '[]' "$(field '.damage | tojson')"
	as_prepared || fail "not as it should be"
	pin_controller
	ping_all
	detached
}

plugged_again() {
	[ "$(modem_stat .usb.plugs)" = 2 ] && drivers_ready
}

# With QMAP off the netdev is the port: it loses address and route with raw IP, and gets them back. Its
# user may set it down.
test_repair_without_qmap() {
	mkdir -p /etc/qmap
	printf '[model 2c7c:0800]\nname = EC25\nforced = no\n' >/etc/qmap/models.conf
	usb_start --model EC25
	qmapd_start
	rm /etc/qmap/models.conf
	qmapctl -q attach wwan0 --qmap off --pdn 1
	back_to_ethernet
	is_told "repaired: somebody has taken it out of raw IP"
	equal "raw_ip" Y "$(cat $sysfs/qmi/raw_ip)"
	equal "address" "$(host 1 4)" "$(ip -j -4 address show dev wwan0 | jq -r '.[0].addr_info[0].local')"
	lossless wwan0
	receive -t 60000 -c 100 wwan0=1 -- "$build/pattern-tool" send -p 7001 -r 250 -c 100 \
		-s 44-1500 "net/pdn1=1@$(host 1 4)"
	"$build/pattern-tool" send -r 250 -c 100 -s 44-1500 "wwan0=1@$(gateway 1 4)" >/dev/null
	sink_has 1 100
	ip link set wwan0 down
	read -rt 1 <> <(:) || :
	equal "set down" "" "$(ip -o link show dev wwan0 up)"
	qmapctl detach wwan0
	nothing_left
	unplug
}

# --- VRF ---

# routes_of TABLE: ports of the default routes there.
routes_of() {
	{
		ip -j -4 route show table "$1"
		ip -j -6 route show table "$1"
	} 2>/dev/null | jq -rs 'add // [] | map(select(.dst == "default") | .dev) | join(" ")'
}

routes_are() { # table ports
	[ "$(routes_of "$1")" = "$2" ]
}

make_vrf() { # table
	ip link add blue type vrf table "$1" && ip link set blue up
}

vrf_answers() {
	answers "$(gateway 1 4)" -I blue && answers "$(gateway 1 6)" -I blue
}

vrf_damaged() {
	qmapctl show | grep -q 'wwan0.1: there is no VRF blue'
}

is_whole() {
	[ "$(field '.pdns[0] | .damage + (.families | map(.state) | unique) | join(" ")')" = up ]
}

test_vrf() {
	usb_start
	qmapd_start
	refused 4 "there is no VRF blue" qmapctl attach wwan0 --datapath "$datapath" --pdn 1,vrf=blue
	refused 1 "lo is a network device, but no VRF" qmapctl attach wwan0 --datapath "$datapath" --pdn 1,vrf=lo
	nothing_left
	make_vrf 77
	qmapctl -q attach wwan0 --datapath "$datapath" --pdn 1,vrf=blue --pdn 2
	equal "main" "wwan0.2 wwan0.2" "$(routes_of main)"
	equal "the VRF's" "wwan0.1 wwan0.1" "$(routes_of 77)"
	equal "shown" "blue 77" "$(field '.pdns[0] | "\(.vrf) \(.table)"')"
	vrf_answers
	ip link set wwan0.1 nomaster
	wait_for 10 routes_are 77 "wwan0.1 wwan0.1" || fail "$(qmapctl show; ip link)"
	wait_for 10 is_whole || fail "$(qmapctl show; ip link)"
	vrf_answers
	ip link del blue
	wait_for 10 vrf_damaged || fail "$(qmapctl show)"
	equal "states" "damaged damaged" "$(field '.pdns[0].families | map(.state) | join(" ")')"
	equal "main" "wwan0.2 wwan0.2" "$(routes_of main)"
	make_vrf 78
	wait_for 10 is_whole || fail "$(qmapctl show; ip link)"
	equal "the new VRF's" "wwan0.1 wwan0.1" "$(routes_of 78)"
	vrf_answers
	qmapd_kill KILL || :
	qmapd_start
	vrf_answers
	wait_for 10 is_whole || fail "$(qmapctl show)"
	qmapctl detach wwan0
	nothing_left
	equal "left in the VRF" "" "$(routes_of 78)"
	ip link del blue
}

# The trunk itself is the port, and stays when it is detached.
test_vrf_without_qmap() {
	mkdir -p /etc/qmap
	printf '[model 2c7c:0800]\nname = EC25\nforced = no\n' >/etc/qmap/models.conf
	usb_start --model EC25
	qmapd_start
	rm /etc/qmap/models.conf
	make_vrf 77
	qmapctl -q attach wwan0 --qmap off --pdn 1,vrf=blue
	equal "main" "" "$(routes_of main)"
	vrf_answers
	qmapctl detach wwan0
	equal "master of the trunk" null "$(ip -j link show dev wwan0 | jq '.[0].master')"
	ip link del blue
}

# The network sends larger packets than the port's MTU, up to the size of an aggregate.
test_receives_more_than_it_may_send() {
	local n size family
	start
	lossless "${pdns[@]/#/wwan0.}"
	for n in "${pdns[@]}"; do
		modem reconfigure "pdn=$n" mtu=1400 >/dev/null
		wait_for 20 port_mtu_is "wwan0.$n" 1400 || fail "MTU $(cat "/sys/class/net/wwan0.$n/mtu")"
	done
	for size in 1400 1404 1405 1464 1500 4000 9000; do
		for family in 4 6; do
			set_streams $family
			# shellcheck disable=SC2046 # words
			arrived -c 50 $([ $family = 4 ] || echo -6) "${ports[@]}" -- "$build/qmap-modem" ctl "$T/faults" \
				generate count=50 "size=$size" rate=500 "v=$family"
		done
	done
	no_violations
	equal "drops but for want of room" '{}' "$(drops_of_ours)"
	detached
}

port_mtu_is() { # dev mtu
	[ "$(cat "/sys/class/net/$1/mtu")" = "$2" ]
}

# usbnet sizes its receive buffers by the netdev's MTU, which with QMAP off is the port's.
test_mtu_without_qmap() {
	local size
	mkdir -p /etc/qmap
	printf '[model 2c7c:0800]\nname = EC25\nforced = no\n' >/etc/qmap/models.conf
	usb_start --model EC25
	qmapd_start
	rm /etc/qmap/models.conf
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	qmapctl -q attach wwan0 --qmap off --pdn 1
	lossless wwan0
	for size in 1400 1405 1464 1500; do
		arrived -c 50 wwan0=1 -- "$build/qmap-modem" ctl "$T/faults" generate count=50 "size=$size" rate=500
		arrived -6 -c 50 wwan0=1 -- "$build/qmap-modem" ctl "$T/faults" generate count=50 "size=$size" rate=500 v=6
	done
	at_least "MTU of the netdev" 1500 "$(cat /sys/class/net/wwan0/mtu)"
	equal "of IPv6" 1400 "$(cat /proc/sys/net/ipv6/conf/wwan0/mtu)"
	try ping -c 1 -W 1 -M "do" -s 1373 198.51.100.1
	says "mtu=1400"
	try ping -c 1 -W 1 -M "do" -s 1353 2001:db8:ffff::1
	says "mtu: 1400"
	ping -c 1 -W 5 -q -M "do" -s 1372 198.51.100.1
	equal "damage" "[]" "$(field '.pdns[0].damage | tojson')"
	qmapctl detach wwan0
	nothing_left
	unplug
}

# Another program deletes a link of rmnet, or a port of the others.
test_port_is_deleted() {
	start
	ip link del wwan0.1
	wait_for 15 pdn_works 1 || fail "$(qmapctl show)"
	told "repaired: somebody has deleted it" 1 || fail "$(netdev_events)"
	ping_all
	patterns
	detached
}

# While no qmapd runs: the next one finds the port in another namespace, and adds it again when that ends.
test_port_is_moved_away() {
	[ "$datapath" != rmnet ] || skip "rmnet does not tell of ports in other namespaces"
	start
	kill -9 "$qmapd_pid"
	wait "$qmapd_pid" || :
	ip netns add away
	ip link set wwan0.1 netns away
	qmapd_start
	wait_for 20 state_is attached || fail "$(qmapctl show)"
	wait_for 20 is_damaged "somebody has moved it to another namespace" || fail "$(qmapctl show)"
	ip -n away link show dev wwan0.1 >/dev/null
	ip netns del away
	wait_for 40 pdn_works 1 || fail "$(qmapctl show)"
	ping_all
	patterns
	detached
}

servers_listen() {
	[ "$(ip netns exec net ss -Hltn 'sport = :5201' | wc -l)" = ${#pdns[@]} ]
}

# iperf_all WAY BYTES OPTION...: TCP through all PDNs at once. iperf3 does not count bytes that are
# still on their way when the sender has finished.
iperf_all() {
	local way=$1 bytes=$2 n clients=()
	shift 2
	for n in "${pdns[@]}"; do
		transfers "$T/iperf.$n" -c "$(gateway $n 4)" -B "$(host $n 4)" -n $bytes "$@" &
		clients+=($!)
	done
	for n in "${pdns[@]}"; do
		wait "${clients[$((n - 1))]}" || fail "PDN $n: $(jq -r .error "$T/iperf.$n")"
		at_least "bytes sent of PDN $n" $bytes "$(jq .end.sum_sent.bytes "$T/iperf.$n")"
		at_least "bytes received" $((bytes * 3 / 4)) "$(jq .end.sum_received.bytes "$T/iperf.$n")"
	done
	echo "DATA usb-$datapath iperf3 $way: $(jq -s 'map(.end.sum_received.bits_per_second) | add / 1e6 | floor' \
		"$T"/iperf.?) Mbit/s over ${#pdns[@]} PDNs"
}

# Programs that another process detaches are attached again at the next request; the kernel sends no
# notification.
# --- the choice of the data path ---

# module NAME: loads a module that the guest was started with.
module() {
	[ -d "/sys/module/$1" ] || insmod "/ko/$1.ko"
}

# Unloads the modules of the data paths that are to be missing.
without() {
	local module
	[ -e /ko/rmnet.ko ] || skip "no rmnet for this kernel"
	for module in "$@"; do
		[ ! -d "/sys/module/$module" ] || rmmod "$module"
	done
}

apply_datapath() { # NAME
	qmapctl dump wwan0 | awk -v path="$1" '!/^datapath/ { print }
		/^\[/ && !n++ { print "datapath = " path }' >"$T/wanted.conf"
	qmapctl apply "$T/wanted.conf" >"$T/applied" || fail "$(cat "$T/applied")"
}

calls_stay() { # STARTS
	equal "calls" 8 "$(modem_stat .calls)"
	equal "calls dialled" "$1" "$(modem_stat .qmi.starts)"
	ping_all
}

# They were agreed on with the first data path, and xdp asks for smaller ones.
bytes_stay() { # PATH
	[ "$1" != xdp ] || [ "$(field .dl_max_bytes)" = "$xdp_bytes" ] ||
		echo "; aggregates stay at 31744 bytes, not the $xdp_bytes of xdp, until the modem is attached again"
}

# Every data path takes the place of every other while calls are up, and traffic flows.
test_change_datapath() {
	local path starts cost
	without
	start
	starts=$(modem_stat .qmi.starts)
	for path in xdp rmnet shim xdp shim rmnet xdp; do
		apply_datapath $path
		equal "data path" $path "$(field .datapath)"
		equal "why" "it is configured$(bytes_stay $path)" "$(field .datapath_reason)"
		at_least "ports reported to hooks" 4 "$(field '.events[].reason' | grep -c "of data path $path")"
		calls_stay "$starts"
	done
	kill -9 "$qmapd_pid"
	wait "$qmapd_pid" || :
	qmapd_start
	wait_for 10 state_is attached || fail "$(qmapctl show)"
	apply_datapath auto
	equal "data path of auto" shim "$(field .datapath)"
	calls_stay "$starts"
	cost=$(field .datapath_cost)
	equal "cost of the best" 100 "$cost"
	# qmimux needs another version of QMAP: the one change that is an attach
	apply_datapath qmimux
	equal "data path and version" "qmimux v1" "$(field '| "\(.datapath) \(.qmap)"')"
	at_least "calls dialled" $((starts + 8)) "$(modem_stat .qmi.starts)"
	ping_all
	detached
}

# auto takes what works, asks for the version that it needs, and changes to what is cheaper later.
test_auto() {
	local starts
	without qmap_usb qmap_shim rmnet
	usb_start
	qmapd_start
	qmapctl -q attach wwan0 "${pdns[@]/#/--pdn=}"
	equal "without modules" "qmimux v1" "$(field '| "\(.datapath) \(.qmap)"')"
	grep -q "shim: .*; rmnet: " <<<"$(field .datapath_reason)" || fail "$(field .datapath_reason)"
	ping_all
	starts=$(modem_stat .qmi.starts)
	module rmnet
	qmapctl dump wwan0 >"$T/wanted.conf"
	qmapctl apply -n "$T/wanted.conf" | grep -q rmnet || fail "$(qmapctl apply -n "$T/wanted.conf")"
	qmapctl apply "$T/wanted.conf" >/dev/null
	equal "with rmnet" "rmnet v1" "$(field '| "\(.datapath) \(.qmap)"')"
	calls_stay "$starts"
	module qmap_shim
	qmapctl apply "$T/wanted.conf" >/dev/null
	equal "with both" "shim v1" "$(field '| "\(.datapath) \(.qmap)"')"
	calls_stay "$starts"
	qmapctl apply "$T/wanted.conf" >/dev/null
	equal "once more" shim "$(field .datapath)"
	detached
}

# A modem that does not grant v1 gets xdp, with the sizes of xdp.
test_auto_without_v1() {
	without qmap_usb qmap_shim rmnet
	usb_start --protocols v5,v4
	qmapd_start
	qmapctl -q attach wwan0 "${pdns[@]/#/--pdn=}"
	equal "data path" "xdp v5 $xdp_bytes" "$(field '| "\(.datapath) \(.qmap) \(.dl_max_bytes)"')"
	grep -q "^qmimux: the modem does not grant QMAP v1; .*shim: " <<<"$(field .datapath_reason)" ||
		fail "$(field .datapath_reason)"
	ping_all
	module rmnet
	module qmap_shim
	detached
}

test_mend() {
	local pin where told pins="link_split link_deliver"
	[ "$datapath" = xdp ] || pins="link_rx link_tx_129"
	start
	for pin in $pins; do
		where=$(find /sys/fs/bpf/qmap -name "$pin")
		told=$(grep -c 'repaired: somebody has taken the program off' "$T/qmapd.log" || :)
		bpftool link detach pinned "$where"
		wait_for 5 may_mend || fail "$pin is not put back"
		ping_all
	done
	detached
}

# At most once a second.
may_mend() {
	qmapctl show >/dev/null
	[ "$(grep -c 'repaired: somebody has taken the program off' "$T/qmapd.log")" -gt "$told" ]
}

# Four TCP connections share the trunk, down and up.
test_iperf() {
	local n
	start
	for n in "${pdns[@]}"; do
		ip netns exec net iperf3 -s -B "$(gateway $n 4)" >/dev/null &
	done
	wait_for 10 servers_listen
	deep_queues
	iperf_all down 8000000 -R
	iperf_all up 8000000
	no_violations
	equal "drops but for want of room" '{}' "$(drops_of_ours)"
	detached
}

test_kill_and_adopt() {
	local before
	start
	kill -9 "$qmapd_pid"
	wait "$qmapd_pid" || :
	ping_all
	patterns
	before=$(modem_stat .qmi.requests)
	qmapd_start
	wait_for 10 state_is attached || fail "$(qmapctl show)"
	equal "calls" 8 "$(modem_stat .calls)"
	at_least "QMI requests" $((before + 1)) "$(modem_stat .qmi.requests)"
	ping_all
	patterns
	detached
}

# Pins of a version without an observer: the next qmapd adds one, and calls and ports stay.
test_adopt_without_observer() {
	local starts pin
	[ "$datapath" = rmnet ] || skip "the kernel's drivers only"
	start
	starts=$(modem_stat .qmi.starts)
	kill -9 "$qmapd_pid"
	wait "$qmapd_pid" || :
	for pin in ports port_stats trunk_stats events again config; do
		rm "/sys/fs/bpf/qmap/$(cat $sysfs/ifindex)/$pin"
	done
	tc qdisc del dev wwan0 clsact
	qmapd_start
	wait_for 20 state_is attached || fail "$(qmapctl show)"
	grep -q qmap_observe <<<"$(tc filter show dev wwan0 ingress)" || fail "no observer: $(tc filter show dev wwan0 ingress)"
	calls_stay "$starts"
	patterns
	detached
}

# Both ways, longer than a new qmapd needs: loading xdp's programs alone takes seconds here.
replace_begins() {
	modem reset >/dev/null
	$receive -t 60000 -c $count wwan0.1=1 -- "$build/qmap-modem" ctl "$T/faults" generate count=$count \
		pdn=1 size=1400 rate=800 >/dev/null &
	down_pid=$!
	"$build/pattern-tool" send -c $count -r 800 "wwan0.1=1@$(gateway 1 4)" >/dev/null &
	up_pid=$!
	modem wait pdn.1.dl_packets '>=' 100 timeout=10000 >/dev/null
	modem wait pdn.1.sink.ok '>=' 100 timeout=10000 >/dev/null
}

# to_come: packets of the direction that has fewer left, now that the new qmapd runs.
replace_ends() {
	to_come=$(modem stats | jq '.pdn["1"] | '$count' - ([.dl_packets, .sink.ok] | max)')
	wait $down_pid
	wait $up_pid
	sink_has 1 $count
	no_violations
	equal "drops but for want of room" '{}' "$(drops_of_ours)"
}

# An upgrade of qmapd while packets flow, and back. With shim no packet may be missing, not even for
# want of room; the 256 slots of xdp's veth overflow if this slow guest stops for a while, and the
# missing packets must be those counted there. A round counts if packets were to come when it was over; on a
# busy machine the next one has more of them.
test_replace() {
	local down_pid up_pid to_come rounds=4 round=0 good=0 count=8000 receive=receive
	[ "$datapath" != xdp ] || rounds=2 count=20000 receive=arrived
	start
	lossless "${pdns[@]/#/wwan0.}"
	while [ $good -lt $rounds ]; do
		replace_programs replace_begins replace_ends
		round=$((round + 1))
		equal "replacements in the log" $round "$(grep -c 'BPF programs replaced' "$T/qmapd.log")"
		if [ "$to_come" -gt 0 ]; then
			good=$((good + 1))
		else
			count=$((count * 2))
			[ $count -le 160000 ] || fail "qmapd is not replaced while $((count / 2)) packets flow"
		fi
	done
	detached
}

# back_within MS WHAT: time from $began until all PDNs work again. An emulated CPU needs a second for
# the eight pings and for loading the programs, and several on a busy host: limits are only checked with
# JUDGE_TIMES=yes, figures are printed.
back_within() {
	local took n
	for n in "${pdns[@]}"; do
		wait_for 15 pdn_works "$n" || fail "$2: $(qmapctl show; qmapctl -j show | jq -c '.[0].events[]')"
	done
	took=$(((${EPOCHREALTIME/./} - began) / 1000))
	echo "DATA $2: all PDNs pass traffic after $took ms"
	takes $took "$2: all PDNs pass traffic" "$1"
}

pdn_works() {
	ping -c 1 -W 2 -q -I "wwan0.$1" "$(gateway "$1" 4)" >/dev/null 2>&1 &&
		ping -c 1 -W 2 -q -I "wwan0.$1" "$(gateway "$1" 6)" >/dev/null 2>&1
}

modem_state_is() {
	[ "$(field .modem.state)" = "$1" ]
}

# --- from the plug to the first packet ---

# Time of the first such event, in microseconds.
event_us() { # jq filter
	qmapctl -j show | jq "[.[0].events[] | select($1)][0].time |
		((.[:19] + \"Z\" | fromdate) * 1000 + (.[20:23] | tonumber)) * 1000"
}

# split_of BEGAN WHAT: prints the steps from the plug to the first call that is up, which took $took.
split_of() {
	local netdev ready up modem
	netdev=$(event_us '.kind == "modem" and .to == "present"')
	ready=$(event_us '.kind == "modem" and .to == "opening"')
	up=$(event_us '.kind == "call" and .to == "up"')
	modem=$(modem_stat .answers.busy_us)
	took=$(((up - $1) / 1000))
	echo "DATA usb-$datapath $2: first call up $took ms after the plug: drivers $(((netdev - $1) / 1000))," \
		"control channel $(((ready - netdev) / 1000)), set-up and call $(((up - ready) / 1000))," \
		"the modem owed an answer for $((modem / 1000)) of these"
}

wait_conf() {
	{
		printf '[trunk wwan0]\ndatapath = %s\n' "$datapath"
		printf '[trunk wwan0 pdn %s]\n' "${pdns[@]}"
	} >"$T/qmapd.conf"
}

# A qmapd that has waited with its configuration since before the modem was there. An emulated CPU needs
# two seconds to verify xdp's programs, hence the limit for shim alone.
test_plug_in() {
	local began took round best=999999
	usb_start
	unplug
	wait_conf
	for round in 1 2 3; do
		qmapd_start -c "$T/qmapd.conf"
		wait_for 10 modem_state_is absent || fail "$(qmapctl show)"
		modem reset >/dev/null
		began=${EPOCHREALTIME/./}
		modem plug >/dev/null
		back_within 6000 "plug-in $round"
		split_of "$began" "plug-in $round"
		[ $took -ge $best ] || best=$took
		pin_controller
		ping_all
		detached
		qmapd_kill TERM || :
		unplug
	done
	[ "$datapath" != shim ] || takes $best "the first call is up, at best" 1500
}

# Attached once, and not touched afterwards: its ports go with it and come back with it.
test_unplug_and_replug() {
	start
	modem generate count=100000 size=1400 rate=2000 >/dev/null
	unplug
	wait_for 10 modem_state_is absent || fail "$(qmapctl show)"
	equal "state" lost "$(field .state)"
	qmapctl show | grep -qE 'netdev is gone|control channel is gone' || fail "$(qmapctl show)"
	equal "netdevs left" "" "$(netdevs_left)"
	plug_in
	back_within 6000 replugged
	pin_controller
	[ "$datapath" = usb ] || equal "largest aggregate" "$(field .dl_max_bytes)" $(($(cat $sysfs/mtu) - 1))
	patterns
	detached
}

# Another netdev has taken its name meanwhile: it is identified by its USB port, and the ports keep
# theirs.
test_replug_under_another_name() {
	start
	unplug
	wait_for 10 modem_state_is absent || fail "$(qmapctl show)"
	ip tuntap add wwan0 mode tun
	read -rt 1 <> <(:) || :
	modem_state_is absent || fail "a stranger's netdev was taken for the modem's: $(qmapctl show)"
	modem plug >/dev/null
	wait_for 20 test -e /sys/class/net/wwan1/device || fail "no wwan1: $(ip -o link)"
	began=${EPOCHREALTIME/./}
	back_within 6000 "replugged as wwan1" # of which 300 ms are spent waiting for a rename
	pin_controller
	equal "netdev" "wwan0 wwan1" "$(field '| [.dev, .netdev] | join(" ")')"
	set_streams 4
	modem reset >/dev/null
	"$build/pattern-tool" send -r 250 -c 300 -s 44-1500 "${up[@]}" >/dev/null
	for n in "${pdns[@]}"; do
		sink_has "$n" 300
	done
	qmapctl detach wwan0
	nothing_left
	equal "MTU of wwan1" 1500 "$(cat /sys/class/net/wwan1/mtu)"
	ip link del wwan0
	unplug
}

test_reboot() {
	start
	modem reboot ms=500 >/dev/null
	wait_for 10 state_is lost || fail "$(qmapctl show)"
	wait_for 20 plugged_again
	began=${EPOCHREALTIME/./}
	back_within 6000 rebooted
	pin_controller
	ping_all
	detached
}

# A modem that answers nothing, which loses that fault when the host takes it away for a while.
test_enumerated_again() {
	local netdev
	start --recover usb --watchdog 0 --timeout 3 --poll 1
	netdev=$(cat $sysfs/ifindex)
	began=${EPOCHREALTIME/./}
	modem never '*' '*' >/dev/null
	wait_for 180 measured "dead usb" || fail "$(measures); $(qmapctl show)"
	echo "DATA the modem counts as dead after $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
	modem clear >/dev/null
	wait_for 60 measured "dead repaired" || fail "$(measures); $(qmapctl show)"
	back_within 60000 "enumerated again"
	at_least "ifindex of the netdev" $((netdev + 1)) "$(cat $sysfs/ifindex)"
	equal "enumerated again" 1 "$(taken usb)"
	pin_controller
	ping_all
	detached
}

# --- suspend ---

# Suspends to RAM until the clock wakes the machine; the kernel refuses that while a device is plugged
# into this controller (vhci_hcd.c, vhci_hcd_suspend(): "active connection. Do not suspend").
sleep_deeply() {
	local alarm=/sys/class/rtc/rtc0/wakealarm
	grep -q deep /sys/power/mem_sleep || skip "this machine cannot sleep to RAM"
	echo 0 >$alarm
	echo +5 >$alarm
	echo mem >/sys/power/state
}

slept() { # times
	[ "$(grep -c 'The machine has slept' "$T/qmapd.log")" = "$1" ]
}

# With a modem that stays powered and keeps its calls, and with one that was unplugged meanwhile: qmapd
# learns of the suspend and of the missing modem at the same moment.
# On a TUN, whose device stays.
sleep_attached() {
	modem_start
	attach_all --control "$T/qmi"
	ping_all
	sleep_deeply
	wait_for 5 slept 1 || fail "not told: $(tail -n 3 "$T/qmapd.log")"
	ping_all
	equal "calls" 8 "$(modem_stat .calls)"
	equal "dialled" 8 "$(dialled)"
	qmapctl detach wwan0
	nothing_left
	modem_stop
}

test_suspend() {
	local sleeps=0
	qmapd_start
	if [ -z "$own_driver" ]; then
		sleep_attached
		sleeps=1
	fi
	usb_start
	attach_all
	kill -STOP "$qmapd_pid"
	unplug
	sleep_deeply
	kill -CONT "$qmapd_pid"
	wait_for 10 modem_state_is absent || fail "$(qmapctl show)"
	slept $((sleeps + 1)) || fail "not told: $(tail -n 3 "$T/qmapd.log")"
	plug_in
	back_within 6000 "plugged in after a sleep"
	pin_controller
	patterns
	detached
}

# since BEGAN: milliseconds.
since() {
	echo $(((${EPOCHREALTIME/./} - $1) / 1000))
}

# One cycle in the middle of traffic both ways; appends four times to $T/times: traffic, unplugged,
# plugged in, back. A socket keeps a hundred buffers of our own driver all the while.
replug() { # cycle
	local began sender times
	[ -z "$own_driver" ] || keeper_start
	began=${EPOCHREALTIME/./}
	modem generate count=1000000 size=1400 rate=3000 >/dev/null
	modem wait pdn.1.dl_packets '>=' 200 timeout=20000 >/dev/null
	"$build/pattern-tool" send -r 1000 -c 200 wwan0.1=1@10.64.1.1 >/dev/null 2>&1 &
	sender=$!
	modem wait pdn.1.ul_packets '>=' 20 timeout=20000 >/dev/null
	times=$(since $began) began=${EPOCHREALTIME/./}
	unplug
	wait $sender || : # its packets have nowhere to go
	wait_for 10 modem_state_is absent || fail "cycle $1: $(qmapctl show)"
	times+=" $(since $began)" began=${EPOCHREALTIME/./}
	plug_in
	times+=" $(since $began)" began=${EPOCHREALTIME/./}
	wait_for 30 last_is_up || fail "cycle $1: $(qmapctl show; qmapctl -j show | jq -c '.[0].events[]')"
	wait_for 10 pdn_works 1 || fail "cycle $1: PDN 1 passes nothing: $(qmapctl show)"
	wait_for 10 pdn_works 4 || fail "cycle $1: PDN 4 passes nothing: $(qmapctl show)"
	echo "$times $(since $began)" >>"$T/times"
	[ -z "$own_driver" ] || keeper_ends
	pin_controller
	modem reset >/dev/null
}

last_is_up() {
	[ "$(qmapctl -j show | jq '[.[0].pdns[].families[] | select(.state == "up")] | length')" = 8 ]
}

# Median and maximum of column N of $T/times.
median_and_most() {
	cut -d' ' -f$1 "$T/times" | sort -n | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] "/" t[NR] }'
}

# Repeated with one attach.
test_replug_cycles() {
	local i before after fds
	start
	for ((i = 0; i < cycles; i++)); do
		replug $i
		[ $i != 3 ] || { before=$(unreclaimable) && fds=$(open_files); }
		[ $(((i + 1) % 10)) != 0 ] || echo "cycle $((i + 1)), RSS $(rss) KiB: $(tail -n 1 "$T/times")"
	done
	after=$(unreclaimable)
	echo "DATA usb-$datapath $cycles cycles of unplug and replug by one attach, ms (median/most): traffic $(
		median_and_most 1), unplugged $(median_and_most 2), drivers $(median_and_most 3), back $(
		median_and_most 4); unreclaimable KiB $before -> $after, files of qmapd $fds -> $(open_files), RSS $(rss) KiB"
	[ $((after - before)) -lt 4096 ] || fail "memory grows: $before -> $after KiB"
	equal "files that qmapd has open" "$fds" "$(open_files)"
	equal "calls" 8 "$(modem_stat .calls)"
	equal "client ids" 10 "$(modem_stat '.qmi.clients | del(.nas, .uim) | add')"
	patterns
	detached
}

open_files() {
	find "/proc/$qmapd_pid/fd" -mindepth 1 | wc -l
}

rss() {
	awk '/^VmRSS/ { print $2 }' "/proc/$qmapd_pid/status"
}

# Slab and page counts after one cycle and after many distinguish a leak from a cache.
unreclaimable() {
	awk '/^SUnreclaim|^KernelStack|^PageTables/ { n += $2 } END { print n }' /proc/meminfo
}

test_cycles() {
	local i before after
	usb_start
	qmapd_start
	for ((i = 0; i < cycles; i++)); do
		attach_all
		modem generate count=1000000 size=1400 rate=3000 >/dev/null
		modem wait pdn.1.dl_packets '>=' 200 timeout=20000 >/dev/null
		"$build/pattern-tool" send -r 1000 -c 200 wwan0.1=1@10.64.1.1 >/dev/null &
		unplug
		wait $! || : # its packets have nowhere to go
		wait_for 10 state_is lost || fail "cycle $i: $(qmapctl show)"
		plug
		qmapctl -q detach wwan0
		[ $i != 3 ] || before=$(unreclaimable)
	done
	after=$(unreclaimable)
	echo "DATA cycles $cycles, unreclaimable KiB $before -> $after"
	[ $((after - before)) -lt 4096 ] || fail "memory grows: $before -> $after KiB"
	nothing_left
	attach_all
	ping_all
	patterns
	detached
}

# shellcheck source=tests/vm/guest_proxy.sh
. "$(dirname "$0")/guest_proxy.sh"
# shellcheck source=tests/vm/guest_driver.sh
[ "$datapath" != usb ] || . "$(dirname "$0")/guest_driver.sh"
# shellcheck source=tests/vm/guest_slow_start.sh
. "$(dirname "$0")/guest_slow_start.sh"
# shellcheck source=tests/vm/guest_matrix.sh
. "$(dirname "$0")/guest_matrix.sh"

# --- running: in turn; mounts and /run belong to a test, processes and netdevs to the guest ---

enter_sandbox() {
	mount -t tmpfs tmpfs /run
	mkdir -p /run/netns /run/qmapd
	mount -t bpf bpf /sys/fs/bpf
	ip netns add net
	T=$(mktemp -d /run/test.XXXXXX)
}

eval "$(declare -f show_logs | sed '1s/show_logs/show_both_logs/')"
show_logs() {
	qmapctl stats
	"$build/qmap-modem" ctl "$T"/faults stats | jq -c '.usb, .trunk, .violations, .warnings' |
		sed -E 's/"[a-z0-9_]+":0,?//g'
	# shellcheck disable=SC1003
	ip -s -o link show dev wwan0 | tr '\\' '\n'
	tc -s qdisc show | grep -v noqueue
	cut -d' ' -f1-3 /proc/net/softnet_stat
	show_both_logs
}

netdevs_left() {
	ip -o link | grep -oE 'wwan0\.[^:@ ]+'
}

run_one() { # test
	local status=0
	timeout -k 5 "${TEST_LIMIT:-1800}" unshare --mount bash "$0" --one "$1" >/tmp/out 2>&1 </dev/null ||
		status=$?
	killall -q -9 qmapd qmapd-rebuilt qmap-modem pattern-tool proxy-tool qmi-proxy ModemManager dbus-daemon polkitd systemd-udevd iperf3 # the guest is for this test
	grep '^DATA ' /tmp/out
	if [ $status = 0 ] && { is_left_over || wait_for 20 drivers_gone; }; then
		echo "PASS usb-$datapath ${1#test_}"
		return 0
	fi
	if [ $status = 77 ]; then
		echo "SKIP usb-$datapath ${1#test_}: $(sed -n 's/^skip: //p' /tmp/out)"
		return 0
	fi
	echo "FAIL usb-$datapath ${1#test_} (status $status)"
	sed 's/^/  /' /tmp/out
	netdevs_left | while read -r dev; do ip link del "$dev" 2>/dev/null; done
	[ ! -e /sys/class/net/wwan0/tun_flags ] || ip link del wwan0 # created by a test
	return 1
}

if [ "${1:-}" = --one ]; then
	one_test "$2"
fi
ln -sfn /proc/self/fd /dev/fd # bash's <(...) needs it, and devtmpfs does not have it
names=("${@/#/test_}")
[ $# -gt 0 ] || mapfile -t names < <(declare -F | sed -n 's/^declare -f \(test_.*\)$/\1/p')
echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6
[ ${#names[@]} -gt 0 ]
failed=$?
for name in "${names[@]}"; do
	run_one "$name" || failed=1
done
exit $failed
