#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# system/module.sh source|dkms|kernel|auto|no|remove VERSION: installs the kernel module of this release.
#
#   source      installs the module's sources where DKMS looks for them
#   dkms        registers the sources with DKMS, builds and installs them for the running kernel
#   kernel      builds and installs without DKMS, for the kernel of $KDIR
#   auto        source if there is a $DESTDIR; else dkms, or kernel, as the machine has DKMS or not
#   remove      removes all of these that exist
#
#   DESTDIR     root of the installed files
#   SRCDIR      default: /usr/src
#   KDIR        default: /lib/modules/$(uname -r)/build
#   BUILD       folder for a build without DKMS

set -eu
cd "$(dirname "$0")/.."

mode=$1 version=$2
# qmap_usb comes with it where the kernel has cdc-wdm.
name=qmap-shim module=qmap_shim
DESTDIR=${DESTDIR:-}
source=${SRCDIR:-/usr/src}/$name-$version
KDIR=${KDIR:-/lib/modules/$(uname -r)/build}

# The headers of the ABI are packed along.
copy_source() { # where to
	rm -rf "$1"
	install -d "$1/include/qmap"
	install -m 0644 kmod-shim/*.[ch] kmod-shim/Kbuild "$1/"
	install -m 0644 include/qmap/*.h "$1/include/qmap/"
	sed "s/@VERSION@/$version/" kmod-shim/dkms.conf >"$1/dkms.conf"
	chmod 0644 "$1/dkms.conf"
}

# Releases that have our modules other than by DKMS.
installed() {
	find "$DESTDIR/lib/modules" -path "*/updates/net/$module.ko*" -printf '%P\n' | sed 's|/.*||'
}

# Nothing for a tree that holds our modules alone.
update_dependencies() { # kernel release
	[ ! -e "$DESTDIR/lib/modules/$1/modules.order" ] || depmod ${DESTDIR:+-b "$DESTDIR"} "$1"
}

by_dkms() {
	copy_source "$DESTDIR$source"
	dkms remove -m "$name" -v "$version" --all >/dev/null 2>&1 || :
	dkms add -m "$name" -v "$version"
	dkms install -m "$name" -v "$version"
}

by_kernel() {
	local dir unsigned=CONFIG_MODULE_SIG_ALL=
	dir=$(realpath -m "${BUILD:-build}/module")
	# A distribution keeps its key for itself.
	[ ! -e "$KDIR/certs/signing_key.pem" ] || unsigned=''
	copy_source "$dir"
	make -C "$KDIR" M="$dir" modules
	# Its depmod wants a System.map, which packages of headers do not have.
	make -C "$KDIR" M="$dir" INSTALL_MOD_DIR=updates/net INSTALL_MOD_PATH="$DESTDIR" DEPMOD=true \
		$unsigned modules_install
	installed | while read -r release; do update_dependencies "$release"; done
}

auto() {
	if [ -n "$DESTDIR" ]; then
		copy_source "$DESTDIR$source"
	elif command -v dkms >/dev/null; then
		by_dkms
	elif [ -e "$KDIR/Makefile" ]; then
		by_kernel
	else
		cat >&2 <<-EOF
			The kernel module is not installed: neither DKMS nor the headers of this kernel are here.
			On Debian: apt install dkms linux-headers-\$(uname -r), and make install-module.
			Without it qmapd takes another data path, which costs more CPU time.
		EOF
	fi
}

remove() {
	local release
	if [ -z "$DESTDIR" ] && command -v dkms >/dev/null; then
		dkms remove -m "$name" -v "$version" --all >/dev/null 2>&1 || :
	fi
	rm -rf "${DESTDIR}${source:?}"
	[ -d "$DESTDIR/lib/modules" ] || return 0
	installed | while read -r release; do
		(cd "$DESTDIR/lib/modules/$release" && rm -f updates/net/{"$module",qmap_usb}.ko* &&
			rmdir -p --ignore-fail-on-non-empty updates/net)
		update_dependencies "$release"
	done
}

case $mode in
source) copy_source "$DESTDIR$source" ;;
dkms) by_dkms ;;
kernel) by_kernel ;;
auto) auto ;;
remove) remove ;;
no) ;;
*)
	echo "$0: MODULE=$mode: allowed: auto, source, dkms, kernel, no" >&2
	exit 1
	;;
esac
