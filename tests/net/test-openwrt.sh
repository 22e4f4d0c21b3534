#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The scripts of openwrt/ on qmapd and the software modem, with the stand-ins of tests/openwrt/.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

files=$top/openwrt/qmapd/files

# Puts a router's files into place. Its shell is busybox's.
router() {
	export NETIFD=$T/netifd
	mkdir -p "$NETIFD"/{config,state} "$T"/{changes,work,bin}
	mount -t overlay overlay -o "lowerdir=/usr/lib,upperdir=$T/changes,workdir=$T/work" /usr/lib
	mkdir -p /usr/lib/netifd/proto /usr/lib/qmap
	cp "$top/tests/openwrt/functions.sh" /lib/
	cp "$top/tests/openwrt/netifd-proto.sh" /lib/netifd/
	cp "$files/qmap.sh" /lib/netifd/proto/
	cp "$files/netifd.sh" "$files/netifd-hook" /usr/lib/qmap/
	cp "$top"/tests/openwrt/{notify,jsonfilter} "$build/qmapctl" "$T/bin/"
	# a hook's environment is not ours
	sed -i "2i export NETIFD=$NETIFD PATH=$T/bin:\$PATH" /usr/lib/qmap/netifd-hook
	sed -i "1s|.*|#!$(command -v busybox) sh|" /usr/lib/qmap/netifd-hook
	export PATH=$T/bin:$PATH QMAP_RETRY=0 QMAP_PATIENCE=2
	ln -sfn /run /var/run 2>/dev/null || :
}

start() { # OPTION of the modem...
	router
	modem_start "$@"
	qmapd_start
}

handler() { # COMMAND [ARGUMENT]...
	(cd /lib/netifd/proto && busybox sh ./qmap.sh qmap "$@")
}

# interface NAME KEY=VALUE...: as in /etc/config/network; values are JSON, or else text.
interface() {
	local name=$1 word json='{"proto":"qmap"}'
	shift
	for word; do
		json=$(jq -c --arg key "${word%%=*}" --arg value "${word#*=}" \
			'.[$key] = ($value | try fromjson catch $value)' <<<"$json")
	done
	echo "$json" >"$NETIFD/config/$name.json"
}

# state INTERFACE FILE: see tests/openwrt/notify
state() {
	cat "$NETIFD/state/$1.$2" 2>/dev/null || :
}

is() { # INTERFACE FILE TEXT
	[ "$(state "$1" "$2")" = "$3" ]
}

# As netifd: a handler that has failed is torn down, and set up again unless it is blocked.
ifup() { # INTERFACE
	rm -f "$NETIFD/state/$1".*
	echo setup >"$NETIFD/state/$1.sm"
	handler setup "$1" "$(cat "$NETIFD/config/$1.json")" || :
	! is "$1" failed yes || ifdown "$1"
}

ifdown() { # INTERFACE
	echo teardown >"$NETIFD/state/$1.sm"
	(cd /lib/netifd/proto && busybox sh ./qmap.sh qmap teardown "$1" "$(cat "$NETIFD/config/$1.json")" 2>/dev/null) || :
	echo down >"$NETIFD/state/$1.sm"
}

attached() {
	qmapctl -j show | jq -r '[.[].pdns[].number] | join(" ")'
}

attached_are() { # NUMBERS
	[ "$(attached)" = "$1" ]
}

test_declaration() {
	router
	handler dump >"$T/dump"
	grep -qx 'flags no_device=1 no_proto_task=1 available=1 renew_handler=1' "$T/dump"
	# every option is one that README explains, and each is read
	local option
	sed -nE 's/^(string|int|boolean) //p' "$T/dump" >"$T/options"
	while read -r option; do
		[ "$option" = renew ] || grep -q "^|.*\`$option\`.*|" "$top/openwrt/README.md" ||
			fail "openwrt/README.md does not explain $option"
		[ "$option" = renew ] || grep -qE "\\b$option\\b" "$files/netifd.sh" "$files/qmap.sh" ||
			fail "$option is not read"
	done <"$T/options"
	at_least "options" 20 "$(wc -l <"$T/dump")"
}

