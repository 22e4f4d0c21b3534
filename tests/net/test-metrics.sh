#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `qmapctl metrics`, read by the parsers of prometheus_client.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# samples FORMAT: parses standard input strictly; a line is NAME LABEL=VALUE... NUMBER.
samples() {
	# the one that Debian's packages are made for
	/usr/bin/python3 - "$1" 3<&0 <<-'EOF'
		import os, sys
		text = os.fdopen(3).read()
		if sys.argv[1] == 'openmetrics':
		    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
		else:
		    from prometheus_client.parser import text_string_to_metric_families as parse
		seen = set()
		for family in parse(text):
		    # what node_exporter (prometheus/common, expfmt) takes
		    if sys.argv[1] != 'openmetrics' and family.type not in ('counter', 'gauge'):
		        sys.exit('%s is of type %s' % (family.name, family.type))
		    if not family.documentation or not family.samples:
		        sys.exit('%s has no help, or no sample' % family.name)
		    for s in family.samples:
		        line = ' '.join([s.name] + sorted('%s=%s' % l for l in s.labels.items()))
		        if line in seen:
		            sys.exit('twice: ' + line)
		        seen.add(line)
		        print(line, '%d' % s.value if s.value == int(s.value) else s.value)
	EOF
}

metrics() { # [FORMAT]
	qmapctl metrics --format "${1:-openmetrics}" >"$T/text" && samples "${1:-openmetrics}" <"$T/text" >"$T/samples"
}

# value NAME LABEL=VALUE... (sorted): as in the last `metrics`
value() {
	awk -v want="$*" '{ n = $NF; sub(/ [^ ]*$/, "") } $0 == want { print n }' "$T/samples"
}

test_nothing_attached() {
	metrics && equal "as root, without qmapd" 0 "$(value qmap_daemon_up)"
	qmapd_start
	metrics && equal "with qmapd" 1 "$(value qmap_daemon_up)"
	equal "samples" 2 "$(wc -l <"$T/samples")"
}

# The second trunk waits for its modem and has no counters.
test_trunk_that_waits() {
	local daemon
	modem_start
	printf '%s\n' '[trunk wwan0]' "control = $T/qmi" '[trunk wwan5]' 'control = /nosuch' >"$T/conf"
	qmapd_start -c "$T/conf"
	wait_for 10 is_up_first || fail "$(qmapctl show)"
	for daemon in 1 0; do
		metrics || fail "metrics with qmap_daemon_up $daemon"
		equal "qmapd" "$daemon" "$(value qmap_daemon_up)"
		equal "counted" wwan0 "$(qmapctl -j stats | jq -r 'map(.dev) | join(" ")')"
		try qmapctl stats wwan5
		equal "exit status of a trunk without counters" 2 "$status"
		qmapctl metrics wwan5 >/dev/null || fail "metrics of wwan5 with qmap_daemon_up $daemon"
		[ $daemon = 0 ] || qmapd_kill KILL || :
	done
}

is_up_first() {
	qmapctl -j show | jq -e 'any(.dev == "wwan0" and .state == "attached")' >/dev/null
}

counted_unknown() {
	[ "$(stat_of .drops.unknown_mux)" = 1 ]
}

is_lost() {
	[ "$(field .state)" = lost ]
}

port() { # NAME LABEL=VALUE...: of PDN 1
	value "$1" "${@:2}" pdn=1 port=wwan0.1 trunk=wwan0
}

test_values() {
	modem_start
	qmapd_start
	attach --pdn 1,apn=internet --pdn 2,apn=ims,ip=v4 >/dev/null
	ping -q -c 5 -i 0.05 -I wwan0.1 10.64.1.1 >/dev/null
	wait_for 10 has_packets 5
	modem flow disable mux=77 >/dev/null
	wait_for 5 counted_unknown
	for format in openmetrics prometheus; do
		metrics $format
		equal "packets" "$(stat_of '.ports[0].rx_packets')" "$(port qmap_port_packets_total direction=rx)"
		equal "bytes" "$(stat_of '.ports[0].tx_bytes')" "$(port qmap_port_bytes_total direction=tx)"
		equal "drops" 1 "$(value qmap_drops_total reason=unknown_mux trunk=wwan0)"
		equal "of mux id" 1 "$(value qmap_unknown_mux_drops_total mux=0x4d trunk=wwan0)"
		equal "reasons" "$(stat_of '.drops | length')" "$(grep -c '^qmap_drops_total ' "$T/samples")"
		equal "signal" "$(field '.network.signal[0].rsrp')" "$(value qmap_signal_rsrp_dbm radio=lte trunk=wwan0)"
		equal "up" 1 "$(value qmap_call_state family=6 pdn=1 port=wwan0.1 state=up trunk=wwan0)"
		equal "states of calls that are" 3 "$(grep -c '^qmap_call_state .* 1$' "$T/samples")"
		equal "state" 1 "$(value qmap_trunk_state state=attached trunk=wwan0)"
		equal "MTU" "$(field '.pdns[0].mtu')" "$(value qmap_pdn_mtu_bytes pdn=1 port=wwan0.1 trunk=wwan0)"
		equal "APN" 1 "$(value qmap_pdn_info apn=ims mux=0x82 pdn=2 port=wwan0.2 trunk=wwan0)"
		equal "SIM" 1 "$(value qmap_sim_ready trunk=wwan0)"
	done
	# by another name for the same
	equal "families" "$(grep -c '^# TYPE' "$T/text")" "$(qmapctl -j metrics | jq length)"
	equal "other names" "" "$(qmapctl -j metrics | jq -r '.[].name' | grep -vE '^qmap_[a-z_]+$')"
}

