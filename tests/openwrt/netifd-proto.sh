# SPDX-License-Identifier: GPL-2.0-or-later
# Stands for netifd's /lib/netifd/netifd-proto.sh; see README.md. The functions have the names and the
# arguments of netifd's; every notification ends in one call of `notify`.
# shellcheck shell=ash disable=SC2034,SC2154,SC3043

PROTO_DEFAULT_OPTIONS="defaultroute peerdns metric"

# --- jshn.sh, as far as handlers use it ---

json_load() {
	JSON=$1
}

# Booleans are 1 and 0.
json_get_vars() {
	local key
	for key; do
		eval "$key=\$(printf %s \"\$JSON\" | jq -r --arg key \"\$key\" \
			'.[\$key] | if . == null then \"\" elif . == true then 1 elif . == false then 0 else . end')"
	done
}

json_add_string() {
	UPDATE="$UPDATE
data $1 $2"
}

# --- the declaration of a protocol ---

proto_config_add_string() { echo "string ${1%%:*}"; }
proto_config_add_int() { echo "int ${1%%:*}"; }
proto_config_add_boolean() { echo "boolean ${1%%:*}"; }
proto_config_add_defaults() { printf 'boolean %s\n' defaultroute peerdns renew && echo "int metric"; }

# --- an update: lines for `notify` ---

proto_init_update() { # IFNAME UP
	UPDATE="link $2"
	[ "$1" = "*" ] || UPDATE="$UPDATE
ifname $1"
}

update() {
	UPDATE="$UPDATE
$*"
}

proto_add_data() { :; }
proto_close_data() { :; }
proto_add_dns_server() { update "dns $1"; }
proto_add_ipv4_address() { update "ipaddr $1/$2"; }
proto_add_ipv6_address() { update "ip6addr $1/$2"; }
proto_add_ipv6_prefix() { update "ip6prefix $1"; }
proto_add_ipv4_route() { update "route $1/$2 gateway=$3 source=$4"; }
proto_add_ipv6_route() { update "route6 $1/$2 gateway=$3 source=$6"; }
proto_send_update() { printf '%s\n' "$UPDATE" | notify "$1" update; }
proto_notify_error() {
	local interface="$1"
	shift
	notify "$interface" error "$@"
}

proto_block_restart() { notify "$1" block; }
proto_set_available() { notify "$1" available "$2"; }
proto_setup_failed() { notify "$1" failed; }

# --- running a handler ---

init_proto() { # PROTO COMMAND INTERFACE DATA [IFNAME]
	PROTO_COMMAND=$2
	interface=${3:-}
	data=${4:-}
	ifname=${5:-}
}

add_protocol() {
	case $PROTO_COMMAND in
	dump)
		no_device=0 no_proto_task=0 available=0 renew_handler=0
		"proto_$1_init_config"
		echo "flags no_device=$no_device no_proto_task=$no_proto_task available=$available renew_handler=$renew_handler"
		;;
	setup | teardown | renew)
		json_load "$data"
		"proto_$1_$PROTO_COMMAND" "$interface" "$ifname"
		;;
	esac
}
