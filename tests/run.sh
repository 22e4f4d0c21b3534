#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/run.sh TIER[:LANES][+TIER...]...: runs test programs and scripts, counts, prints how long each tier
# took, how much of the CPUs' time it used, and "N passed, N failed, N skipped".
#
# Tiers joined by "+" run at the same time where there is more than one CPU, and so do a tier's programs, as
# many as it has lanes: most of the time, tests in namespaces wait. Each lane takes the next program that no
# other lane has taken.
#
# A program is a cmocka binary or a script; both print the result of each of their tests, which this
# script adds up. A program that ends without a result has failed.
set -u
cd "$(dirname "$0")/.." || exit 1

work=$(mktemp -d)
trap 'end_jobs; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Tiers are jobs of this shell, a program is the job of its tier's shell. A signal that arrives while bash
# starts the next program can be lost; a second one would end this function half-way. A job that ends while
# a trap runs may stay in bash's list: then no process takes the signal.
end_jobs() {
	trap '' INT TERM
	# shellcheck disable=SC2046 # several
	while [ -n "$(jobs -pr)" ] && kill $(jobs -pr) 2>/dev/null; do sleep .2; done
}

# Last number that stands before "test(s)" in lines with tag $1.
cmocka_count() {
	sed -n "s/^\[ *$1 *\] *\([0-9]*\) test(s).*/\1/p" "$log" | head -n 1
}

