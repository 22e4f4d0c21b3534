#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/packages.sh [SUITE...]: the Debian packages on machines that debootstrap makes (bookworm, trixie), kept
# under build/packages. Root; the network only for packages not kept yet.
#
# Each machine is a copy in namespaces of its own, with the suite's systemd as process 1: what starts, restarts
# and confines qmapd is the real one. The kernel is this machine's. The modem is the software modem.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh

CACHE=$PWD/build/packages
DEB=$PWD/build/deb
PATIENCE=${PATIENCE:-12} # as in tests/net/lib.sh

T=$(mktemp -d)
booted='' cgroup=''
failed=0

# --- a machine ---

# Makes the machine that the package is installed on: a Debian with systemd. Prints the reason on failure.
fetch_machine() { # suite
	local root=$CACHE/$1 uri
	[ ! -e "$root/complete" ] || return 0
	uri=$(own_repository)
	[ -n "$uri" ] || { echo "no Debian bookworm among this machine's apt sources"; return 1; }
	rm -rf "$root"
	mkdir -p "$CACHE"
	debootstrap --variant=minbase \
		--include=systemd,dbus,udev,iproute2,iputils-ping,jq,procps,dkms,linux-headers-amd64 \
		"$1" "$root" "$uri" >"$CACHE/$1.log" 2>&1 || { tail -n1 "$CACHE/$1.log"; return 1; }
	touch "$root/complete"
}

# Changes go to $T/changes, and with it.
mount_machine() { # suite
	mkdir -p "$T"/{changes,work,root}
	mount -t overlay overlay -o "lowerdir=$CACHE/$1,upperdir=$T/changes,workdir=$T/work" "$T/root"
	rm -f "$T/root/etc/resolv.conf"
	cp -L /etc/resolv.conf "$T/root/etc/resolv.conf"
	mkdir -p "$T/root/root/new"
	cp "$DEB"/qmap*.deb "$T/root/root/"
	cp "$T"/*.deb "$T/root/root/new/"
	cp build/qmap-modem "$T/root/root/"
}

outside() { # command...: in the machine's files and this machine's network
	chroot "$T/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

# The packages that ours depend on: the machine itself has no network.
download() {
	mount -t proc proc "$T/root/proc"
	outside sh -c 'apt-get -qq update && apt-get -qq install --no-install-recommends --download-only \
		-o APT::Sandbox::User=root /root/qmapd_*.deb /root/qmap-bench_*.deb' >"$T/log" 2>&1
	local status=$?
	umount "$T/root/proc"
	[ "$status" = 0 ] || tail -n 3 "$T/log"
	return "$status"
}

boot() {
	local unified
	unified=$(findmnt -nt cgroup2 -o TARGET | head -n1)
	[ -n "$unified" ] || { echo "no cgroup2 is mounted, which systemd needs"; return 1; }
	cgroup=$unified/qmap-packages.$$
	mkdir "$cgroup"
	# shellcheck disable=SC2016 # for the other shell
	bash -c 'echo $$ >"$0/cgroup.procs"; exec unshare -m -p -n -u -i -C --fork --kill-child "$@"' "$cgroup" \
		bash -ec '
		cd "$0"
		mount --make-rprivate /
		mount -t proc proc proc
		mount -t sysfs sysfs sys
		mount -t cgroup2 cgroup2 sys/fs/cgroup
		mount -t bpf bpf sys/fs/bpf
		mount -t tmpfs tmpfs run
		mount -t tmpfs tmpfs dev
		mkdir dev/pts dev/net dev/shm
		while read -r name major minor; do mknod -m 666 "dev/$name" c "$major" "$minor"; done <<-EOF
			null 1 3
			zero 1 5
			full 1 7
			random 1 8
			urandom 1 9
			tty 5 0
			net/tun 10 200
		EOF
		mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
		ln -s pts/ptmx dev/ptmx
		hostname router
		exec chroot . env -i container=qmap PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd \
			--system --log-target=console --show-status=no' "$T/root" >"$T/boot.log" 2>&1 &
	booted=$!
	wait_for 30 in_machine systemctl is-active -q dbus.service
}

# The first process of its namespace is a child of unshare, the program that the shell has become.
in_machine() {
	local first
	first=$(pgrep -P "$booted") || return 1
	nsenter -t "$first" -m -p -n -u -i -C -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

halt() {
	[ -z "$booted" ] || kill -KILL "$booted" 2>/dev/null
	wait "$booted" 2>/dev/null
	booted=''
	[ -z "$cgroup" ] || wait_for 10 rmdir_all "$cgroup"
	cgroup=''
	umount -R "$T/root" 2>/dev/null
	rm -rf "${T:?}"/{changes,work,root}
}

# Removing a group waits for its processes to be gone.
rmdir_all() {
	find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
	[ ! -d "$1" ]
}

trap 'halt; rm -rf "$T"' EXIT
trap 'exit 1' INT TERM

# --- judging ---

wait_for() { # seconds command...
	local deadline=$((${EPOCHREALTIME/./} + $1 * PATIENCE * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$deadline" ] || return 1
		read -rt 0.1 <> <(:) || :
	done
}

equal() { # what expected seen
	[ "$2" = "$3" ] || { echo "$1:"; diff <(echo "$2") <(echo "$3"); return 1; }
}

check() { # name command...
	local name=$1
	shift
	if "$@" >"$T/log" 2>&1; then
		echo "PASS $name"
	else
		echo "FAIL $name"
		tail -n 40 "$T/log" | sed 's/^/    /'
		failed=1
		return 1
	fi
}

# --- the packages as files ---

build_packages() {
	system/deb.sh "$DEB"
}

lintian_is_silent() {
	equal "lintian" "" "$(lintian --allow-root --display-info --pedantic "$DEB"/*.changes)"
}

# In another directory, without a network: the same bytes.
reproducible() {
	local deb
	DEB_BUILD_OPTIONS=nocheck unshare -n system/deb.sh "$CACHE/another-one/deb" >"$T/deb.log" 2>&1 ||
		{ tail "$T/deb.log"; return 1; }
	for deb in "$DEB"/*.deb; do
		cmp "$deb" "$CACHE/another-one/deb/${deb##*/}" || return 1
	done
	rm -rf "$CACHE/another-one"
}

