#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the code on other machines: another byte order, another word size, no unaligned access.
#
#   tests/vm/arch.sh [user|guest|modem]   all, unless one is named
#   ARCHES="arm64 s390x"            which machines of machine.sh; default: all but this one
#   KERNELS=6.1                     for guests
#   SHIM_TESTS="links tcp"          which tests of shim_test; default: all
#   DEADLINE=1500                   seconds of silence after which a guest counts as hung
#   tests/vm/arch.sh deps           installs cross compilers and QEMU for them
#
# user: the unit tests, each by QEMU's user mode. guest: the module with its tests, the BPF programs
# with theirs, and unit tests that need the kernel, in a guest. modem: on arm64, qmapd on an emulated USB modem
# with the data paths rmnet and qmimux.

set -u
cd "$(dirname "$0")/../.." || exit 1

ARCHES=${ARCHES:-arm64 armhf s390x mipsel}

install_tools() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends qemu-user-static ipxe-qemu \
		qemu-system-arm qemu-system-misc qemu-system-mips \
		gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf gcc-s390x-linux-gnu gcc-mipsel-linux-gnu \
		libc6-dev-{arm64,armhf,s390x,mipsel}-cross
}

[ "${1:-}" != deps ] || { install_tools; exit; }

# machine.sh knows one machine at a time.
if [ -z "${ARCH:-}" ]; then
	failed=0
	for arch in $ARCHES; do
		ARCH=$arch tests/vm/arch.sh "$@" || failed=1
	done
	exit $failed
fi

# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh
# shellcheck source=tests/vm/guest_lib.sh
. tests/vm/guest_lib.sh

KERNELS=${KERNELS:-6.1}
DEADLINE=${DEADLINE:-1500}

# Of tests/bpf and tests/unit, those that run in the guest.
PROGRAMS="test_walk test_load test_xdp test_uplink test_rtnl"

# QEMU's user mode translates only a part of rtnetlink: tests that need more of it run in the guest.
NETLINK_TESTS="test_rtnl"

unit_tests() {
	local file name
	for file in tests/unit/test_*.c; do
		name=$(basename "$file" .c)
		[[ " $NETLINK_TESTS " == *" $name "* ]] || echo "$GUEST_BUILD/unit/$name"
	done
}

# Starts a program by the loader: QEMU's -L would look for every absolute path in the sysroot first,
# also for the root directory.
start() { # program
	local loader libs=$SYSROOT/lib/$TRIPLET:$SYSROOT/usr/lib/$TRIPLET
	loader=$(readelf -l "$1" | sed -nE 's/.*interpreter: (.*)\]/\1/p')
	timeout --foreground -k 5 600 "$QEMU_USER" "$SYSROOT$loader" --library-path "$libs" "$1"
}

run_user() {
	local program failed=0 log=$GUEST_BUILD/user.log
	local -a programs
	mapfile -t programs < <(unit_tests)
	command -v "$QEMU_USER" >/dev/null || { echo "SKIP user $ARCH: no $QEMU_USER (arch.sh deps)"; return 0; }
	guest_make "${programs[@]}" >"$log" 2>&1 ||
		{ echo "FAIL user $ARCH: does not build"; grep -E 'error|warning' "$log"; return 1; }
	for program in "${programs[@]}"; do
		if start "$program" >"$log" 2>&1; then
			echo "PASS user $ARCH: $(basename "$program"):$(sed -n 's/^\[  PASSED  \]//p' "$log")"
		else
			echo "FAIL user $ARCH: $(basename "$program")"
			grep -vE '^\[ RUN|^\[       OK' "$log" | tail -n 20
			failed=1
		fi
	done
	return $failed
}

run_kernel() { # kernel
	local kernel=$1 image=$VM_BUILD/$1/arch.cpio.gz reason
	reason=$(fetch_kernel "$kernel") || { echo "SKIP vm $ARCH $kernel: $reason"; return 0; }
	build_module "$kernel" || { echo "FAIL vm $ARCH $kernel: the module does not build"; return 1; }
	reason=$(build_rmnet "$kernel") || echo "SKIP vm $ARCH $kernel: peers: $reason"
	make_image "$kernel" "$image" "PROGRAMS='$PROGRAMS' sh /guest_tests.sh ${SHIM_TESTS:-}" \
		tests/vm/guest_tests.sh \
		"$GUEST_BUILD"/vm/bin/{shim_test,vm.bpf.o} "$GUEST_BUILD"/tests-bpf/test_{load,xdp,uplink} \
		"$GUEST_BUILD"/unit/{test_walk,test_rtnl} || return 1
	run_guest "$kernel" "$image" "$VM_BUILD/$kernel/arch.log"
}

run_guests() {
	local kernel failed=0 reason
	[ -z "${NO_GUEST:-}" ] || { echo "SKIP vm $ARCH: its kernel does not boot in QEMU yet"; return 0; }
	reason=$(missing_tools) && { echo "SKIP vm $ARCH: $reason (arch.sh deps)"; return 0; }
	guest_make "$GUEST_BUILD"/vm/bin/{shim_test,vm.bpf.o} "$GUEST_BUILD"/tests-bpf/test_{load,xdp,uplink} \
		"$GUEST_BUILD"/unit/{test_walk,test_rtnl} ||
		{ echo "FAIL vm $ARCH: test programs do not build"; return 1; }
	for kernel in $KERNELS; do
		run_kernel "$kernel" || failed=1
	done
	return $failed
}

# Of tests/vm/guest_usb.sh and guest_peers.sh: packets by bytes, drops by reason, flow control, adoption,
# qmapd killed, the modem unplugged.
RMNET_TESTS="attach stats flow_is_held adopt_without_observer kill_and_adopt unplug_and_replug"
QMIMUX_TESTS="qmimux_attach qmimux_counters qmimux_flow qmimux_adopt qmimux_replug"

run_modems() {
	local failed=0
	[ "$ARCH" = arm64 ] || return 0
	# shellcheck disable=SC2086 # lists
	KERNELS=$KERNELS DATAPATHS=rmnet tests/vm/usb.sh $RMNET_TESTS || failed=1
	# shellcheck disable=SC2086
	KERNELS=$KERNELS CYCLES=2 tests/vm/peers.sh $QMIMUX_TESTS || failed=1
	return $failed
}

command -v "${CROSS}gcc" >/dev/null || { echo "SKIP arch $ARCH: no ${CROSS}gcc (arch.sh deps)"; exit 0; }
reason=$(fetch_sysroot) || { echo "SKIP arch $ARCH: $reason"; exit 0; }
failed=0
[ "${1:-user}" != user ] || run_user || failed=1
[ "${1:-guest}" != guest ] || run_guests || failed=1
[ "${1:-modem}" != modem ] || run_modems || failed=1
exit $failed
