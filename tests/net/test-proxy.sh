#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Several programs on one control channel: through libqmi's qmi-proxy, and through ours.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

proxy_pid='' device=''

# Is a process listening on the abstract socket of a proxy?
proxy_listens() {
	[ -n "$(ss -Hx state listening src @qmi-proxy)" ]
}

libqmi_proxy_run() {
	/usr/libexec/qmi-proxy --verbose --no-exit >>"$T/proxy.log" 2>&1 &
	proxy_pid=$!
}

# libqmi's own proxy, and a character device that it can open: a pseudo terminal before the modem.
libqmi_proxy_start() {
	bridge_start
	libqmi_proxy_run
	wait_for 10 proxy_listens
}

bridge_start() {
	"$build/pty-bridge" "$T/qmi" >"$T/device" &
	wait_for 10 test -s "$T/device"
	device=$(cat "$T/device")
}

# cli OPTION...: runs qmicli through the proxy that is running, on $device.
cli() {
	timeout $((30 * PATIENCE)) qmicli -p --device-open-qmi -d "$device" "$@"
}

client_ids() {
	modem stats | jq -c .qmi.clients
}

# many N: runs so many qmicli at once, of four services; each must get a true answer.
many() {
	local i pids=() p
	for ((i = 0; i < $1; i++)); do
		case $((i % 4)) in
		0) cli --dms-get-model ;;
		1) cli --nas-get-signal-strength ;;
		2) cli --uim-get-card-status ;;
		3) cli --wds-get-packet-service-status ;;
		esac >"$T/many.$i" 2>&1 &
		pids+=($!)
	done
	for p in "${pids[@]}"; do
		wait "$p" || fail "one of $1 qmicli has failed: $(tail -qn 2 "$T"/many.*)"
	done
	equal "models told" $((($1 + 3) / 4)) "$(grep -c "Model: 'RG500Q-EA'" "$T"/many.* | grep -c ':1$')"
	equal "card states told" $((($1 + 1) / 4)) "$(grep -c "Card state: 'present'" "$T"/many.* | grep -c ':1$')"
}

is_connected() {
	[ "$(field ' | [.daemon, .state, .pdns[0].families[0].state] | map(tostring) | join(" ")')" = "null attached up" ]
}

pings() {
	answers 198.51.100.1
}

# --- as a client of libqmi's proxy ---

# attach_by_libqmi OPTION...: starts modem, proxy and qmapd, and attaches through the proxy.
attach_by_libqmi() {
	modem_start
	libqmi_proxy_start
	qmapd_start
	qmapctl attach wwan0 --control "qmi-proxy:$device" "$@"
	before=$(client_ids)
}

test_client_of_qmi_proxy() {
	attach_by_libqmi --pdn 1 --pdn 2
	equal exclusive false "$(field .exclusive)"
	pings
	ping -i 0.05 -c 100 -W 5 -q 198.51.100.1 >"$T/ping" &
	local pinging=$!
	many 12
	wait "$pinging" || fail "pings got lost: $(cat "$T/ping")"
	equal "client ids beside" "$before" "$(client_ids)"
	equal "answers for others" 0 "$(field .qmi.unknown_client)"
	equal "SYNCs" 0 "$(modem_stat .qmi.syncs)"
	qmapctl detach wwan0
	nothing_left
}

# Indications come through the proxy, and only ours.
test_client_indications() {
	attach_by_libqmi --pdn 1,ip=v4
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	mtu_is() { [ "$(cat /sys/class/net/wwan0.1/mtu)" = "$1" ]; }
	wait_for 10 mtu_is 1400 || fail "no indication has come: $(ip -o link show wwan0.1)"
	equal "indications for others" 0 "$(field .qmi.unknown_client)"
}

test_client_adoption() {
	attach_by_libqmi --pdn 1
	qmapd_kill KILL || :
	qmapd_start
	wait_for 10 is_connected || fail "not adopted"
	equal "client ids" "$before" "$(client_ids)"
	pings
	modem reconfigure pdn=1 mtu=1400 >/dev/null
	mtu_is() { [ "$(cat /sys/class/net/wwan0.1/mtu)" = "$1" ]; }
	wait_for 10 mtu_is 1400 || fail "no indication after adoption"
	qmapctl detach wwan0
	nothing_left
}

test_client_of_the_modems_own_proxy() {
	modem_start --qmi-proxy
	qmapd_start
	qmapctl attach wwan0 --control "qmi-proxy:$T/qmi" --pdn 1
	pings
	qmapctl detach wwan0
	nothing_left
}

