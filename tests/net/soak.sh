#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Long runs: random faults, and cycles of attach, detach and kill. `make soak`, `make soak-cycles`.
#
#   SOAK_SECONDS=1800   of random faults
#   SEED=N              the same faults again; printed in any case
#   CYCLES=1000 KILLS=200
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

TEST_LIMIT=$((${SOAK_SECONDS:-1800} + ${CYCLES:-1000} * 2 + ${KILLS:-200} * 4 + 120))

conf() {
	printf '%s\n' '[trunk wwan0]' "control = $T/qmi" 'timeout = 1' 'backoff-min = 50' 'backoff-max = 1000' \
		'[trunk wwan0 pdn 1]' 'apn = internet' '[trunk wwan0 pdn 2]' 'apn = ims' 'ip = v4' >"$T/conf"
}

both_pass() {
	ping -c 1 -W 1 -q -I wwan0.1 10.64.1.1 >/dev/null 2>&1 && ping -c 1 -W 1 -q -I wwan0.2 10.64.2.1 >/dev/null 2>&1
}

rss() { # in KiB
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$qmapd_pid/status"
}

any() { # below
	echo $((RANDOM % $1))
}

message() {
	local all=('ctl sync' 'ctl allocate_cid' 'ctl release_cid' 'dms model' 'wda set_data_format' 'uim card_status'
		'nas serving_system' 'wds bind_mux' 'wds settings' 'wds stop' 'wds status')
	echo "${all[$(any ${#all[@]})]}"
}

replug() {
	modem_stop 2>/dev/null || :
	modem_start
}

# One random fault. The system must recover from each of them by itself.
# shellcheck disable=SC2046 # a message is two words
misfortune() {
	case $(any 10) in
	0) modem disconnect pdn=$((1 + $(any 2))) ;;
	1) modem reconfigure pdn=$((1 + $(any 2))) mtu=$((1300 + $(any 200))) ;;
	2) modem reboot ms=$(any 500) announce=both ;;
	3) replug ;;
	4) modem delay $(message) ms=$(any 1500) count=1 ;;
	5) modem never $(message) count=1 ;;
	6) modem error $(message) code=3 count=1 ;;
	7) modem spoil $(message) how=length instead=1 ;;
	8) ip address flush dev wwan0.1 2>/dev/null ;;
	9) qmapctl detach wwan0 && qmapctl apply -q "$T/conf" ;;
	esac >/dev/null 2>&1 || :
}

average() { # number...
	local n sum=0
	for n; do sum=$((sum + n)); done
	echo $((sum / $#))
}

test_random_faults() {
	local until tenth sizes=() before n=0
	RANDOM=${SEED:=$((${EPOCHREALTIME/./} % 32768))}
	figure "SEED=$SEED"
	conf
	modem_start
	qmapd_start
	before=$(descriptors)
	qmapctl apply -q "$T/conf"
	until=$((SECONDS + ${SOAK_SECONDS:-1800}))
	while [ $SECONDS -lt $until ]; do
		misfortune
		n=$((n + 1))
		[ $((n % 5)) = 0 ] || continue
		wait_for 30 both_pass || fail "after $n faults: $(qmapctl show)"
		sizes+=("$(rss)")
	done
	modem clear >/dev/null
	wait_for 30 both_pass || fail "at the end: $(qmapctl show)"
	tenth=$((${#sizes[@]} / 10 + 1))
	local first last
	first=$(average "${sizes[@]:0:tenth}") last=$(average "${sizes[@]: -tenth}")
	figure "$n faults, RSS $first KiB in the first tenth, $last KiB in the last"
	qmapctl detach wwan0
	qmapctl apply -q "$T/conf" # releases ids that a fault kept from being released
	qmapctl detach wwan0
	nothing_left
	equal "descriptors" "$before" "$(descriptors)"
	at_least "KiB left of 512 to grow by" 0 $((512 + first - last))
	at_least "KiB left of 8192" 0 $((8192 - last))
}

test_attach_and_detach() {
	local n ids=0 before after
	conf
	modem_start
	qmapd_start
	qmapctl apply -q "$T/conf" && qmapctl detach wwan0
	before="$(descriptors) descriptors"
	local size
	size=$(rss)
	for ((n = 0; n < ${CYCLES:-1000}; n++)); do
		qmapctl apply -q "$T/conf"
		qmapctl detach wwan0
		ids=$((ids + $(modem_stat '.qmi.clients | add')))
	done
	after="$(descriptors) descriptors"
	figure "$n attaches and detaches: $ids client ids leaked, RSS $size KiB before, $(rss) KiB after"
	equal "client ids leaked" 0 "$ids"
	equal "left open" "$before" "$after"
	nothing_left
	at_least "KiB left of 8192" 0 $((8192 - $(rss)))
}

# Killed at any time from the first request to a while after the last.
test_kills() {
	local n ids=0
	RANDOM=${SEED:=$((${EPOCHREALTIME/./} % 32768))}
	figure "SEED=$SEED"
	conf
	modem_start
	for ((n = 0; n < ${KILLS:-200}; n++)); do
		qmapd_start -c "$T/conf"
		read -rt "0.$(printf %03d "$(any 400)")" <> <(:) || :
		qmapd_kill KILL || :
		qmapd_start -c "$T/conf"
		wait_for 15 both_pass || fail "after $n kills: $(qmapctl show)"
		qmapctl detach wwan0
		ids=$((ids + $(modem_stat '.qmi.clients | add')))
		qmapd_kill TERM
	done
	figure "$n kills: $ids client ids leaked"
	equal "client ids leaked" 0 "$ids"
	nothing_left
}

run_tests "$@"
