// SPDX-License-Identifier: GPL-2.0-or-later
/* Chooses the data path of a trunk, and says why. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "util/json_get.h"
#include "util/log.h"
#include "internal.h"

static const struct datapath_ops *const by_config[CONFIG_DATAPATH_USB + 1] = {
	[CONFIG_DATAPATH_USB] = &datapath_usb,	     [CONFIG_DATAPATH_SHIM] = &datapath_shim,
	[CONFIG_DATAPATH_XDP] = &datapath_xdp,	     [CONFIG_DATAPATH_RMNET] = &datapath_rmnet,
	[CONFIG_DATAPATH_QMIMUX] = &datapath_qmimux,
};

/* The QMAP version to ask for. Without a control channel the user states it; v1 is the default. */
static int wanted_version(const struct trunk *t)
{
	if (t->config.qmap != CONFIG_QMAP_AUTO)
		return (int)t->config.qmap;
	return trunk_has_control(t) ? DATAPATH_ANY : QMAP_V1;
}

/*
 * Data path usb takes the modem from its driver, which ends the calls that another program has made;
 * a modem that has refused QMAP, or the driver, needs the one that it had.
 */
static const struct datapath_ops *unwanted(const struct trunk *t)
{
	char driver[USB_DRIVER_SIZE];

	trunk_dev_driver(t->dev.name, driver, sizeof(driver));
	if (!strcmp(driver, USB_DRIVER) && !t->home[0])
		return NULL; /* the administrator's choice */
	return t->no_usb || !trunk_has_control(t) ? &datapath_usb : NULL;
}

int trunk_choose_datapath(struct trunk *t, struct error *err)
{
	const struct datapath_ops *ops = by_config[t->config.datapath];
	int ret;

	t->choice = (struct datapath_choice){0};
	if (t->config.qmap == CONFIG_QMAP_OFF) {
		t->ops = &datapath_raw;
		return t->ops->probe(t->dev.name, err);
	}
	ret = ops ? ops->probe(t->dev.name, err)
			      ?: datapath_choose_only(&t->choice, ops, wanted_version(t), err)
		  : datapath_choose(&t->choice, t->dev.name, wanted_version(t), unwanted(t), err);
	if (!ret)
		t->ops = t->choice.wish[0].ops;
	return ret;
}

/* qmap_usb carries nothing but aggregates. The next attempt leaves the interface to its driver. */
static int without_qmap(struct trunk *t, struct error *err)
{
	t->no_usb = true;
	error_set(err, -EAGAIN, "the modem does not agree to QMAP, which data path %s needs",
		  datapath_usb.name);
	error_hint(err, "--qmap off");
	return -EAGAIN;
}

int trunk_grant_datapath(struct trunk *t, int version, struct error *err)
{
	const struct datapath_ops *ops;

	if (version == QMAP_OFF && t->ops == &datapath_usb)
		return without_qmap(t, err);
	ops = version == QMAP_OFF ? &datapath_raw : datapath_granted(&t->choice, version);

	if (!ops)
		return error_set(err, -EOPNOTSUPP, "no data path of this machine carries QMAP v%d",
				 version);
	t->ops = ops;
	return 0;
}

/* The choice that is offered to the modem. A data path that is built already stays. */
static void current_choice(const struct trunk *t, struct datapath_choice *c)
{
	*c = t->choice;
	if (t->ops && t->ops != &datapath_raw && (t->dp || !c->n))
		datapath_choose_only(c, t->ops, wanted_version(t), NULL);
}

void trunk_fill_wishes(struct trunk *t)
{
	struct datapath_choice c;

	current_choice(t, &c);
	for (unsigned int i = 0; i < c.n; i++) {
		const struct datapath_limits *limits = &c.wish[i].ops->limits;

		t->setup.wish[i] = (struct session_wish){
			.version = c.wish[i].version,
			.dl_max_bytes = t->config.dl_max_bytes ?: limits->dl_max_bytes,
			.dl_max_datagrams = t->config.dl_max_datagrams ?: limits->dl_max_datagrams,
		};
	}
	if (c.n)
		t->setup.nwishes = c.n;
}

/* Why not the cheapest: what the machine lacks, or the version that the modem has not granted. */
static void say_why_auto(struct trunk *t)
{
	const struct datapath_wish *first = &t->choice.wish[0];
	size_t size = sizeof(t->path_why);
	int n = 0;

	if (t->choice.n && first->ops != t->ops)
		n = snprintf(t->path_why, size, "%s: the modem does not grant QMAP v%d",
			     first->ops->name, first->version);
	if (t->choice.why.err)
		snprintf(t->path_why + n, size - n, "%s%s", n ? "; " : "", t->choice.why.text);
	else if (!n)
		snprintf(t->path_why, size, "there is none that costs less");
}

void trunk_explain_datapath(struct trunk *t)
{
	int percent = trunk_datapath_cost(t);

	if (t->config.qmap == CONFIG_QMAP_OFF)
		snprintf(t->path_why, sizeof(t->path_why), "QMAP is off");
	else if (t->config.datapath != CONFIG_DATAPATH_AUTO)
		snprintf(t->path_why, sizeof(t->path_why), "it is configured");
	else
		say_why_auto(t);
	if (t->tries > 1) /* not at every attempt */
		return;
	if (percent)
		log_info("%s: data path %s, %d.%02d times the instructions of the cheapest; %s",
			 t->config.dev, t->ops->name, percent / 100, percent % 100, t->path_why);
	else
		log_info("%s: data path %s; %s", t->config.dev, t->ops->name, t->path_why);
}

int trunk_datapath_cost(const struct trunk *t)
{
	return t->ops ? (int)(datapath_cost(t->ops, t->format.version) * 100 + .5) : 0;
}

void trunk_show_datapath(const struct trunk *t, struct json_object *o)
{
	int percent = trunk_datapath_cost(t);

	json_object_object_add(o, "datapath", t->ops ? json_object_new_string(t->ops->name) : NULL);
	json_object_object_add(o, "datapath_cost",
			       t->dp && percent ? json_object_new_int(percent) : NULL);
	json_object_object_add(o, "datapath_reason",
			       t->dp && t->path_why[0] ? json_object_new_string(t->path_why)
						       : NULL);
}

void trunk_adopt_reason(struct trunk *t, struct json_object *show)
{
	const char *why = json_get_string(show, "datapath_reason");

	snprintf(t->path_why, sizeof(t->path_why), "%s", why ? why : "");
}
