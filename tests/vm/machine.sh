#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The machine of the guests: ARCH, a Debian architecture. Sourced by kernels.sh.
#
#   amd64    this machine's own, the default
#   arm64    what newer routers have
#   armhf    32 bits
#   s390x    big endian
#   mipsel   32 bits, and no unaligned access: what many routers have
#   i386     32 bits and two CPUs
#
# QEMU emulates other machines. Their programs are built by a cross compiler with Debian's libraries of
# that architecture, unpacked under build/<ARCH>/sysroot. Nothing of it is installed here.

# shellcheck disable=SC2034 # for those who source this
ARCH=${ARCH:-amd64}
GUEST_CMDLINE='' # arguments of its kernel
GUEST_WITHOUT='' # modules that are not loaded there
CROSS='' # prefix of the compiler, if it is not the triplet
case $ARCH in
amd64)
	TRIPLET=x86_64-linux-gnu FLAVOUR=amd64 CONSOLE=ttyS0
	QEMU=(qemu-system-x86_64) GUEST_SMP="-smp 2"
	GUEST_CPU=max GUEST_MEMORY=1024
	# On a busy machine too few ticks come while the kernel checks the timer, and it panics.
	GUEST_CMDLINE=no_timer_check
	;;
arm64)
	TRIPLET=aarch64-linux-gnu FLAVOUR=arm64 CONSOLE=ttyAMA0 QEMU_USER=qemu-aarch64-static
	QEMU=(qemu-system-aarch64 -M virt) GUEST_SMP="-smp 2"
	GUEST_CPU=cortex-a72 GUEST_MEMORY=1024
	;;
armhf)
	TRIPLET=arm-linux-gnueabihf FLAVOUR=armmp CONSOLE=ttyAMA0 QEMU_USER=qemu-arm-static
	# Debian's armmp kernel prints nothing on this machine's console: user mode only.
	QEMU=(qemu-system-arm -M "virt,highmem=off") GUEST_SMP="-smp 2" NO_GUEST=1
	GUEST_CPU=cortex-a15 GUEST_MEMORY=1024
	;;
s390x)
	TRIPLET=s390x-linux-gnu FLAVOUR=s390x CONSOLE=ttysclp0 QEMU_USER=qemu-s390x-static
	QEMU=(qemu-system-s390x -M s390-ccw-virtio) GUEST_SMP="-smp 2"
	# llc_init() of Debian's 6.1.0-50 ends in a BUG of lib/list_debug.c there (QEMU 7.2).
	GUEST_WITHOUT="bridge"
	GUEST_CPU=max GUEST_MEMORY=1024
	;;
mipsel)
	TRIPLET=mipsel-linux-gnu FLAVOUR=4kc-malta CONSOLE=ttyS0 QEMU_USER=qemu-mipsel-static
	QEMU=(qemu-system-mipsel -M malta) GUEST_SMP=""
	GUEST_CPU=24Kf GUEST_MEMORY=512
	;;
i386)
	TRIPLET=i386-linux-gnu CROSS=i686-linux-gnu- FLAVOUR=686-pae CONSOLE=ttyS0 QEMU_USER=qemu-i386-static
	QEMU=(qemu-system-i386) GUEST_SMP="-smp 2"
	# The kernel warns of two of QEMU's AMD processors (amd_k7_smp_check()).
	GUEST_CPU=max,vendor=GenuineIntel GUEST_MEMORY=1024
	GUEST_CMDLINE=no_timer_check
	;;
*)
	echo "ARCH=$ARCH: no such machine is known to tests/vm/machine.sh" >&2
	exit 1
	;;
esac

# Directory of the guests' build.
GUEST_BUILD=build
SYSROOT=''
if [ "$ARCH" != amd64 ]; then
	GUEST_BUILD=build/$ARCH
	SYSROOT=$(realpath -m "$GUEST_BUILD/sysroot")
	CROSS=${CROSS:-$TRIPLET-}
fi

