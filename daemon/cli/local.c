// SPDX-License-Identifier: GPL-2.0-or-later
#include "local.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "datapath/counters.h"
#include "datapath/datapath.h"
#include "datapath/pins.h"
#include "hooks/hook_facts.h"
#include "trunk/trunk.h"
#include "util/json_add.h"
#include "util/json_get.h"
#include "util/loop.h"

#define MAX_TRUNKS 16

static int not_attached(const char *dev, struct error *err)
{
	if (geteuid()) {
		error_set(err, -EPERM, "no permission to look into %s", PINS_ROOT);
		error_hint(err, "run as root, or start qmapd and join the group " CONTROL_GROUP);
		return -EPERM;
	}
	error_set(err, -ENODEV, "%s is not attached", dev);
	error_hint(err, "`qmapctl show` lists what is");
	return -ENODEV;
}

/* Reads the `show` object that the daemon wrote last into a set of pins. */
static int read_show(const struct pins *p, struct json_object **out, struct error *err)
{
	struct json_object *state = NULL, *show;
	int ret = pins_get_meta(p, NULL, &state, err);

	if (ret)
		return ret;
	if (json_object_object_get_ex(state, "show", &show))
		*out = json_object_get(show);
	else
		ret = error_set(err, -EPROTO, "the state in %s cannot be read", p->dir);
	json_object_put(state);
	return ret;
}

/* Calls @fn for the pins of @dev, or of all trunks. */
static int each(const char *dev, struct json_object *out,
		int (*fn)(struct pins *p, struct json_object *show, struct json_object *out,
			  struct error *err),
		struct error *err)
{
	unsigned int ifindexes[MAX_TRUNKS], n = pins_list(ifindexes, MAX_TRUNKS), found = 0;
	int ret = 0;

	if (geteuid())
		return not_attached(dev, err);
	for (unsigned int i = 0; i < n && !ret; i++) {
		struct json_object *show = NULL;
		struct pins p;

		ret = pins_open(&p, ifindexes[i], PINS_READ, err);
		if (ret)
			break;
		ret = read_show(&p, &show, err);
		if (!ret && (!dev || !strcmp(json_get_string(show, "dev") ?: "", dev))) {
			found++;
			ret = fn(&p, show, out, err);
		}
		json_object_put(show);
		pins_close(&p);
	}
	if (!ret && dev && !found)
		ret = not_attached(dev, err);
	return ret;
}

static int add_show(struct pins *p, struct json_object *show, struct json_object *out,
		    struct error *err)
{
	json_add_bool(show, "daemon", false);
	json_object_array_add(out, json_object_get(show));
	return 0;
}

/* The ports that `show` tells of. */
static unsigned int read_ports(struct json_object *show,
			       struct datapath_port ports[CONFIG_MAX_PDNS])
{
	struct json_object *pdn;
	unsigned int n;

	for (n = 0; n < CONFIG_MAX_PDNS && (pdn = json_get_element(show, "pdns", n)); n++) {
		ports[n] = (struct datapath_port){.mux = json_get_int(pdn, "mux") & 0xff};
		json_copy_text(pdn, "port", ports[n].name, sizeof(ports[n].name));
		json_copy_text(pdn, "netns", ports[n].netns, sizeof(ports[n].netns));
	}
	return n;
}

static int read_stats(const struct datapath_ops *ops, struct pins *p, struct json_object *show,
		      struct datapath_stats *out, struct error *err)
{
	struct datapath_port ports[CONFIG_MAX_PDNS];
	unsigned int n = read_ports(show, ports);
	struct datapath *dp = NULL;
	int ret = ops->adopt(&dp, p, err);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < n; i++)
		ops->adopt_port(dp, &ports[i], NULL);
	ret = ops->stats(dp, out, err);
	/* mux id 0 is the raw data path's, whose one PDN it is whatever its mux id */
	for (unsigned int i = 0; !ret && i < out->nports; i++)
		for (unsigned int j = 0; j < n; j++)
			if (!out->ports[i].mux || out->ports[i].mux == ports[j].mux)
				memcpy(out->ports[i].name, ports[j].name,
				       sizeof(out->ports[i].name));
	ops->close(&dp);
	return ret;
}