test_client_errors() {
	modem_start
	qmapd_start --qmi-proxy no
	refused 2 "qmi-proxy does not answer: Connection refused" \
		qmapctl attach wwan0 --control qmi-proxy:/dev/null
	says "start it (ModemManager does)"
	refused 4 "no control device of wwan0 found" qmapctl attach wwan0 --control qmi-proxy
	libqmi_proxy_start
	refused 4 "qmi-proxy cannot open /dev/cdc-wdm9" qmapctl attach wwan0 --control qmi-proxy:/dev/cdc-wdm9
	"$build/proxy-tool" "$device" hold >"$T/held" &
	wait_for 10 test -s "$T/held"
	refused 2 "control channel $device belongs to qmi-proxy (pid $proxy_pid)" \
		qmapctl attach wwan0 --control "$device"
	says "share it: --control qmi-proxy:$device"
	nothing_left
}

# The first process to take the proxy's name owns it: root only trusts root's.
test_client_trusts_root_only() {
	modem_start
	setpriv --reuid 65534 --clear-groups perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0);
		bind(S, pack_sockaddr_un("\0qmi-proxy")); listen(S, 1); sleep 100' &
	wait_for 10 proxy_listens
	qmapd_start
	refused 5 "what serves as qmi-proxy is run by user 65534, not by root" \
		qmapctl attach wwan0 --control qmi-proxy:/dev/null
	nothing_left
}

test_client_loses_proxy() {
	attach_by_libqmi --pdn 1
	kill "$proxy_pid"
	lost() { [ "$(field .state)" != attached ]; }
	wait_for 10 lost || fail "the loss of the proxy goes unnoticed: $(qmapctl show)"
}

libqmi_proxy_restart() { # SIGNAL
	kill "-$1" "$proxy_pid"
	wait "$proxy_pid" 2>/dev/null || :
	libqmi_proxy_run
	wait_for 10 proxy_listens
}

all_up() {
	[ "$(field '| [.state, (.pdns[].families[].state)] | unique | join(" ")')" = "attached up" ]
}

# The modem has not restarted: it still has the client ids and the calls.
test_client_proxy_restarts() {
	local signal starts
	attach_by_libqmi --pdn 1 --pdn 2
	starts=$(modem_stat .qmi.starts)
	for signal in TERM KILL; do
		libqmi_proxy_restart $signal
		wait_for 10 all_up || fail "after $signal: $(qmapctl show)"
		no_ids_leaked
		equal "calls dialled" "$starts" "$(modem_stat .qmi.starts)"
		pings
	done
	qmapctl detach wwan0
	equal "ids left" 0 "$(id_count)"
	nothing_left
}

id_count() {
	modem stats | jq '[.qmi.clients[]] | add'
}

# lost_ids: ids that qmapd says it has lost, because an answer was on its way when the proxy ended.
lost_ids() {
	grep -o '[0-9]* client ids of [A-Z]* may be lost' "$T/qmapd.log" | awk '{ n += $1 } END { print n + 0 }'
}

# The proxy ends at any step of the way up: nothing is left but what was on its way.
test_client_proxy_killed_at_each_step() {
	local n ids
	modem_start
	libqmi_proxy_start
	qmapd_start
	printf '[trunk wwan0]\ncontrol = qmi-proxy:%s\nbackoff-min = 100\n[trunk wwan0 pdn 1]\n' "$device" >"$T/conf"
	qmapctl apply "$T/conf" >/dev/null
	ids=$(id_count)
	qmapctl detach wwan0
	for n in 2 4 6 8 10 12 14 17 20 24 28; do
		: >"$T/qmapd.log"
		modem reset >/dev/null
		qmapctl apply "$T/conf" >/dev/null 2>&1 &
		modem wait qmi.requests '>=' "$n" timeout=10000 >/dev/null || fail "request $n does not come"
		libqmi_proxy_restart KILL
		wait_for 20 all_up || fail "killed at request $n: $(qmapctl show)"
		wait_for 5 ids_end_at $((ids + $(lost_ids))) ||
			fail "killed at request $n: $ids ids before, $(id_count) now, lost: $(lost_ids)"
		answers 10.64.1.1
		qmapctl detach wwan0
		wait_for 5 ids_end_at $(($(lost_ids))) || fail "detached after request $n: $(client_ids)"
		modem reboot >/dev/null
	done
}

