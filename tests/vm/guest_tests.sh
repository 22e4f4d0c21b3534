#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# guest_tests.sh [TEST...]: in a guest, runs tests of shim_test, all or those named, then the cmocka
# programs in $PROGRAMS, each as one test.

# BPF callbacks need the JIT, which is off in some kernels and missing in others.
jit=/proc/sys/net/core/bpf_jit_enable
[ ! -e $jit ] || echo 1 >$jit
# test_load reads the budget at its path in the source tree.
[ ! -e /budget ] || { mkdir -p /tests/bpf && cp /budget /tests/bpf/; }
failed=0
shim_test "$@" || failed=1
for test in ${PROGRAMS:-}; do
	if ! $test >/tmp/log 2>&1; then
		grep -vE '^\[ RUN|^\[       OK' /tmp/log | tail -n 40
		echo "FAIL $test"
		failed=1
	elif reason=$(grep '^SKIP: ' /tmp/log); then
		echo "SKIP $test: ${reason#SKIP: }"
	else
		echo "PASS $test:$(sed -n 's/^\[  PASSED  \]//p' /tmp/log)"
	fi
done
exit $failed
