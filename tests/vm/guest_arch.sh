#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# In a guest of another machine: the module's tests, then cmocka programs, each as one test.

failed=0
shim_test || failed=1
for test in test_walk test_load test_xdp test_uplink test_rtnl; do
	if $test >/tmp/log 2>&1; then
		echo "PASS $test:$(sed -n 's/^\[  PASSED  \]//p' /tmp/log)"
	else
		grep -vE '^\[ RUN|^\[       OK' /tmp/log | tail -n 40
		echo "FAIL $test"
		failed=1
	fi
done
exit $failed
