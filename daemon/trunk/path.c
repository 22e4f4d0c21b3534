// SPDX-License-Identifier: GPL-2.0-or-later
/* Chooses the data path of a trunk, says why, and changes it while calls are up. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_get.h"
#include "util/log.h"
#include "build.h"
#include "internal.h"
#include "open.h"
#include "path.h"
#include "pins.h"
#include "port_rows.h"

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

int trunk_grant_datapath(struct trunk *t, int version, struct error *err)
{
	const struct datapath_ops *ops;

	/* qmap_usb carries nothing but aggregates; the next attempt leaves the interface to its driver */
	if (version == QMAP_OFF && t->ops == &datapath_usb) {
		t->no_usb = true;
		error_set(err, -EAGAIN,
			  "the modem does not agree to QMAP, which data path %s needs",
			  datapath_usb.name);
		error_hint(err, "--qmap off");
		return -EAGAIN;
	}
	ops = version == QMAP_OFF ? &datapath_raw : datapath_granted(&t->choice, version);
	if (!ops)
		return error_set(err, -EOPNOTSUPP, "no data path of this machine carries QMAP v%d",
				 version);
	t->ops = ops;
	return 0;
}

void trunk_fill_wishes(struct trunk *t)
{
	struct datapath_choice c = t->choice;

	/* a data path that is built already stays */
	if (t->ops && t->ops != &datapath_raw && (t->dp || !c.n))
		datapath_choose_only(&c, t->ops, wanted_version(t), NULL);
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
	if (trunk_open_is_repeated(t->open))
		return;
	if (percent)
		log_info("%s: data path %s, %d.%02d times the instructions of the cheapest; %s",
			 t->config.dev, t->ops->name, percent / 100, percent % 100, t->path_why);
	else
		log_info("%s: data path %s; %s", t->config.dev, t->ops->name, t->path_why);
}

int trunk_datapath_cost(const struct trunk *t)
{
	double cost = 0;

	if (t->ops)
		cost = datapath_cost(t->ops, t->format.version, t->format.dl_max_bytes);
	return (int)(cost * 100 + .5);
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

/* --- another data path while calls are up --- */

/*
 * The data path that the configuration asks for now, with the QMAP version in use; with auto the
 * present one unless another costs less. usb is not considered: it takes another driver, and an attach.
 */
static int choose_again(const struct trunk *t, struct datapath_choice *c, struct error *err)
{
	const struct datapath_ops *ops = by_config[t->config.datapath];
	int version = t->format.version, ret;
	unsigned int bytes = t->format.dl_max_bytes;

	if (ops)
		return (ops == t->ops ? 0 : ops->probe(t->dev.name, err))
			       ?: datapath_choose_only(c, ops, version, err);
	ret = datapath_choose(c, t->dev.name, version, &datapath_usb, err);
	if (!ret &&
	    datapath_cost(c->wish[0].ops, version, bytes) >= datapath_cost(t->ops, version, bytes))
		ret = datapath_choose_only(c, t->ops, version, err);
	return ret;
}

static bool has_choice(const struct trunk *t)
{
	return t->dp && modem_state(t->modem) == TRUNK_READY && t->ops != &datapath_raw;
}

const char *trunk_better_datapath(const struct trunk *t)
{
	struct datapath_choice c;

	if (!has_choice(t) || t->config.datapath != CONFIG_DATAPATH_AUTO ||
	    choose_again(t, &c, NULL) || c.wish[0].ops == t->ops)
		return NULL;
	return c.wish[0].ops->name;
}

bool trunk_needs_attach(const struct trunk *t, const struct config_trunk *config)
{
	const struct datapath_ops *ops = by_config[config->datapath];
	struct datapath_choice c;

	if (!has_choice(t) || !ops || ops == t->ops)
		return false;
	return ops == &datapath_usb || t->ops == &datapath_usb ||
	       datapath_choose_only(&c, ops, t->format.version, NULL);
}

/* The connected families of all ports, which a new data path has to get again. */
struct calls {
	struct {
		unsigned int pdn;
		struct ip_settings settings[2];
	} ports[CONFIG_MAX_PDNS];
	unsigned int n;
};

static struct calls *keep_calls(const struct trunk *t)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	for (unsigned int i = 0; calls && i < t->nports; i++) {
		calls->ports[i].pdn = t->ports[i].port.number;
		memcpy(calls->ports[i].settings, t->ports[i].settings,
		       sizeof(calls->ports[i].settings));
		calls->n++;
	}
	return calls;
}

