// SPDX-License-Identifier: GPL-2.0-or-later
/* Converts a modem found by discovery to JSON. */
#include "probe_modem.h"

#include <json-c/json.h>
#include <stdio.h>

#include "datapath/pins.h"
#include "util/json_add.h"
#include "util/array.h"
#include "util/sysfs.h"

static const char *const buses[] = {
	[MODEM_VIRTUAL] = "virtual",
	[MODEM_USB] = "usb",
	[MODEM_PCIE] = "pcie",
};
TABLE_COMPLETE(buses, MODEM_BUSES);

static void add_identity(struct json_object *o, const struct modem *m)
{
	char id[16] = "";

	if (m->bus != MODEM_VIRTUAL)
		snprintf(id, sizeof(id), "%04x:%04x", m->vendor, m->product);
	json_add_text(o, "bus", buses[m->bus]);
	json_add_text(o, "device", m->device);
	json_add_text(o, "id", id);
	json_add_text(o, "manufacturer", m->manufacturer);
	json_add_text(o, "product", m->product_name);
	json_add_text(o, "serial", m->serial);
}

/* Adds the entry in the table of models. */
static void add_model(struct json_object *o, const struct modem *m)
{
	const struct qmi_model *t = m->model;
	char name[32] = "", version[16] = "";

	if (t)
		qmi_model_name(t, m->product_name, name, sizeof(name));
	if (t && t->qmap)
		snprintf(version, sizeof(version), "v%u", t->qmap);
	json_add_text(o, "model", name);
	json_add_text(o, "qmap", version);
	json_add_known(o, "dl_max_bytes", t != NULL, t ? t->dl_max_bytes : 0);
	json_object_object_add(o, "forces_qmap",
			       t ? json_object_new_boolean(t->forces_qmap) : NULL);
	json_add_text(o, "note", t ? t->note : NULL);
}

struct json_object *probe_modem_json(const char *sysfs, const struct modem *m)
{
	struct json_object *o = json_object_new_object();
	long ifindex =
		m->netdev[0] ? sysfs_number(10, "%s/class/net/%s/ifindex", sysfs, m->netdev) : -1;
	bool attached = ifindex > 0 && sysfs_exists(PINS_ROOT "/%ld", ifindex);
	/* AT+QCFG is Quectel's own command; on PCIe "usbnet" is another setting. */
	int usbnet = m->bus == MODEM_USB && m->vendor == 0x2c7c ? modem_mode_usbnet(m->mode) : -1;
	char next[256];

	json_add_text(o, "dev", m->netdev);
	add_identity(o, m);
	add_model(o, m);
	json_add_known(o, "interface", m->interface >= 0, m->interface);
	json_add_text(o, "control", m->control);
	json_add_text(o, "driver", m->driver);
	json_add_text(o, "mode", modem_mode_name(m->mode));
	json_add_known(o, "usbnet", usbnet >= 0, usbnet);
	json_add_bool(o, "attached", attached);
	modem_next_step(sysfs, m, attached, next, sizeof(next));
	json_add_text(o, "next", next);
	return o;
}
