#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# qmapd on a modem's own drivers: QEMU guests with Debian's kernels, in which qmap-modem plugs itself
# into vhci_hcd as a Quectel RG500Q, and the stock qmi_wwan and cdc_wdm bind to it.
#
#   tests/vm/usb.sh [TEST...]      default: all tests of tests/vm/guest_usb.sh; of rmnet and usb
#                                  those of $RMNET_TESTS and $USB_TESTS
#   KERNELS="6.1 6.12"             which kernels
#   DATAPATHS="xdp shim usb rmnet" which data paths
#   DEB=qmapd_0.1.0_amd64.deb      for the test `package`, which is skipped without
#   CYCLES=20                      of the tests that repeat themselves; more need more of both:
#   ARCH=arm64                     of which machine: see machine.sh; fewer tests can run there
#   MATRIX=all                     the whole fault matrix, see tests/vm/guest_matrix.sh
#   SLOW_START="4194304 cubic reno"  bytes and senders of the test `slow_start`
#   TEST_LIMIT=1800                seconds for one test
#   DEADLINE=9000                  seconds of silence after which a guest counts as hung

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh
# shellcheck source=tests/vm/guest_lib.sh
. tests/vm/guest_lib.sh
# shellcheck source=tests/vm/modemmanager.sh
. tests/vm/modemmanager.sh

KERNELS=${KERNELS:-6.1 6.12}
DATAPATHS=${DATAPATHS:-xdp shim usb rmnet}
DEADLINE=${DEADLINE:-9000}
MEMORY=${MEMORY:-1536}
# shellcheck disable=SC2034 # for guest_lib.sh
GUEST_MODULES="vhci-hcd cdc-wdm qmi_wwan rmnet tun veth macvlan vrf sch_ingress cls_bpf ifb sch_plug cls_matchall act_mirred sch_cake sch_netem"
# shellcheck disable=SC2034
GUEST_RMNET=rmnet-stock
# shellcheck disable=SC2034
GUEST_TREE=$VM_BUILD/usb-tree

# Tests that concern the data path, and those of the kernel's drivers alone.
RMNET_TESTS="probe models attach versions counters stats drops commands flow_is_held flow_ends_by_itself flow_is_unsupported large_mtu_before uplink_aggregates steering steered_backlog full_backlog rmnet_links \
large_aggregates high_speed beyond_the_urb repair repair_ends receives_more_than_it_may_send port_is_deleted change_datapath auto auto_without_v1 adopt_without_observer kill_and_adopt unplug_and_replug reboot matrix"

# Tests of the data path `usb`, and those of the others that a driver of its own can change.
USB_TESTS="driver_attach driver_keeps_name driver_large_aggregates driver_auto driver_held driver_control \
driver_unloaded driver_by_hand driver_killed_in_attach driver_killed_by_command driver_killed_in_detach \
driver_unplugged driver_beside_qmi_wwan driver_moves driver_modemmanager probe counters stats commands versions uplink_aggregates short_queue_below steered_backlog full_backlog \
high_speed receives_more_than_it_may_send port_is_deleted port_is_moved_away mend kill_and_adopt replace \
unplug_and_replug replug_under_another_name reboot suspend"

PROGRAMS=("$GUEST_BUILD"/{qmapd,qmapctl,qmap-modem,pattern-tool,tcp-tool})
TESTS=()
TOOLS=(bash jq ping ss timeout unshare taskset env)
QMI_PROXY=/usr/libexec/qmi-proxy
if [ -z "$SYSROOT" ]; then
	PROGRAMS+=(build/qmapd-rebuilt build/proxy-tool build/die_at.so)
	TESTS=(build/vm/bin/{fixture_tool,count_acks.bpf.o})
	TOOLS+=(qmicli iperf3 bpftool)
fi

# libqmi's path for its proxy, and ModemManager.
add_other_programs() {
	local reason
	[ -z "$SYSROOT" ] || { echo "of this machine alone" >"$GUEST_TREE/no-modemmanager"; return; }
	install -D "$QMI_PROXY" "$GUEST_TREE/usr/libexec/qmi-proxy"
	if reason=$(fetch_modemmanager); then
		copy_modemmanager "$GUEST_TREE"
	else
		echo "$reason" >"$GUEST_TREE/no-modemmanager"
	fi
}

# Copies programs to where tests/net/lib.sh looks for them, and the scripts themselves.
make_tree() {
	local program
	rm -rf "$GUEST_TREE"
	mkdir -p "$GUEST_TREE"/qmap/{build,tests/net,tests/vm}
	cp tests/net/lib*.sh tests/net/test-matrix.sh "$GUEST_TREE/qmap/tests/net/"
	cp tests/vm/guest_{usb,proxy,driver,matrix,slow_start}.sh "$GUEST_TREE/qmap/tests/vm/"
	for program in "${PROGRAMS[@]}" "${TESTS[@]}"; do
		ln -s "/bin/$(basename "$program")" "$GUEST_TREE/qmap/build/"
	done
	add_other_programs
	[ -z "${DEB:-}" ] || dpkg-deb -x "$DEB" "$GUEST_TREE"
}

missing_programs() {
	missing_tools && return 0
	fetch_sysroot || return 0
	tools=$(find_tools "${TOOLS[@]}") || { tail -n1 <<<"$tools"; return 0; }
	[ -n "$SYSROOT" ] || [ -x "$QMI_PROXY" ] || { echo "no $QMI_PROXY"; return 0; }
	return 1
}

reason=$(missing_programs) && { echo "SKIP vm-usb: $reason"; exit 0; }
take_turns
if ! guest_make "${PROGRAMS[@]}" "${TESTS[@]}"; then
	echo "FAIL vm-usb: programs do not build"
	exit 1
fi
make_tree

failed=0
for kernel in $KERNELS; do
	if ! reason=$(fetch_kernel "$kernel"); then
		echo "SKIP vm-usb $kernel: $reason"
		continue
	fi
	if ! build_module "$kernel"; then
		echo "FAIL vm-usb $kernel: the module does not build"
		failed=1
		continue
	fi
	mapfile -t tools < <(find_tools "${TOOLS[@]}")
	no_rmnet=
	reason=$(ships_rmnet "$kernel" || build_rmnet "$kernel" stock) || no_rmnet=$reason
	for path in $DATAPATHS; do
		tests=$*
		[ "$path" != rmnet ] || tests=${*:-$RMNET_TESTS}
		[ "$path" != usb ] || tests=${*:-$USB_TESTS}
		if [ "$path" = rmnet ] && [ -n "$no_rmnet" ]; then
			echo "SKIP vm-usb $kernel: rmnet: $no_rmnet"
			continue
		fi
		image=$VM_BUILD/$kernel/usb-$path.cpio.gz
		make_image "$kernel" "$image" "DATAPATH=$path CYCLES=${CYCLES:-} MATRIX=${MATRIX:-} TEST_LIMIT=${TEST_LIMIT:-} JUDGE_TIMES=${JUDGE_TIMES:-no} SLOW_START='${SLOW_START:-}' bash /qmap/tests/vm/guest_usb.sh $tests" \
			"${PROGRAMS[@]}" "${TESTS[@]}" "${tools[@]}" || exit 1
		run_guest "$kernel" "$image" "$VM_BUILD/$kernel/usb-$path.log" || failed=1
	done
done
exit $failed
