#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compares the manual pages with the programs: runs their examples, and expects every JSON key to be
# explained.
#
# In a page's EXAMPLES, lines of a literal block that begin with "# " are commands, followed by their
# output, in which "..." stands for anything (once in an output).
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

qmapd() {
	"$build/qmapd" "$@"
}

# block PAGE N: the Nth literal block of its examples.
block() {
	awk -v n="$2" '
		/^EXAMPLES$/ { on = 1 }
		/^EXIT STATUS$/ { on = 0 }
		!on { next }
		/^    / {
			if (!inside++) count++
			if (count == n) { while (blank) { print ""; blank-- } print substr($0, 5) }
			blank = 0
			next
		}
		/./ { inside = blank = 0 }
		inside { blank++ }
	' "$top/doc/$1"
}

# Removes differences between machines that do not matter to the page.
normal() {
	sed 's/^kernel  .*/kernel/; s/\t/ /; s/ *$//'
}

matches() { # expected actual
	if [[ $1 == *...* ]]; then
		[[ $2 == "${1%%...*}"*"${1#*...}" ]]
	else
		[ "$1" = "$2" ]
	fi
}

same() { # name expected actual
	matches "$2" "$3" || fail "$1 prints
$3
where the page says
$2"
}

ran=0

run_example() { # command expected
	local actual
	actual=$(eval "$1" 2>&1 | normal) || :
	same "$1" "$(normal <<<"$2")" "$actual"
	ran=$((ran + 1))
}

