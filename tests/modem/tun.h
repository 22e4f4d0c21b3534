/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TUN devices and what they need of the network stack; all in the caller's network namespace. */
#ifndef MODEM_TUN_H
#define MODEM_TUN_H

#include <netinet/in.h>
#include <stdbool.h>

/*
 * Create a TUN device, down, that goes with its descriptor. With `info` every packet carries a
 * struct tun_pi. Returns a non-blocking descriptor or negative errno (-EBUSY: the name is taken).
 */
int tun_open(const char *name, bool info);

/* Set the MTU (0: leave) and, if `up`, switch on. Returns the ifindex or negative errno. */
int tun_configure(const char *name, unsigned int mtu, bool up);

/* Set the MTU of a device in the namespace that `sock` (any socket) was made in. */
int tun_set_mtu(int sock, const char *name, unsigned int mtu);

/* MTU of a device likewise, or negative errno. */
int tun_get_mtu(int sock, const char *name);

/* No link-local address, hence no router solicitations, from this device. */
void tun_quiet(const char *name);

int tun_address4(int ifindex, struct in_addr address, unsigned int prefix);
int tun_address6(int ifindex, const struct in6_addr *address, unsigned int prefix);

/* The namespace of the calling thread, and to be in another one for a while. fd or -errno. */
int netns_current(void);
int netns_enter(const char *name);
int netns_return(int fd);

#endif
