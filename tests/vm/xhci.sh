#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The USB driver on a host controller with DMA: the tests of shim_test that need no more than USB, in
# guests whose modem is on QEMU's qemu-xhci (tests/vm/usbredir.h) instead of vhci_hcd. With
# swiotlb=force the kernel copies each buffer of DMA: bytes that are read before it has been unmapped,
# or written after it has been mapped, are stale.
#
#   tests/vm/xhci.sh [TEST...]
#   KERNELS="6.1 6.12"             which kernels; with "kasan" and MEMORY=2048 the kernel checks the use of
#                                  its DMA API, too (CONFIG_DMA_API_DEBUG)

set -u
cd "$(dirname "$0")/../.." || exit 1
[ $# -gt 0 ] || set -- usb_rx_v1 usb_rx_v4 usb_rx_v5 usb_uplink_v1 usb_uplink_v4 usb_uplink_v5 \
	usb_lend_capture usb_lend_reader usb_lend_queue usb_lend_unplug usb_unplug \
	usb_system_sleep
socket=$(mktemp -u)
trap 'rm -f "$socket"' EXIT
# The second character device connects to the first one: output of usb-redir comes out of the port.
# A q35, whose PCI interrupts reach a kernel without MSI, too.
export QEMU_OPTIONS="-machine q35 -smp 2 -device qemu-xhci
	-chardev socket,id=device,path=$socket,server=on,wait=off -device usb-redir,chardev=device
	-device virtio-serial -chardev socket,id=port,path=$socket
	-device virtserialport,chardev=port,name=usb"
export GUEST_MORE_MODULES="xhci-pci virtio_pci virtio_console"
export GUEST_NAME=xhci
export CMDLINE="swiotlb=force ${CMDLINE:-}"
tests/vm/run.sh "$@" | sed 's/^\([A-Z]*\) vm /\1 xhci /'
exit "${PIPESTATUS[0]}"
