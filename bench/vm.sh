#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The shim and xdp against kernel rmnet and qmimux in one QEMU guest: instructions per packet, counted
# by -icount, and with CLOCK=1 the same by the guest's clock.
#
#   bench/vm.sh [CASE...]
#   ROUNDS=2   KERNEL=6.1
#   ARCH=arm64 another machine than this one (tests/vm/machine.sh); its results are under build/arm64/
#   SEED=1     of the guest's random numbers: with the same seed a guest repeats the same work, with
#              another one hashes and memory layout differ
#   PATHS=usb,rmnet   these paths alone; by default all
#   BENCH_CPU=max  on amd64, with fast string instructions, which count one for each byte
#   BENCH_CMDLINE=init_on_alloc=0   more arguments of the guest's kernel
#   QUICK=1    a few packets of every case, only to check that all arrive
#
# Appends JSON objects to build/bench/vm.jsonl, some per case and path, and prints the table.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=bench/vm-lib.sh
. bench/vm-lib.sh

bench_prepare
bench_guest 1 "$@"
