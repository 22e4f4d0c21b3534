// SPDX-License-Identifier: GPL-2.0-or-later
#include "usb_vhci.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ATTACH	     "/sys/devices/platform/vhci_hcd.0/attach"
#define PORTS	     8	/* of each speed (kernel vhci.h, VHCI_HC_PORTS) */
#define DEVICE_ID    1U /* vhci_hcd's name for the device in each request */
#define SOCKET_BYTES (8 << 20)

/* High speed ports come first, then those of SuperSpeed (kernel vhci_sysfs.c, attach_store()). */
static int attach_port(int attach, unsigned int port, int fd, enum usb_speed speed)
{
	char text[64];
	int len =
		snprintf(text, sizeof(text), "%u %d %u %u", port + (speed == USB_SUPER ? PORTS : 0),
			 fd, DEVICE_ID, (unsigned int)speed);

	return write(attach, text, len) < 0 ? -errno : 0;
}

static int attach_any(int fd, enum usb_speed speed)
{
	int err = -EBUSY, attach = open(ATTACH, O_WRONLY | O_CLOEXEC);

	if (attach < 0)
		return -errno;
	for (unsigned int port = 0; port < PORTS && err == -EBUSY; port++)
		err = attach_port(attach, port, fd, speed);
	close(attach);
	return err;
}

int (*vhci_replacement)(enum usb_speed speed);

int vhci_plug(enum usb_speed speed)
{
	int pair[2], size = SOCKET_BYTES, err;

	if (vhci_replacement)
		return vhci_replacement(speed);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	err = attach_any(pair[1], speed);
	close(pair[1]); /* vhci_hcd has a reference of its own, or has refused */
	if (!err && fcntl(pair[0], F_SETFL, O_NONBLOCK))
		err = -errno;
	if (!err)
		return pair[0];
	close(pair[0]);
	return err;
}