test_without_qmapd() {
	modem_start
	qmapd_start
	attach --pdn 1,apn=internet >/dev/null
	ping -q -c 3 -i 0.05 -I wwan0.1 10.64.1.1 >/dev/null
	qmapd_kill KILL || :
	metrics
	equal "daemon" 0 "$(value qmap_daemon_up)"
	at_least "packets" 3 "$(port qmap_port_packets_total direction=rx)"
}

# A modem that is gone takes its counters along, and nothing else.
test_modem_is_gone() {
	modem_start
	qmapd_start
	attach --pdn 1,apn=internet >/dev/null
	modem_stop || :
	wait_for 10 is_lost
	metrics
	equal "state" 1 "$(value qmap_trunk_state state=lost trunk=wwan0)"
	equal "one trunk" 1 "$(qmapctl metrics wwan0 | samples openmetrics | grep -c 'qmap_trunk_info ')"
	refused 4 "wwan7 is not attached" qmapctl metrics wwan7
}

# A name of the modem or the network becomes neither a line nor a label of its own.
test_hostile_names() {
	modem_start
	qmapd_start
	attach --pdn '1,apn=a"b\c{d}=e' >/dev/null || attach --control none --pdn '1,apn=a"b\c{d}=e' >/dev/null
	metrics
	equal "APN" 1 "$(value qmap_pdn_info 'apn=a"b\c{d}=e' mux=0x81 pdn=1 port=wwan0.1 trunk=wwan0)"
}

test_file() {
	qmapd_start
	mkdir "$T/textfile"
	ln -s /etc/passwd "$T/textfile/qmap.prom"
	qmapctl metrics --format prometheus --output "$T/textfile/qmap.prom"
	equal "a file, no link" "regular file 644" "$(stat -c '%F %a' "$T/textfile/qmap.prom")"
	samples prometheus <"$T/textfile/qmap.prom" >/dev/null
	equal "files" qmap.prom "$(ls "$T/textfile")"
	refused 4 "cannot write $T/none/qmap.prom" qmapctl metrics --output "$T/none/qmap.prom"
	refused 1 "allowed: openmetrics, prometheus" qmapctl metrics --format json
}

# Nodes of the test's own: root's /dev/null would be gone.
test_file_that_is_a_device() {
	qmapd_start
	mknod "$T/null" c 1 3
	ln -s "$T/null" "$T/link"
	refused 1 "$T/null is no regular file" qmapctl metrics --output "$T/null"
	refused 1 "$T/link is no regular file" qmapctl metrics --output "$T/link"
	equal "null" "character special file" "$(stat -c %F "$T/null")"
	equal "link" "symbolic link" "$(stat -c %F "$T/link")"
}

read_socket() { # PATH
	perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => shift) or exit 1; print $s->getlines' "$1"
}

# The command of the unit, as a user whose only right is the group of the control socket, for each connection.
test_socket() {
	local command
	command -v systemd-socket-activate >/dev/null || skip "no systemd-socket-activate"
	read -ra command < <(sed -n "s|^ExecStart=@BINDIR@|$build|p" "$top/system/qmap-metrics@.service")
	modem_start
	qmapd_start
	attach --pdn 1,apn=internet >/dev/null
	chmod 711 "$T" && install -d -o 65534 "$T/listen"
	setpriv --reuid 65534 --regid "$(stat -c %g /run/qmapd/control)" --clear-groups \
		systemd-socket-activate --accept --inetd -l "$T/listen/sock" "${command[@]}" 2>"$T/log" &
	wait_for 5 socket_listens "$T/listen/sock"
	for _ in 1 2; do
		read_socket "$T/listen/sock" >"$T/text"
		samples openmetrics <"$T/text" >"$T/samples"
		equal "daemon" 1 "$(value qmap_daemon_up)"
		equal "state" 1 "$(value qmap_trunk_state state=attached trunk=wwan0)"
		equal "families" "$(qmapctl -j metrics | jq length)" "$(grep -c '^# TYPE' "$T/text")"
	done
	qmapd_kill KILL || :
	equal "without qmapd" "" "$(read_socket "$T/listen/sock")"
}

run_tests "$@"
