# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For scripts that put the whole of qmap into namespaces:
#
#   network side (namespace net)            host (the test's own namespace)
#   pdn1..pdnN, servers  <= qmap-modem =>  wwan0 (TUN, QMAP)  <=>  wwan0.1 ... wwan0.N
#                              \_ QMI over $T/qmi ... qmapd ... qmapctl
#
# A test script defines functions test_*, sources this file and ends with `run_tests "$@"`. Every test
# gets namespaces of its own (mount, net, pid), a private bpffs and a private /run, so that tests run in
# any order and everything they leave behind disappears with them.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$top/build
T=${T:-} # the test's own directory

qmapctl() {
	"$build/qmapctl" "$@"
}

# --- environment ---

# Makes the namespace of the shell look like a machine of its own.
enter_sandbox() {
	mount --make-rprivate /
	mount -t tmpfs tmpfs /run
	mkdir -p /run/netns /run/qmapd
	mount -t sysfs sysfs /sys
	mount -t bpf bpf /sys/fs/bpf
	ip link set lo up
	ip netns add net
	T=$(mktemp -d /run/test.XXXXXX)
}

# --- waiting, always for a state ---

# Limits are written for an idle machine; each is multiplied by this for a busy one. Only a failure
# takes so long.
PATIENCE=${PATIENCE:-12}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local deadline=$((${EPOCHREALTIME/./} + $1 * PATIENCE * 1000000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/./}" -lt "$deadline" ] || return 1
		read -rt 0.02 <> <(:) || :
	done
}

# --- the programs ---

modem_pid=''
qmapd_pid=''

# modem_start OPTION...: a modem that is ready when this returns.
modem_start() {
	local line fifo=$T/ready
	rm -f "$fifo"
	mkfifo "$fifo"
	"$build/qmap-modem" --control "$T/qmi" --faults "$T/faults" --net-netns net "$@" \
		>"$fifo" 2>>"$T/modem.log" &
	modem_pid=$!
	read -rt $((10 * PATIENCE)) line <"$fifo" || :
	equal "first line of the modem" ready "$line"
}

# modem WORD...: sends a command by `qmap-modem ctl`. "wait" takes a limit in ms, 5000 unless given.
modem() {
	local word ms=5000 words=()
	[ "$1" = wait ] || { "$build/qmap-modem" ctl "$T/faults" "$@"; return; }
	for word; do
		case $word in
		timeout=*) ms=${word#timeout=} ;;
		*) words+=("$word") ;;
		esac
	done
	"$build/qmap-modem" ctl "$T/faults" "${words[@]}" timeout=$((ms * PATIENCE))
}