ids_end_at() {
	[ "$(id_count)" -le "$1" ]
}

# qmapd ends while the proxy is away, and finds it later.
test_client_adoption_without_proxy() {
	attach_by_libqmi --pdn 1
	qmapd_kill KILL || :
	kill -KILL "$proxy_pid"
	wait "$proxy_pid" 2>/dev/null || :
	qmapd_start
	waits_for_proxy() { field .reason | grep -q "qmi-proxy does not answer"; }
	wait_for 10 waits_for_proxy || fail "$(qmapctl show)"
	qmapd_kill KILL || :
	qmapd_start
	wait_for 10 waits_for_proxy || fail "$(qmapctl show)"
	libqmi_proxy_run
	wait_for 10 all_up || fail "$(qmapctl show)"
	no_ids_leaked
	equal "calls dialled" 2 "$(modem_stat .qmi.starts)"
	pings
	qmapctl detach wwan0
	equal "ids left" 0 "$(id_count)"
	nothing_left
}

# A proxy that hangs: nothing is lost that it has read, and the calls are there afterwards.
test_client_proxy_hangs() {
	attach_by_libqmi --poll 1 --timeout 1 --pdn 1
	kill -STOP "$proxy_pid"
	lost() { [ "$(field .modem.state)" != ready ]; }
	wait_for 20 lost || fail "the silence of the proxy goes unnoticed: $(qmapctl show)"
	kill -CONT "$proxy_pid"
	wait_for 10 all_up || fail "$(qmapctl show)"
	no_ids_leaked
	equal "calls dialled" 2 "$(modem_stat .qmi.starts)"
	pings
	qmapctl detach wwan0
	equal "ids left" 0 "$(id_count)"
	nothing_left
}

# --- as a proxy for others ---

# serve OPTION...: starts a modem, and qmapd with a trunk on it; $device is the clients' name for it.
serve() {
	modem_start
	qmapd_start
	device=$T/qmi
	attach "$@"
	before=$(client_ids)
}

tool() {
	"$build/proxy-tool" "$device" "$@"
}

# hold NAME ACTION...: starts a client that stays; its output is in $T/NAME. Sets $held.
hold() {
	local name=$1
	shift
	"$build/proxy-tool" "$device" "$@" hold >"$T/$name" &
	held=$!
	wait_for 10 grep -q holding "$T/$name" || fail "client $name does not get that far"
}

ids_are_back() {
	[ "$(client_ids)" = "$before" ]
}

no_ids_leaked() {
	wait_for 10 ids_are_back || fail "client ids: $before before, $(client_ids) now"
}

# Clients have left no trace.
undisturbed() {
	no_ids_leaked
	equal "SYNCs" 1 "$(modem_stat .qmi.syncs)"
	equal "malformed messages at the modem" 0 "$(modem_stat .qmi.malformed)"
	equal "malformed messages from the modem" 0 "$(field ' | .qmi.malformed | add')"
	pings
	cli --dms-get-model 2>&1 | grep -q RG500Q-EA || fail "a decent client gets no answer"
	no_ids_leaked
}

leave_nothing() {
	qmapctl detach wwan0
	nothing_left
}

test_server_beside_calls() {
	serve --pdn 1 --pdn 2
	ping -i 0.05 -c 100 -W 5 -q 198.51.100.1 >"$T/ping" &
	local pinging=$!
	many 20
	wait "$pinging" || fail "pings got lost: $(cat "$T/ping")"
	no_ids_leaked
	equal "answers for nobody" 0 "$(field .qmi.unknown_client)"
	equal "programs" 0 "$(field .proxy_clients)"
	undisturbed
	leave_nothing
}

test_server_clients_killed() {
	serve --pdn 1
	local i
	for i in 1 2 3 4 5; do
		hold "a$i" alloc=1 alloc=2 alloc=3 alloc=0x0b
		kill -KILL "$held"
	done
	no_ids_leaked
	# in the middle of an allocation: the client has left when the id comes
	modem latency ms=300 >/dev/null
	for i in 1 2 3 4 5; do
		hold "b$i" send=010f0000000000022200040001010003
		kill -KILL "$held"
	done
	modem wait qmi.requests '>=' 50 timeout=10000 >/dev/null
	modem latency ms=0 >/dev/null
	undisturbed
	leave_nothing
}

