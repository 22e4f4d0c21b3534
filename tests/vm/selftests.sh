#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's own tests of netdevs (tools/testing/selftests/drivers/net), unchanged, against a port of the
# shim and one of rmnet, in QEMU guests. The tests come from Debian's newest package of the kernel's
# source, whichever kernel they run on; it, and the Debian packages that they need, are fetched and
# unpacked under build/vm/selftests, and nothing is installed.
#
#   tests/vm/selftests.sh [PROGRAM...]     default: all that apply to a netdev like ours
#   KERNELS="newest 6.12 6.1"               which kernels
#   DATAPATHS="shim rmnet"                  whose ports
#   DEADLINE=7200                           seconds of silence after which a guest counts as hung
#
# Prints a line per test, kernel and data path, and all of them as a table. Fails if a result differs
# from tests/vm/selftests.expected.

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh
# shellcheck source=tests/vm/guest_lib.sh
. tests/vm/guest_lib.sh

KERNELS=${KERNELS:-newest 6.12 6.1}
DATAPATHS=${DATAPATHS:-shim rmnet}
DEADLINE=${DEADLINE:-7200}
MEMORY=${MEMORY:-1536}
# shellcheck disable=SC2034 # for guest_lib.sh
GUEST_MODULES=tun
GUEST_TREE=$VM_BUILD/selftests/tree

PROGRAMS=(drivers/net/{ping,stats,queues,napi_id,napi_threaded}.py drivers/net/hw/{csum,uso,tso}.py)

# The tests, and the descriptions of netlink that they use.
SOURCES=(
	tools/testing/selftests/{drivers/net,net/lib,kselftest.h}
	tools/net/ynl/pyynl
	Documentation/netlink/specs
)

# From the suite of the newest kernel: older tools do not print all of the JSON that the tests read.
PACKAGES="libc6 python3.13-minimal libpython3.13-minimal libpython3.13-stdlib libexpat1 zlib1g libffi8
	python3-yaml libyaml-0-2 bash libtinfo6 iputils-ping libcap2 libidn2-0 libunistring5 socat libssl3t64
	libzstd1 libwrap0 libnsl2 libtirpc3t64 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0
	libcom-err2 libkeyutils1 ethtool libmnl0 iproute2 libbpf1 libelf1t64 libdb5.3t64 libselinux1
	libpcre2-8-0 libxtables12"