# A release to come: other BPF instructions, and a version above this one.
make_next_release() {
	local deb
	deb=$(echo "$DEB"/qmapd_*.deb)
	make -s build/qmapd-rebuilt || return 1
	dpkg-deb -R "$deb" "$T/next" || return 1
	sed -i 's/^Version: .*/&+next/' "$T/next/DEBIAN/control"
	cp build/qmapd-rebuilt "$T/next/usr/sbin/qmapd"
	strip "$T/next/usr/sbin/qmapd"
	dpkg-deb -b "$T/next" "$T/qmapd_next.deb"
	rm -r "$T/next"
}

# In a guest with an emulated modem on USB, which no machine below has.
guest_goes_online() {
	KERNELS=6.1 DATAPATHS=shim DEB=$(echo "$DEB"/qmapd_*.deb) tests/vm/usb.sh package
}

# --- on a machine ---

# Lists the paths that packages may change, without those that dpkg, apt and the machine itself write.
files() {
	in_machine find /etc /usr /var /opt /srv /root /home -xdev \( -path /var/lib/dpkg -o -path /var/log \
		-o -path /var/lib/apt -o -path /var/cache -o -path /var/lib/systemd -o -path /root -o -name '*.cache' \
		-o -name 'ld.so.cache' -o -name '*-' -o -path '/etc/.pwd.lock' -o -path /var/tmp \) -prune \
		-o -not -type d -printf '%p %m %U %G %s\n' | grep -v '^/etc/g\?shadow ' | sort
}

apt_install() { # file
	in_machine apt-get -qq install --no-install-recommends -o Dpkg::Use-Pty=0 "$1"
}

install_package() {
	in_machine systemctl is-system-running --wait
	# Its dependencies stay when it goes.
	# shellcheck disable=SC2016 # for the other shell
	in_machine sh -c 'apt-get -qq install --no-download --no-install-recommends $(dpkg-deb -f /root/qmapd_*.deb Depends |
		sed "s/([^)]*)//g; s/|[^,]*//g; s/,//g")' || return 1
	files >"$T/files"
	apt_install "/root/$(basename "$DEB"/qmapd_*.deb)" || return 1
	equal "service" active "$(in_machine systemctl is-active qmapd)" || return 1
	equal "at boot" enabled "$(in_machine systemctl is-enabled qmapd)" || return 1
	equal "failed units" "" "$(in_machine systemctl --failed --no-legend | grep qmap)" || return 1
	in_machine getent group qmap || return 1
	equal "show" "Nothing is attached." "$(in_machine qmapctl show)"
}

unit_and_rules_are_valid() {
	in_machine systemd-analyze verify --man=no qmapd.service qmap-metrics.timer \
		qmap-metrics.socket qmap-metrics@1.service 2>&1 | grep qmap && return 1
	! in_machine sh -c 'udevadm verify --help >/dev/null 2>&1' ||
		in_machine udevadm verify --no-style /lib/udev/rules.d/90-qmap.rules
}