# Runs the commands of one block, in this shell.
run_block() { # page n
	local line command='' expected=''
	while IFS= read -r line; do
		if [[ $line == '# '* ]]; then
			[ -z "$command" ] || run_example "$command" "$expected"
			command=${line#\# } expected=''
		else
			expected+=${expected:+$'\n'}$line
		fi
	done < <(block "$1" "$2")
	[ -n "$command" ] || fail "$1: block $2 of the examples holds no command"
	run_example "$command" "$expected"
}

modem_at() {
	"$build/qmap-modem" --control "$1" --faults "$T/faults" --net-netns net \
		>/dev/null 2>>"$T/modem.log" &
	modem_pid=$!
	wait_for 10 socket_listens "$T/faults"
	modem wait qmi.clients.wds == 0 timeout=10000 >/dev/null
}

test_examples_of_qmapctl() {
	modem_at /run/modem.qmi
	qmapd_start
	for n in 1 2 3 4 5 6 7; do
		run_block qmapctl.8.rst $n
	done
	equal "block 8" "" "$(block qmapctl.8.rst 8)"
	at_least "examples" 15 $ran
	nothing_left
}

all_attached() {
	[ "$(field .state)" = attached ]
}

test_examples_of_qmap_metrics() {
	modem_at /run/modem.qmi
	qmapd_start
	run_block qmap-metrics.7.rst 1
	qmapctl -j metrics | jq 'map(.samples[].labels = {})' | explained
}

test_examples_of_qmapd_conf() {
	modem_at /run/modem.qmi
	ip netns add car
	block qmapd.conf.5.rst 1 >"$T/qmapd.conf"
	qmapd_start -c "$T/qmapd.conf"
	wait_for 10 all_attached
	equal "datagrams" 16 "$(field .dl_max_datagrams)"
	run_block qmapd.conf.5.rst 2
	run_block qmapd.conf.5.rst 3
	block qmapd.conf.5.rst 4 >"$T/qmapd.conf"
	qmapctl apply "$T/qmapd.conf"
	run_block qmapd.conf.5.rst 5
	equal "block 6" "" "$(block qmapd.conf.5.rst 6)"
}

# logged N: runs qmapd until SIGTERM with the options in the first line of block N; compares its log.
logged() { # n, then a command to run meanwhile
	local command n=$1
	shift
	command=$(block qmapd.8.rst "$n" | head -n 1)
	[[ $command == '# qmapd'* ]] || fail "block $n: $command"
	eval "exec \"$build/qmapd\" ${command#\# qmapd}" 2>"$T/log.$n" &
	qmapd_pid=$!
	# Not by a request: without a daemon, qmapctl answers with what the last one has left.
	wait_for 10 grep -qE 'wwan0: (attached|adopted)$' "$T/log.$n" && "$@"
	qmapd_kill TERM
	same "$command" "$(block qmapd.8.rst "$n" | tail -n +2)" "$(cat "$T/log.$n")"
}

test_examples_of_qmapd() {
	modem_at /run/modem.qmi
	printf '[trunk wwan0]\ncontrol = /run/modem.qmi\n' >/run/qmapd.conf
	logged 1 :
	logged 2 qmapctl detach wwan0
	nothing_left
	equal "block 4" "" "$(block qmapd.8.rst 4)"
}

# One line each way, for each request on standard input.
ask_socket() {
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("/run/qmapd/control")
f = s.makefile("rw")
for line in sys.stdin:
    print(line, end="", file=f, flush=True)
    print(f.readline(), end="")
'
}

test_example_of_the_control_socket() {
	modem_at /run/modem.qmi
	qmapd_start
	local expected actual i
	mapfile -t expected < <(block qmapd.8.rst 3 | sed -n 's/^< //p')
	mapfile -t actual < <(block qmapd.8.rst 3 | sed -n 's/^> //p' | ask_socket)
	at_least "requests" 4 ${#expected[@]}
	equal "replies" ${#expected[@]} ${#actual[@]}
	for i in "${!expected[@]}"; do
		same "request $((i + 1))" "${expected[i]}" "${actual[i]}"
	done
}

# Every key of the JSON on standard input, except names inside decoded values.
explained() {
	local key keys n=0
	keys=$(jq -r 'del(.. | .fields?) | paths | map(strings)[-1] // empty' | sort -u)
	for key in $keys; do
		grep -qE "^:${key}:|\*\*${key}\*\*|[ :]${key}[,;]" "$top/doc/qmapctl.8.rst" ||
			fail "qmapctl.8.rst does not explain \"$key\""
		n=$((n + 1))
	done
	at_least "keys" 3 $n
}

is_down() {
	[ "$(field '.pdns[0].families[0].state')" = backing-off ]
}

test_keys_are_explained() {
	modem_start
	qmapd_start
	attach --pdn 1,apn=internet >/dev/null
	modem refuse pdn=1 family=4 verbose=26 >/dev/null
	modem disconnect pdn=1 family=4 >/dev/null
	wait_for 5 is_down
	qmapctl -j show | explained
	qmapctl -j stats | explained
	qmapctl -j probe | explained
	qmapctl -j version | explained
	qmapctl -j decode qmi 011f008001490202002000130002040001000e00100200ed0311040006001a00 | explained
	{ qmapctl -j decode qmi 0117008001 4d02010034000b00020400 || :; } 2>/dev/null | explained
	qmapctl -j decode qmap 41810020048000004500001f000040004011244c0a4001010a40010200359c40000b887d61626300 |
		explained
	qmapctl -j decode qmap 8082001001000000000000070100000300000000 | explained
	qmapd_kill KILL || :
	qmapctl -j show | explained
	{ qmapctl -j detach wwan9 || :; } | jq '[.]' | explained
}

test_options_of_qmapd_are_explained() {
	local option
	for option in $(qmapd --help | grep -oE -- '--[a-z-]+'); do
		grep -qF -- "**$option**" "$top/doc/qmapd.8.rst" || fail "qmapd.8.rst does not explain $option"
	done
}

# effect_of SECTION KEY VALUE: of this change, the kinds of steps that apply plans.
effect_of() {
	sed "/^\[trunk wwan0$1\]/a $2 = $3" "$T/as-it-is" >"$T/changed"
	qmapctl -j apply -n "$T/changed" | jq -r 'map(.step) | join(" ")'
}

# sentence PATTERN: the part of the page on apply that matches it.
sentence() {
	sed -n '/^apply$/,/^redial$/p' "$top/doc/qmapctl.8.rst" | tr '\n' ' ' | grep -oE "[^.;]*$1" | head -n 1
}

# changes PATTERN STEPS SECTION KEY=VALUE...: each key is named in that sentence, and has this effect.
changes() {
	local pattern=$1 steps=$2 section=$3 word
	shift 3
	for word; do
		equal "effect of $word" "$steps" "$(effect_of "$section" "${word%%=*}" "${word#*=}")"
		grep -qw -- "${word%%=*}" <<<"$(sentence "$pattern")" ||
			fail "qmapctl.8.rst does not say of ${word%%=*}: $pattern"
	done
}

test_effects_of_changes() {
	modem_start
	qmapd_start
	printf '[trunk wwan0]\ncontrol = %s\nwatchdog = 600\n[trunk wwan0 pdn 1]\n' "$T/qmi" >"$T/as-it-is"
	qmapctl apply "$T/as-it-is" >/dev/null
	changes 'redials a PDN' redial_pdn ' pdn 1' apn=a profile=2 user=u password=p auth=pap ip=v4 slaac=yes \
		lan=lan0 passthrough=lan0 addresses=none
	changes 'removes and adds' 'remove_pdn add_pdn' ' pdn 1' mux=9 netns=car vrf=red
	changes 'change in place' change_pdn ' pdn 1' metric=9 failover=9 default-route=no table=7 quota=9 clat=off
	changes 'requires a new attach' reattach '' qmap=v4 port=lte%n dl-max-bytes=8000 dl-max-datagrams=9
}

run_tests "$@"