# Libraries that our programs are linked with, and programs that tests start in guests.
SYSROOT_PACKAGES="libc6 libgcc-s1 libbpf1 libbpf-dev libelf1 libelf-dev zlib1g zlib1g-dev libmnl0 libmnl-dev
	libevent-core-2.1-7 libevent-dev libjson-c5 libjson-c-dev libinih1 libinih-dev libsmartcols1
	libsmartcols-dev libcmocka0 libcmocka-dev libcrypt1 libcrypt-dev busybox-static iproute2 libncursesw6 libncurses-dev libtinfo6 libcap2 libbsd0 libmd0 libdb5.3
	libusbredirparser1 libusbredirparser-dev libselinux1 libpcre2-8-0 libtirpc3 libxtables12 ethtool nftables libnftables1 libnftnl11 libedit2 libjansson4 libgmp10
	bash coreutils util-linux iputils-ping libidn2-0 libunistring2 jq libjq1 libonig5
	libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libcom-err2 libkeyutils1 libssl3"

# Makes symbolic links between folders of a sysroot relative; some packages have absolute ones.
relative_links() { # root
	local link to
	find "$1" -type l -lname '/*' | while read -r link; do
		to=$(readlink "$link")
		ln -sfn "$(realpath -ms --relative-to="$(dirname "$link")" "$1$to")" "$link"
	done
}

# Prints the reason on failure.
fetch_sysroot() {
	local dir=$SYSROOT.new pkg
	[ -n "$SYSROOT" ] || return 0
	[ "$(cat "$SYSROOT/packages" 2>/dev/null)" != "$SYSROOT_PACKAGES" ] || return 0
	update_suite bookworm || return 1
	rm -rf "$dir"
	mkdir -p "$dir/deb"
	# shellcheck disable=SC2086 # a list
	(cd "$dir/deb" && apt_suite bookworm apt-get -qq download $SYSROOT_PACKAGES >log 2>&1) ||
		{ echo "download failed: $(tail -n1 "$dir/deb/log")"; return 1; }
	for pkg in "$dir"/deb/*.deb; do
		dpkg -x "$pkg" "$dir" || return 1
	done
	rm -rf "$dir/deb" "$SYSROOT"
	relative_links "$dir"
	echo "$SYSROOT_PACKAGES" >"$dir/packages"
	mv "$dir" "$SYSROOT"
}

# Runs make for the guest's machine.
guest_make() {
	local libs=$SYSROOT/usr/lib/$TRIPLET
	if [ -z "$SYSROOT" ]; then
		make -s -j2 "$@"
		return
	fi
	# The sanitizers' libraries are those of this machine, and slow there.
	make -s -j2 BUILD="$GUEST_BUILD" CC="${CROSS}gcc" ASAN="-O1 -g" \
		CFLAGS="-O2 -g -isystem $SYSROOT/usr/include/$TRIPLET" \
		LDFLAGS="-L$libs -L$SYSROOT/lib/$TRIPLET -Wl,-rpath-link,$libs:$SYSROOT/lib/$TRIPLET" "$@"
}

# A program or a library of the guest, by its path there or its name.
guest_file() {
	local found
	if [ -z "$SYSROOT" ]; then
		command -v "$1"
		return
	fi
	for found in "$SYSROOT/$1" "$SYSROOT"/{lib,usr/lib}/"$TRIPLET/$1" "$SYSROOT"/{,usr/}{bin,sbin}/"$1"; do
		[ ! -f "$found" ] || { echo "$found"; return 0; }
	done
	return 1
}

# Files that a program needs to start: its loader and libraries, by their paths in the guest.
needed_by() {
	local name found
	if [ -z "$SYSROOT" ]; then
		ldd "$1" 2>/dev/null | grep -oE '/[^ ]+'
		return
	fi
	for name in $(readelf -ld "$1" 2>/dev/null |
		sed -nE 's/.*interpreter: (.*)\]/\1/p; s/.*\(NEEDED\).*\[(.*)\]/\1/p'); do
		found=$(guest_file "$name") || { echo "no $name in $SYSROOT" >&2; return 1; }
		echo "${found#"$SYSROOT"}"
		needed_by "$found"
	done
}

# Is the file a program, started by a loader or static?
is_program() {
	readelf -h "$1" 2>/dev/null | grep -qE 'Type: +(EXEC|DYN)'
}
