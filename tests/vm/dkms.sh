#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The module as DKMS builds it, against Debian's headers, in trees of its own: what is installed on
# this machine stays as it is.
#
#   KERNELS="6.1"                  which kernels

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh

KERNELS=${KERNELS:-6.1}

conf_value() { # name
	sed -nE "s/^$1=\"(.*)\"/\\1/p" kmod-shim/dkms.conf
}

# What a package puts under /usr/src: the module's sources, with the headers packed along.
make_source() {
	mkdir -p "$dir"/{source,tree}
	cp -r kmod-shim "$dir/source/$name-$version"
	cp -r include "$dir/source/$name-$version/"
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

command -v dkms >/dev/null || { echo "SKIP dkms: no dkms"; exit 0; }
name=$(conf_value PACKAGE_NAME)
version=$(conf_value PACKAGE_VERSION)
failed=0
for kernel in $KERNELS; do
	if ! reason=$(fetch_kernel "$kernel"); then
		echo "SKIP dkms $kernel: $reason"
		continue
	fi
	release=$(kernel_release "$kernel")
	dir=$VM_BUILD/$kernel/dkms
	rm -rf "$dir"
	make_source
	if build && modinfo -F vermagic "$module" | grep -q "^$release "; then
		echo "PASS dkms $kernel: $(basename "$module") for $release"
	else
		echo "FAIL dkms $kernel"
		tail -n 30 "$dir/log" "$dir"/tree/"$name"/"$version"/build/make.log 2>/dev/null
		failed=1
	fi
done
exit $failed
