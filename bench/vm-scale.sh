#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How the shim's cost spreads over CPUs if a program steers flows by a CPU map (bench/vm_scale.c): one
# guest with one CPU, whose instructions are counted, and one with the requested number of CPUs, of
# which it uses 1, 2, 4, ... The second guest is measured by its clock: with -icount QEMU gives a CPU
# that waits for another one all the time until the next timer, and a kernel that starts its second CPU
# does not get beyond that. Without KVM one host thread runs all CPUs in turn.
#
#   bench/vm-scale.sh [CPUS]      default: 2
#   ROUNDS=2   KERNEL=6.1   SEED=1   QUICK=1   as for bench/vm.sh
#
# Appends one JSON object for each guest and number of CPUs to build/bench/vm.jsonl.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=bench/vm-lib.sh
. bench/vm-lib.sh

bench_prepare
bench_guest 1 cpumap && CLOCK=1 bench_guest "${1:-2}" cpumap
