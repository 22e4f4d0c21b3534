/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TUN devices and their settings in the network stack; all in the caller's network namespace. */
#ifndef MODEM_TUN_H
#define MODEM_TUN_H

#include <netinet/in.h>
#include <stdbool.h>

#include "tun_open.h"

/* Sets the MTU (0: leave) and, with `up`, the device up. Returns the ifindex or negative errno. */
int tun_configure(const char *name, unsigned int mtu, bool up);

/* Sets the MTU of a device in the namespace in which `sock` (any socket) was created. */
int tun_set_mtu(int sock, const char *name, unsigned int mtu);

/* Reads the MTU in the same way, or returns a negative errno. */
int tun_get_mtu(int sock, const char *name);

/* Disables link-local addresses, and so router solicitations, on this device. */
void tun_quiet(const char *name);

int tun_address4(int ifindex, struct in_addr address, unsigned int prefix);
int tun_address6(int ifindex, const struct in6_addr *address, unsigned int prefix);

/* Open the namespace of the calling thread; enter another one. Return a descriptor or -errno. */
int netns_current(void);
int netns_enter(const char *name);
int netns_return(int fd);

#endif