count_log() { # exit status
	local p f s
	if grep -q '^# [0-9]* passed, [0-9]* failed, [0-9]* skipped$' "$log"; then
		read -r _ p _ f _ s _ < <(grep '^# [0-9]* passed' "$log" | tail -n 1)
	elif grep -qE '^(PASS|FAIL|SKIP) ' "$log"; then
		p=$(grep -c '^PASS ' "$log") f=$(grep -c '^FAIL ' "$log") s=$(grep -c '^SKIP ' "$log")
	else
		p=$(cmocka_count PASSED) f=$(cmocka_count FAILED) s=$(cmocka_count SKIPPED)
	fi
	p=${p:-0} f=${f:-0} s=${s:-0}
	if [ "$1" -ne 0 ] && [ "$f" -eq 0 ] || [ $((p + f + s)) -eq 0 ]; then
		echo "FAIL: ended with status $1 and without a failed test to show for it"
		f=$((f + 1))
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# Time limit that only a hang exceeds: a busy machine is slow, and its guests without KVM are slower.
run() {
	local began=$SECONDS
	number=$((number + 1))
	mkdir "$work/$tier/$number" 2>/dev/null || return 0 # another lane's
	echo "== $*"
	timeout -k 10 "${LIMIT:-7200}" "$@" >"$log" 2>&1 &
	wait $!
	local status=$?
	grep -v '^\[ RUN\|^\[       OK \]\|^\[==========\]' "$log"
	count_log "$status"
	[ $((SECONDS - began)) -lt 30 ] || echo "== took $(minutes $((SECONDS - began)))"
}

minutes() { # seconds
	printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

run_tier() {
	case $1 in
	unit)
		for t in build/unit/* tests/unit/test-*.sh; do [ -x "$t" ] && run "$t"; done
		run tests/fuzz/replay.sh
		;;
	bpf) for t in build/tests-bpf/*; do [ -x "$t" ] && run "$t"; done ;;
	net) for t in tests/net/test-*.sh; do run "$t"; done ;;
	vm)
		run tests/vm/bench.sh
		KERNELS="6.1 6.12 newest" run tests/vm/run.sh
		# the module with its assertions
		DEBUG=1 KERNELS=6.1 run tests/vm/run.sh
		run tests/vm/xhci.sh
		run tests/vm/dkms.sh
		LIMIT=36000 run tests/vm/arch.sh
		LIMIT=36000 run tests/vm/selftests.sh
		LIMIT=36000 run tests/vm/usb.sh
		run tests/vm/peers.sh
		KERNELS=newest DATAPATHS="xdp shim" run tests/vm/usb.sh attach fixtures iperf replace kill_and_adopt
		KERNELS=newest DATAPATHS=usb run tests/vm/usb.sh driver_attach driver_killed_in_attach driver_moves
		# With two CPUs Linux 7.3 does not come back from a sleep to RAM on QEMU 7.2, with no module of ours.
		QEMU_OPTIONS="-smp 1" KERNELS=newest DATAPATHS="usb shim" run tests/vm/usb.sh suspend
		KERNELS=newest DATAPATHS=rmnet run tests/vm/usb.sh attach drops kill_and_adopt
		KERNELS=6.1 DATAPATHS=usb CYCLES=200 TEST_LIMIT=4800 run tests/vm/usb.sh driver_moves
		KERNELS=6.1 DATAPATHS=usb CYCLES=100 TEST_LIMIT=4800 run tests/vm/usb.sh replug_cycles
		KERNELS=6.12 DATAPATHS=xdp CYCLES=100 TEST_LIMIT=4800 run tests/vm/usb.sh replug_cycles
		KERNELS=6.1 DATAPATHS=shim CYCLES=100 TEST_LIMIT=4800 run tests/vm/usb.sh replug_cycles
		;;
	# durations, on an idle machine: the tests that call took or takes
	times)
		export JUDGE_TIMES=yes
		run tests/net/test-figures.sh test_attach_time test_attach_time_with_a_slow_modem
		run tests/net/test-adopt.sh test_kill_under_load
		run tests/net/test-errors.sh test_control_channel_is_silent
		run tests/net/test-faults.sh test_modem_restarts_unannounced test_modem_is_killed test_modem_does_not_let_go
		run tests/net/test-flow.sh test_stopped_for_five_seconds_at_most
		run tests/net/test-lifecycle.sh
		run tests/net/test-reconnect.sh test_disconnect_is_redialled test_network_accepts_late test_waits_grow \
			test_detach_while_start_is_silent
		run tests/net/test-recover.sh test_times_of_repair
		run tests/net/test-repair.sh
		;;
	# the guests' tests that fit into a few minutes
	vm-short)
		run tests/vm/run.sh
		export KERNELS=6.1
		DATAPATHS=xdp run tests/vm/usb.sh drivers qmicli attach kill_and_adopt
		DATAPATHS=shim run tests/vm/usb.sh reboot port_is_moved_away
		CYCLES=6 DATAPATHS=usb run tests/vm/usb.sh driver_attach driver_killed_by_command driver_moves
		run tests/vm/xhci.sh usb_rx_v5 usb_uplink_v5 usb_lend_capture
		run tests/vm/bench.sh
		;;
	*)
		echo "no such tier: $1" >&2
		exit 1
		;;
	esac
}

# Runs a lane of a tier in a shell of its own, and leaves its duration, its time of the CPUs and its counts in
# $work/TIER/lane.LANE.
start_lane() { # tier lane
	local began=$SECONDS
	: >"$work/$1/$2.out"
	(
		trap end_jobs EXIT
		trap 'exit 130' INT TERM
		tier=$1 log=$work/$1/$2.log number=0 passed=0 failed=0 skipped=0 pid=$BASHPID
		run_tier "$1"
		echo "$((SECONDS - began)) $(cpu_seconds "$pid") $passed $failed $skipped" >"$work/$1/lane.$2"
	) >"$work/$1/$2.out" 2>&1 &
	pids[$1:$2]=$!
}

# Of the programs that a shell has waited for.
cpu_seconds() { # pid
	local line
	read -ra line <"/proc/$1/stat"
	echo $(((line[15] + line[16]) / $(getconf CLK_TCK)))
}

# Shows what a lane prints until it ends.
follow_lane() { # tier lane
	tail -n +1 -s .2 -f --pid="${pids[$1:$2]}" "$work/$1/$2.out" &
	wait $!
}

# Adds up what the lanes of a tier have left.
summarize() { # tier
	local lane took=0 cpu=0 t c p f s
	for ((lane = 1; lane <= lanes[$1]; lane++)); do
		read -r t c p f s <"$work/$1/lane.$lane" || { echo "$1: broken"; t=0 c=0 p=0 f=1 s=0; }
		[ "$took" -ge "$t" ] || took=$t
		cpu=$((cpu + c)) all_passed=$((all_passed + p)) all_failed=$((all_failed + f))
		all_skipped=$((all_skipped + s))
	done
	printf '%-9s %s (CPU %s)\n' "$1" "$(minutes "$took")" "$(minutes $cpu)"
}

# Two guests at once need 3 GB.
has_memory() {
	[ "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)" -gt 5000000 ]
}

declare -A pids lanes
order=()
many=yes
if [ "$(nproc)" = 1 ]; then
	# shellcheck disable=SC2048,SC2086 # groups of one tier each
	set -- ${*//+/ }
	many=
fi
has_memory || many=
for group; do
	read -ra tiers <<<"${group//+/ }"
	for name in "${tiers[@]}"; do
		tier=${name%:*}
		lanes[$tier]=${many:+${name#"$tier"}}
		lanes[$tier]=${lanes[$tier]#:}
		: "${lanes[$tier]:=1}"
		mkdir "$work/$tier"
		order+=("$tier")
		for ((lane = 1; lane <= lanes[$tier]; lane++)); do start_lane "$tier" $lane; done
	done
	for name in "${tiers[@]}"; do
		for ((lane = 1; lane <= lanes[${name%:*}]; lane++)); do follow_lane "${name%:*}" $lane; done
	done
done

all_passed=0 all_failed=0 all_skipped=0
echo
for tier in "${order[@]}"; do summarize "$tier"; done
printf '%-9s %s\n' together "$(minutes $SECONDS)"
echo "$all_passed passed, $all_failed failed, $all_skipped skipped"
[ "$all_failed" -eq 0 ]
