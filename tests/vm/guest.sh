#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# /init of the guest (busybox sh): loads the modules listed in /modules in their order, runs the
# command in /command, reports its status on the console and powers off.

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
# More than console noise would hide what the tests print; dmesg is looked at in the end.
dmesg -n 1
echo

while read -r module; do
	insmod "/ko/$module" || echo "FAIL insmod $module"
done </modules

sh /command
status=$?

# A warning of the kernel is a failure, whatever the tests thought.
if dmesg | grep -E 'WARNING:|BUG:|Oops|RIP:|Internal error|Unable to handle|refcount_t|lockdep|unregister_netdevice: waiting' >/tmp/bad; then
	echo "FAIL kernel log is not clean"
	dmesg | tail -n 60
	status=1
fi
echo "GUEST-STATUS $status"
poweroff -f