# A client cannot use the ids of others, or ours.
test_server_ids_are_ones_own() {
	serve --pdn 1
	local other line
	hold other alloc=3
	other=$(head -n 1 "$T/other")
	# Get Signal Strength on the other's id: invalid client (7)
	line=$(tool "send=010c000003$(printf %02x "$other")00010020000000" read)
	equal "request on another's id" "0113008003$(printf %02x "$other")0201002000070002040001000700" "$line"
	line=$(tool send=010c0000010100010022000000 read)
	equal "request on one of ours" 0113008001010201002200070002040001000700 "$line"
	# release of the other's id
	line=$(tool "send=01100000000000052300050001020003$(printf %02x "$other")" read)
	equal "release of another's id" 01120080000001052300070002040001000700 "$line"
	equal "NAS clients, ours and the other's" 2 "$(modem_stat .qmi.clients.nas)"
	# SYNC is answered, and not executed
	line=$(tool send=010b00000000000727000000 read)
	equal SYNC 01120080000001072700070002040000000000 "$line"
	# no other data format: CTL's, WDA's
	line=$(tool send=010b00000000000826000000 read)
	equal "data format of CTL" 01120080000001082600070002040001005200 "$line"
	line=$(tool alloc=0x1a send=010c00001aII00010020000000 read | tail -n 1)
	equal "data format of WDA" 0201002000070002040001005200 "${line:12}"
	kill "$held"
	undisturbed
	leave_nothing
}

# A message that is not a request on an open device ends the connection, and nothing else.
test_server_garbage() {
	serve --pdn 1
	local bytes i
	hold decent alloc=3
	for bytes in 00 ff 0100 010000 01ffff000000 01050000000000 010b00000000030121000000 \
		010b00000000010121000000 010b00000000000121000100 010e0000000000012100030001ff00; do
		timeout $((10 * PATIENCE)) "$build/proxy-tool" "$device" "send=$bytes" random=9000 closed ||
			fail "not hung up after $bytes"
	done
	timeout $((10 * PATIENCE)) "$build/proxy-tool" - send=010b00000000000121000000 closed || fail "CTL before open"
	timeout $((10 * PATIENCE)) "$build/proxy-tool" - send=0112000000000001000007000104002f78787878 closed || fail "no device"
	device=/dev/watchdog
	tool closed 2>&1 | grep -q "does not open" || fail "opens what is no modem"
	device=$T/qmi
	for i in 1 2 3 4 5 6 7 8; do
		"$build/proxy-tool" "$device" random=20000 closed &
		"$build/proxy-tool" - random=20000 closed &
	done
	wait_for 20 quiet || fail "somebody is not hung up"
	equal programs 1 "$(field .proxy_clients)"
	kill "$held"
	undisturbed
	leave_nothing
}

quiet() {
	[ "$(jobs -r | grep -c random)" = 0 ]
}

# Disconnected when too much output waits for it; no other client waits.
test_server_slow_reader() {
	serve --pdn 1
	"$build/proxy-tool" "$device" alloc=2 times=20000:010c000002II00010025000000 hold >"$T/slow" &
	local slow=$!
	hung_up() { grep -q "it does not read what it has asked for" "$T/qmapd.log"; }
	wait_for 30 hung_up || fail "a client that reads nothing is kept"
	many 8
	kill "$slow"
	undisturbed
	leave_nothing
}

# Connections beyond the limit wait; ids beyond the limit are refused.
test_server_limits() {
	serve --pdn 1
	local i pids=()
	for ((i = 0; i < 70; i++)); do
		"$build/proxy-tool" "$device" hold >"$T/hold.$i" 2>&1 &
		pids+=($!)
	done
	served() { [ "$(grep -l holding "$T"/hold.* | wc -l)" = 64 ]; }
	wait_for 20 served || fail "$(grep -l holding "$T"/hold.* | wc -l) are served"
	equal programs 64 "$(field .proxy_clients)"
	kill "${pids[@]}" 2>/dev/null || : # those without a seat have gone
	none() { [ "$(field .proxy_clients)" = 0 ]; }
	wait_for 10 none || fail "$(field .proxy_clients) left"
	undisturbed
	leave_nothing
}

