// SPDX-License-Identifier: GPL-2.0-or-later
#include "endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qmi/client.h"
#include "qmi/transport.h"
#include "util/array.h"
#include "util/sysfs.h"

/* The number of a PCIe modem's only data interface, independent of its place on the bus. */
#define PCIE_INTERFACE 4

static bool usb_interface(const char *device, uint32_t *interface)
{
	char path[128], text[8];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%.100s/bInterfaceNumber", device);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(text, sizeof(text), f) != NULL;
	fclose(f);
	if (ok)
		*interface = strtoul(text, NULL, 16);
	return ok;
}

static bool is_pcie(const char *device)
{
	char path[128], target[128];
	ssize_t n;

	snprintf(path, sizeof(path), "%.100s/subsystem", device);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strstr(target, "/mhi") || strstr(target, "/wwan") || strstr(target, "/pci");
}

/* USB: the interface's device. PCIe: above the MHI device and, if there is one, the WWAN device. */
static const struct qmi_model *find_by_id(const char *device)
{
	static const struct {
		const char *vendor, *product;
	} files[] = {
		{"../idVendor", "../idProduct"},
		{"../vendor", "../device"},
		{"../../vendor", "../../device"},
		{"../../../vendor", "../../../device"},
	};
	const struct qmi_model *m = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(files) && !m; i++) {
		long vendor = sysfs_number(16, "%s/%s", device, files[i].vendor);
		long product = sysfs_number(16, "%s/%s", device, files[i].product);

		if (vendor > 0 && product > 0)
			m = qmi_model_find_id(vendor, product);
	}
	return m;
}

const struct qmi_model *endpoint_model(const struct qmi_channel *ch, const char *model,
				       const char *revision)
{
	const struct qmi_model *m = NULL;
	char device[64];

	if (qmi_transport_sysfs(qmi_channel_transport(ch), device, sizeof(device)))
		m = find_by_id(device);
	return m ?: qmi_model_find(model, revision);
}

struct qmi_endpoint endpoint_find(const struct qmi_channel *ch, const struct qmi_model *model)
{
	struct qmi_endpoint e = {.type = QMI_ENDPOINT_HSUSB, .interface = model->interface};
	char device[64];

	if (!qmi_transport_sysfs(qmi_channel_transport(ch), device, sizeof(device)) ||
	    usb_interface(device, &e.interface))
		return e;
	if (is_pcie(device))
		e = (struct qmi_endpoint){QMI_ENDPOINT_PCIE, PCIE_INTERFACE};
	return e;
}
