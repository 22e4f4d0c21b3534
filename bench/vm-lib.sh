#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs measurements in a guest and keeps its output. Sourced by bench/vm.sh and bench/vm-scale.sh.

# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh
# shellcheck source=tests/vm/guest_lib.sh
. tests/vm/guest_lib.sh

KERNEL=${KERNEL:-6.1}
ROUNDS=${ROUNDS:-2}
DEADLINE=${DEADLINE:-7200}
OUT=${OUT:-$GUEST_BUILD/bench/vm.jsonl}
SEED=${SEED:-1}
COMMIT=$(git describe --always --dirty 2>/dev/null || echo unknown)

# Packets of qmimux wait in the backlog, which overflows with the usual limit of 1000: a lost packet
# costs nothing and would look cheap.
GUEST_SET_UP="echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
echo 20000 >/proc/sys/net/core/netdev_max_backlog"

# Reports what the machine lacks, and ends the script.
bench_prepare() {
	local reason
	reason=$(missing_tools) && { echo "SKIP bench-vm: $reason"; exit 0; }
	take_turns
	reason=$(fetch_sysroot) || { echo "SKIP bench-vm: $reason"; exit 0; }
	reason=$(fetch_kernel "$KERNEL") || { echo "SKIP bench-vm: $reason"; exit 0; }
	reason=$(build_rmnet "$KERNEL") || { echo "SKIP bench-vm: $reason"; exit 0; }
	guest_file nft >/dev/null || { echo "SKIP bench-vm: no nft"; exit 0; }
	mkdir -p "$(dirname "$OUT")"
	make -s build/qmap-bench && guest_make "$GUEST_BUILD"/{vm_bench,vm/bin/vm.bpf.o} &&
		build_module "$KERNEL" && build_bare "$KERNEL" || exit 1
	# shellcheck disable=SC2034 # for guest_lib.sh
	GUEST_BARE=yes
	GUEST_MODULES="$GUEST_MODULES dummy vhci-hcd cdc-wdm qmi_wwan nf_conntrack_netlink nft_ct nft_chain_nat
		nft_masq nft_flow_offload nf_flow_table_inet 8021q sch_cake"
}

# Adds to the guest's output the facts that only the host knows.
bench_keep() { # CPUS
	jq -c --arg emulator "$("${QEMU[0]}" --version | head -n1), $ARCH" --argjson seed "$SEED" \
		--argjson cpus "$1" '. + {emulator: $emulator, seed: $seed, cpus: $cpus, governor: "none"}' |
		build/qmap-bench -o "$OUT" -c "$COMMIT" add
}

# bench_guest CPUS [CASE...]: one guest that runs vm_bench.
#
# With -icount, instructions are counted. A guest with the same random numbers, time of day and
# addresses at every boot repeats the same work: the random numbers seed its hash functions, and the
# ticks of the clock fall between the same two instructions.
#
# Without the flag for fast string instructions, a copy on amd64 is rep movsq: one instruction per 8
# bytes, which is closer to the cost of copying than one per byte.
bench_guest() {
	local cpus=$1 unit=insns image=$VM_BUILD/$KERNEL/bench.cpio.gz log=$VM_BUILD/$KERNEL/bench.log
	shift
	QEMU_OPTIONS="-smp $cpus"
	if [ -n "${CLOCK:-}" ]; then
		unit=ns ACCEL='' CPU='' CMDLINE=''
	else
		ACCEL=tcg CPU=$GUEST_CPU CMDLINE="nokaslr${BENCH_CMDLINE:+ $BENCH_CMDLINE}"
		[ "$ARCH" != amd64 ] || CPU=${BENCH_CPU:-max,-erms,-fsrm}
		QEMU_OPTIONS+=" -icount shift=0,sleep=off -seed $SEED -rtc base=2020-01-01,clock=vm"
	fi
	QEMU_OPTIONS+=" ${PLUGIN:+-plugin $PLUGIN}"
	make_image "$KERNEL" "$image" "$GUEST_SET_UP; ${PATHS:+PATHS=$PATHS }vm_bench ${QUICK:+-q} $unit $ROUNDS $*" \
		"$GUEST_BUILD/vm_bench" "$GUEST_BUILD/vm/bin/vm.bpf.o" "$(guest_file nft)" || return 1
	run_guest "$KERNEL" "$image" "$log" >"$VM_BUILD/$KERNEL/bench.out"
	local status=$?
	grep -v '^DATA ' "$VM_BUILD/$KERNEL/bench.out"
	sed -n 's/^DATA {/{/p' "$log" | bench_keep "$cpus" || return 1
	return $status
}
