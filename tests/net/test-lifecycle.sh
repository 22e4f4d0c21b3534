#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The life of a modem as its owner sees it: there, lost, back again; and what is told of it.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

# monitor_start OPTION...: events go to $T/events; listens when this returns.
monitor_start() {
	"$build/qmapctl" monitor -j -n 1 "$@" >"$T/events" 2>"$T/monitor.log" &
	monitor_pid=$!
}

# events JQ: of the modem's events so far.
events() {
	jq -rs "$1" "$T/events"
}

told() { # jq that must be true of the events so far
	[ "$(events "$1" 2>/dev/null)" = true ]
}

test_monitor() {
	modem_start
	qmapd_start
	monitor_start
	attach --pdn 1
	wait_for 5 told 'any(.kind == "modem" and .to == "ready")' || fail "$(cat "$T/events")"
	equal "kinds of line" true "$(events 'all(has("seq") and has("time") and has("dev"))')"
	equal "events in show" ready "$(field '.events | map(select(.kind == "modem"))[-1].to')"
	equal "modem" ready "$(field .modem.state)"
	[[ $(qmapctl show) != *"1970"* ]]
	kill -INT $monitor_pid
	wait $monitor_pid || fail "exit code $? on SIGINT"
	equal "stderr" "" "$(cat "$T/monitor.log")"
	monitor_start wwan1
	qmapctl detach wwan0
	monitor_start wwan0 -n 256
	wait_for 5 told 'any(.to == "detaching")' || fail "$(cat "$T/events")"
	equal "sequence" true "$(events 'map(.seq) | . == sort')"
	qmapd_kill TERM
	wait $monitor_pid || fail "exit code $? at the daemon's end"
	equal "stderr" "qmapctl: qmapd has ended" "$(cat "$T/monitor.log")"
	refused 2 "qmapd is not running" qmapctl monitor
}

run_tests "$@"
