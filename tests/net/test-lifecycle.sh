#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The life of a modem from its owner's view: present, lost, back again; and the events about it.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

# events JQ: applies JQ to the modem's events so far.
events() {
	jq -rs "$1" "$T/events"
}

told() { # jq that must be true of the events so far
	[ "$(events "$1" 2>/dev/null)" = true ]
}

test_monitor() {
	modem_start
	qmapd_start
	events_start
	attach --pdn 1
	wait_for 5 told 'any(.kind == "modem" and .to == "ready")' || fail "$(cat "$T/events")"
	equal "kinds of line" true "$(events 'all(has("seq") and has("time") and has("dev"))')"
	equal "events in show" ready "$(field '.events | map(select(.kind == "modem"))[-1].to')"
	equal "modem" ready "$(field .modem.state)"
	[[ $(qmapctl show) != *"1970"* ]]
	kill -INT $monitor_pid
	wait $monitor_pid || fail "exit code $? on SIGINT"
	equal "stderr" "" "$(cat "$T/monitor.log")"
	events_start wwan1
	qmapctl detach wwan0
	events_start wwan0
	wait_for 5 told 'any(.to == "detaching")' || fail "$(cat "$T/events")"
	equal "sequence" true "$(events 'map(.seq) | . == sort')"
	qmapd_kill TERM
	wait $monitor_pid || fail "exit code $? at the daemon's end"
	grep -q 'wwan0 is not attached: .* waiting for it$' "$T/monitor.log" || fail "stderr: $(cat "$T/monitor.log")"
	equal "last line of stderr" "qmapctl: qmapd has ended" "$(tail -n 1 "$T/monitor.log")"
	refused 2 "qmapd is not running" qmapctl monitor
}

# --- there, gone, back ---

conf() { # [line]...
	printf '[trunk wwan0]\ncontrol = %s\n' "$T/qmi" >"$T/qmapd.conf"
	printf '%s\n' "$@" >>"$T/qmapd.conf"
}

our_netdevs() {
	ip -o link | grep -oE ' wwan0[^:@]*' | tr -d '\n'
}

# back_within MS WHAT: from $began until traffic passes again.
back_within() {
	wait_for 10 pings || fail "$2: $(qmapctl -j show | jq -c ".[0].events[]")"
	took "$began" "$2: until traffic passes" "$1"
}

# A modem that is plugged in after the machine has booted. Perl prints each datagram of sd_notify(3) on
# a line, with blanks for newlines.
notifications_start() {
	# shellcheck disable=SC2016 # it is perl's
	perl -MSocket -e '$| = 1; socket(S, PF_UNIX, SOCK_DGRAM, 0); bind(S, pack_sockaddr_un($ARGV[0]));
		while (defined recv(S, my $b, 4096, 0)) { $b =~ tr/\n/ /; print "$b\n"; }' \
		"$T/notify" >"$T/notified" &
	wait_for 5 test -S "$T/notify"
}

notified() { # pattern
	grep -qE -- "$1" "$T/notified"
}

test_service_manager() {
	modem_start
	notifications_start
	printf '[qmapd]\n' >"$T/qmapd.conf"
	NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=200000 qmapd_start -c "$T/qmapd.conf"
	wait_for 5 notified '^READY=1$'
	watched() { [ "$(grep -c '^WATCHDOG=1$' "$T/notified")" -ge 3 ]; }
	wait_for 10 watched || fail "the watchdog hears nothing"
	attach --pdn 1,ip=v4 >/dev/null
	wait_for 10 notified '^STATUS=wwan0: modem opening -> ready$' || fail "$(grep STATUS "$T/notified")"
	kill -HUP "$qmapd_pid"
	wait_for 5 notified '^RELOADING=1 MONOTONIC_USEC=[0-9]+$'
	wait_for 5 notified '^STATUS=Configuration read again$'
	printf '[qmapd]\nnonsense = 1\n' >"$T/qmapd.conf"
	kill -HUP "$qmapd_pid"
	wait_for 5 notified "^STATUS=Not reloaded: $T/qmapd.conf:2: .*\"nonsense\""
	ready() { [ "$(grep -c '^READY=1$' "$T/notified")" = 3 ]; }
	wait_for 5 ready
	qmapctl detach wwan0
	qmapd_kill
	wait_for 5 notified '^STOPPING=1$'
	# another process's watchdog is not ours
	: >"$T/notified"
	NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=20000 WATCHDOG_PID=1 qmapd_start
	wait_for 5 notified '^READY=1$'
	attach --pdn 1,ip=v4 >/dev/null
	qmapctl detach wwan0
	! notified WATCHDOG || fail "for process 1"
	nothing_left
}

