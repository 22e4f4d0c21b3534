# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by netifd's protocol handler, by the hook that qmapd runs, and by hotplug.
#
# $QMAP_DIR/INTERFACE/ has the wishes of an interface: dev, pdn, trunk.conf (its part of the section of the
# trunk), pdn.conf (the section of its PDN) and options (for qmap_update). All interfaces of one modem
# together make $QMAP_DIR/DEV.conf, which `qmapctl apply` brings about.
#
# shellcheck shell=ash disable=SC1090,SC2154 # variables of the protocol handler, and files that it writes

QMAP_DIR=/var/run/qmap-netifd
QMAP_HOOK=/usr/lib/qmap/netifd-hook
QMAP_ERROR=''

# qmap_netdev DEVICE: prints the network device of a control device, of a directory in /sys, or DEVICE
# itself if it is one.
qmap_netdev() {
	local net
	case $1 in
	'') return 1 ;;
	/dev/*) net=/sys/class/usbmisc/${1#/dev/}/device/net ;;
	/sys/*) net=$(find "$1/" -maxdepth 3 -type d -name net 2>/dev/null | head -n 1) ;;
	*)
		[ -e "/sys/class/net/$1" ] && echo "$1"
		return
		;;
	esac
	for net in "${net:-/none}"/*; do
		[ ! -e "$net" ] || { echo "${net##*/}"; return 0; }
	done
	return 1
}

# Writes a line of a configuration, if there is a value. A line of qmapd.conf ends at a newline.
qmap_line() { # KEY VALUE
	[ -n "$2" ] || return 0
	case $2 in *"
"*) return 1 ;; esac
	printf '%s = "%s"\n' "$1" "$(printf %s "$2" | sed 's/[\\"]/\\&/g')"
}

qmap_family() { # PDPTYPE as for the protocols qmi and modemmanager
	case $1 in
	'' | ipv4v6 | IPV4V6 | IPv4v6) echo v4v6 ;;
	ip | IP | ipv4 | IPV4 | IPv4) echo v4 ;;
	ipv6 | IPV6 | IPv6) echo v6 ;;
	*) echo "$1" ;;
	esac
}

# Without a dot, which netifd takes for a VLAN: qmapd.conf(5), port.
qmap_trunk_lines() {
	qmap_line control "$control" &&
		qmap_line pin "$pincode" &&
		qmap_line datapath "$datapath" &&
		qmap_line qmap "$qmap" &&
		qmap_line dl-max-bytes "$dl_max_bytes" &&
		qmap_line dl-max-datagrams "$dl_max_datagrams" &&
		qmap_line poll "$poll" &&
		qmap_line watchdog "$watchdog" &&
		qmap_line recover "$recover" &&
		qmap_line steer "$steer" &&
		qmap_line roaming "$roaming" &&
		qmap_line timeout "$timeout" &&
		qmap_line port "$(printf %.10s "$dev")-%n" &&
		qmap_line hook "$QMAP_HOOK"
}

qmap_pdn_lines() {
	echo "[trunk $dev pdn $pdn]"
	echo 'addresses = none'
	echo 'default-route = no'
	qmap_line mux "$mux" &&
		qmap_line ip "$(qmap_family "$pdptype")" &&
		qmap_line apn "$apn" &&
		qmap_line profile "${profile:-0}" &&
		qmap_line user "$username" &&
		qmap_line password "$password" &&
		qmap_line auth "$auth"
}

# Other interfaces of the same trunk, one a line.
qmap_interfaces() { # DEV
	local file
	for file in "$QMAP_DIR"/*/dev; do
		[ "$(cat "$file" 2>/dev/null)" = "$1" ] || continue
		file=${file%/dev}
		echo "${file##*/}"
	done
}

qmap_interface_of() { # DEV PDN
	local name
	for name in $(qmap_interfaces "$1"); do
		[ "$(cat "$QMAP_DIR/$name/pdn")" != "$2" ] || echo "$name"
	done
}

# Saves the configuration of an interface, which is in the variables of the protocol handler. Fails with QMAP_ERROR set, and
# saves nothing, if the configuration of the modem would contradict itself.
qmap_save() { # INTERFACE
	local dir="$QMAP_DIR/$1" other name

	: "${pdn:=1}"
	rm -rf "$dir"
	umask 077
	mkdir -p "$dir"
	for name in $(qmap_interface_of "$dev" "$pdn"); do
		echo "PDN $pdn of $dev is that of interface $name"
		QMAP_ERROR=PDN_IN_USE
	done
	qmap_trunk_lines >"$dir/trunk.conf" && qmap_pdn_lines >"$dir/pdn.conf" || QMAP_ERROR=INVALID_CONFIG
	for name in $(qmap_interfaces "$dev"); do
		other=$(cat "$dir/trunk.conf" "$QMAP_DIR/$name/trunk.conf" | sort -u | cut -d= -f1 | uniq -d | xargs)
		[ -z "$other" ] || {
			echo "Interfaces $1 and $name of $dev differ in $other"
			QMAP_ERROR=CONFLICTING_OPTIONS
		}
	done
	[ -z "$QMAP_ERROR" ] || {
		rm -rf "$dir"
		return 1
	}
	cat >"$dir/options" <<-END
		defaultroute=${defaultroute:-1}
		peerdns=${peerdns:-1}
		sourcefilter=${sourcefilter:-1}
		extendprefix=${extendprefix:-1}
		metric=$metric
		mtu=$mtu
	END
	echo "$pdn" >"$dir/pdn"
	echo "$dev" >"$dir/dev"
}

