#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bytes of each PDN by month, through restarts, kills, attaches and replugs; quotas.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

counters() { # "RX TX" of wwan0.1
	qmapctl -j stats wwan0 | jq -r '.[0].ports[] | select(.port == "wwan0.1") | "\(.rx_bytes) \(.tx_bytes)"'
}

totals() { # "RX TX" of PDN 1 this month
	field ".pdns[0].totals | if length == 1 and .[0].month == \"$(date +%Y-%m)\" then .[0] else {} end |
		\"\(.rx_bytes) \(.tx_bytes)\""
}

traffic() {
	local before
	before=$(packets_received)
	ping -q -c 3 -i 0.1 -W 5 -s 700 -I wwan0.1 10.64.1.1 >/dev/null
	wait_for 10 has_packets $((before + 3))
}

sum() { # "RX TX" "RX TX"
	echo "$((${1% *} + ${2% *})) $((${1#* } + ${2#* }))"
}

is_attached() {
	[ "$(field .state)" = attached ] && [ "$(field '.pdns[0].families[0].state')" = up ]
}

start_with_state() {
	export STATE_DIRECTORY=$T/state
	mkdir -p "$STATE_DIRECTORY"
	start "$@"
}

# Nothing else sends in these tests, so that each sum is exact.
test_totals_survive() {
	local before
	start_with_state
	attach --pdn 1,ip=v4 >/dev/null
	traffic
	[ "$(counters)" != "0 0" ]
	equal "first" "$(counters)" "$(totals)"
	qmapd_kill
	traffic
	qmapd_start
	wait_for 10 is_attached
	equal "after a restart, with traffic meanwhile" "$(counters)" "$(totals)"
	traffic
	equal "before a kill" "$(counters)" "$(totals)"
	qmapd_kill KILL || :
	traffic
	qmapd_start
	wait_for 10 is_attached
	equal "after a kill" "$(counters)" "$(totals)"
	before=$(totals)
	detach
	attach --pdn 1,ip=v4 >/dev/null
	traffic
	equal "after another attach" "$(sum "$before" "$(counters)")" "$(totals)"
	before=$(totals)
	detach
	qmapd_kill
	qmapd_start
	attach --pdn 1,ip=v4 >/dev/null
	equal "with another process" "$before" "$(totals)"
	detach
}

test_replug_and_change() {
	local before
	start_with_state
	attach --pdn 1,ip=v4 >/dev/null
	traffic
	before=$(totals)
	modem reboot ms=300 >/dev/null
	wait_for 10 is_lost
	wait_for 20 is_attached
	traffic
	at_least "received, after a restart of the modem" $((${before% *} + 3 * 728)) "$(totals | cut -d' ' -f1)"
	at_least "no more than that" "$(totals | cut -d' ' -f1)" $((${before% *} + 6 * 728))
	before=$(totals)
	# without QMAP the counters are those of the modem's netdev, and older than the attach
	detach
	modem_stop
	modem_start --model EC25
	attach --qmap off --pdn 1,ip=v4 >/dev/null
	equal "bytes before the attach" "$before" "$(totals)"
	ping -q -c 3 -i 0.1 -W 5 -s 700 -I wwan0 10.64.1.1 >/dev/null
	# the software modem's packets do not count as received by its TUN
	equal "sent without QMAP" $((${before#* } + 3 * 728)) "$(totals | cut -d' ' -f2)"
	detach
}

# A PDN that is added again counts from 0, and may soon have more bytes than it had.
test_port_is_made_again() {
	local before
	start_with_state
	attach --pdn 1,ip=v4 >/dev/null
	traffic
	before=$(totals)
	printf '[trunk wwan0]\ncontrol = %s\n[trunk wwan0 pdn 1]\nip = v4\nmux = 9\n' "$T/qmi" >"$T/conf"
	qmapctl apply "$T/conf" >/dev/null
	traffic
	traffic
	equal "bytes" "$(sum "$before" "$(counters)")" "$(totals)"
	detach
}

is_lost() {
	[ "$(field .state)" = lost ]
}

test_without_a_directory() {
	unset STATE_DIRECTORY
	start
	attach --pdn 1,ip=v4 >/dev/null
	traffic
	equal "in memory" "$(counters)" "$(totals)"
	detach
}

quota_events() {
	field '.events | map(select(.kind == "quota")) | length'
}

test_quota() {
	cat >"$T/hook" <<-EOF
		#!/bin/sh
		echo "\$QMAP_EVENT \$QMAP_DEV \$QMAP_PORT \$QMAP_PDN" >>$T/hooks
	EOF
	chmod 755 "$T/hook"
	start_with_state
	attach --hook "$T/hook" --pdn 1,ip=v4,quota=1 >/dev/null
	traffic
	equal "reached" false "$(field '.pdns[0].quota_reached')"
	equal "events" 0 "$(quota_events)"
	modem generate pdn=1 count=1000 size=1200 >/dev/null
	modem wait generate.active == false
	wait_for 10 is_reached || fail "$(qmapctl -j show)"
	equal "events" 1 "$(quota_events)"
	try qmapctl show
	says "% of the quota of 1 MB"
	wait_for 10 grep -qx "quota wwan0 wwan0.1 1" "$T/hooks" || fail "the hook has not run: $(cat "$T/hooks")"
	qmapctl metrics | grep -qx 'qmap_pdn_quota_reached{trunk="wwan0",pdn="1",port="wwan0.1"} 1'
	qmapctl metrics | grep -q '^qmap_pdn_month_rx_bytes{.*month="'
	# once a month, whatever happens to the process
	qmapd_kill KILL || :
	qmapd_start
	wait_for 10 is_attached
	equal "hooks for it" 1 "$(grep -c quota "$T/hooks")"
	equal "events of the new process" 0 "$(quota_events)"
	detach
}

is_reached() {
	[ "$(field '.pdns[0].quota_reached')" = true ]
}

run_tests "$@"