# systemd's exposure score times ten; below 45 it prints OK.
test_unit_is_confined() {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	sed -E "s/@S?BINDIR@/${build//\//\\/}/" "$top/system/qmapd.service" >"$T/qmapd.service"
	try systemd-analyze verify --man=no "$T/qmapd.service"
	says ""
	[[ $said != *qmapd.service* ]] || fail "$said"
	systemd-analyze security --offline=yes --no-pager --threshold=44 "$T/qmapd.service" >"$T/security" ||
		fail "$(tail -n 1 "$T/security")"
	figure "$(tail -n 1 "$T/security")"
}

test_before_plug_in() {
	conf
	qmapd_start -c "$T/qmapd.conf"
	wait_for 5 modem_is absent || fail "$(qmapctl show)"
	equal "state" attaching "$(field .state)"
	equal "ifindex" null "$(field .ifindex)"
	equal "netdevs" "" "$(our_netdevs)"
	says_of_show "there is no netdev wwan0"
	modem_start
	began=${EPOCHREALTIME/./}
	back_within 2000 "plugged in"
	equal "modem" ready "$(field .modem.state)"
	qmapctl detach wwan0
	nothing_left
}

# Clients that leave, and the kernel's late news of a netdev, wake it up as well.
sleeps_for_two_seconds() {
	local before
	before=$(wakeups)
	read -rt 2 <> <(:) || :
	[ "$(wakeups)" = "$before" ]
}

wakeups() {
	awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$qmapd_pid/status"
}

# The netdev exists and the control channel does not: qmapd neither polls for it nor delays when it
# appears.
test_control_channel_is_late() {
	modem_start
	mv "$T/qmi" "$T/elsewhere"
	conf "poll = 0"
	qmapd_start -c "$T/qmapd.conf"
	wait_for 5 modem_is present || fail "$(qmapctl show)"
	says_of_show "No such file"
	wait_for 5 sleeps_for_two_seconds || fail "qmapd wakes up every two seconds"
	began=${EPOCHREALTIME/./}
	mv "$T/elsewhere" "$T/qmi"
	back_within 1000 "control channel after two seconds"
	qmapctl detach wwan0
	nothing_left
}

says_of_show() {
	said=$(qmapctl show)
	says "$1"
}

# A user needs the error; no command waits afterwards.
test_attach_of_what_is_not_there() {
	qmapd_start
	refused 4 "there is no netdev wwan0" qmapctl attach wwan0 --control "$T/qmi"
	equal "trunks" "[]" "$(qmapctl -j show)"
	modem_start
	mv "$T/qmi" "$T/elsewhere"
	refused 4 "No such file" qmapctl attach wwan0 --control "$T/qmi"
	equal "trunks" "[]" "$(qmapctl -j show)"
	modem_pid='' nothing_left
}

# Netdev and control socket stay, calls and client ids are gone: ports stay, too.
test_reboot() {
	local before
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2,ip=v4
	events_start
	before=$(port_ids)
	modem reboot ms=3000 >/dev/null
	wait_for 5 modem_is_not_ready || fail "nobody has noticed"
	equal "state" lost "$(field .state)"
	wait_for 5 modem_answers
	began=${EPOCHREALTIME/./}
	back_within 2000 "rebooted"
	equal "ports" "$before" "$(port_ids)"
	wait_for 5 told 'any(.from == "ready" and .to == "lost" and (.reason | test("restarted")))' ||
		fail "$(cat "$T/events")"
	wait_for 5 both_pdns_up || fail "$(qmapctl show)"
	generated wwan0.1=1 wwan0.2=2 --
	equal "client ids" 7 "$(modem_stat '.qmi.clients | add')"
	qmapctl detach wwan0
	nothing_left
}

both_pdns_up() {
	[ "$(field '.pdns | map(.families[] | select(.address)) | length')" = 3 ]
}

modem_is_not_ready() {
	! modem_is ready
}

modem_answers() {
	modem stats | jq -e '.silent | not' >/dev/null
}

