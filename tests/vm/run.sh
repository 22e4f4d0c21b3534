#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs the kernel shim in QEMU guests with Debian's kernels.
#
#   tests/vm/run.sh [TEST...]      default: all tests of tests/vm/shim_test.c
#   KERNELS="6.1 6.12"             which kernels; "6.12-rt": with PREEMPT_RT, "kasan": the debug kernel
#   ARCH=arm64                     of which machine: see machine.sh
#   DEBUG=1                        the module with its assertions
#   COVERAGE=1                     the module counts the edges that have run, for "explore"
#   DEADLINE=1800                   seconds of silence after which a guest counts as hung
#
# Without names of tests and without DEBUG, each guest runs the tests of the BPF programs, too: its
# verifier has to take them.
#
# Prints one PASS, FAIL or SKIP line per test and kernel; fails if anything failed.

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh
# shellcheck source=tests/vm/guest_lib.sh
. tests/vm/guest_lib.sh

KERNELS=${KERNELS:-6.1 6.12}
DEADLINE=${DEADLINE:-1800}
GUEST_NAME=${GUEST_NAME:-test}
# shellcheck disable=SC2034 # for guest_lib.sh
GUEST_UNFROZEN=yes
# shellcheck disable=SC2034
GUEST_MODULES="$GUEST_MODULES vhci-hcd cdc-wdm qmi_wwan nft_ct nft_objref nft_nat nft_chain_nat nft_masq nft_flow_offload
	nf_flow_table_inet 8021q"

reason=$(missing_tools) && { echo "SKIP vm $ARCH: $reason"; exit 0; }
reason=$(fetch_sysroot) || { echo "SKIP vm $ARCH: $reason"; exit 0; }
take_turns
build_tests || { echo "FAIL vm: test programs do not build"; exit 1; }

# On other machines arch.sh runs them.
programs=()
if [ $# = 0 ] && [ -z "$SYSROOT${DEBUG:-}" ]; then
	for file in tests/bpf/test_*.c; do
		programs+=("$GUEST_BUILD/tests-bpf/$(basename "$file" .c)")
	done
	guest_make "${programs[@]}" || { echo "FAIL vm: tests of BPF programs do not build"; exit 1; }
fi

failed=0
for kernel in $KERNELS; do
	if ! reason=$(fetch_kernel "$kernel"); then
		echo "SKIP vm $kernel: $reason"
		continue
	fi
	if ! build_module "$kernel" || ! build_bare "$kernel"; then
		echo "FAIL vm $kernel: the module does not build"
		failed=1
		continue
	fi
	# Without it the guest skips tests that need it.
	reason=$(build_rmnet "$kernel") || echo "SKIP vm $kernel: peers: $reason"
	image=$VM_BUILD/$kernel/$GUEST_NAME.cpio.gz
	mapfile -t more < <(guest_file nft) # used if present
	make_image "$kernel" "$image" "PROGRAMS='${programs[*]##*/}' sh /guest_tests.sh $*" \
		tests/vm/guest_tests.sh tests/bpf/budget "$GUEST_BUILD"/vm/bin/{shim_test,vm.bpf.o} \
		"${programs[@]}" "${more[@]}" || exit 1
	run_guest "$kernel" "$image" "$VM_BUILD/$kernel/$GUEST_NAME.log" || failed=1
done
[ -n "$SYSROOT" ] || tests/checkpatch.sh || failed=1
exit $failed