test_up_and_down() {
	start
	interface wan device=wwan0 control="$T/qmi" apn=internet
	ifup wan
	equal "up" yes "$(state wan up)"
	equal "errors" "" "$(state wan errors)"
	equal "update" "link 1
ifname wwan0-1
ipaddr 10.64.1.2/32
route 0.0.0.0/0 gateway= source=
dns 10.64.1.53
dns 10.64.1.54
ip6addr 2001:db8:64:1::2/128
ip6prefix 2001:db8:64:1::2/64
route6 ::/0 gateway= source=2001:db8:64:1::2/64" "$(state wan update | grep -v '^data\|^dns 2001')"
	equal "APN" "data apn internet" "$(state wan update | grep '^data')"
	answers 10.64.1.1 -I wwan0-1
	answers 2001:db8:64:1::1 -6 -I wwan0-1
	equal "measures for a dead link" "recover = redial,radio,reset,usb" "$(qmapctl dump | grep recover)"
	equal "addresses are netifd's" none "$(field '.pdns[0].addresses')"
	ifdown wan
	wait_for 10 attached_are ""
	wait_for 10 nothing_left
}

# netifd kills a teardown after five seconds: it does not wait for a modem that is silent.
test_teardown_of_a_silent_modem() {
	start
	interface wan device=wwan0 control="$T/qmi" apn=internet timeout=60
	ifup wan
	modem reboot ms=600000 announce=never >/dev/null
	ifdown wan
	equal "PDNs" 1 "$(attached)"
	wait_for 5 state_is detaching || fail "$(qmapctl show)"
}

# Options of the modem and of the PDN, as qmapd has them.
test_options_arrive() {
	local line
	start
	interface wan device=wwan0 control="$T/qmi" pdn=3 mux=133 apn=internet pdptype=ipv4 auth=pap username=me \
		password=secret profile=2 qmap=v4 dl_max_bytes=8192 dl_max_datagrams=8 poll=7 watchdog=33 recover=redial,reset \
		steer=off roaming=off timeout=9
	ifup wan
	qmapctl dump >"$T/conf"
	for line in "control = $T/qmi" "mux = 133" "apn = internet" "ip = v4" "auth = pap" "user = me" "profile = 2" \
		"qmap = v4" "dl-max-bytes = 8192" "dl-max-datagrams = 8" "poll = 7" "watchdog = 33" "recover = redial,reset" \
		"steer = off" "roaming = off" "timeout = 9" "addresses = none"; do
		grep -qxF "$line" "$T/conf" || fail "no \"$line\" in: $(cat "$T/conf")"
	done
	grep -qxF "[trunk wwan0 pdn 3]" "$T/conf" || fail "$(cat "$T/conf")"
}

# Each interface is one PDN; the trunk is attached with the first, and detached after the last.
test_two_interfaces() {
	start
	interface wan device=wwan0 control="$T/qmi" apn=internet
	interface ims device=wwan0 control="$T/qmi" apn=ims pdn=2 pdptype=ipv6 defaultroute=0 peerdns=0 extendprefix=0
	ifup wan
	ping -q -i 0.05 -I wwan0-1 10.64.1.1 >"$T/ping" &
	local ping=$!
	ifup ims
	equal "both" "1 2" "$(attached)"
	equal "update of ims" "link 1
ifname wwan0-2
ip6addr 2001:db8:64:2::2/128" "$(state ims update | grep -v '^data')"
	ip -6 route add 2001:db8:64:2::/64 dev wwan0-2
	answers 2001:db8:64:2::1 -6 -I wwan0-2
	ifdown ims
	wait_for 10 attached_are 1
	kill -INT "$ping" && wait "$ping"
	grep -q ' 0% packet loss' "$T/ping" || fail "wan lost packets: $(cat "$T/ping")"
	equal "wan is up" yes "$(state wan up)"
	ifdown wan
	wait_for 10 nothing_left
}