port_ids() {
	for port in wwan0.1 wwan0.2; do
		cat /sys/class/net/$port/ifindex
	done
}

# Without an indication: the daemon finds out that its client ids are gone.
test_reboot_without_announcement() {
	modem_start
	qmapd_start
	attach --pdn 1
	modem reboot ms=300 announce=never >/dev/null
	wait_for 5 modem_answers
	# the host notices it by the next request
	modem disconnect pdn=1 >/dev/null 2>&1 || :
	qmapd_kill KILL || :
	began=${EPOCHREALTIME/./}
	qmapd_start
	back_within 2000 "rebooted while nobody was there"
	qmapctl detach wwan0
	nothing_left
}

# Unplugged: netdev and control channel vanish. Objects built on them go, the configuration stays.
test_unplug_and_replug() {
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2,ip=v4
	for _ in 1 2 3; do
		modem_stop
		wait_for 5 modem_is absent || fail "$(qmapctl show)"
		equal "state" lost "$(field .state)"
		refused 2 "wwan0 waits for its modem" qmapctl stats wwan0
		says "\`qmapctl show wwan0\` says what it waits for"
		try qmapctl stats
		says "or waits for its modem"
		equal "netdevs left" "" "$(our_netdevs)"
		equal "routes left" "" "$(ip -o route show default)"
		modem_start
		began=${EPOCHREALTIME/./}
		back_within 2000 "replugged"
		wait_for 5 both_pdns_up || fail "$(qmapctl show)"
	done
	generated wwan0.1=1 wwan0.2=2 --
	equal "pins" 1 "$(find /sys/fs/bpf/qmap -mindepth 1 -type d | wc -l)"
	qmapctl detach wwan0
	nothing_left
}

# The netdev alone is gone, the modem still holds the calls.
test_netdev_vanishes() {
	modem_start --inject tun # a linear one does not survive the move
	qmapd_start
	attach --pdn 1
	ip link set wwan0 netns net
	wait_for 5 modem_is absent || fail "$(qmapctl show)"
	says_of_show "moved the netdev to another namespace"
	equal "netdevs left" "" "$(our_netdevs)"
	wait_for 5 clients_left || fail "$(modem stats | jq -c .qmi.clients)"
	ip -n net link set wwan0 netns $$
	began=${EPOCHREALTIME/./}
	back_within 2000 "brought back"
	qmapctl detach wwan0
	nothing_left
}

# With a name that is not configured it is left alone, until it has the right one.
test_netdev_of_another_name() {
	modem_start --trunk wwan7
	conf
	qmapd_start -c "$T/qmapd.conf"
	wait_for 5 modem_is absent
	ip link set wwan7 name wwan0
	began=${EPOCHREALTIME/./}
	back_within 2000 "renamed"
	ip link set wwan0 down
	ip link set wwan0 name wwan9
	wait_for 5 netdev_is wwan9 || fail "$(qmapctl -j show)"
	ip link set wwan9 up
	wait_for 5 pings || fail "no traffic after a rename"
	equal "trunk" wwan0 "$(field .dev)"
	qmapctl detach wwan0
	modem_pid='' nothing_left
}

netdev_is() {
	[ "$(field .netdev)" = "$1" ]
}

# The control channel alone is missing.
test_waits_for_the_control_channel() {
	modem_start
	mv "$T/qmi" "$T/elsewhere"
	conf
	qmapd_start -c "$T/qmapd.conf"
	wait_for 5 modem_is present || fail "$(qmapctl show)"
	says_of_show "No such file"
	equal "state" attaching "$(field .state)"
	mv "$T/elsewhere" "$T/qmi"
	began=${EPOCHREALTIME/./}
	back_within 2000 "control channel appeared"
	qmapctl detach wwan0
	nothing_left
}

# A modem that is present and silent, as one that boots.
test_waits_for_an_answer() {
	modem_start
	modem never '*' '*' >/dev/null
	conf
	qmapd_start -c "$T/qmapd.conf"
	wait_for 5 modem_is opening || fail "$(qmapctl show)"
	modem wait qmi.requests '>=' 2 timeout=8000 >/dev/null
	modem clear >/dev/null
	began=${EPOCHREALTIME/./}
	back_within 2000 "begins to answer"
	qmapctl detach wwan0
	nothing_left
}