# A client that sends nothing, or half a message, loses its seat; one that has opened the device may be
# silent.
test_server_deadlines() {
	serve --pdn 1
	local pids=() i
	"$build/proxy-tool" "$device" hold >"$T/hold" &
	pids+=($!)
	wait_for 10 grep -q holding "$T/hold"
	for ((i = 0; i < 40; i++)); do
		"$build/proxy-tool" - closed &
		pids+=($!)
	done
	"$build/proxy-tool" - send=01 closed &
	pids+=($!)
	"$build/proxy-tool" "$device" send=01200000 closed &
	for i in "${pids[@]:1}" $!; do
		wait_for 20 ended "$i" || fail "is not hung up"
	done
	grep -q "hung up: it asks for nothing" "$T/qmapd.log" || fail "not for that reason"
	grep -q "hung up: its message does not end" "$T/qmapd.log" || fail "not for that reason"
	equal programs 1 "$(field .proxy_clients)"
	kill "${pids[0]}"
	undisturbed
	leave_nothing
}

ended() { # pid
	! kill -0 "$1" 2>/dev/null
}

# Unicast indications go to the owner, broadcasts to every client of the service.
test_server_indications() {
	serve --pdn 1
	local id
	"$build/proxy-tool" "$device" alloc=3 read >"$T/a" &
	"$build/proxy-tool" "$device" alloc=3 read >"$T/b" &
	"$build/proxy-tool" "$device" alloc=2 read >"$T/c" &
	local other=$!
	three() { [ "$(cat "$T/a" "$T/b" "$T/c" | wc -l)" -ge 3 ]; }
	wait_for 10 three
	id=$(printf %02x "$(head -n 1 "$T/a")")
	modem qmi "hex=010c008003${id}04000024000000" >/dev/null
	wait_for 10 grep -q "010c008003${id}04000024000000" "$T/a" || fail "the owner hears nothing"
	modem qmi hex=010c008003ff04000024000000 >/dev/null
	wait_for 10 grep -q 010c008003ff04000024000000 "$T/b" || fail "not everybody hears"
	equal "heard by another service" 1 "$(wc -l <"$T/c")"
	kill "$other"
	undisturbed
	leave_nothing
}

test_server_credentials() {
	modem_start
	cp /etc/group "$T/group"
	echo 'others:x:54321:' >>"$T/group"
	mount --bind "$T/group" /etc/group
	qmapd_start --qmi-proxy-group others
	device=$T/qmi
	attach --pdn 1
	before=$(client_ids)
	local nobody=(setpriv --reuid 65534 --regid 65534)
	chmod 755 "$T"
	cp "$build/proxy-tool" "$T/proxy-tool"
	"${nobody[@]}" --clear-groups "$T/proxy-tool" "$device" hold 2>&1 | grep -q "does not open" ||
		fail "anybody may use the modem"
	grep -q "of user 65534 is refused" "$T/qmapd.log" || fail "not logged"
	"${nobody[@]}" --groups 54321 "$T/proxy-tool" "$device" alloc=3 >"$T/id" || fail "the group may not"
	equal "ids given" 1 "$(wc -l <"$T/id")"
	# the group gets no more than half of the seats
	local i pids=()
	for ((i = 0; i < 70; i++)); do
		"${nobody[@]}" --groups 54321 "$T/proxy-tool" "$device" hold >"$T/hold.$i" 2>&1 &
		pids+=($!)
	done
	served() { [ "$(cat "$T"/hold.* | wc -l)" = 70 ]; }
	wait_for 20 served
	equal "of the group are served" 32 "$(grep -l holding "$T"/hold.* | wc -l)"
	many 8
	kill "${pids[@]}" 2>/dev/null || :
	# refused clients do not fill the log
	# shellcheck disable=SC2016 # it is perl's
	"${nobody[@]}" --clear-groups perl -MSocket -e 'for (1..2000) { socket(S, PF_UNIX, SOCK_STREAM, 0);
		connect(S, pack_sockaddr_un("\0qmi-proxy")); close(S); }'
	[ "$(grep -c "is refused" "$T/qmapd.log")" -lt 20 ] || fail "$(grep -c "is refused" "$T/qmapd.log") lines of log"
	undisturbed
	leave_nothing
	qmapd_kill
	try "$build/qmapd" --qmi-proxy-group no-such-group
	says "there is no group no-such-group"
	equal "exit code" 78 "$status"
}

# A name that another program has is taken once that program is gone.
test_server_waits_for_its_name() {
	modem_start
	/usr/libexec/qmi-proxy --no-exit >"$T/proxy.log" 2>&1 &
	proxy_pid=$!
	wait_for 10 proxy_listens
	qmapd_start
	device=$T/qmi
	attach --pdn 1
	before=$(client_ids)
	grep -q "not serving until the name @qmi-proxy is free" "$T/qmapd.log" || fail "not told"
	kill "$proxy_pid"
	serving() { grep -q "serving, socket @qmi-proxy" "$T/qmapd.log"; }
	wait_for 15 serving || fail "the name is not taken"
	undisturbed
	leave_nothing
}

