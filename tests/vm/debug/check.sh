#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module on the debug kernel: every test of tests/vm/shim_test.c, including those against the
# kernel's rmnet; random changes under traffic with failing allocations; malformed aggregates. Any
# report of the kernel is a failure, and so is a leak. First it checks that the kernel does report:
# rmnet with a fault that it had once.
#
#   ROUNDS=2000 AGGREGATES=10000000 SEED=1

cd "$(dirname "$0")/../../.." || exit 1
export KERNELS=kasan DEBUG=1 MEMORY=2048
export GUEST_MORE_MODULES="nf_flow_table_inet nft_flow_offload"
failed=0
DEADLINE=1800 tests/vm/control.sh short_transfers || failed=1
DEADLINE=14400 tests/vm/run.sh || failed=1
CMDLINE="ROUNDS=${ROUNDS:-2000} SEED=${SEED:-1}" DEADLINE=14400 tests/vm/run.sh chaos || failed=1
CMDLINE="AGGREGATES=${AGGREGATES:-10000000} SEED=${SEED:-1}" DEADLINE=86400 \
	tests/vm/run.sh mutated_large || failed=1
exit $failed
