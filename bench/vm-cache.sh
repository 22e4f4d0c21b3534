#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Cache misses of a packet, in the guest of bench/vm.sh, by the model of bench/plugin/cache.c; what the base
# costs (the generator, vhci_hcd) is subtracted, as for instructions.
#
#   bench/vm-cache.sh [CASE...]    default: usb-tcp-forward-v5
#   KERNEL=6.1   ROUNDS=1   SEED=1   QUICK=1   PATHS=usb,rmnet   as for bench/vm.sh
#
# Prints for each case and path: accesses, misses of L1D, misses of L2. Appends nothing.

set -u
cd "$(dirname "$0")/.." || exit 1
ROUNDS=${ROUNDS:-1} OUT=$(mktemp)
# shellcheck source=bench/vm-lib.sh
. bench/vm-lib.sh

[ "$ARCH" = amd64 ] || { echo "SKIP bench-vm: the marks are amd64's"; exit 0; }
bench_prepare
make -s build/cache.so || exit 1
counts=$VM_BUILD/$KERNEL/cache.out
PLUGIN=build/cache.so,out=$counts
# shellcheck disable=SC2034 # for guest_lib.sh
GUEST_DMA=yes
[ $# -gt 0 ] || set -- usb-tcp-forward-v5
bench_guest 1 "$@" >/dev/null || { tail -n 20 "$VM_BUILD/$KERNEL/bench.log"; exit 1; }
rm -f "$OUT"
# The n-th pair of marks is the n-th line of both. A path's base is the latest one before it, and the
# last of a name counts: the first one has warmed up.
sed -n 's/^MARK //p' "$VM_BUILD/$KERNEL/bench.log" | paste -d' ' - "$counts" | awk '
	{
		for (i = 3; i <= 5; i++) {
			now[i] = $i / $2
			if ($1 ~ /\.base$/) base[i] = now[i]
			else now[i] -= base[i]
		}
		line[$1] = sprintf("%-36s %8.1f %8.2f %8.2f", $1, now[3], now[4], now[5])
	}
	END { for (name in line) print line[name] }' | sort
