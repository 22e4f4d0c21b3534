#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Which functions of the kernel, and which BPF programs, take the instructions of a packet, in the guest of
# bench/vm.sh.
#
#   bench/vm-profile.sh PATH CASE  such as: xdp aggregate-kb-31
#   KERNEL=6.1   SEED=1            as for bench/vm.sh

set -u
cd "$(dirname "$0")/.." || exit 1
ROUNDS=1 OUT=$(mktemp)
# shellcheck source=bench/vm-lib.sh
. bench/vm-lib.sh

[ $# = 2 ] || { sed -n 's/^#   \(bench.*\)/\1/p' "$0"; exit 2; }
[ "$ARCH" = amd64 ] || { echo "SKIP bench-vm: the marks are amd64's"; exit 0; }
bench_prepare
make -s build/profile.so || exit 1
counts=$VM_BUILD/$KERNEL/profile.out
# shellcheck disable=SC2034 # for vm-lib.sh
PLUGIN=build/profile.so,out=$counts PATHS=$1
GUEST_SET_UP+="; echo 1 >/proc/sys/net/core/bpf_jit_kallsyms; export SYMBOLS=yes"
bench_guest 1 "$2" >/dev/null || { tail -n 20 "$VM_BUILD/$KERNEL/bench.log"; exit 1; }
rm -f "$OUT"
bench/profile.py "$counts" "$VM_BUILD/$KERNEL/bench.log" "$2.$1"
