// SPDX-License-Identifier: GPL-2.0-or-later
#include "discover.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "util/array.h"

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519 /* from linux/if_arp.h, which conflicts with net/if.h */
#endif

static const struct {
	const char *name;
	int usbnet;
} modes[] = {
	[MODEM_MODE_UNKNOWN] = {NULL, -1}, [MODEM_MODE_QMI] = {"QMI", 0},
	[MODEM_MODE_ECM] = {"ECM", 1},	   [MODEM_MODE_MBIM] = {"MBIM", 2},
	[MODEM_MODE_RNDIS] = {"RNDIS", 3}, [MODEM_MODE_NCM] = {"NCM", 5},
};
TABLE_COMPLETE(modes, MODEM_MODES);

/* @sure: the driver binds to modems only. */
static const struct {
	const char *name;
	enum modem_mode mode;
	bool sure;
} drivers[] = {
	{"qmi_wwan", MODEM_MODE_QMI, true},	 {"qmi_wwan_q", MODEM_MODE_QMI, true},
	{"qmap_usb", MODEM_MODE_QMI, true},	 {"GobiNet", MODEM_MODE_QMI, true},
	{"cdc_mbim", MODEM_MODE_MBIM, true},	 {"huawei_cdc_ncm", MODEM_MODE_NCM, true},
	{"mhi_net", MODEM_MODE_QMI, true},	 {"mhi_wwan_mbim", MODEM_MODE_MBIM, true},
	{"cdc_ether", MODEM_MODE_ECM, false},	 {"cdc_ncm", MODEM_MODE_NCM, false},
	{"rndis_host", MODEM_MODE_RNDIS, false},
};

const char *modem_mode_name(enum modem_mode mode)
{
	return modes[mode].name;
}

int modem_mode_usbnet(enum modem_mode mode)
{
	return modes[mode].usbnet;
}

enum modem_mode modem_mode_of_driver(const char *driver)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i].name, driver))
			return drivers[i].mode;
	return MODEM_MODE_UNKNOWN;
}

bool modem_driver_is_sure(const char *driver)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i].name, driver))
			return drivers[i].sure;
	return false;
}

struct modem *discover_add(struct discovery *d)
{
	struct modem *list = reallocarray(d->list, d->n + 1, sizeof(*list));

	if (!list) {
		d->out_of_memory = true;
		return NULL;
	}
	d->list = list;
	list[d->n] = (struct modem){.interface = -1};
	return &list[d->n++];
}

bool discover_has_netdev(const struct discovery *d, const char *netdev)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->list[i].netdev, netdev))
			return true;
	return false;
}

/* Is this wwan0.se of data path xdp, the entry device of wwan0? */
static bool is_entry_device(const struct discovery *d, const char *name)
{
	size_t len = strlen(name);

	return len > 3 && !strcmp(name + len - 3, ".se") &&
	       sysfs_exists("%s/class/net/%.*s", d->sysfs, (int)len - 3, name);
}

/*
 * Is this a raw-IP netdev without a device? The iflink of a stacked netdev (our ports, rmnet's
 * links, one end of a veth pair) is the index of the other netdev.
 */
static bool is_raw_ip(const struct discovery *d, const char *name)
{
	long type = sysfs_number(10, "%s/class/net/%s/type", d->sysfs, name);

	return (type == ARPHRD_NONE || type == ARPHRD_RAWIP) &&
	       sysfs_number(10, "%s/class/net/%s/iflink", d->sysfs, name) ==
		       sysfs_number(10, "%s/class/net/%s/ifindex", d->sysfs, name) &&
	       !sysfs_exists("%s/class/net/%s/device", d->sysfs, name) &&
	       !sysfs_has_line("DEVTYPE=wireguard", "%s/class/net/%s/uevent", d->sysfs, name) &&
	       !is_entry_device(d, name);
}

static bool add_virtual(const char *name, void *arg)
{
	struct discovery *d = arg;
	struct modem *m;

	if (discover_has_netdev(d, name) || !is_raw_ip(d, name))
		return true;
	m = discover_add(d);
	if (!m)
		return false;
	snprintf(m->netdev, sizeof(m->netdev), "%s", name);
	if (sysfs_exists("%s/class/net/%s/tun_flags", d->sysfs, name))
		snprintf(m->driver, sizeof(m->driver), "tun");
	return true;
}

int modems_find(const char *sysfs, struct modem **list, size_t *n)
{
	struct discovery d = {.sysfs = sysfs};

	discover_usb(&d);
	discover_pcie(&d);
	sysfs_each(add_virtual, &d, "%s/class/net", sysfs);
	if (d.out_of_memory) {
		free(d.list);
		return -ENOMEM;
	}
	*list = d.list;
	*n = d.n;
	return 0;
}