# Each prints the reason on failure.
fetch_sources() {
	local dir=$VM_BUILD/selftests/source suite package version
	suite=$(suite_of newest)
	update_suite "$suite" || return 1
	package=$(apt_suite "$suite" apt-cache depends linux-source |
		sed -nE 's/.*Depends: (linux-source-[0-9.]+)$/\1/p' | head -n1)
	version=$(apt_suite "$suite" apt-cache show "$package" 2>/dev/null | sed -n 's/^Version: //p' | head -n1)
	[ -n "$version" ] || { echo "$suite has no package linux-source"; return 1; }
	[ "$(cat "$dir/version" 2>/dev/null)" != "$version" ] || return 0
	rm -rf "$dir"
	mkdir -p "$dir"
	(cd "$dir" && apt_suite "$suite" apt-get -qq download "$package" >log 2>&1) ||
		{ echo "download of $package failed: $(tail -n1 "$dir/log")"; return 1; }
	dpkg --fsys-tarfile "$dir"/*.deb | tar -xO "./usr/src/$package.tar.xz" |
		tar -xJ -C "$dir" --strip-components=1 "${SOURCES[@]/#/$package/}" ||
		{ echo "$package has not all of ${SOURCES[*]}"; return 1; }
	rm -f "$dir"/*.deb
	build_helpers "$dir/tools/testing/selftests" || { echo "the tests' helpers do not build"; return 1; }
	echo "$version" >"$dir/version"
}

# Builds as the Makefiles beside them do, for a guest that may have another C library.
build_helpers() {
	local dir=$1 name
	for name in net/lib/csum net/lib/xdp_helper drivers/net/napi_id_helper; do
		gcc -w -O2 -static -I"$dir" -o "$dir/$name" "$dir/$name.c" || return 1
	done
	clang -O2 -g -target bpf -I"/usr/include/$TRIPLET" -c "$dir/net/lib/xdp_dummy.bpf.c" \
		-o "$dir/net/lib/xdp_dummy.bpf.o"
}

# Puts the loader and the libraries where the host's programs have theirs, and runs those with them,
# too.
fetch_packages() {
	local dir=$VM_BUILD/selftests/packages package
	[ ! -d "$dir" ] || return 0
	update_suite trixie || return 1
	rm -rf "$dir.new"
	mkdir -p "$dir.new/deb"
	# shellcheck disable=SC2086 # a list
	(cd "$dir.new/deb" && apt_suite trixie apt-get -qq download $PACKAGES >log 2>&1) ||
		{ echo "download failed: $(tail -n1 "$dir.new/deb/log")"; return 1; }
	for package in "$dir.new"/deb/*.deb; do
		dpkg -x "$package" "$dir.new" || return 1
	done
	rm -rf "$dir.new"/{deb,lib64,usr/share,usr/lib/python3.13/{test,idlelib,pydoc_data}}
	mkdir -p "$dir.new"/{lib,lib64}
	mv "$dir.new/usr/lib/$TRIPLET" "$dir.new/lib/"
	ln -s "/lib/$TRIPLET/ld-linux-x86-64.so.2" "$dir.new/lib64/"
	compile_python "$dir.new" "$dir.new/usr/lib" || { echo "python3 does not run"; return 1; }
	mv "$dir.new" "$dir"
}

# Compiles here, so that the guests need not.
compile_python() { # packages directory
	PYTHONHOME=$1/usr "$1/lib/$TRIPLET/ld-linux-x86-64.so.2" --library-path "$1/lib/$TRIPLET" \
		"$1/usr/bin/python3.13" -m compileall -q --invalidation-mode unchecked-hash "$2"
}

# The kernel's description of rtnetlink names the link kinds that have data, and its library refuses
# every link of another kind: kinds from outside the kernel, and rmnet, which it lacks.
describe_kinds() { # rt-link.yaml
	local kind
	for kind in qmap_trunk qmap_port rmnet; do
		grep -q "value: $kind\$" "$1" ||
			sed -i "/^    name: linkinfo-data-msg\$/,/formats:/ s/formats:/&\n      -\n        value: $kind/" "$1"
	done
}

make_tree() {
	rm -rf "$GUEST_TREE"
	mkdir -p "$GUEST_TREE/linux"
	cp -a "$VM_BUILD"/selftests/source/{tools,Documentation} "$GUEST_TREE/linux/"
	cp -a "$VM_BUILD"/selftests/packages/. "$GUEST_TREE/"
	compile_python "$VM_BUILD/selftests/packages" "$GUEST_TREE/linux/tools" >/dev/null
	describe_kinds "$GUEST_TREE/linux/Documentation/netlink/specs/rt-link.yaml"
	cp tests/vm/guest_selftests.sh tests/vm/selftests.expected "$GUEST_TREE/"
}

# Makes a table of the lines of all guests: tests down, kernels and data paths across.
print_table() { # file
	awk '$1 ~ /^(PASS|FAIL|SKIP)$/ && $2 == "vm" && NF > 4 {
		column = $3 $4; test = $5; sub(/:$/, "", test)
		if (!(column in c)) { c[column] = ++columns; head[columns] = column }
		if (!(test in t)) { t[test] = ++tests; name[tests] = test }
		cell[test, column] = /: does not apply: / ? "n/a" : tolower($1)
	}
	END {
		printf "%-60s", ""
		for (i = 1; i <= columns; i++) { sub(/:/, " ", head[i]); printf "%-14s", head[i] }
		print ""
		for (j = 1; j <= tests; j++) {
			printf "%-60s", name[j]
			for (i = 1; i <= columns; i++) {
				key = head[i]; sub(/ /, ":", key)
				printf "%-14s", ((name[j], key) in cell) ? cell[name[j], key] : "-"
			}
			print ""
		}
	}' "$1"
}

# The tests wait for seconds of the clock: without KVM, count the time that the guest has run, not the
# time that a busy host has let pass. Of two CPUs, one would only wait for the other.
run_kernel() { # kernel data-path
	local image=$VM_BUILD/$1/selftests-$2.cpio.gz QEMU_OPTIONS=$GUEST_SMP
	[ "$(accelerator "$1")" = kvm ] || QEMU_OPTIONS="-smp 1 -icount shift=0,sleep=off -rtc clock=vm"
	make_image "$1" "$image" "/usr/bin/bash /guest_selftests.sh $1 $2 ${programs[*]}" \
		"$GUEST_BUILD/vm/bin/cable_tool" &&
		run_guest "$1" "$image" "$VM_BUILD/$1/selftests-$2.log"
}

programs=("${@:-${PROGRAMS[@]}}")
reason=$(missing_tools) && { echo "SKIP vm-selftests: $reason"; exit 0; }
guest_make "$GUEST_BUILD/vm/bin/cable_tool" || { echo "FAIL vm-selftests: cable_tool does not build"; exit 1; }
reason=$(fetch_sources && fetch_packages) || { echo "SKIP vm-selftests: $reason"; exit 0; }
echo "tests of linux-source $(cat "$VM_BUILD/selftests/source/version")"
make_tree

failed=0
lines=$VM_BUILD/selftests/lines
: >"$lines"
for kernel in $KERNELS; do
	if ! reason=$(fetch_kernel "$kernel"); then
		echo "SKIP vm-selftests $kernel: $reason"
		continue
	fi
	if ! build_module "$kernel"; then
		echo "FAIL vm-selftests $kernel: the module does not build"
		failed=1
		continue
	fi
	for datapath in $DATAPATHS; do
		if [ "$datapath" = rmnet ] && ! reason=$(build_rmnet "$kernel"); then
			echo "SKIP vm-selftests $kernel rmnet: $reason"
			continue
		fi
		run_kernel "$kernel" "$datapath" | tee -a "$lines"
		[ "${PIPESTATUS[0]}" = 0 ] || failed=1
	done
done
print_table "$lines"
exit $failed
