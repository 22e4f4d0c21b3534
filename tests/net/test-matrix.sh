#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix: every fault at every message of the dial-up flow, once. In each case the final state
# is as without the fault, and nothing is left behind in modem, kernel or daemon:
#
#   up     attached, traffic passes, detached again
#   gone   detached
#   waits  a network may take two minutes to answer Start Network; until then it can be detached
#   unused the message was not sent
#
# Each row is a test, which prints the results of its cells. Runs a third of the cells unless MATRIX=all
# (make check-matrix).
# shellcheck source=tests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# phase: the operation during which the message is sent; service and message in the software modem's
# words; how many such messages pass before the fault.
rows() {
	cat <<-END
		attach ctl sync 0
		attach ctl version_info 0
		attach ctl allocate_cid 0
		attach ctl allocate_cid 1
		attach ctl allocate_cid 2
		attach ctl allocate_cid 3
		attach ctl allocate_cid 4
		attach dms model 0
		attach dms revision 0
		attach dms manufacturer 0
		attach uim register_events 0
		attach dms get_operating_mode 0
		attach dms event_report 0
		attach uim card_status 0
		attach uim read_transparent 0
		attach nas register_indications 0
		attach nas serving_system 0
		attach nas config_signal_v2 0
		attach wda set_data_format 0
		attach wds bind_mux 0
		attach wds ip_family 0
		attach wds start 0
		attach wds settings 0
		adopt wds status 0
		adopt wds settings 0
		detach wds stop 0
		detach ctl release_cid 0
		detach ctl release_cid 1
		detach ctl release_cid 2
	END
}

columns=(late never error malformed duplicated reboot unplugged killed)

# The fault as a command of the modem. The time limit for an answer is one second.
fault_of() { # column service message skip
	case $1 in
	late) echo delay "$2" "$3" ms=1100 skip="$4" count=1 ;;
	never) echo never "$2" "$3" skip="$4" count=1 ;;
	error) echo error "$2" "$3" code=3 skip="$4" count=1 ;;
	malformed) echo spoil "$2" "$3" how=length instead=1 skip="$4" ;;
	duplicated) echo twice "$2" "$3" skip="$4" count=1 ;;
	reboot) echo strike "$2" "$3" what=reboot ms=200 announce=both skip="$4" ;;
	unplugged) echo strike "$2" "$3" what=die skip="$4" ;;
	killed) echo strike "$2" "$3" what=host skip="$4" ;;
	esac
}

is_attached() {
	[ "$(field ' | [.daemon, .state] | map(tostring) | join(" ")')" = "null attached" ]
}

is_detached() {
	[ "$(qmapctl -j show)" = "[]" ]
}

has_ended() { # pid
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"
}

descriptors() {
	wait_for 5 clients_have_left || echo "a client stays"
	find "/proc/$qmapd_pid/fd" -mindepth 1 -maxdepth 1 -printf '%l\n' | sed 's/:\[.*//' | sort | uniq -c
}

# Restores the process that died: the modem is plugged in again, its manager starts the daemon.
bring_back() {
	if has_ended "$modem_pid"; then
		wait "$modem_pid" || :
		modem_start
		struck=1
	fi
	if has_ended "$qmapd_pid"; then
		wait "$qmapd_pid" || :
		struck=1
		restarted=1
		qmapd_start "$@"
	fi
}

was_sent() {
	[ "$(modem_stat .qmi.faulted 2>/dev/null)" != 0 ]
}

# Has the process that was struck died? If the message was not sent, none has.
strike_is_over() { # column
	case $1 in
	unplugged) has_ended "$modem_pid" || ! was_sent ;;
	killed) has_ended "$qmapd_pid" || ! was_sent ;;
	esac
}

# The command has ended, or waits for a modem that is gone, or for an answer that may take minutes.
attach_is_over() { # pid of the command
	has_ended "$1" || has_ended "$modem_pid" || has_ended "$qmapd_pid" || { is_left_waiting && was_sent; }
}

attach_phase() { # column fault...
	local asking
	modem "${@:2}" >/dev/null
	"$build/qmapctl" apply -q "$T/conf" >/dev/null 2>&1 &
	asking=$!
	wait_for 10 attach_is_over $asking
	kill $asking 2>/dev/null || :
	wait $asking || :
	wait_for 5 strike_is_over "$1"
	bring_back -c "$T/conf"
}

adoptions() {
	grep -c ': adopted$' "$T/qmapd.log" || :
}

