/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds modems in /sys, without opening their device nodes or sending them requests. */
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
	MODEM_BUSES
};

enum modem_mode {
	MODEM_MODE_UNKNOWN,
	MODEM_MODE_QMI,
	MODEM_MODE_ECM,
	MODEM_MODE_MBIM,
	MODEM_MODE_RNDIS,
	MODEM_MODE_NCM,
	MODEM_MODES
};

/*
 * A data interface of a modem. A modem without data interface has one entry without netdev, control
 * and driver.
 */
struct modem {
	enum modem_bus bus;
	char device[64]; /* name on the bus: "1-1.2", "0000:01:00.0"; empty: virtual */
	uint16_t vendor, product;
	char manufacturer[64], product_name[64],
		serial[64];	       /* the device's own strings; may be empty */
	int interface;		       /* number of the USB data interface; -1: unknown */
	char interface_name[80];       /* "1-1.2:1.4"; empty: unknown */
	char netdev[IFNAMSIZ];	       /* empty: none in this network namespace */
	char control[80];	       /* path in /dev; empty: none */
	char driver[32];	       /* of the data interface; empty: none is bound */
	enum modem_mode mode;	       /* by the driver, else by the interface's descriptors */
	const struct qmi_model *model; /* by id; NULL: not in the table */
};

/*
 * All modems below @sysfs ("/sys"), USB first, in the order of their names. Missing or odd
 * attributes of a device are no error; -ENOMEM is. The caller frees @list.
 */
int modems_find(const char *sysfs, struct modem **list, size_t *n);

/* "QMI", "ECM", ...; NULL for MODEM_MODE_UNKNOWN. */
const char *modem_mode_name(enum modem_mode mode);

/* The N of AT+QCFG="usbnet",N that selects @mode on a Quectel USB modem; -1: there is none. */
int modem_mode_usbnet(enum modem_mode mode);

/* By the name of a netdev's driver; MODEM_MODE_UNKNOWN if the driver is for other devices. */
enum modem_mode modem_mode_of_driver(const char *driver);

/*
 * Writes a sentence that tells the user the next step with @m. @attached: @m is attached
 * already.
 */
void modem_next_step(const char *sysfs, const struct modem *m, bool attached, char *buf,
		     size_t size);

#endif
