#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module on the debug kernel. Any report of the kernel is a failure, and so is a leak.
#
#   ROUNDS=2000 AGGREGATES=1000000 SEED=1
#
# First the check that the kernel does report: rmnet with a fault that it had once, of which it reports
# nothing when the observer guards that rmnet. Then, with KASAN,
# lockdep, UBSAN, object debugging and kmemleak:
#
#   1. every test of tests/vm/shim_test.c, including those against the kernel's rmnet
#   2. random changes under traffic with failing allocations, and malformed aggregates: a tenth of
#      what follows
#
# The large numbers run without kmemleak, which takes half of the time: each allocation costs it a
# stack trace and a tree. All other checks stay on:
#
#   3. ROUNDS changes; RCU's grace periods are short, or most of the time is spent on them
#   4. AGGREGATES malformed aggregates, 10 good frames in each on average. The packets in use are
#      counted instead: as many at the end as after the first round.

cd "$(dirname "$0")/../../.." || exit 1
rounds=${ROUNDS:-2000} aggregates=${AGGREGATES:-1000000} seed=${SEED:-1}
export KERNELS=kasan DEBUG=1 MEMORY=2048
export GUEST_MORE_MODULES="nf_flow_table_inet nft_flow_offload"
failed=0
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh

# part NAME COMMAND...: says how long it took.
part() {
	local name=$1 begin=$SECONDS
	shift
	"$@" || failed=1
	echo "DATA debug: $name took $((SECONDS - begin)) s"
}

# The large numbers have a build directory of their own: each directory has one console and one image.
share_kernel() { # build directory
	rm -rf "$1"
	mkdir -p "$1/kasan"
	ln -s "$VM_BUILD/kasan/root" "$VM_BUILD/kasan/rmnet" "$1/kasan/"
	cp "$VM_BUILD/kasan/release" "$1/kasan/"
	cp "$VM_BUILD/accel" "$1/"
}

everything_on() {
	part "all tests" env DEADLINE=14400 tests/vm/run.sh
	part "chaos and mutated_large, everything on" env DEADLINE=14400 \
		CMDLINE="ROUNDS=$((rounds / 10)) AGGREGATES=$((aggregates / 100)) SEED=$((seed + 1))" \
		tests/vm/run.sh chaos mutated_large
	return $failed
}

large_numbers() {
	part "$rounds rounds of chaos" env DEADLINE=14400 \
		CMDLINE="ROUNDS=$rounds SEED=$seed kmemleak=off rcupdate.rcu_expedited=1" tests/vm/run.sh chaos
	part "$aggregates aggregates" env DEADLINE=28800 \
		CMDLINE="AGGREGATES=$aggregates SEED=$seed kmemleak=off" tests/vm/run.sh mutated_large
	return $failed
}

part control env DEADLINE=3600 AGGREGATES=$((aggregates / 50)) \
	tests/vm/control.sh short_transfers guarded

memory=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
if [ "${JOBS:-$(nproc)}" -gt 1 ] && [ "$memory" -gt 6144 ]; then
	share_kernel "$VM_BUILD-large"
	(VM_BUILD=$VM_BUILD-large large_numbers) >"$VM_BUILD-large/log" 2>&1 &
	everything_on
	wait $! || failed=1
	cat "$VM_BUILD-large/log"
else
	everything_on
	large_numbers
fi
exit $failed
