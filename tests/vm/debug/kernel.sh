#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel called "kasan": Debian's source with kernel.config, built once into build/vm/kasan and
# again when kernel.config has changed. Sourced by tests/vm/kernels.sh.
#
#   build_debug_kernel      prints the reason on failure; 10 minutes of two CPUs, 4 GB of disk
#   CC="ccache gcc"         the compiler

DEBUG_SOURCE=linux-source-6.12
DEBUG_CONFIG=$PWD/tests/vm/debug/kernel.config

fetch_debug_source() {
	local dir=$1 suite
	[ ! -s "$dir/$DEBUG_SOURCE/Makefile" ] || return 0
	suite=$(suite_of kasan)
	update_suite "$suite" || return 1
	rm -rf "$dir/deb" "${dir:?}/$DEBUG_SOURCE"
	mkdir -p "$dir/deb"
	(cd "$dir/deb" && apt_suite "$suite" apt-get -qq download "$DEBUG_SOURCE" >log 2>&1) ||
		{ echo "no package $DEBUG_SOURCE: $(tail -n1 "$dir/deb/log")"; return 1; }
	dpkg --fsys-tarfile "$dir"/deb/*.deb | tar -xO "./usr/src/$DEBUG_SOURCE.tar.xz" | tar -xJ -C "$dir" ||
		{ echo "$DEBUG_SOURCE cannot be unpacked"; return 1; }
	rm -rf "$dir/deb"
}

# kconfig silently drops an option whose dependency is off.
configure_debug_kernel() {
	local dir=$1 line
	(
		make -s -C "$dir/$DEBUG_SOURCE" O="$dir/objects" tinyconfig
		cd "$dir/$DEBUG_SOURCE" || exit
		scripts/kconfig/merge_config.sh -O "$dir/objects" "$dir/objects/.config" "$DEBUG_CONFIG"
	) >"$dir/log" 2>&1
	while read -r line; do
		grep -qx "$line" "$dir/objects/.config" && continue
		echo "$DEBUG_CONFIG: the kernel does not take $line"
		return 1
	done < <(grep '^CONFIG_' "$DEBUG_CONFIG")
}

# Installs the kernel as unpack_kernel() does for Debian's.
install_debug_kernel() {
	local dir=$1 release root=$1/root
	release=$(cat "$dir/objects/include/config/kernel.release")
	rm -rf "$root"
	mkdir -p "$root/boot" "$root/usr/src" "$root/usr/lib"
	cp "$dir/objects/arch/x86/boot/bzImage" "$root/boot/vmlinuz-$release"
	make -s -C "$dir/objects" INSTALL_MOD_PATH="$root" INSTALL_MOD_STRIP=1 modules_install \
		>>"$dir/log" 2>&1 || return 1
	ln -sfn "$dir/objects" "$root/usr/src/linux-headers-$release"
	cp "$DEBUG_CONFIG" "$root/kernel.config"
	echo "$release" >"$dir/release"
}

build_debug_kernel() {
	local dir=$VM_BUILD/kasan
	[ ! -s "$dir/release" ] || ! cmp -s "$DEBUG_CONFIG" "$dir/root/kernel.config" || return 0
	rm -rf "$dir/release" "$dir/module" "$dir"/rmnet*
	mkdir -p "$dir/objects"
	fetch_debug_source "$dir" || return 1
	configure_debug_kernel "$dir" || return 1
	make -C "$dir/objects" -j"${JOBS:-$(nproc)}" CC="${CC:-gcc}" bzImage modules >"$dir/log" 2>&1 ||
		{ echo "the kernel does not build, see $dir/log: $(grep -m1 error "$dir/log")"; return 1; }
	install_debug_kernel "$dir" || { echo "the kernel cannot be installed, see $dir/log"; return 1; }
}
