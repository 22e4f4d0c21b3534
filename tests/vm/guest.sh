#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the guest (busybox sh): loads the modules listed in /modules in their order, runs the command
# in /command, reports its status on the console and powers off.

PATH=/bin:/sbin
export PATH
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t bpf bpf /sys/fs/bpf
mount -t debugfs debug /sys/kernel/debug
mount -t tmpfs tmp /tmp
mkdir -p /dev/net
[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
ip link set lo up
# The kernel's own IPv6 packets would mix with those that tests compare.
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
# More than console noise would hide the output of tests; the end of this script checks dmesg.
dmesg -n 1
echo

# A debug kernel scans for leaks on request; leaks of the boot do not count.
debug=/sys/kernel/debug/kmemleak
leaks=$debug
! grep -qw kmemleak=off /proc/cmdline || leaks=/none
[ ! -e $leaks ] || echo scan=off >$leaks

while read -r module; do
	insmod "/ko/$module" || echo "FAIL insmod $module"
done </modules
if [ -e $debug ]; then
	[ ! -e $leaks ] || echo clear >$leaks
	dmesg -c >/dev/null
fi

sh /command
status=$?

# kmemleak ignores objects younger than 5 s, and its first scan reports objects that RCU is about to
# free.
if [ -e $leaks ]; then
	sleep 6
	echo scan >$leaks
	sleep 2
	echo scan >$leaks
	cat $leaks >/tmp/leaks
	if [ -s /tmp/leaks ]; then
		echo "FAIL kmemleak: $(grep -c '^unreferenced' /tmp/leaks) objects"
		head -n 200 /tmp/leaks
		status=1
	fi
fi

# A warning of the kernel is a failure, even if the tests passed.
if dmesg | grep -E 'WARNING:|BUG:|Oops|RIP:|Internal error|Unable to handle|refcount_t|lockdep|unregister_netdevice: waiting|KASAN|UBSAN|ODEBUG|suspicious|INFO: task|detected stall|ref_tracker: [^ ]*@|corruption' >/tmp/bad; then
	echo "FAIL kernel log is not clean"
	sort /tmp/bad | uniq -c | sort -rn | head -n 20
	dmesg | tail -n "$([ -e $debug ] && echo 1500 || echo 60)"
	status=1
fi
echo "GUEST-STATUS $status"
poweroff -f
