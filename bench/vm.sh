#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The shim against kernel rmnet and qmimux in one QEMU guest: instructions per packet, counted by
# -icount, and with CLOCK=1 the same by the guest's clock.
#
#   bench/vm.sh [CASE...]
#   ROUNDS=3   KERNEL=6.1
#
# Appends one JSON object per cell to build/bench/vm.jsonl and prints the table.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh
# shellcheck source=tests/vm/guest_lib.sh
. tests/vm/guest_lib.sh

KERNEL=${KERNEL:-6.1}
ROUNDS=${ROUNDS:-3}
DEADLINE=${DEADLINE:-900}
OUT=${OUT:-build/bench/vm.jsonl}
COMMIT=$(git describe --always --dirty 2>/dev/null || echo unknown)

build_bench() {
	build_tests || return 1
	gcc -std=gnu17 -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror \
		-D_GNU_SOURCE -Iinclude -I. bench/vm_bench.c tests/vm/nl.c tests/vm/packets.c \
		tests/vm/rmnet.c tests/vm/world.c tests/vm/usbmodem.c \
		tests/modem/usb_desc.c tests/modem/usb_vhci.c -o build/vm/bin/vm_bench -lbpf -lmnl
}

# What the guest says, with what only the machine around it knows.
keep() {
	jq -c --arg emulator "$(qemu-system-x86_64 --version | head -n1)" \
		'. + {emulator: $emulator, cpus: 1, governor: "none"}' |
		build/qmap-bench -o "$OUT" -c "$COMMIT" add
}

# Packets of qmimux wait in the backlog, which the usual limit of 1000 lets overflow: what is lost costs
# nothing, and would look cheap.
GUEST_SET_UP="echo 1 >/proc/sys/net/ipv4/ip_forward; echo 20000 >/proc/sys/net/core/netdev_max_backlog"

# measure METHOD: one guest.
measure() {
	local method=$1 image=$VM_BUILD/$KERNEL/bench.cpio.gz log=$VM_BUILD/$KERNEL/bench.log
	shift
	make_image "$KERNEL" "$image" "$GUEST_SET_UP; vm_bench $method $ROUNDS $*" \
		build/vm/bin/vm_bench build/vm/bin/vm.bpf.o || return 1
	run_guest "$KERNEL" "$image" "$log" >"$VM_BUILD/$KERNEL/bench.out"
	local status=$?
	grep -v '^DATA ' "$VM_BUILD/$KERNEL/bench.out"
	sed -n 's/^DATA {/{/p' "$log" | keep || return 1
	return $status
}

reason=$(missing_tools) && { echo "SKIP bench-vm: $reason"; exit 0; }
reason=$(fetch_kernel "$KERNEL") || { echo "SKIP bench-vm: $reason"; exit 0; }
reason=$(build_rmnet "$KERNEL") || { echo "SKIP bench-vm: $reason"; exit 0; }
build_bench && build_module "$KERNEL" || exit 1
mkdir -p "$(dirname "$OUT")"
GUEST_MODULES="$GUEST_MODULES dummy vhci-hcd cdc-wdm qmi_wwan"

# Without string instructions marked fast, a copy is rep movsq: one instruction per 8 bytes, which
# is nearer to what copying costs than one per byte.
if [ -z "${CLOCK:-}" ]; then
	ACCEL=tcg QEMU_OPTIONS="-smp 1 -icount shift=0,sleep=off" CPU=max,-erms,-fsrm measure insns "$@"
else
	QEMU_OPTIONS="-smp 1" measure ns "$@"
fi