# Attached by the one command of README, on the software modem.
attach() {
	in_machine ip netns add net || return 1
	in_machine sh -c 'exec /root/qmap-modem --control /run/qmi --net-netns net >/run/ready 2>/run/modem.log' &
	wait_for 10 in_machine grep -q ready /run/ready || return 1
	in_machine qmapctl attach wwan0 --control /run/qmi --pdn 1,apn=internet || return 1
	in_machine ping -q -c 3 -i 0.2 10.64.1.1
}

# By the unit's own restrictions, into a directory that is not root's.
metrics_for_node_exporter() {
	local file=/var/lib/prometheus/node-exporter/qmap.prom
	equal "timer" disabled "$(in_machine systemctl is-enabled qmap-metrics.timer)" || return 1
	in_machine sh -c 'mkdir -p /var/lib/prometheus/node-exporter && chown nobody /var/lib/prometheus/node-exporter'
	in_machine systemctl enable -q --now qmap-metrics.timer || return 1
	in_machine systemctl start qmap-metrics.service ||
		{ in_machine journalctl -q -u qmap-metrics -o cat; return 1; }
	in_machine grep -qx 'qmap_daemon_up 1' "$file" || return 1
	in_machine grep -q 'qmap_port_up{.*port="wwan0.1"} 1' "$file" || return 1
	# It reads the pins itself while there is no daemon.
	in_machine systemctl stop qmapd && in_machine systemctl start qmap-metrics.service || return 1
	in_machine grep -qx 'qmap_daemon_up 0' "$file" || return 1
	in_machine grep -q 'qmap_port_packets_total{.*port="wwan0.1"' "$file" || return 1
	in_machine systemctl start qmapd || return 1
	in_machine rm -r /var/lib/prometheus
}

read_metrics() { # group
	# shellcheck disable=SC2016 # for perl
	in_machine setpriv --reuid=nobody --regid="$1" --clear-groups perl -MIO::Socket::UNIX -e \
		'$s = IO::Socket::UNIX->new(Peer => "/run/qmap-metrics.sock") or exit 1; print $s->getlines'
}

metrics_on_a_socket() {
	equal "socket" disabled "$(in_machine systemctl is-enabled qmap-metrics.socket)" || return 1
	in_machine systemctl enable -q --now qmap-metrics.socket || return 1
	! read_metrics nogroup || { echo "others may read it"; return 1; }
	read_metrics qmap >"$T/metrics"
	grep -q 'qmap_port_up{.*port="wwan0.1"} 1' "$T/metrics" ||
		{ in_machine journalctl -q -u 'qmap-metrics@*' -o cat; return 1; }
	equal "end" "# EOF" "$(tail -n 1 "$T/metrics")" || return 1
	equal "failed units" "" "$(in_machine systemctl --failed --no-legend)"
}

main_pid() {
	in_machine systemctl show -P MainPID qmapd
}

adopted() {
	in_machine journalctl -q -u qmapd -o cat _PID="$(main_pid)" | grep -q 'wwan0: adopted'
}

upgrade_under_load() {
	local before ping
	before=$(main_pid)
	in_machine ping -i 0.005 10.64.1.1 >"$T/ping" 2>&1 &
	ping=$!
	wait_for 10 grep -q icmp_seq=100 "$T/ping" || return 1
	apt_install /root/new/qmapd_next.deb || return 1
	wait_for 10 adopted || { in_machine journalctl -q -u qmapd -o cat; return 1; }
	[ "$(main_pid)" != "$before" ] || { echo "the daemon was not restarted"; return 1; }
	local seen
	seen=$(wc -l <"$T/ping")
	wait_for 10 awk -v n=$((seen + 100)) 'END { exit NR < n }' "$T/ping" || return 1
	in_machine pkill -INT -x ping
	wait "$ping"
	grep transmitted "$T/ping"
	grep -q ' 0% packet loss' "$T/ping" || return 1
	equal "unit" active "$(in_machine systemctl is-active qmapd)"
}

restart_by_watch_of_systemd() {
	local before
	before=$(main_pid)
	in_machine systemctl kill -s KILL --kill-whom=main qmapd
	wait_for 20 in_machine sh -c "[ \$(systemctl show -P MainPID qmapd) != $before ] && systemctl is-active -q qmapd" ||
		return 1
	wait_for 10 adopted && in_machine ping -q -c 3 -i 0.2 10.64.1.1
}

netdevs() {
	in_machine ip -o link | sed -nE 's/^[0-9]+: ([^:@]*).*/\1/p' | grep -v '^urb-' | sort | xargs
}

remove_package() {
	in_machine apt-get -qq remove -o Dpkg::Use-Pty=0 qmapd || return 1
	equal "network devices" "lo wwan0" "$(netdevs)" || return 1
	equal "pins" "" "$(in_machine ls /sys/fs/bpf/qmap 2>/dev/null)" || return 1
	equal "units" "inactive inactive inactive" \
		"$(in_machine systemctl is-active qmapd qmap-metrics.timer qmap-metrics.socket | xargs)" || return 1
	in_machine test -e /etc/qmap/qmap.conf
}