test_server_off_or_otherwise_named() {
	modem_start
	qmapd_start --qmi-proxy no
	device=$T/qmi
	attach --pdn 1
	proxy_listens && fail "serves all the same"
	qmapd_kill
	qmapd_start --qmi-proxy other
	wait_for 10 is_connected
	[ -n "$(ss -Hx state listening src @other)" ] || fail "no socket of that name"
	qmapctl detach wwan0
	nothing_left
}

serves_as() { # name
	[ -n "$(ss -Hx state listening src "@$1")" ]
}

# The file has the same settings as the options; when it is read again, it takes effect.
test_server_by_the_file() {
	modem_start
	printf '%s\n' '[qmapd]' 'qmi-proxy = other' '[trunk wwan0]' "control = $T/qmi" >"$T/conf"
	qmapd_start -c "$T/conf"
	wait_for 10 is_connected
	wait_for 5 serves_as other || fail "no socket of that name"
	! serves_as qmi-proxy || fail "serves the usual name, too"
	device=$T/qmi
	before=$(client_ids)
	sed -i 's/^qmi-proxy = .*/qmi-proxy = yes/' "$T/conf"
	kill -HUP "$qmapd_pid"
	wait_for 5 serves_as qmi-proxy || fail "does not serve the usual name"
	! serves_as other || fail "still serves the other name"
	tool alloc=3 >"$T/id"
	equal "ids given" 1 "$(wc -l <"$T/id")"
	undisturbed
	sed -i 's/^qmi-proxy = .*/qmi-proxy = no/' "$T/conf"
	kill -HUP "$qmapd_pid"
	serves_none() { ! serves_as qmi-proxy; }
	wait_for 5 serves_none || fail "still serves"
	qmapd_kill
	qmapd_start -c "$T/conf" --qmi-proxy other
	wait_for 5 serves_as other || fail "the option does not stand above the file"
	wait_for 10 is_connected
	qmapctl detach wwan0
	nothing_left
}

test_server_modem_restarts() {
	serve --pdn 1
	hold guest alloc=3 alloc=2
	tool alloc=3 read >"$T/reader" &
	local reader=$!
	wait_for 10 test -s "$T/reader"
	modem reboot ms=500 announce=after >/dev/null
	wait "$reader" || :
	equal "what a client of a modem that restarts is told" closed "$(tail -n 1 "$T/reader")"
	qmapctl detach wwan0
	equal "client ids left" 0 "$(modem_stat '.qmi.clients | add')"
}

# Detach disconnects guests and releases nothing of theirs.
test_server_detach_beside_guests() {
	serve --pdn 1
	hold guest alloc=3 alloc=2 alloc=1
	qmapctl detach wwan0
	nothing_left
}

# --- ids of guests, when qmapd dies ---

test_server_killed_beside_guests() {
	local i
	serve --pdn 1
	for i in 1 2 3; do
		hold "guest$i" alloc=3 alloc=2 alloc=1
		qmapd_kill KILL || :
		qmapd_start
		wait_for 10 is_connected || fail "not adopted"
		no_ids_leaked
	done
	undisturbed
	leave_nothing
}

# ... while an id is being allocated or released.
test_server_killed_beside_guests_ids_on_their_way() {
	local i
	serve --pdn 1
	for i in 1 2 3 4; do
		modem latency ms=200 >/dev/null
		hold "guest$i" send=010f0000000000022200040001010003 send=010f0000000000032200040001010002
		[ $((i % 2)) = 0 ] || wait_for 5 has_asked
		qmapd_kill KILL || :
		modem latency ms=0 >/dev/null
		modem wait answers.outstanding == 0 >/dev/null
		qmapd_start
		wait_for 10 is_connected || fail "not adopted"
		no_ids_leaked
	done
	undisturbed
	leave_nothing
}

has_asked() {
	[ "$(modem_stat .answers.outstanding)" -gt 0 ]
}

# Stopped for good: qmapctl also releases ids left by the dead daemon's guests.
test_server_gone_detach_without_daemon() {
	serve --pdn 1
	hold guest alloc=3 alloc=2 alloc=1
	qmapd_kill KILL || :
	qmapctl detach wwan0
	nothing_left
}

run_tests "$@"
