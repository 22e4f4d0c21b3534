// SPDX-License-Identifier: GPL-2.0-or-later
/* The next step for the user: one sentence for each state in which a modem can be found. */
#include <stdio.h>
#include <string.h>

#include "qmi/models.h"
#include "internal.h"

struct advice {
	const char *sysfs;
	const struct modem *m;
	char *buf;
	size_t size;
};

#define SAY(a, ...) snprintf((a)->buf, (a)->size, __VA_ARGS__)

static bool is_quectel(const struct modem *m)
{
	return m->vendor == 0x2c7c || m->vendor == 0x1eac;
}

static void switch_to_qmi(const struct advice *a)
{
	const char *mode = modem_mode_name(a->m->mode);

	if (!is_quectel(a->m) && a->m->mode == MODEM_MODE_MBIM)
		SAY(a, "%s has no QMAP: switch the modem to QMI by its maker's AT command", mode);
	else if (!is_quectel(a->m))
		SAY(a,
		    "%s has no QMAP: if it is a modem and no Ethernet adapter or phone, switch it "
		    "to "
		    "QMI by its maker's AT command",
		    mode);
	else if (a->m->bus == MODEM_PCIE)
		SAY(a,
		    "%s has no QMAP: AT+QCFG=\"data_interface\" and a restart of the modem "
		    "change it to QMI",
		    mode);
	else
		SAY(a,
		    "%s has no QMAP: AT+QCFG=\"usbnet\",0 and AT+CFUN=1,1 on the modem's AT "
		    "port change it to QMI",
		    mode);
}

static void bind_qmi_wwan(const struct advice *a)
{
	if (!sysfs_exists("%s/bus/usb/drivers/qmi_wwan", a->sysfs))
		SAY(a, "load its driver: modprobe qmi_wwan");
	else
		SAY(a,
		    "qmi_wwan is loaded and has not bound: "
		    "echo %04x %04x >/sys/bus/usb/drivers/qmi_wwan/new_id",
		    a->m->vendor, a->m->product);
}

static void replace_driver(const struct advice *a)
{
	const struct modem *m = a->m;

	if (modem_driver_is_sure(m->driver))
		SAY(a,
		    "driver %s does QMAP by itself: rmmod %s && modprobe qmi_wwan, and keep it "
		    "from loading by a blacklist line in /etc/modprobe.d",
		    m->driver, m->driver);
	else
		SAY(a,
		    "driver %s holds the data interface: "
		    "echo %s >/sys/bus/usb/drivers/%s/unbind, then modprobe qmi_wwan",
		    m->driver, m->interface_name, m->driver);
}

static void attach(const struct advice *a)
{
	const struct modem *m = a->m;

	if (!m->netdev[0])
		SAY(a, "its netdev is not in this network namespace: `ip netns` lists others");
	else if (!m->control[0])
		SAY(a,
		    "it has no control device: `qmapctl attach %s --control none` if something "
		    "else dials",
		    m->netdev);
	else if (m->bus == MODEM_USB)
		SAY(a, "`qmapctl attach %s`", m->netdev);
	else
		SAY(a, "`qmapctl attach %s --control %s`", m->netdev, m->control);
}

static void usb(const struct advice *a)
{
	const struct modem *m = a->m;

	if (m->interface < 0 || m->mode == MODEM_MODE_UNKNOWN)
		SAY(a,
		    "it shows no data interface that is known: a [model %04x:%04x] section in the "
		    "configuration can name it",
		    m->vendor, m->product);
	else if (m->mode != MODEM_MODE_QMI)
		switch_to_qmi(a);
	else if (!m->driver[0])
		bind_qmi_wwan(a);
	else if (strcmp(m->driver, "qmi_wwan") && strcmp(m->driver, "qmap_usb"))
		replace_driver(a);
	else
		attach(a);
}

static void pcie(const struct advice *a)
{
	const struct modem *m = a->m;

	if (m->netdev[0] && m->mode == MODEM_MODE_QMI)
		attach(a);
	else if (m->netdev[0])
		switch_to_qmi(a);
	else if (!m->driver[0])
		SAY(a, "load its driver: modprobe mhi_pci_generic");
	else
		SAY(a, "load what makes its netdev and control device: "
		       "modprobe -a mhi_net mhi_wwan_ctrl");
}

void modem_next_step(const char *sysfs, const struct modem *m, bool attached, char *buf,
		     size_t size)
{
	const struct advice a = {sysfs, m, buf, size};
	const struct qmi_model *model = qmi_model_find_id(m->vendor, m->product);

	if (attached) {
		SAY(&a, "it is attached: `qmapctl show %s`", m->netdev);
	} else if (model && model->no_qmi) {
		/* no AT command switches it to QMI */
		SAY(&a, "it speaks no QMI in any mode, so qmap is of no use with it: its netdev "
			"takes DHCP, or another program dials by AT commands");
	} else if (m->bus == MODEM_USB) {
		usb(&a);
	} else if (m->bus == MODEM_PCIE) {
		pcie(&a);
	} else
		SAY(&a, "`qmapctl attach %s --control PATH` if a modem is behind it", m->netdev);
}