static int restore_calls(struct trunk *t, const struct calls *calls, struct error *err)
{
	if (!trunk_has_control(t))
		return trunk_start_static(t, err);
	for (unsigned int i = 0; i < calls->n; i++)
		for (int j = 0; j < 2; j++)
			if (calls->ports[i].settings[j].family)
				trunk_session_ops.up(t, calls->ports[i].pdn,
						     &calls->ports[i].settings[j]);
	return 0;
}

/*
 * Builds with @ops in place of what there is; after a failure with the former one again, which @was had
 * asked for.
 */
static int replace(struct trunk *t, const struct datapath_ops *ops, enum config_datapath was,
		   struct error *err)
{
	const struct datapath_ops *old = t->ops;
	struct error again = {0};
	int ret;

	trunk_tear_down(t, NULL);
	ret = trunk_clear_pins(t, err);
	t->ops = ops;
	ret = ret ?: trunk_build(t, err);
	if (!ret)
		return 0;
	t->ops = old;
	t->config.datapath = was;
	if (trunk_build(t, &again)) {
		log_error("%s: cannot go back to data path %s: %s", t->config.dev, old->name,
			  again.text);
		modem_input_later(t->modem, TRUNK_IN_LOST, &again);
	}
	return ret;
}

/*
 * The modem is asked for the size of its aggregates when it is opened. They may be larger now than is good
 * for the new data path: xdp copies each of them once a frame.
 */
static void say_aggregates_stay(struct trunk *t)
{
	unsigned int wish = t->ops->limits.dl_max_bytes;
	size_t len = strlen(t->path_why);

	if (t->config.dl_max_bytes || !wish || t->format.dl_max_bytes <= wish)
		return;
	snprintf(t->path_why + len, sizeof(t->path_why) - len,
		 "; aggregates stay at %u bytes, not the %u of %s, until the modem is attached "
		 "again",
		 t->format.dl_max_bytes, wish, t->ops->name);
	log_info("%s: %s", t->config.dev, t->path_why);
}

int trunk_change_datapath(struct trunk *t, enum config_datapath wanted, struct error *err)
{
	const enum config_datapath was = t->config.datapath;
	struct datapath_choice c = {0};
	struct calls *calls;
	int ret;

	t->config.datapath = wanted;
	if (!has_choice(t))
		return 0; /* it is chosen when the modem is opened */
	ret = choose_again(t, &c, err);
	if (!ret && c.wish[0].ops == t->ops)
		return 0;
	calls = ret ? NULL : keep_calls(t);
	if (!ret && !calls)
		ret = error_set(err, -ENOMEM, "out of memory");
	if (ret) {
		t->config.datapath = was;
		return ret;
	}
	log_info("%s: data path %s takes the place of %s", t->config.dev, c.wish[0].ops->name,
		 t->ops->name);
	t->choice = c;
	ret = replace(t, c.wish[0].ops, was, err);
	if (!ret)
		say_aggregates_stay(t);
	if (t->dp) {
		int up = restore_calls(t, calls, ret ? NULL : err);

		ret = ret ?: up;
		/* Hooks take up the new netdevs: systemd-resolved keeps DNS servers by ifindex. */
		for (unsigned int i = 0; i < t->nports; i++)
			trunk_port_event(t, &t->ports[i], NETDEV_REPORTED,
					 "it is a new network device, of data path %s",
					 t->ops->name);
	}
	free(calls);
	trunk_save(t);
	return ret;
}
