#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel's own multiplexer qmimux as a data path of qmapd, on the emulated USB modem of usb.sh, and
# all data paths measured in turn by `qmap-bench modem`.
#
#   tests/vm/peers.sh [TEST...]    default: those of tests/vm/guest_peers.sh
#   KERNELS="6.1 6.12"             which kernels
#   CYCLES=20, TEST_LIMIT=1800     as of usb.sh
#   MATRIX=all                     the whole fault matrix, see tests/vm/guest_matrix.sh
#   ARCH=arm64                     of which machine: see machine.sh
#   DEADLINE=3600                   seconds of silence after which a guest counts as hung

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh
# shellcheck source=tests/vm/guest_lib.sh
. tests/vm/guest_lib.sh

KERNELS=${KERNELS:-6.1}
DEADLINE=${DEADLINE:-3600}
MEMORY=${MEMORY:-1536}
# shellcheck disable=SC2034 # for guest_lib.sh
GUEST_MODULES="vhci-hcd cdc-wdm qmi_wwan rmnet tun veth macvlan sch_ingress cls_bpf ifb sch_plug cls_matchall act_mirred sch_cake"
# shellcheck disable=SC2034
GUEST_RMNET=rmnet-stock
GUEST_TREE=$VM_BUILD/peers-tree

PROGRAMS=("$GUEST_BUILD"/{qmapd,qmapctl,qmap-modem,pattern-tool})
[ -n "$SYSROOT" ] || PROGRAMS+=(build/qmap-bench)
TOOLS=(bash jq ping ss timeout unshare taskset)

make_tree() {
	local program
	rm -rf "$GUEST_TREE"
	mkdir -p "$GUEST_TREE"/qmap/{build,tests/net,tests/vm}
	cp tests/net/lib*.sh tests/net/test-matrix.sh "$GUEST_TREE/qmap/tests/net/"
	cp tests/vm/guest_{usb,peers,proxy,matrix,slow_start}.sh "$GUEST_TREE/qmap/tests/vm/"
	for program in "${PROGRAMS[@]}"; do
		ln -s "/bin/$(basename "$program")" "$GUEST_TREE/qmap/build/"
	done
}

missing_programs() {
	missing_tools && return 0
	fetch_sysroot || return 0
	tools=$(find_tools "${TOOLS[@]}") || { tail -n1 <<<"$tools"; return 0; }
	return 1
}

TESTS_OF_QMIMUX="qmimux_attach qmimux_counters qmimux_stats qmimux_drops qmimux_flow qmimux_adopt qmimux_netns \
qmimux_change_datapath qmimux_port_deleted qmimux_replug matrix modem_bench \
qmimux_netdev_left_over"

tests=${*:-$TESTS_OF_QMIMUX}
reason=$(missing_programs) && { echo "SKIP vm-peers: $reason"; exit 0; }
guest_make "${PROGRAMS[@]}" || { echo "FAIL vm-peers: programs do not build"; exit 1; }
make_tree
mapfile -t tools < <(find_tools "${TOOLS[@]}")

failed=0
for kernel in $KERNELS; do
	if ! reason=$(fetch_kernel "$kernel" && { ships_rmnet "$kernel" || build_rmnet "$kernel" stock; }); then
		echo "SKIP vm-peers $kernel: $reason"
		continue
	fi
	if ! build_module "$kernel"; then
		echo "FAIL vm-peers $kernel: the module does not build"
		failed=1
		continue
	fi
	image=$VM_BUILD/$kernel/peers.cpio.gz
	make_image "$kernel" "$image" "CYCLES=${CYCLES:-} MATRIX=${MATRIX:-} TEST_LIMIT=${TEST_LIMIT:-} bash /qmap/tests/vm/guest_peers.sh $tests" \
		"${PROGRAMS[@]}" "${tools[@]}" || exit 1
	run_guest "$kernel" "$image" "$VM_BUILD/$kernel/peers.log" || failed=1
done
exit $failed