qmap_wait_for_daemon() {
	local n=0
	until qmapctl -q --socket /var/run/qmapd/control show 2>/dev/null && [ -S /var/run/qmapd/control ]; do
		n=$((n + 1))
		[ "$n" -lt "${QMAP_PATIENCE:-20}" ] || return 1
		sleep 1
	done
}

qmap_compose() { # DEV
	local name lines
	lines=$(for name in $(qmap_interfaces "$1"); do cat "$QMAP_DIR/$name/trunk.conf"; done | sort -u)
	echo "[trunk $1]"
	echo "$lines"
	# Not by a hook: ours has no switch for the modem's power.
	case $lines in
	*'recover = '*) ;;
	*) echo 'recover = redial,radio,reset,usb' ;;
	esac
	for name in $(qmap_interfaces "$1"); do cat "$QMAP_DIR/$name/pdn.conf"; done
}

# Brings about the configuration of a modem, of all its interfaces together. Fails if their configuration has a mistake;
# a call that does not come up is no failure.
qmap_apply() { # DEV
	local status=0
	mkdir -p "$QMAP_DIR"
	{
		flock 9
		if [ -n "$(qmap_interfaces "$1")" ]; then
			(umask 077 && qmap_compose "$1" >"$QMAP_DIR/$1.conf")
			qmapctl apply "$QMAP_DIR/$1.conf" || status=$?
		else
			rm -f "$QMAP_DIR/$1.conf"
			qmapctl detach "$1"
		fi
	} 9>"$QMAP_DIR/lock"
	[ "$status" != 1 ]
}

# Prints assignments. Status 2: nothing is known, because qmapd does not run, or is starting; 1: the modem is
# not attached.
qmap_facts() { # INTERFACE
	local at json dev pdn status=0
	dev=$(cat "$QMAP_DIR/$1/dev" 2>/dev/null) && pdn=$(cat "$QMAP_DIR/$1/pdn") || return 1
	json=$(qmapctl -j show "$dev" 2>/dev/null) || status=$?
	case $status in
	0) ;;
	4) return 1 ;;
	*) return 2 ;;
	esac
	at="@[0].pdns[@.number=$pdn]"
	jsonfilter -s "$json" \
		-e 'modem=@[0].modem.state' -e 'sim=@[0].sim.state' -e 'registration=@[0].network.registration' \
		-e "port=$at.port" -e "failure=$at.failure.error" -e "pdn_apn=$at.apn" \
		-e "state4=$at.families[@.family=4].state" -e "address4=$at.families[@.family=4].address" \
		-e "mtu4=$at.families[@.family=4].mtu" -e "dns4=$at.families[@.family=4].dns[*]" \
		-e "why4=$at.families[@.family=4].call_end.verbose_name" \
		-e "state6=$at.families[@.family=6].state" -e "address6=$at.families[@.family=6].address" \
		-e "prefix6=$at.families[@.family=6].prefix" -e "mtu6=$at.families[@.family=6].mtu" \
		-e "dns6=$at.families[@.family=6].dns[*]" -e "why6=$at.families[@.family=6].call_end.verbose_name"
	return 0
}

# The kernel has no IPv6 on a device whose MTU is below 1280.
qmap_set_mtu() { # PORT MTU...
	local least='' n port="$1"
	shift
	for n; do
		[ "${n:-0}" -ge 576 ] || continue
		[ -n "$least" ] && [ "$least" -le "$n" ] || least=$n
	done
	[ "$state6" != up ] || [ "${least:-1500}" -ge 1280 ] || least=1280
	[ -z "$least" ] || ip link set dev "$port" mtu "$least"
}

qmap_add_dns() { # PEERDNS SERVER...
	[ "$1" != 0 ] || return 0
	shift
	for server; do proto_add_dns_server "$server"; done
}

# Routes have no gateway: a port is one end of a link without other hosts, and without ARP.
qmap_add_ipv4() {
	proto_add_ipv4_address "$address4" 32
	[ "$defaultroute" = 0 ] || proto_add_ipv4_route 0.0.0.0 0
	# shellcheck disable=SC2086 # several
	qmap_add_dns "$peerdns" $dns4
}

