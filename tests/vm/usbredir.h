/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host controller with DMA for the emulated modem: QEMU's qemu-xhci. QEMU's usb-redir takes the
 * device from a character device, which is led back into the guest as a port of virtio-serial.
 * There its protocol, usbredir, is translated to that of vhci_hcd (usbip), which the emulator
 * speaks.
 */
#ifndef VM_USBREDIR_H
#define VM_USBREDIR_H

#include <stdbool.h>

/* Does this guest have that port? Then vhci_plug() plugs into this controller. */
bool usbredir_exists(void);

#endif
