/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink requests for the tests, which also send what the daemon does not: each call sends one, by
 * daemon/rtnl, from the thread's current namespace and waits for the answer.
 */
#ifndef VM_NL_H
#define VM_NL_H

#include <stdbool.h>
#include <stdint.h>

struct in6_addr;

struct nl_trunk {
	uint32_t version, flow_ms, tx_bytes, tx_frames, tx_usecs, rx_bytes; /* 0: not sent */
	bool usb;							    /* of kind "qmap_usb" */
};

/* All return 0 or a negative errno; nl_error() then returns the sentence of daemon/rtnl. */
const char *nl_error(void);
int nl_add_trunk(const char *name, unsigned int lower, const struct nl_trunk *t);
int nl_change_trunk(const char *name, const struct nl_trunk *t);
/* @number < 0: without the attribute. */
int nl_add_port(const char *name, unsigned int trunk, int number);
/* @flags: RMNET_FLAGS_*. */
int nl_add_rmnet(const char *name, unsigned int lower, uint16_t mux, uint32_t flags);
int nl_add_veth(const char *name, const char *peer);
int nl_add_dummy(const char *name);
int nl_del(const char *name);
/* Deletes all links of the group at once. */
int nl_del_group(uint32_t group);
int nl_up(const char *name, bool up);
int nl_multicast(const char *name, bool on);
int nl_carrier(const char *name, bool on);
int nl_set_u32(const char *name, uint16_t attr, uint32_t value);
/* @addr: network byte order. IPv6: usable at once, without DAD. */
int nl_add_addr4(const char *name, uint32_t addr, unsigned int prefix);
int nl_add_addr6(const char *name, const struct in6_addr *addr, unsigned int prefix);
/* Waits until the link is running. */
int nl_wait_running(const char *name);

#endif