# RFC 7278: the network's /64 is for the LAN; the port keeps the one address.
qmap_add_ipv6() {
	local source=''
	proto_add_ipv6_address "$address6" 128
	[ "$extendprefix" = 0 ] || proto_add_ipv6_prefix "$address6/$prefix6"
	[ "$sourcefilter" = 0 ] || source=$address6/$prefix6
	[ "$defaultroute" = 0 ] || proto_add_ipv6_route :: 0 "" "" "" "$source"
	# shellcheck disable=SC2086 # several
	qmap_add_dns "$peerdns" $dns6
}

# A modem that is lost may still be shown with its calls.
qmap_is_there() { # STATE
	[ "$1" = ready ] || [ "$1" = opening ]
}

# Gives netifd the settings of the network, all of them at once. Fails if no family is up; netifd then
# waits for the next update. With "keep" it then changes nothing: a qmapd that is adopting a modem has not
# asked it for its calls yet, and says "down" later if they have ended. With "lost" it does so only if the modem
# has come back since the event: the runs for its ports, which come before, have passed its calls to netifd.
# Nor does it change anything while qmapd cannot be asked.
qmap_update() { # INTERFACE [keep|lost]
	local interface="$1" keep="$2" modem sim registration port failure pdn_apn server facts status=0
	local state4 address4 mtu4 dns4 why4 state6 address6 prefix6 mtu6 dns6 why6
	local defaultroute peerdns sourcefilter extendprefix metric mtu

	facts=$(qmap_facts "$interface") || status=$?
	[ "$status" != 2 ] || return 1
	eval "$facts"
	[ -e "$QMAP_DIR/$interface/options" ] || return 0 # torn down meanwhile
	. "$QMAP_DIR/$interface/options"
	qmap_is_there "$modem" && [ -n "$port" ] || state4='' state6=''
	[ "$state4" = up ] || [ "$state6" = up ] || {
		[ "$keep" != keep ] || return 1
		[ "$keep" != lost ] || ! qmap_is_there "$modem" || return 1
		proto_init_update "*" 0
		proto_send_update "$interface"
		return 1
	}
	qmap_set_mtu "$port" "$mtu" "$mtu4" "$mtu6"
	proto_init_update "$port" 1
	[ "$state4" != up ] || qmap_add_ipv4
	[ "$state6" != up ] || qmap_add_ipv6
	proto_add_data
	json_add_string apn "$pdn_apn"
	proto_close_data
	proto_send_update "$interface"
}

# Waits while a modem is opened or adopted, ten seconds at most: until then its calls are shown one by one, and
# an update would take away the addresses of those that are not shown yet.
qmap_settle() { # DEV
	local n=0
	while [ "$(jsonfilter -s "$(qmapctl -j show "$1" 2>/dev/null)" -e '@[0].modem.state' 2>/dev/null)" = opening ] &&
		[ "$n" -lt 10 ]; do
		sleep 1
		n=$((n + 1))
	done
}

# Blocks the interface until its configuration is changed, or the user starts it.
qmap_refuse() { # INTERFACE CODE [WORD]...
	local interface="$1"
	proto_notify_error "$@"
	proto_block_restart "$interface"
	proto_setup_failed "$interface"
}

qmap_sim_error() {
	case $sim in
	pin-required)
		[ -z "$pin" ] && echo PIN_NOT_SPECIFIED || echo PIN_FAILED
		;;
	puk-required | blocked) echo PUK_NEEDED ;;
	absent) echo NO_SIM ;;
	network-locked) echo SIM_NETWORK_LOCKED ;;
	*) echo SIM_NOT_INITIALIZED ;;
	esac
}

# Says why an interface is not up. Where only the user can help, it blocks the interface; in all other
# cases qmapd goes on trying, and its hook updates the interface.
qmap_report() { # INTERFACE
	local interface="$1" modem sim registration port failure pdn_apn pin state
	local state4 address4 mtu4 dns4 why4 state6 address6 prefix6 mtu6 dns6 why6

	eval "$(qmap_facts "$interface")"
	pin=$(grep '^pin = ' "$QMAP_DIR/$interface/trunk.conf" 2>/dev/null)
	state=${state4:-$state6}
	qmap_is_there "$modem" || state=''
	[ -z "$failure" ] || echo "$failure"
	case $state in
	radio-off) proto_notify_error "$interface" RADIO_OFF ;;
	waiting-for-sim)
		state=$(qmap_sim_error)
		case $state in
		PIN_* | PUK_*) qmap_refuse "$interface" "$state" ;;
		*) proto_notify_error "$interface" "$state" ;;
		esac
		;;
	waiting-for-registration)
		# shellcheck disable=SC2086 # a word, or none
		proto_notify_error "$interface" NETWORK_REGISTRATION_FAILED $registration
		;;
	roaming) proto_notify_error "$interface" ROAMING ;;
	'') proto_notify_error "$interface" MODEM_NOT_READY ;;
	*)
		# shellcheck disable=SC2086 # a word, or none
		proto_notify_error "$interface" CALL_FAILED ${why4:-$why6}
		;;
	esac
	return 1
}
