// SPDX-License-Identifier: GPL-2.0-or-later
/* USB modems: their interfaces, drivers, netdevs and control devices. */
#include <linux/usb/ch9.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Subclasses of USB_CLASS_COMM that carry packets (USB CDC; linux/usb/cdc.h). */
#define CDC_ECM	 0x06
#define CDC_ACM	 0x02
#define CDC_NCM	 0x0d
#define CDC_MBIM 0x0e

struct usb_scan {
	struct discovery *d;
	struct modem base; /* the members that all interfaces of the device share */
	bool is_modem;	   /* its id is that of a modem, whatever driver it has */
	struct modem idle; /* the interface that would carry data if it had a driver for it */
	size_t found;
};

/* RNDIS appears as communication/ACM/vendor's protocol or as wireless/radio/RNDIS. */
static enum modem_mode mode_of_class(long class, long subclass, long protocol)
{
	if (class == USB_CLASS_COMM && subclass == CDC_ECM)
		return MODEM_MODE_ECM;
	if (class == USB_CLASS_COMM && subclass == CDC_NCM)
		return MODEM_MODE_NCM;
	if (class == USB_CLASS_COMM && subclass == CDC_MBIM)
		return MODEM_MODE_MBIM;
	if (class == USB_CLASS_COMM && subclass == CDC_ACM && protocol == USB_CLASS_VENDOR_SPEC)
		return MODEM_MODE_RNDIS;
	if (class == USB_CLASS_WIRELESS_CONTROLLER && subclass == 1 && protocol == 3)
		return MODEM_MODE_RNDIS;
	return MODEM_MODE_UNKNOWN;
}

/* Can this interface carry data, by the table or its descriptors? */
static bool may_carry_data(const struct modem *m)
{
	if (m->mode != MODEM_MODE_UNKNOWN)
		return true;
	return m->model && m->interface == (int)m->model->interface;
}

static bool is_modem(const struct usb_scan *s, const struct modem *m)
{
	if (modem_driver_is_sure(m->driver))
		return true;
	if (modem_mode_of_driver(m->driver) == MODEM_MODE_UNKNOWN && !m->netdev[0])
		return false;
	return s->is_modem ||
	       (m->netdev[0] &&
		sysfs_has_line("DEVTYPE=wwan", "%s/class/net/%s/uevent", s->d->sysfs, m->netdev));
}

static void add(struct usb_scan *s, const struct modem *m)
{
	struct modem *to = discover_add(s->d);

	if (to)
		*to = *m;
	s->found++;
}

static bool scan_interface(const char *name, void *arg)
{
	struct usb_scan *s = arg;
	struct modem m = s->base;
	char path[SYSFS_PATH], node[64];
	size_t len = strlen(m.device);

	/* interface "1-1.2:1.4" belongs to device "1-1.2" */
	if (strncmp(name, m.device, len) || name[len] != ':')
		return true;
	snprintf(path, sizeof(path), "%.400s/bus/usb/devices/%.64s", s->d->sysfs, name);
	/* the data half of a CDC function has the same driver and no further information */
	if (sysfs_number(16, "%s/bInterfaceClass", path) == USB_CLASS_CDC_DATA)
		return true;
	snprintf(m.interface_name, sizeof(m.interface_name), "%.79s", name);
	m.interface = sysfs_number(16, "%s/bInterfaceNumber", path);
	sysfs_link(m.driver, sizeof(m.driver), "%s/driver", path);
	sysfs_first(m.netdev, sizeof(m.netdev), "", "%s/net", path);
	/* the device of cdc_wdm or of GobiNet */
	if (sysfs_first(node, sizeof(node), "cdc-wdm", "%s/usbmisc", path) ||
	    sysfs_first(node, sizeof(node), "qcqmi", "%s/GobiQMI", path))
		snprintf(m.control, sizeof(m.control), "/dev/%s", node);
	m.mode = modem_mode_of_driver(m.driver);
	if (is_modem(s, &m)) {
		add(s, &m);
		return true;
	}
	m.mode = mode_of_class(sysfs_number(16, "%s/bInterfaceClass", path),
			       sysfs_number(16, "%s/bInterfaceSubClass", path),
			       sysfs_number(16, "%s/bInterfaceProtocol", path));
	if (may_carry_data(&m) && s->idle.interface < 0)
		s->idle = m;
	return true;
}

static bool scan_device(const char *name, void *arg)
{
	struct discovery *d = arg;
	struct usb_scan s = {.d = d, .base = {.bus = MODEM_USB, .interface = -1}};
	long vendor = sysfs_number(16, "%s/bus/usb/devices/%s/idVendor", d->sysfs, name);
	long product = sysfs_number(16, "%s/bus/usb/devices/%s/idProduct", d->sysfs, name);

	if (strchr(name, ':') || vendor < 0 || vendor > UINT16_MAX || product < 0 ||
	    product > UINT16_MAX)
		return true;
	s.base.vendor = vendor;
	s.base.product = product;
	s.base.model = qmi_model_find_id(vendor, product);
	s.is_modem = s.base.model || qmi_model_maker(vendor);
	s.idle = s.base;
	snprintf(s.base.device, sizeof(s.base.device), "%.63s", name);
	sysfs_text(s.base.manufacturer, sizeof(s.base.manufacturer),
		   "%s/bus/usb/devices/%s/manufacturer", d->sysfs, name);
	sysfs_text(s.base.product_name, sizeof(s.base.product_name),
		   "%s/bus/usb/devices/%s/product", d->sysfs, name);
	sysfs_text(s.base.serial, sizeof(s.base.serial), "%s/bus/usb/devices/%s/serial", d->sysfs,
		   name);
	sysfs_each(scan_interface, &s, "%s/bus/usb/devices", d->sysfs);
	if (!s.found && s.is_modem) {
		struct modem m = s.idle.interface < 0 ? s.base : s.idle;

		/*
		 * A modem without a data interface: the table of models knows its QMI
		 * interface; a vendor-specific interface does not show its purpose.
		 */
		if (m.interface >= 0 && m.mode == MODEM_MODE_UNKNOWN)
			m.mode = MODEM_MODE_QMI;
		add(&s, &m);
	}
	return !d->out_of_memory;
}

void discover_usb(struct discovery *d)
{
	sysfs_each(scan_device, d, "%s/bus/usb/devices", d->sysfs);
}