test_contradictions() {
	start
	interface wan device=wwan0 control="$T/qmi" apn=internet qmap=v5
	interface same device=wwan0 control="$T/qmi" apn=ims
	interface other device=wwan0 control="$T/qmi" apn=ims pdn=2 qmap=v1
	interface bad device=wwan0 control="$T/qmi" apn=ims pdn=3 auth=maybe
	ifup wan
	ifup same
	equal "same PDN" "PDN_IN_USE" "$(state same errors)"
	ifup other
	equal "another version" CONFLICTING_OPTIONS "$(state other errors)"
	ifup bad
	equal "a bad value" INVALID_CONFIG "$(state bad errors)"
	equal "blocked" "yes yes yes" "$(state same blocked) $(state other blocked) $(state bad blocked)"
	equal "wan is alone, and up" "1 yes" "$(attached) $(state wan up)"
	answers 10.64.1.1 -I wwan0-1
	# An error is not left behind for the next interface.
	interface bad device=wwan0 control="$T/qmi" apn='with "quotes" and \x' pdn=3
	ifup bad
	equal "its APN" 'with "quotes" and \x' "$(qmapctl -j show | jq -r '.[0].pdns[] | select(.number == 3) | .apn')"
}

test_no_device() {
	start
	interface wan device=/dev/cdc-wdm7 apn=internet
	ifup wan
	equal "error" NO_DEVICE "$(state wan errors)"
	equal "available" 0 "$(state wan available)"
	equal "not blocked" "" "$(state wan blocked)"
	# It comes: hotplug offers those interfaces alone whose device it is. A TUN has no device in /sys.
	interface wan device=wwan0
	interface lan device=eth9
	sed "s|\"/sys/class/net/\$DEVICENAME/device\"|\"/sys/class/net/\$DEVICENAME\"|" "$files/25-qmap.hotplug" >"$T/hotplug"
	ACTION=add DEVICENAME=wwan0 busybox sh "$T/hotplug"
	equal "available" 1 "$(state wan available)"
	equal "others" "" "$(state lan available)"
	rm "$NETIFD/state/wan.available"
	ACTION=add DEVICENAME=lo busybox sh "$files/25-qmap.hotplug"
	ACTION=remove DEVICENAME=wwan0 busybox sh "$T/hotplug"
	equal "not asked again" "" "$(state wan available)"
}

test_no_daemon() {
	router
	modem_start
	interface wan device=wwan0 control="$T/qmi" apn=internet
	ifup wan
	equal "error" NO_DAEMON "$(state wan errors)"
	equal "tried again" "yes " "$(state wan failed) $(state wan blocked)"
}

# A refusal is an error of the interface, which stays pending until qmapd's next try succeeds.
test_network_refuses() {
	start
	modem refuse pdn=1 family=4 verbose=27 >/dev/null
	modem refuse pdn=1 family=6 verbose=27 >/dev/null
	interface wan device=wwan0 control="$T/qmi" apn=nonsense
	ifup wan
	equal "error" "CALL_FAILED unknown_apn" "$(state wan errors | tail -n 1)"
	equal "pending" "no setup" "$(state wan up) $(state wan sm)"
	modem clear >/dev/null
	qmapctl redial wwan0 >/dev/null
	wait_for 10 is wan up yes
	answers 10.64.1.1 -I wwan0-1
}

test_sim() {
	start --pin 1234
	interface wan device=wwan0 control="$T/qmi" apn=internet
	ifup wan
	equal "without a PIN" PIN_NOT_SPECIFIED "$(state wan errors)"
	equal "blocked" yes "$(state wan blocked)"
	wait_for 10 attached_are ""
	interface wan device=wwan0 control="$T/qmi" apn=internet pincode=9999
	ifup wan
	equal "a wrong PIN" "PIN_FAILED yes" "$(state wan errors) $(state wan blocked)"
	wait_for 10 attached_are ""
	interface wan device=wwan0 control="$T/qmi" apn=internet pincode=1234
	ifup wan
	equal "the right one" yes "$(state wan up)"
}