# Time from each opening to the next, in ms, by the stamps of the events: at least the pause in between.
between_openings() {
	field .events | jq -r '[.[] | select(.kind == "modem" and .to == "opening").time |
		(.[0:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber)] | [., .[1:]] | transpose[] |
		select(.[1]) | .[1] - .[0]'
}

# A refused set-up is retried at growing intervals.
test_refused_set_up() {
	local waits
	modem_start
	modem error wda 0x20 code=3 >/dev/null
	conf 'timeout = 2'
	qmapd_start -c "$T/qmapd.conf"
	wait_for 5 modem_is present || fail "$(qmapctl show)"
	modem wait qmi.syncs '>=' 6 timeout=5000 >/dev/null
	mapfile -t waits < <(between_openings)
	figure "ms between attempts: ${waits[*]}"
	at_least "second pause" 190 "${waits[1]}"
	at_least "fourth pause" 790 "${waits[3]}"
	modem clear >/dev/null
	wait_for 8 pings || fail "$(qmapctl show)"
	qmapctl detach wwan0
	nothing_left
}

test_detach_while_waiting() {
	conf
	qmapd_start -c "$T/qmapd.conf"
	wait_for 5 modem_is absent
	qmapctl detach wwan0
	equal "trunks" "[]" "$(qmapctl -j show)"
	nothing_left
	modem_start
	modem never '*' '*' >/dev/null
	qmapctl attach wwan0 --control "$T/qmi" >"$T/attach" 2>&1 &
	local asking=$!
	wait_for 5 modem_is opening
	modem clear >/dev/null
	qmapctl detach wwan0
	! wait $asking || fail "an attach that was cancelled says it was done"
	grep -q "was detached meanwhile" "$T/attach" || fail "$(cat "$T/attach")"
	equal "trunks" "[]" "$(qmapctl -j show)"
	nothing_left
}

# --- killed in any state ---

adopted_as() {
	[ "$(field ' | [.daemon, .modem.state] | map(tostring) | join(" ")')" = "null $1" ]
}

test_killed_while_absent() {
	modem_start
	qmapd_start
	attach --pdn 1,metric=77
	modem_stop
	wait_for 5 modem_is absent
	qmapd_kill KILL || :
	equal "shown without a daemon" "false lost" "$(field ' | [.daemon, .state] | map(tostring) | join(" ")')"
	qmapd_start
	wait_for 5 adopted_as absent || fail "$(qmapctl -j show)"
	modem_start
	began=${EPOCHREALTIME/./}
	back_within 2000 "plugged in after a kill"
	equal "metric" 77 "$(ip -j route show default | jq '.[0].metric')"
	qmapd_kill KILL || :
	modem_stop
	qmapctl detach wwan0
	nothing_left
}

# Unplugged and plugged in again while no daemon was running.
test_killed_and_replugged() {
	modem_start
	qmapd_start
	attach --pdn 1
	qmapd_kill KILL || :
	modem_stop
	modem_start
	began=${EPOCHREALTIME/./}
	qmapd_start
	back_within 2000 "replugged while nobody was there"
	equal "pins" 1 "$(find /sys/fs/bpf/qmap -mindepth 1 -type d | wc -l)"
	qmapctl detach wwan0
	nothing_left
}

test_killed_while_lost() {
	modem_start
	qmapd_start
	attach --pdn 1
	modem reboot ms=1500 >/dev/null
	wait_for 5 modem_is_not_ready
	qmapd_kill KILL || :
	qmapd_start
	wait_for 5 modem_answers
	began=${EPOCHREALTIME/./}
	back_within 2000 "rebooted, killed"
	qmapctl detach wwan0
	nothing_left
}

# The next daemon attaches a configured trunk whose daemon died during the attach.
test_killed_while_attaching_what_is_configured() {
	conf
	for n in {2..14..3}; do
		modem_start --latency 5
		qmapd_start -c "$T/qmapd.conf"
		modem wait qmi.requests '>=' "$n" >/dev/null
		qmapd_kill KILL || :
		began=${EPOCHREALTIME/./}
		qmapd_start -c "$T/qmapd.conf"
		back_within 3000 "killed at request $n"
		equal "client ids" 6 "$(modem_stat '.qmi.clients | add')"
		qmapctl detach wwan0
		nothing_left || fail "killed at request $n"
		qmapd_kill
		modem_stop
	done
}

run_tests "$@"
