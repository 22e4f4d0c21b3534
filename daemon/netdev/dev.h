/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The netdev that carries aggregates: what it is, and bringing it into the state QMAP needs. */
#ifndef QMAP_NETDEV_DEV_H
#define QMAP_NETDEV_DEV_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

struct trunk_dev {
	char device[256]; /* of what is behind it, in /sys/devices; empty: nothing. Outlives it */
	char name[16];
	unsigned int ifindex;
	bool was_up;
	unsigned int was_addrgen; /* IN6_ADDR_GEN_MODE_* */
	bool prepared;
};

/*
 * Is there such a netdev, and can it be a trunk? -ENODEV; -EOPNOTSUPP for a modem in ECM, RNDIS or
 * MBIM mode (told by its driver), with the AT command that changes it. A failure leaves @t as it
 * was.
 */
int trunk_dev_open(struct trunk_dev *t, const char *name, struct error *err);

/* The same for what has been opened before, which stays as it is. */
int trunk_dev_check(const struct trunk_dev *t, struct error *err);

/* Path in /sys/devices of the device behind netdev @name; empty where there is none. For USB it
 * holds bus, ports and interface: the same again after a replug, whatever the netdev is called. */
void trunk_dev_device(const char *name, char *device, size_t size);

/* Name of the netdev that stands on @device. -ENODEV. */
int trunk_dev_find(const char *device, char name[16]);

/*
 * Raw IP, pass-through (with @qmap), a receive buffer of @rx_bytes where the driver is qmi_wwan; no
 * ARP, no IPv6 of its own; up; a queue that leaves frames as they are (with @qmap).
 */
int trunk_dev_prepare(struct trunk_dev *t, bool qmap, unsigned int rx_bytes, struct error *err);

/* What others may do to it afterwards. */
enum trunk_dev_damage {
	TRUNK_DEV_RAW_IP,	/* 802.3 again, and with it all that follows */
	TRUNK_DEV_PASS_THROUGH, /* off */
	TRUNK_DEV_MTU,		/* lowered, and the receive buffers with it */
	TRUNK_DEV_DOWN,
	TRUNK_DEV_QUEUE, /* one of the kernel's own that marks congestion */
	TRUNK_DEV_DAMAGES
};

/* How it differs from what trunk_dev_prepare() with the same arguments has made of it. */
struct trunk_dev_state {
	unsigned int wrong; /* bits 1 << enum trunk_dev_damage */
	char queue[16];	    /* that a user has chosen and that may mark congestion; else empty */
};

/* -errno only where the kernel cannot be asked. */
int trunk_dev_look(const struct trunk_dev *t, bool qmap, unsigned int rx_bytes,
		   struct trunk_dev_state *out, struct error *err);

/* Undoes @wrong of trunk_dev_look(). Raw IP alone takes the netdev down for a moment. */
int trunk_dev_repair(struct trunk_dev *t, bool qmap, unsigned int rx_bytes, unsigned int wrong,
		     struct error *err);

/* Writes @value to attribute @attr of qmi_wwan (raw_ip, add_mux, ...) of a netdev. */
int trunk_dev_write(const char *name, const char *attr, const char *value, struct error *err);

/* Back to how it was found, as far as it is still there. */
void trunk_dev_restore(struct trunk_dev *t);

/* Path of the modem's control device (/dev/cdc-wdm0). -ENODEV where there is none to be found. */
int trunk_dev_control(const char *name, char *path, size_t size, struct error *err);

/* Name of the driver behind the netdev; empty where there is no device. */
void trunk_dev_driver(const char *name, char *driver, size_t size);

#endif