# Leading zeros, which a number of JSON would lose, come as text from UCI.
test_pin_with_zeros() {
	start --pin 0012
	interface wan device=wwan0 control="$T/qmi" pincode='"0012"'
	ifup wan
	equal "up" yes "$(state wan up)"
}

has_failed() {
	grep -qs '^CALL_FAILED .*resources' "$NETIFD/state/wan.errors"
}

is_not_up() {
	is wan up no
}

# The hook has netifd follow, without a process per interface.
test_follows_the_network() {
	start
	interface wan device=wwan0 control="$T/qmi" apn=internet
	ifup wan
	modem refuse pdn=1 family=4 verbose=26 >/dev/null
	modem refuse pdn=1 family=6 verbose=26 >/dev/null
	modem disconnect pdn=1 family=4 >/dev/null
	wait_for 10 grep -qx 'route6 .*' "$NETIFD/state/wan.update"
	wait_for 10 only_ipv6
	modem disconnect pdn=1 family=6 >/dev/null
	wait_for 10 is_not_up
	wait_for 10 has_failed
	equal "reason" "CALL_FAILED insufficient_resources" "$(tail -n 1 "$NETIFD/state/wan.errors")"
	modem clear >/dev/null
	qmapctl redial wwan0 >/dev/null
	wait_for 10 is wan up yes
	answers 10.64.1.1 -I wwan0-1
}

only_ipv6() {
	! grep -q '^ipaddr' "$NETIFD/state/wan.update" && grep -q '^ip6addr' "$NETIFD/state/wan.update"
}

test_modem_goes_and_comes() {
	start
	interface wan device=wwan0 control="$T/qmi" apn=internet
	ifup wan
	modem_stop || :
	wait_for 10 is_not_up
	modem_start
	wait_for 20 is wan up yes
	answers 10.64.1.1 -I wwan0-1
	# and so does qmapd, which netifd does not notice
	qmapd_kill KILL || :
	qmapd_start
	answers 10.64.1.1 -I wwan0-1
	equal "up" yes "$(state wan up)"
	handler renew wan "$(cat "$NETIFD/config/wan.json")"
	equal "up" yes "$(state wan up)"
}

test_mtu() {
	start
	interface wan device=wwan0 control="$T/qmi" pdptype=ip mtu=1400
	ifup wan
	equal "MTU" 1400 "$(cat /sys/class/net/wwan0-1/mtu)"
}

# As procd starts it, on a router whose /etc alone is on flash.
service_start() {
	local line
	busybox sh "$top/tests/openwrt/rc.common" "$files/qmapd.init" >"$T/instance"
	equal "command" "command /usr/sbin/qmapd" "$(grep ^command "$T/instance")"
	# procd kills after five seconds, and hooks get ten (qmapd(8), SIGNALS)
	at_least "seconds to end" 15 "$(sed -n 's/^term_timeout //p' "$T/instance")"
	while read -r line; do
		export "${line#env }"
	done < <(grep '^env ' "$T/instance")
	qmapd_start
}

# "RX TX" of PDN 1, as LuCI sees it.
month() {
	rpcd show '{"dev":"wwan0"}' | jq -r '.result[0].pdns[0].totals[0] | "\(.rx_bytes) \(.tx_bytes)"'
}