static int find_datapath(const struct pins *p, const struct datapath_ops **ops, struct error *err)
{
	struct qmap_meta *meta = malloc(sizeof(*meta));
	int ret =
		meta ? pins_get_meta(p, meta, NULL, err) : error_set(err, -ENOMEM, "out of memory");

	*ops = ret ? NULL : datapath_by_name(meta->datapath);
	free(meta);
	return *ops ? 0
		    : error_set(err, -EBUSY, "%s waits for its modem and has no counters now",
				p->trunk);
}

static int add_stats(struct pins *p, struct json_object *show, struct json_object *out,
		     struct error *err)
{
	struct datapath_stats *stats = calloc(1, sizeof(*stats));
	const struct datapath_ops *ops;
	const char *dev = json_get_string(show, "dev");
	int ret = stats ? find_datapath(p, &ops, err) : error_set(err, -ENOMEM, "out of memory");

	ret = ret ?: read_stats(ops, p, show, stats, err);
	if (!ret)
		json_object_array_add(out, counters_to_json(dev ? dev : "", ops->name, stats));
	free(stats);
	return ret;
}

/* As qmapd: a trunk that waits for its modem is no failure of the others. */
static int add_stats_if_any(struct pins *p, struct json_object *show, struct json_object *out,
			    struct error *err)
{
	struct error why = {0};
	int ret = add_stats(p, show, out, &why);

	return ret && ret != -EBUSY ? error_pass(err, &why) : 0;
}

static int collect(struct json_object **out, const char *dev,
		   int (*fn)(struct pins *p, struct json_object *show, struct json_object *array,
			     struct error *err),
		   struct error *err)
{
	int ret;

	*out = json_object_new_array();
	ret = each(dev, *out, fn, err);
	if (ret) {
		json_object_put(*out);
		*out = NULL;
	}
	return ret;
}

int local_show(struct json_object **out, const char *dev, struct error *err)
{
	return collect(out, dev, add_show, err);
}

/* Adds the configuration in the pins' state, with its secrets. */
static int add_config(struct pins *p, struct json_object *show, struct json_object *out,
		      struct error *err)
{
	struct json_object *state = NULL, *config;
	int ret = pins_get_meta(p, NULL, &state, err);

	if (ret)
		return ret;
	if (json_object_object_get_ex(state, "config", &config))
		json_object_array_add(out, json_object_get(config));
	else
		ret = error_set(err, -EPROTO, "the state in %s cannot be read", p->dir);
	json_object_put(state);
	return ret;
}

int local_dump(struct json_object **out, const char *dev, struct error *err)
{
	return collect(out, dev, add_config, err);
}

int local_stats(struct json_object **out, const char *dev, struct error *err)
{
	return collect(out, dev, dev ? add_stats : add_stats_if_any, err);
}

/* --- detach: the steps of the daemon, in a loop of its own --- */

struct detach {
	struct event_base *base;
	struct error err;
};

static void detached(void *arg, struct trunk *t, const struct error *err)
{
	struct detach *d = arg;

	if (err)
		d->err = *err;
	event_base_loopbreak(d->base);
}

static void adopted(void *arg, struct trunk *t, const struct error *err)
{
	struct detach *d = arg;

	if (err)
		detached(d, t, err);
	else if (trunk_detach(t, detached, d, &d->err))
		event_base_loopbreak(d->base);
}

static int find_ifindex(struct pins *p, struct json_object *show, struct json_object *out,
			struct error *err)
{
	json_object_array_add(out, json_object_new_int64(p->ifindex));
	return 0;
}

int local_detach(const char *dev, struct error *err)
{
	struct detach d = {0};
	struct json_object *found = NULL;
	struct trunk_env env;
	struct trunk *t = NULL;
	char run_dir[108];
	int ret = collect(&found, dev, find_ifindex, err)
			  ?: control_path(NULL, run_dir, sizeof(run_dir));

	if (ret) {
		json_object_put(found);
		return ret;
	}
	*strrchr(run_dir, '/') = 0;
	d.base = loop_new();
	env = (struct trunk_env){.base = d.base, .run_dir = run_dir};
	ret = d.base ? trunk_adopt(&t, &env,
				   json_object_get_int(json_object_array_get_idx(found, 0)),
				   adopted, &d, err)
		     : error_set(err, -ENOMEM, "out of memory");
	if (!ret) {
		event_base_dispatch(d.base);
		ret = error_pass(err, &d.err);
	}
	if (!ret)
		hook_forget(run_dir, dev);
	trunk_free(&t);
	if (d.base)
		event_base_free(d.base);
	json_object_put(found);
	return ret;
}
