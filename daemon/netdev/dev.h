/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The netdev that carries aggregates: its identity, and the state that QMAP needs. */
#ifndef QMAP_NETDEV_DEV_H
#define QMAP_NETDEV_DEV_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

struct trunk_dev {
	/* path in /sys/devices of the device behind the netdev, which outlives it; empty: none */
	char device[256];
	char name[16];
	unsigned int ifindex;
	bool was_up;
	unsigned int was_addrgen; /* IN6_ADDR_GEN_MODE_* */
	bool prepared;
};

/*
 * Opens netdev @name if it exists and can be a trunk. -ENODEV; -EOPNOTSUPP for a modem in ECM,
 * RNDIS or MBIM mode (recognized by its driver), with the AT command that changes the mode. A
 * failure leaves @t unchanged.
 */
int trunk_dev_open(struct trunk_dev *t, const char *name, struct error *err);

/* The same check for a netdev opened before; @t does not change. */
int trunk_dev_check(const struct trunk_dev *t, struct error *err);

/*
 * Path in /sys/devices of the device behind netdev @name; empty if there is none. For USB it
 * consists of bus, ports and interface, so it is the same after a replug even if the netdev's name
 * is not.
 */
void trunk_dev_device(const char *name, char *device, size_t size);

/* Finds the name of the netdev of @device. -ENODEV. */
int trunk_dev_find(const char *device, char name[16]);

/*
 * Sets raw IP, pass-through (with @qmap), a receive buffer of @rx_bytes if the driver is qmi_wwan,
 * no ARP, no IPv6 addresses of its own, up, and a queue that does not modify frames (with @qmap).
 */
int trunk_dev_prepare(struct trunk_dev *t, bool qmap, unsigned int rx_bytes, struct error *err);

/* Damage that other processes can do to the netdev afterwards. */
enum trunk_dev_damage {
	TRUNK_DEV_RAW_IP,	/* back in 802.3 mode, which resets the rest, too */
	TRUNK_DEV_PASS_THROUGH, /* switched off */
	TRUNK_DEV_MTU,		/* lowered, which shrinks the receive buffers */
	TRUNK_DEV_DOWN,
	TRUNK_DEV_QUEUE, /* the kernel's default queue, which marks congestion */
	TRUNK_DEV_DAMAGES
};

/* Differences from the state that trunk_dev_prepare() makes with the same arguments. */
struct trunk_dev_state {
	unsigned int wrong; /* bits 1 << enum trunk_dev_damage */
	/* name of a queue that a user has chosen and that may mark congestion; else empty */
	char queue[16];
};

/* Negative errno only if the kernel cannot be asked. */
int trunk_dev_look(const struct trunk_dev *t, bool qmap, unsigned int rx_bytes,
		   struct trunk_dev_state *out, struct error *err);

/*
 * Undoes the damage in @wrong, from trunk_dev_look(). Setting raw IP takes the netdev down for a
 * moment.
 */
int trunk_dev_repair(struct trunk_dev *t, bool qmap, unsigned int rx_bytes, unsigned int wrong,
		     struct error *err);

/* Writes @value to attribute @attr of qmi_wwan (raw_ip, add_mux, ...) of a netdev. */
int trunk_dev_write(const char *name, const char *attr, const char *value, struct error *err);

/* Restores the state from before trunk_dev_prepare(), as far as the netdev still exists. */
void trunk_dev_restore(struct trunk_dev *t);

/* Path of the modem's control device (/dev/cdc-wdm0). -ENODEV if there is none. */
int trunk_dev_control(const char *name, char *path, size_t size, struct error *err);

/* Name of the driver behind the netdev; empty if there is no device. */
void trunk_dev_driver(const char *name, char *driver, size_t size);

#endif
