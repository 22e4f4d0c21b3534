/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The netdev that carries aggregates: its identity, and the state that QMAP needs. */
#ifndef QMAP_NETDEV_DEV_H
#define QMAP_NETDEV_DEV_H

#include <stdbool.h>
#include <stddef.h>

#include "keep/keep.h"
#include "rtnl/rtnl.h"
#include "util/error.h"

struct trunk_dev {
	/* path in /sys/devices of the device behind the netdev, which outlives it; empty: none */
	char device[256];
	char name[16];
	unsigned int ifindex;
	bool was_up;
	unsigned int was_addrgen; /* IN6_ADDR_GEN_MODE_* */
	bool prepared;		  /* by these arguments of trunk_dev_prepare(): */
	bool qmap;
	unsigned int rx_bytes;
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

/*
 * Does the netdev outlive its device? qmi_wwan_disconnect() leaves it behind for good if it finds the
 * RTNL taken while the netdev has ports of qmimux (drivers/net/usb/qmi_wwan.c: rtnl_trylock()).
 */
bool trunk_dev_is_left_over(const struct trunk_dev *t);

/* Finds the name of the netdev of @device. -ENODEV. */
int trunk_dev_find(const char *device, char name[16]);

/*
 * Sets raw IP, pass-through (with @qmap), a receive buffer of @rx_bytes if the driver is qmi_wwan,
 * no ARP, no IPv6 addresses of its own, up, and a queue that does not modify frames (with @qmap): down
 * first, then by trunk_dev_rows.
 */
int trunk_dev_prepare(struct trunk_dev *t, bool qmap, unsigned int rx_bytes, struct error *err);

/* The argument of trunk_dev_rows: the netdev, and the kernel's view of it. */
struct trunk_dev_view {
	struct trunk_dev *dev;
	struct rtnl *nl;
	struct rtnl_link link;
	/* of the row of the queue, for the next one: name of a user's queue that may mark congestion */
	char queue[16];
};
extern const struct keep_row trunk_dev_rows[];

/* Reads view->link. */
int trunk_dev_read(struct trunk_dev_view *view, struct error *err);

/* Writes @value to attribute @attr of qmi_wwan (raw_ip, add_mux, ...) of a netdev. */
int trunk_dev_write(const char *name, const char *attr, const char *value, struct error *err);

/* Restores the state from before trunk_dev_prepare(), as far as the netdev still exists. */
void trunk_dev_restore(struct trunk_dev *t);

/* Path of the modem's control device (/dev/cdc-wdm0). -ENODEV if there is none. */
int trunk_dev_control(const char *name, char *path, size_t size, struct error *err);

/* Name of the driver behind the netdev; empty if there is no device. */
void trunk_dev_driver(const char *name, char *driver, size_t size);

#endif
