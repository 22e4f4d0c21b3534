// SPDX-License-Identifier: GPL-2.0-or-later
/* PCIe modems: a PCI device with the MHI devices of netdev and control channel below it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct pcie_scan {
	struct discovery *d;
	struct modem base;
	char root[PATH_MAX]; /* directory of the PCI device, without symbolic links */
	const char *class;
	size_t found;
	bool is_modem;
};

/* Cuts @path back to the PCI device above it. */
static bool to_pci_device(char *path)
{
	char *slash;

	while ((slash = strrchr(path, '/')) && slash != path) {
		*slash = 0;
		if (sysfs_exists("%.480s/vendor", path) && sysfs_exists("%.480s/device", path))
			return true;
	}
	return false;
}

/* Does @sysfs/class/@class/@name belong to this PCI device, and not to a device behind a bridge? */
static bool is_of_device(const struct pcie_scan *s, const char *name)
{
	char path[SYSFS_PATH], target[PATH_MAX];

	snprintf(path, sizeof(path), "%.400s/class/%s/%.64s", s->d->sysfs, s->class, name);
	return realpath(path, target) && to_pci_device(target) && !strcmp(target, s->root);
}

static bool take_control(const char *name, void *arg)
{
	struct pcie_scan *s = arg;

	if (!strstr(name, "qmi") || !is_of_device(s, name))
		return true;
	snprintf(s->base.control, sizeof(s->base.control), "/dev/%.64s", name);
	return false;
}

static bool take_netdev(const char *name, void *arg)
{
	struct pcie_scan *s = arg;
	char driver[32];
	struct modem *m;

	if (discover_has_netdev(s->d, name) || !is_of_device(s, name))
		return true;
	sysfs_link(driver, sizeof(driver), "%s/class/net/%s/device/driver", s->d->sysfs, name);
	if (!s->is_modem && !modem_driver_is_sure(driver))
		return true;
	m = discover_add(s->d);
	if (!m)
		return false;
	*m = s->base;
	memcpy(m->driver, driver, sizeof(m->driver));
	m->mode = modem_mode_of_driver(driver);
	snprintf(m->netdev, sizeof(m->netdev), "%s", name);
	s->found++;
	return true;
}

static bool scan_device(const char *name, void *arg)
{
	struct discovery *d = arg;
	struct pcie_scan s = {.d = d, .base = {.bus = MODEM_PCIE, .interface = -1}};
	long vendor = sysfs_number(16, "%s/bus/pci/devices/%s/vendor", d->sysfs, name);
	long product = sysfs_number(16, "%s/bus/pci/devices/%s/device", d->sysfs, name);
	struct modem *m;
	char path[SYSFS_PATH];

	snprintf(path, sizeof(path), "%.400s/bus/pci/devices/%.64s", s.d->sysfs, name);
	if (vendor < 0 || vendor > UINT16_MAX || product < 0 || product > UINT16_MAX ||
	    !realpath(path, s.root))
		return true;
	s.base.vendor = vendor;
	s.base.product = product;
	s.base.model = qmi_model_find_id(vendor, product);
	s.is_modem = s.base.model || qmi_model_maker(vendor);
	snprintf(s.base.device, sizeof(s.base.device), "%.63s", name);
	s.class = "wwan";
	sysfs_each(take_control, &s, "%s/class/wwan", d->sysfs);
	s.class = "net";
	sysfs_each(take_netdev, &s, "%s/class/net", d->sysfs);
	if (s.found || !s.is_modem)
		return !d->out_of_memory;
	m = discover_add(d);
	if (!m)
		return false;
	*m = s.base;
	sysfs_link(m->driver, sizeof(m->driver), "%s/bus/pci/devices/%s/driver", d->sysfs, name);
	return true;
}

void discover_pcie(struct discovery *d)
{
	sysfs_each(scan_device, d, "%s/bus/pci/devices", d->sysfs);
}
