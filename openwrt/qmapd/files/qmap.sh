#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# netifd's protocol handler "qmap": an interface is one PDN of a modem that qmapd attaches. Several
# interfaces may have the same modem. netifd sets the addresses, routes and DNS servers.
#
# shellcheck shell=ash disable=SC1091,SC2034,SC2086,SC2154 # netifd's files are on the router; it reads our variables

[ -n "$INCLUDE_ONLY" ] || {
	. /lib/functions.sh
	. ../netifd-proto.sh
	init_proto "$@"
}

. /usr/lib/qmap/netifd.sh

proto_qmap_init_config() {
	available=1
	no_device=1
	# qmapd redials; an interface stays pending meanwhile.
	no_proto_task=1
	renew_handler=1

	proto_config_add_string "device:device"
	proto_config_add_string control
	proto_config_add_int pdn
	proto_config_add_int mux
	proto_config_add_string apn
	proto_config_add_string pdptype
	proto_config_add_string auth
	proto_config_add_string username
	proto_config_add_string password
	proto_config_add_int profile
	proto_config_add_string pincode
	proto_config_add_string datapath
	proto_config_add_string qmap
	proto_config_add_int dl_max_bytes
	proto_config_add_int dl_max_datagrams
	proto_config_add_int poll
	proto_config_add_int watchdog
	proto_config_add_string recover
	proto_config_add_string steer
	proto_config_add_string roaming
	proto_config_add_int timeout
	proto_config_add_int mtu
	proto_config_add_boolean sourcefilter
	proto_config_add_boolean extendprefix
	proto_config_add_defaults
}

proto_qmap_setup() {
	local interface="$1"
	local device control pdn mux apn pdptype auth username password profile pincode datapath qmap
	local dl_max_bytes dl_max_datagrams poll watchdog recover steer roaming timeout mtu sourcefilter extendprefix
	local dev $PROTO_DEFAULT_OPTIONS

	json_get_vars device control pdn mux apn pdptype auth username password profile pincode datapath qmap
	json_get_vars dl_max_bytes dl_max_datagrams poll watchdog recover steer roaming timeout mtu sourcefilter extendprefix
	json_get_vars $PROTO_DEFAULT_OPTIONS

	dev=$(qmap_netdev "$device") || {
		echo "There is no network device of \"$device\""
		proto_notify_error "$interface" NO_DEVICE
		# hotplug.d/net/25-qmap sets it when the modem comes.
		proto_set_available "$interface" 0
		return 1
	}
	qmap_save "$interface" || {
		qmap_refuse "$interface" "$QMAP_ERROR"
		return 1
	}
	qmap_wait_for_daemon || {
		echo "qmapd is not running"
		proto_notify_error "$interface" NO_DAEMON
		sleep "${QMAP_RETRY:-10}"
		proto_setup_failed "$interface"
		return 1
	}
	qmap_apply "$dev" || {
		qmap_refuse "$interface" INVALID_CONFIG
		return 1
	}
	qmap_update "$interface" && return 0
	qmap_report "$interface"
}

proto_qmap_renew() {
	qmap_update "$1" keep || qmap_report "$1"
}

# netifd kills a teardown after five seconds, and a silent modem takes longer.
proto_qmap_teardown() {
	local interface="$1" dev

	dev=$(cat "$QMAP_DIR/$interface/dev" 2>/dev/null)
	rm -rf "${QMAP_DIR:?}/$interface"
	[ -z "$dev" ] || qmap_apply "$dev" </dev/null >/dev/null 2>&1 &
	proto_init_update "*" 0
	proto_send_update "$interface"
}

[ -n "$INCLUDE_ONLY" ] || add_protocol qmap