test_totals_outlive_a_restart() {
	local before seen
	router
	mkdir "$T/etc" "$T/etc-work"
	mount -t overlay overlay -o "lowerdir=/etc,upperdir=$T/etc,workdir=$T/etc-work" /etc
	rm -rf /etc/qmap
	mkdir -p /etc/qmap
	cp "$files/qmapd.conf" /etc/qmap/
	modem_start
	service_start
	interface wan device=wwan0 control="$T/qmi" apn=internet
	ifup wan
	ping -q -c 3 -i 0.1 -W 5 -s 700 -I wwan0-1 10.64.1.1 >/dev/null
	wait_for 10 has_packets 3 wwan0-1
	before=$(month)
	at_least "received" $((3 * 728)) "${before% *}"
	[ ! -e /etc/qmap/state/totals ] || fail "flash is written while qmapd runs"
	# the router goes down: interfaces, qmapd, power
	ifdown wan
	wait_for 10 attached_are ""
	qmapd_kill
	modem_stop || :
	rm -rf /run/qmapd/* /var/run/qmapd/*
	modem_start
	service_start
	ifup wan
	seen=$(month)
	at_least "received, with the run before" "${before% *}" "${seen% *}"
	at_least "sent, with the run before" "${before#* }" "${seen#* }"
	ifdown wan
	wait_for 10 nothing_left
}

rpcd() { # METHOD [JSON]
	busybox sh "$files/qmap.rpcd" call "$1" <<<"${2:-{\}}"
}

test_ubus_object() {
	start
	interface wan device=wwan0 control="$T/qmi" apn=internet
	ifup wan
	local method
	busybox sh "$files/qmap.rpcd" list | jq -e . >/dev/null
	for method in $(busybox sh "$files/qmap.rpcd" list | jq -r keys[]); do
		[ "$method" = redial ] || rpcd "$method" | jq -e '.result | length > 0' >/dev/null ||
			fail "$method: $(rpcd "$method")"
		grep -qF "\"$method\"" "$files/qmap.acl.json" || fail "nobody may call $method"
	done
	equal "show" wwan0-1 "$(rpcd show '{"dev":"wwan0"}' | jq -r '.result[0].pdns[0].port')"
	equal "redial" up "$(rpcd redial '{"dev":"wwan0","pdn":1}' | jq -r '.result[0].pdns[0].families[0].state')"
	equal "no such device" ENODEV "$(rpcd show '{"dev":"wwan7"}' | jq -r .failure.errno)"
	# a device of that name, not the option
	equal "an option" ENODEV "$(rpcd show '{"dev":"--help"}' | jq -r .failure.errno)"
	equal "no such method" EINVAL "$(rpcd detach | jq -r .failure.errno)"
	jq -e . "$files/qmap.acl.json" >/dev/null
}

# of_readme HEADING: names in the first column of the tables under it
of_readme() {
	sed -n "/^## $1/,/^## /p" "$top/openwrt/README.md" | sed -n 's/^| \(`[^|]*\) |.*/\1/p' | grep -oE '[a-zA-Z_]+' | sort
}

# LuCI's page, run with a stand-in of LuCI, has the handler's options, the choices of README and its errors.
test_luci_page() {
	local option choice
	command -v duk >/dev/null || skip "no duk"
	{
		cat "$top/tests/openwrt/luci.js" && echo "var page = (function() {"
		cat "$top"/openwrt/luci-proto-qmap/htdocs/luci-static/resources/protocol/qmap.js
		echo "}()); page.renderFormOptions(section); out.forEach(function(line) { print(line); });"
	} >"$T/page.js"
	duk "$T/page.js" >"$T/page" || fail "$(cat "$T/page")"
	equal "options" "$({
		sed -nE 's/.*proto_config_add_[a-z]+ "?([a-z_]+).*/\1/p' "$files/qmap.sh"
		printf '%s\n' defaultroute peerdns metric # proto_config_add_defaults
	} | sort)" "$(sed -n 's/^option //p' "$T/page" | sort)"
	equal "options" "$(of_readme "An interface is a PDN")" "$(sed -n 's/^option //p' "$T/page" | sort)"
	equal "errors" "$(of_readme Errors)" "$(sed -n 's/^error //p' "$T/page" | sort)"
	while read -r option choice; do
		grep -E "^\|.*\`$option\`" "$top/openwrt/README.md" | grep -q "\`$choice\`" || fail "$option has no $choice"
	done < <(sed -n 's/^choice //p' "$T/page")
	[ "$(grep -c '^choice datapath ' "$T/page")" = 6 ]
}

run_tests "$@"