# qmi SERVICE CLIENT SDU: sends a message from the modem, in hexadecimal.
qmi() {
	local len=$((${#3} / 2 + 5))
	modem qmi "hex=$(printf '01%02x%02x80%02x%02x%s' $((len & 255)) $((len >> 8)) "$1" "$2" "$3")" >/dev/null
}

# modem_stat .jq.path
modem_stat() {
	modem stats | jq -r "$1"
}

modem_stop() {
	kill "$modem_pid" && wait "$modem_pid"
	modem_pid=''
}

socket_answers() {
	qmapctl -j show >/dev/null 2>&1
}

# socket_listens [PATH]: a client is accepted. The file alone appears before.
socket_listens() {
	[ -n "$(ss -Hx state listening src "${1:-/run/qmapd/control}")" ]
}

# The socket of a qmapd that was killed is open for as long as a hook that it was about to start has a copy.
qmapd_serves() {
	ss -Hxp state listening src /run/qmapd/control | grep -q "pid=$qmapd_pid,"
}

# A request would prove nothing: without a daemon, qmapctl reads the pins itself. qmapd_program: another
# build of it.
qmapd_start() {
	"$build/${qmapd_program:-qmapd}" -v "$@" 2>>"$T/qmapd.log" &
	qmapd_pid=$!
	wait_for 10 qmapd_serves
}

# qmapd has closed its ends of the connections of earlier commands.
clients_have_left() {
	[ -z "$(ss -Hx state established src /run/qmapd/control)" ]
}

# Number of qmapd's descriptors, without those of commands that have ended.
descriptors() {
	wait_for 5 clients_have_left || echo "a client stays"
	find "/proc/$qmapd_pid/fd" -mindepth 1 -maxdepth 1 | wc -l
}

# Packets that a port has received. The kernel counts those of a veth at the end of a poll, after it has
# delivered them.
packets_received() { # [port]
	cat "/sys/class/net/${1:-wwan0.1}/statistics/rx_packets"
}

has_packets() { # packets [port]
	[ "$(packets_received "${2:-}")" -ge "$1" ]
}

of_unit() { # setting
	sed -n "s/^$1=//p" "$top/system/qmapd.service"
}

# With the capabilities that its unit leaves to qmapd and hooks.
qmapd_start_as_unit() {
	local caps
	caps=$(of_unit CapabilityBoundingSet | tr '[:upper:]' '[:lower:]' | sed 's/cap_/+/g; s/ /,/g')
	setpriv --bounding-set "-all,$caps" --no-new-privs "$build/qmapd" -v 2>>"$T/qmapd.log" &
	qmapd_pid=$!
	wait_for 10 qmapd_serves
}

qmapd_kill() { # signal
	kill "-${1:-TERM}" "$qmapd_pid" 2>/dev/null
	wait "$qmapd_pid" 2>/dev/null
	local status=$?
	qmapd_pid=''
	return $status
}

# attach OPTION...: wwan0, on the modem's control socket.
attach() {
	qmapctl attach wwan0 --control "$T/qmi" "$@"
}

start() { # modem option...
	modem_start "$@"
	qmapd_start
}

detach() {
	qmapctl detach wwan0
}

# asked TEXT: sent to qmapd as it is.
asked() {
	printf %s "$1" | perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0);
		connect(S, pack_sockaddr_un("/run/qmapd/control")) or die; syswrite(S, $_) while <STDIN>;
		shutdown(S, 1); print while <S>;'
}

# field .jq.path: of the first trunk in the output of show.
field() {
	qmapctl -j show | jq -r "if type == \"array\" then .[0]$1 else error(tojson) end"
}

is_damaged() { # text: that alone is wrong with the first PDN's port
	[ "$(field '.pdns[0].damage | tojson')" = "[\"$1\"]" ]
}

state_is() {
	[ "$(field .state)" = "$1" ]
}

is_attached() {
	state_is attached
}

trunk_becomes() {
	wait_for 5 state_is "$1" || equal "state of the trunk" "$1" "$(field .state)"
}

modem_is() { # state
	[ "$(field .modem.state)" = "$1" ]
}

mtu_is() { # dev mtu
	[ "$(ip -j link show dev "$1" | jq '.[0].mtu')" = "$2" ]
}

log_says() { # text
	grep -qF -- "$1" "$T/qmapd.log"
}

# Number of Start Networks so far.
starts() {
	modem_stat .qmi.starts
}

# events_start OPTION...: the events of `monitor` go to $T/events, also those before it listens, which it
# may do late. Sets $monitor_pid.
# shellcheck disable=SC2034 # for the test
events_start() {
	"$build/qmapctl" monitor -j -n 256 "$@" >"$T/events" 2>"$T/monitor.log" &
	monitor_pid=$!
}

family() { # pdn family .path
	field ".pdns[] | select(.number == $1) | .families[] | select(.family == $2)$3"
}

family_is() { # pdn family state
	[ "$(family "$1" "$2" .state)" = "$3" ]
}

stat_of() {
	qmapctl -j stats | jq -r ".[0]$1"
}

# --- judging ---

fail() {
	echo "not true: $*" >&2
	return 1
}

equal() { # name expected actual
	[ "$2" = "$3" ] || fail "$1: expected \"$2\", got \"$3\""
}

at_least() { # name least actual
	[ "$3" -ge "$2" ] 2>/dev/null || fail "$1: expected at least $2, got \"$3\""
}

# figure TEXT...: shown also when the test passes.
figure() {
	echo "figure: $*"
}

# try COMMAND...: sets $said to its output (stdout and stderr) and $status to its exit status.
said='' status=0
try() {
	status=0
	said=$("$@" 2>&1) || status=$?
}

# says TEXT: the output of the last try contains it.
says() {
	[[ $said == *"$1"* ]] || fail "expected \"$1\" in what was said: $said"
}

# refused CODE SENTENCE COMMAND...: the command ends with that exit code and prints the sentence.
refused() {
	local code=$1 sentence=$2
	shift 2
	try "$@"
	says "$sentence"
	equal "exit code of $*" "$code" "$status"
}

# took MICROSECONDS NAME LIMIT: shows the ms since then. The limit depends on the machine: only `make
# bench` checks it, on an idle one.
took() {
	local ms=$(((${EPOCHREALTIME/./} - $1) / 1000))
	takes "$ms" "$2" "$3"
}

takes() { # ms name limit
	figure "$2: $1 ms"
	[ "${JUDGE_TIMES:-no}" = no ] || [ "$1" -le "$3" ] || fail "$2: $1 ms, more than $3"
}

# answers ADDRESS [OPTION of ping]...: eventually; a packet may be lost while the ports change.
answers() {
	wait_for 5 ping -c 1 -W 5 -q "${@:2}" "$1" >/dev/null 2>&1 || fail "no answer from $*"
}

becomes() { # pdn family state
	wait_for 5 family_is "$@" || equal "state of PDN $1, IPv$2" "$3" "$(family "$1" "$2" '| "\(.state): \(.reason)"')"
}

pings() { # [pdn]
	ping -c 1 -W 1 -q -I "wwan0.${1:-1}" "10.64.${1:-1}.1" >/dev/null 2>&1
}

# call_was PDN FAMILY STATE [REASON]: since the modem was last opened. A state may have ended by itself
# before the test looks, but stays among the events.
call_was() {
	qmapctl -j show | jq -e --argjson pdn "$1" --argjson family "$2" --arg state "$3" --arg reason "${4:-}" '.[0].events |
		.[(map(.kind == "modem" and .to == "opening") | rindex(true)) // 0:] | any(.kind == "call" and
		.pdn == $pdn and .family == $family and .to == $state and (.reason // "" | contains($reason)))' >/dev/null
}

# call_comes_to PDN FAMILY STATE [REASON]: eventually.
call_comes_to() {
	wait_for 5 call_was "$@" || fail "IPv$2 of PDN $1 was not $3 ($4): $(field .events | jq -c '.[]')"
}

# Shows the lines that led to the end of a test: wait_for and equal alone do not say where they stand.
where() { # exit status
	[ "$1" = 0 ] || [ "$1" = 77 ] || [ ${#BASH_LINENO[@]} -lt 3 ] ||
		echo "ended in line ${BASH_LINENO[*]:1:${#BASH_LINENO[@]}-3} (${FUNCNAME[*]:1:${#FUNCNAME[@]}-3})" >&2
}

# Does this machine lack something that the test needs? Then: skip REASON.
skip() {
	echo "$*" >"$T/skip"
	exit 77
}

# Nothing is left: no netdevs, pins, client ids, calls.
nothing_left() {
	equal "netdevs left" "" "$(ip -o link | grep -oE 'wwan0\.[^:@ ]+' | tr '\n' ' ')" &&
		equal "pins left" "" "$(find /sys/fs/bpf/qmap -type f 2>/dev/null)" &&
		equal "routes left" "" "$(ip -o route show default; ip -6 -o route show default)" &&
		equal "rules left" "" "$({ ip rule; ip -6 rule; } | grep "^2000[23]:.* proto static")" &&
		equal "resolv.conf left" "" "$(ls /run/qmapd/*.resolv.conf 2>/dev/null)" &&
		clients_left
}

clients_left() {
	[ -n "$modem_pid" ] || return 0
	equal "client ids left" 0 "$(modem_stat '.qmi.clients | add')" &&
		equal "calls left" 0 "$(modem_stat .calls)"
}

# --- running ---

show_logs() {
	for f in qmapd.log modem.log; do
		[ -s "$T/$f" ] && sed "/: debug: show asked for/d; s/^/    $f: /" "$T/$f" | tail -n 40
	done
}

one_test() { # function
	enter_sandbox || exit 1
	trap 'kill $(jobs -p) 2>/dev/null' EXIT
	(
		set -e
		trap 'where $?' EXIT
		"$1"
	)
	local status=$?
	[ $status = 77 ] && echo "skip: $(cat "$T/skip")"
	[ $status = 0 ] || [ $status = 77 ] || show_logs
	exit $status
}

run_tests() {
	if [ "${1:-}" = --one ]; then
		one_test "$2"
	fi
	local p=0 f=0 s=0 t out status names=("$@")
	out=$(mktemp)
	if [ "$(id -u)" != 0 ]; then
		echo "skip: needs root"
		echo "# 0 passed, 0 failed, 1 skipped"
		exit 0
	fi
	[ $# -gt 0 ] || mapfile -t names < <(declare -F | sed -n 's/^declare -f \(test_.*\)$/\1/p')
	for t in "${names[@]}"; do
		# a namespace of processes, too: no process of a test outlives it
		timeout --foreground -k 5 "${TEST_LIMIT:-1200}" unshare --mount --net --pid --fork --kill-child --mount-proc \
			bash "$0" --one "$t" >"$out" 2>&1 </dev/null
		status=$?
		case $status in
		0) p=$((p + 1)) && echo "ok       $t" && sed -n 's/^figure: /         /p' "$out" ;;
		77) s=$((s + 1)) && echo "SKIP     $t: $(sed -n 's/^skip: //p' "$out" | tail -n 1)" ;;
		*)
			f=$((f + 1))
			echo "FAILED   $t (status $status)"
			sed 's/^/  /' "$out"
			;;
		esac
	done
	rm -f "$out"
	echo "# $p passed, $f failed, $s skipped"
	[ $f = 0 ]
}