purge_package() {
	in_machine sh -c 'echo "[trunk wwan9]" >/etc/qmap/mine.conf'
	in_machine apt-get -qq purge -o Dpkg::Use-Pty=0 qmapd || return 1
	equal "files" "$(cat "$T/files")" "$(files)" || return 1
	! in_machine getent group qmap
}

# Measures, and makes a report of it: without the source tree.
bench_package() {
	local level
	apt_install "/root/$(basename "$DEB"/qmap-bench_*.deb)" || return 1
	for level in $(in_machine qmap-bench list | awk '{ print $1 }'); do
		in_machine qmap-bench -q -o /root/results run "$level" || return 1
	done
	[ -n "$level" ] || { echo "no level is there"; return 1; }
	in_machine qmap-bench -o /root/report.html -m /root/report.md report /root/results || return 1
	in_machine grep -q '<svg' /root/report.html || return 1
	! in_machine qmap-bench run demo || return 1
	in_machine apt-get -qq purge -o Dpkg::Use-Pty=0 qmap-bench || return 1
	equal "files of qmap-bench" "" "$(in_machine find /usr -name '*qmap*')"
}

# The kernel is updated by the hooks that packages of kernels run: the next one comes, then this one goes. Its
# headers are this one's under another name. dkms of Debian 13 runs depmod only where it has run before.
kernel_update() { # kernel
	local next=$1-next
	in_machine sh -c "mkdir -p /lib/modules/$next && ln -s /usr/src/linux-headers-$1 /lib/modules/$next/build &&
		cp /lib/modules/$1/modules.* /lib/modules/$next/ && depmod $next" || return 1
	! in_machine modprobe -S "$next" -R rtnl-link-qmap_trunk || return 1
	in_machine run-parts --exit-on-error --arg="$next" /etc/kernel/header_postinst.d || return 1
	in_machine dkms status -m qmap-shim -k "$next" | grep -q installed || return 1
	in_machine run-parts --exit-on-error --arg="$1" /etc/kernel/prerm.d || return 1
	! in_machine dkms status -m qmap-shim -k "$1" | grep -q installed || return 1
	equal "alias" qmap_shim "$(in_machine modprobe -S "$next" -R rtnl-link-qmap_trunk)"
}

# The module for each kernel whose headers are there, and for the next one, and gone with the package.
dkms_package() {
	local kernels
	kernels=$(find "$T/root/usr/src" -maxdepth 1 -name 'linux-headers-*-amd64' -printf '%f\n' | sed 's/linux-headers-//')
	mkdir -p "$T/root/lib/modules"
	apt_install "/root/$(basename "$DEB"/qmap-dkms_*.deb)" || return 1
	for kernel in $kernels; do
		in_machine dkms autoinstall -k "$kernel" || return 1
		in_machine dkms status -m qmap-shim -k "$kernel" | grep -q installed || return 1
		equal "alias" qmap_shim "$(in_machine modprobe -S "$kernel" -R rtnl-link-qmap_trunk)" || return 1
		kernel_update "$kernel" || return 1
	done
	in_machine apt-get -qq purge -o Dpkg::Use-Pty=0 qmap-dkms || return 1
	equal "modules" "" "$(in_machine find /lib/modules /var/lib/dkms /usr/src -name '*qmap*')"
}

on_machine() { # suite
	local reason
	reason=$(fetch_machine "$1") || { echo "SKIP $1: $reason"; return; }
	mount_machine "$1"
	check "$1: dependencies are there to be had" download &&
		check "$1: boots" boot &&
		check "$1: install" install_package && {
		check "$1: unit and rules" unit_and_rules_are_valid
		check "$1: attach" attach && {
			check "$1: metrics for node_exporter" metrics_for_node_exporter
			check "$1: metrics on a socket" metrics_on_a_socket
			check "$1: upgrade under load" upgrade_under_load
			check "$1: killed, started again by systemd" restart_by_watch_of_systemd
		}
		check "$1: remove" remove_package && check "$1: purge" purge_package
	}
	check "$1: qmap-bench" bench_package
	check "$1: module" dkms_package
	[ "$failed" = 0 ] || tail -n 20 "$T/boot.log"
	halt
}

check "packages build" build_packages || exit 1
check "lintian" lintian_is_silent
check "reproducible" reproducible
guest_goes_online || failed=1
tests/packages-cross.sh || failed=1
check "next release" make_next_release || exit 1
[ $# -gt 0 ] || set -- bookworm trixie
for suite; do on_machine "$suite"; done
exit $failed
