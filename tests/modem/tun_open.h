/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens TUNs and TAPs for the software modem, the tests of BPF programs, guests and the bench. */
#ifndef MODEM_TUN_OPEN_H
#define MODEM_TUN_OPEN_H

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/*
 * Creates a device, down, that disappears with its descriptor: by the IFF_* of TUNSETIFF @flags, without
 * IFF_NO_PI every packet carries a struct tun_pi. @mode: O_NONBLOCK or 0. Returns a descriptor or negative
 * errno (-EBUSY: the name is taken).
 */
static inline int tun_open(const char *name, short flags, int mode)
{
	struct ifreq ifr = {.ifr_flags = flags};
	int err, fd;

	if (strlen(name) >= IFNAMSIZ)
		return -ENAMETOOLONG;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | mode);
	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (!ioctl(fd, TUNSETIFF, &ifr))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

#endif
