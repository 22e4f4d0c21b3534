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

static void add_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, text && text[0] ? json_object_new_string(text) : NULL);
}

static void add_number(struct json_object *o, const char *key, long n, bool known)
{
	json_object_object_add(o, key, known ? json_object_new_int64(n) : NULL);
}

static void add_identity(struct json_object *o, const struct modem *m)
{
	char id[16] = "";

	if (m->bus != MODEM_VIRTUAL)
		snprintf(id, sizeof(id), "%04x:%04x", m->vendor, m->product);
	add_text(o, "bus", buses[m->bus]);
	add_text(o, "device", m->device);
	add_text(o, "id", id);
	add_text(o, "manufacturer", m->manufacturer);
	add_text(o, "product", m->product_name);
	add_text(o, "serial", m->serial);
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
	add_text(o, "model", name);
	add_text(o, "qmap", version);
	add_number(o, "dl_max_bytes", t ? t->dl_max_bytes : 0, t != NULL);
	json_object_object_add(o, "forces_qmap",
			       t ? json_object_new_boolean(t->forces_qmap) : NULL);
	add_text(o, "note", t ? t->note : NULL);
}

/* AT+QCFG is Quectel's own command; on PCIe "usbnet" is another setting. */
static int usbnet(const struct modem *m)
{
	return m->bus == MODEM_USB && m->vendor == 0x2c7c ? modem_mode_usbnet(m->mode) : -1;
}

static bool is_attached(const char *sysfs, const struct modem *m)
{
	long ifindex =
		m->netdev[0] ? sysfs_number(10, "%s/class/net/%s/ifindex", sysfs, m->netdev) : -1;

	return ifindex > 0 && sysfs_exists(PINS_ROOT "/%ld", ifindex);
}

struct json_object *probe_modem_json(const char *sysfs, const struct modem *m)
{
	struct json_object *o = json_object_new_object();
	bool attached = is_attached(sysfs, m);
	char next[256];

	add_text(o, "dev", m->netdev);
	add_identity(o, m);
	add_model(o, m);
	add_number(o, "interface", m->interface, m->interface >= 0);
	add_text(o, "control", m->control);
	add_text(o, "driver", m->driver);
	add_text(o, "mode", modem_mode_name(m->mode));
	add_number(o, "usbnet", usbnet(m), usbnet(m) >= 0);
	json_add_bool(o, "attached", attached);
	modem_next_step(sysfs, m, attached, next, sizeof(next));
	add_text(o, "next", next);
	return o;
}
