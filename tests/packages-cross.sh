#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/packages-cross.sh [ARCH...]: builds the Debian packages for other machines (arm64, armhf) on this one, in
# a Debian 12 of debootstrap's, kept under build/packages/cross-ARCH: there apt resolves the build dependencies
# for that machine, and the build has no network. Root; the network only for packages not kept yet.

set -u

PROFILES=cross,nocheck

inside() { # root directory command...
	# shellcheck disable=SC2016 # for the other shell
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive \
		DEB_BUILD_OPTIONS="parallel=$(nproc) nocheck" SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-}" \
		unshare -m --propagation private bash -c 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" &&
			exec chroot "$0" sh -c "cd \"\$0\" && exec \"\$@\"" "$@"' "$@"
}

# system/deb.sh starts it in the source, below the root.
if [ "${1:-}" = --in ]; then
	root=$2
	shift 2
	inside "$root" "${PWD#"$root"}" unshare -n "$@"
	exit
fi

cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh

CACHE=$PWD/build/packages
failed=0

# Makes a Debian 12 with the compilers that every package is built with. Prints the reason on failure, as the next.
fetch_base() {
	local root=$CACHE/cross uri
	[ ! -e "$root/complete" ] || return 0
	uri=$(own_repository)
	[ -n "$uri" ] || { echo "no Debian bookworm among this machine's apt sources"; return 1; }
	rm -rf "$root"
	mkdir -p "$CACHE"
	debootstrap --variant=minbase --include=build-essential,clang,llvm bookworm "$root" "$uri" >"$CACHE/cross.log" 2>&1 ||
		{ tail -n1 "$CACHE/cross.log"; return 1; }
	touch "$root/complete"
}

# Adds the build dependencies for the other machine, in a copy.
fetch_builder() { # arch
	local root=$CACHE/cross-$1
	! cmp -s debian/control "$root/control" || return 0
	fetch_base || return 1
	rm -rf "$root"
	cp -a "$CACHE/cross" "$root"
	cp -L /etc/resolv.conf "$root/etc/"
	mkdir -p "$root/build/debian"
	cp debian/control "$root/build/debian/"
	inside "$root" /build sh -ec "dpkg --add-architecture $1; apt-get -qq update
		apt-get -qq -o APT::Sandbox::User=root install --no-install-recommends crossbuild-essential-$1
		apt-get -qq -o APT::Sandbox::User=root build-dep --no-install-recommends -a$1 -P$PROFILES ." \
		>"$CACHE/cross-$1.log" 2>&1 || { tail -n 5 "$CACHE/cross-$1.log"; return 1; }
	cp debian/control "$root/control"
}

verdict() { # name output: silence is success
	if [ -z "$2" ]; then
		echo "PASS $1"
	else
		printf 'FAIL %s:\n%s\n' "$1" "$2"
		failed=1
	fi
}

# Every program in the packages is for that machine, and none is missing.
programs() { # directory machine
	local deb file machine found=()
	for deb in "$1"/qmap{d,-bench}_*.deb; do
		dpkg-deb -x "$deb" "$1/unpacked" || echo "$deb"
	done
	while read -r file; do
		machine=$(readelf -h "$file" 2>/dev/null | sed -n 's/^ *Machine: *//p')
		[ -z "$machine" ] || found+=("${file##*/}")
		[ -z "$machine" ] || [ "$machine" = "$2" ] || echo "$file: $machine"
	done < <(find "$1/unpacked" -type f | sort)
	[ "${found[*]}" = "qmap-bench qmapctl qmapd" ] || echo "programs: ${found[*]}"
}

build_for() { # arch machine
	local root=$CACHE/cross-$1 dir reason
	reason=$(fetch_builder "$1") || { echo "SKIP packages for $1: $reason"; return; }
	dir=$root/build/deb
	BUILDER="$PWD/tests/packages-cross.sh --in $root" system/deb.sh "$dir" "-a$1" "-P$PROFILES" >"$CACHE/cross-$1.log" 2>&1 ||
		{ verdict "packages for $1 build" "$(tail -n 20 "$CACHE/cross-$1.log")"; return; }
	verdict "packages for $1 build" ""
	verdict "packages for $1: machine of each program" "$(programs "$dir" "$2")"
	verdict "packages for $1: lintian" "$(lintian --allow-root --display-info --pedantic "$dir"/*.changes 2>&1)"
}

[ $# -gt 0 ] || set -- arm64 armhf
for arch; do
	case $arch in
	arm64) build_for arm64 AArch64 ;;
	armhf) build_for armhf ARM ;;
	*) echo "FAIL packages for $arch: no such machine is known here" && failed=1 ;;
	esac
done
exit $failed