# The trunk was adopted, or one of the two processes has died meanwhile.
adoption_is_over() { # how many before
	has_ended "$modem_pid" || has_ended "$qmapd_pid" || [ "$(adoptions)" -gt "$1" ]
}

adopt_phase() {
	local before
	qmapctl apply -q "$T/conf"
	modem "${@:2}" >/dev/null
	qmapd_kill KILL || :
	restarted=1
	before=$(adoptions)
	qmapd_start -c "$T/conf"
	wait_for 10 adoption_is_over "$before"
	wait_for 5 strike_is_over "$1"
	bring_back -c "$T/conf"
}

detach_phase() {
	qmapctl apply -q "$T/conf"
	modem "${@:2}" >/dev/null
	qmapctl detach wwan0 >/dev/null 2>&1 || :
	wait_for 5 strike_is_over "$1"
	bring_back
}

# Was the message sent at all?
was_hit() {
	[ "$struck" = 1 ] || [ "$(modem_stat .qmi.faulted)" -ge 1 ]
}

call_is() {
	[ "$(field '.pdns[0].families[0].state')" = "$1" ]
}

expect_waits() {
	call_is starting || fail "call: $(field '.pdns[0].families[0].state')" || return
	qmapctl detach wwan0
}

expect_up() {
	wait_for 8 pings || fail "no traffic: $(qmapctl show 2>&1 | paste -sd '|')" || return
	wait_for 2 is_attached || fail "state $(field .state)" || return
	modem clear >/dev/null
	qmapctl detach wwan0
}

is_left_waiting() {
	[ "$cell" = start,never ] || [ "$cell" = start,malformed ]
}

declare -gA ends=([attach]=up [adopt]=up [detach]=gone)

# cell COLUMN PHASE SERVICE MESSAGE SKIP: sets $end to the result.
cell() {
	local phase=$2 cell=$4,$1 before fault struck=0 restarted=0
	read -ra fault < <(fault_of "$1" "$3" "$4" "$5")
	modem reset >/dev/null
	before=$(descriptors)
	"${phase}_phase" "$1" "${fault[@]}"
	end=unused
	was_hit && end=${ends[$phase]}
	if [ "$phase" = detach ]; then
		wait_for 5 is_detached || fail "not detached: $(qmapctl show | paste -sd '|')" || return
	elif is_left_waiting; then
		end=waits
		expect_waits || return
	else
		expect_up || return
	fi
	modem clear >/dev/null
	nothing_left || return
	[ $restarted = 1 ] || equal "descriptors of qmapd" "$before" "$(descriptors)"
}

# The commands of a cell are chained by hand: inside a condition, bash does not exit on failure.

# Every third cell, another third in each row.
is_wanted() { # row column
	[ "${MATRIX:-third}" = all ] || [ $((($1 + $2) % 3)) = 0 ]
}

row() { # number phase service message skip
	local i end line bad=0 took
	printf '%s\n' '[trunk wwan0]' "control = $T/qmi" 'timeout = 1' 'backoff-min = 50' 'backoff-max = 400' \
		'[trunk wwan0 pdn 1]' 'apn = internet' 'ip = v4' >"$T/conf"
	modem_start
	qmapd_start
	line=$(printf '%-6s %-4s %-20s %s' "${@:2}")
	for i in "${!columns[@]}"; do
		if is_wanted "$1" "$i"; then
			took=${EPOCHREALTIME/./}
			if ! cell "${columns[i]}" "${@:2}"; then
				end=FAILED bad=1
			fi
			took=$(((${EPOCHREALTIME/./} - took) / 1000))
			echo "${*:2} ${columns[i]}: $end after $took ms"
		else
			end=-
		fi
		line+=$(printf ' %-10s' "$end")
		# a failed cell leaves nothing usable to the next
		[ "$end" != FAILED ] || break
	done
	echo "figure: $line"
	[ $bad = 0 ]
}

# Sourced by tests/vm/guest_matrix.sh, which has rows of its own.
[ "${BASH_SOURCE[0]}" = "$0" ] || return 0

n=0
while read -r phase service message skip; do
	eval "test_$(printf %02d $n)_${phase}_${service}_${message}_$skip() { row $n $phase $service $message $skip; }"
	n=$((n + 1))
done < <(rows)

[ "${1:-}" = --one ] || printf '%-40s%s\n' 'figure:' "$(printf ' %-10s' "${columns[@]}")" | cut -c9-
run_tests "$@"
