#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module as DKMS builds it, and as make install does without DKMS, against Debian's headers, in
# trees of its own: this machine's installed files stay as they are.
#
#   KERNELS="6.1"                  which kernels

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh

KERNELS=${KERNELS:-6.1}

# The files that make install and the package put under /usr/src.
make_source() {
	local conf
	mkdir -p "$dir/tree"
	make -s install-module MODULE=source DESTDIR="$dir" SRCDIR=/source || return 1
	conf=$(echo "$dir"/source/*/dkms.conf)
	name=$(sed -nE 's/^PACKAGE_NAME="(.*)"/\1/p' "$conf")
	version=$(sed -nE 's/^PACKAGE_VERSION="(.*)"/\1/p' "$conf")
}

run_dkms() { # command option...
	local command=$1
	shift
	timeout 200 dkms "$command" -m "$name" -v "$version" -k "$release" \
		--sourcetree "$dir/source" --dkmstree "$dir/tree" "$@" >>"$dir/log" 2>&1
}

build() {
	run_dkms add && run_dkms build --kernelsourcedir \
		"$VM_BUILD/$kernel/root/usr/src/linux-headers-$release" || return 1
	module=$(find "$dir/tree" -name 'qmap_shim.ko*' -path "*/$release/*" | head -n1)
	[ -n "$module" ]
}

# The kernel's modules are a copy: depmod writes beside them.
without_dkms() {
	local root=$dir/root lib=$dir/root/lib/modules/$release
	mkdir -p "$lib"
	cp -r "$VM_BUILD/$kernel/root/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$lib/" || return 1
	make -s install-module MODULE=kernel DESTDIR="$root" BUILD="$dir" \
		KDIR="$VM_BUILD/$kernel/root/usr/src/linux-headers-$release" >>"$dir/log" 2>&1 || return 1
	[ "$(modprobe -d "$root" -S "$release" -R rtnl-link-qmap_trunk)" = qmap_shim ] || return 1
	make -s uninstall DESTDIR="$root" BUILD="$dir" >>"$dir/log" 2>&1 || return 1
	[ -z "$(find "$root" -name '*.ko*')" ] && ! grep -q qmap "$lib/modules.dep"
}

command -v dkms >/dev/null || { echo "SKIP dkms: no dkms"; exit 0; }
failed=0
for kernel in $KERNELS; do
	if ! reason=$(fetch_kernel "$kernel"); then
		echo "SKIP dkms $kernel: $reason"
		continue
	fi
	release=$(kernel_release "$kernel")
	dir=$VM_BUILD/$kernel/dkms
	rm -rf "$dir"
	if make_source && build && modinfo -F vermagic "$module" | grep -q "^$release "; then
		echo "PASS dkms $kernel: $(basename "$module") for $release"
	else
		echo "FAIL dkms $kernel"
		tail -n 30 "$dir/log" "$dir"/tree/"$name"/"$version"/build/make.log 2>/dev/null
		failed=1
	fi
	if without_dkms; then
		echo "PASS without_dkms $kernel: installed, found by its alias, removed"
	else
		echo "FAIL without_dkms $kernel"
		tail -n 30 "$dir/log"
		failed=1
	fi
done
exit $failed
