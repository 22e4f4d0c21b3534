/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modems as /sys shows them, without asking them or opening anything of theirs. */
#ifndef QMAP_DISCOVER_H
#define QMAP_DISCOVER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qmi/models.h"

enum modem_bus {
	MODEM_VIRTUAL, /* a raw-IP netdev without a device: a software modem, or a tunnel */
	MODEM_USB,
	MODEM_PCIE,
};

enum modem_mode {
	MODEM_MODE_UNKNOWN,
	MODEM_MODE_QMI,
	MODEM_MODE_ECM,
	MODEM_MODE_MBIM,
	MODEM_MODE_RNDIS,
	MODEM_MODE_NCM,
};

/* One for each data interface; one without netdev, control and driver if a modem shows none. */
struct modem {
	enum modem_bus bus;
	char device[64]; /* its name on the bus: "1-1.2", "0000:01:00.0"; empty: virtual */
	uint16_t vendor, product;
	char manufacturer[64], product_name[64],
		serial[64];	       /* strings of the device; may be empty */
	int interface;		       /* USB interface of the data; -1: not known */
	char interface_name[80];       /* "1-1.2:1.4"; empty: not known */
	char netdev[IFNAMSIZ];	       /* empty: none in this network namespace */
	char control[80];	       /* path in /dev; empty: none */
	char driver[32];	       /* of the data interface; empty: none is bound */
	enum modem_mode mode;	       /* by driver, else by the interface's descriptors */
	const struct qmi_model *model; /* by id; NULL: not in the table */
};

/*
 * All modems below @sysfs ("/sys"), USB first, in the order of their names. Never fails for what a
 * device shows or lacks; -ENOMEM. free() the @list.
 */
int modems_find(const char *sysfs, struct modem **list, size_t *n);

/* "QMI", "ECM", ...; NULL for MODEM_MODE_UNKNOWN. */
const char *modem_mode_name(enum modem_mode mode);

/* The N of AT+QCFG="usbnet",N that stands for @mode on a Quectel USB modem; -1: none does. */
int modem_mode_usbnet(enum modem_mode mode);

/* By the name of a netdev's driver; MODEM_MODE_UNKNOWN for one that drives no modems. */
enum modem_mode modem_mode_of_driver(const char *driver);

/* What a person does next with @m, a sentence. @attached: qmap has it already. */
void modem_next_step(const char *sysfs, const struct modem *m, bool attached, char *buf,
		     size_t size);

#endif
