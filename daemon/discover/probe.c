// SPDX-License-Identifier: GPL-2.0-or-later
/* Reports the capabilities of this machine and of a trunk: `qmapctl probe`. */
#include "probe.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <json-c/json.h>
#include <linux/magic.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "config/set.h"
#include "datapath/choice.h"
#include "util/json_add.h"
#include "util/log.h"
#include "probe_modem.h"
#include "netdev/dev.h"

static void add_check(struct json_object *checks, const char *name, bool ok, const char *detail)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "name", name);
	json_add_bool(o, "ok", ok);
	json_add_string(o, "detail", detail);
	json_object_array_add(checks, o);
}

static void check_feature(struct json_object *checks, const char *name, int answer,
			  const char *need)
{
	char detail[160];

	if (answer < 0)
		snprintf(detail, sizeof(detail), "cannot tell: %s", strerror(-answer));
	else
		snprintf(detail, sizeof(detail), "%s", answer ? "available" : need);
	add_check(checks, name, answer > 0, detail);
}

static void check_kernel(struct json_object *checks)
{
	struct statfs fs;
	struct utsname u;
	bool bpffs = !statfs("/sys/fs/bpf", &fs) && (uint32_t)fs.f_type == BPF_FS_MAGIC;

	if (!uname(&u))
		add_check(checks, "kernel", true, u.release);
	add_check(checks, "privileges", !geteuid(), geteuid() ? "not root" : "root");
	add_check(checks, "bpffs", bpffs,
		  bpffs ? "mounted on /sys/fs/bpf" : "not mounted; attach mounts it");
	check_feature(checks, "xdp_programs", libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL),
		      "no BPF_PROG_TYPE_XDP");
	check_feature(checks, "tc_programs",
		      libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SCHED_CLS, NULL),
		      "no BPF_PROG_TYPE_SCHED_CLS");
	check_feature(checks, "bpf_loop",
		      libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_loop, NULL),
		      "needs Linux 5.17");
	check_feature(checks, "ringbuf", libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL),
		      "needs Linux 5.8");
}

static void check_dev(struct json_object *checks, const char *dev)
{
	char driver[64], control[128];
	struct error err = {0};
	struct trunk_dev t;

	if (trunk_dev_open(&t, dev, &err)) {
		char detail[800];

		snprintf(detail, sizeof(detail), "%s. %s", err.text, err.hint);
		add_check(checks, "netdev", false, detail);
		return;
	}
	trunk_dev_driver(dev, driver, sizeof(driver));
	add_check(checks, "netdev", true, driver[0] ? driver : "raw IP, no driver (virtual)");
	err = (struct error){0};
	if (trunk_dev_control(dev, control, sizeof(control), &err))
		add_check(checks, "control", false, err.text);
	else
		add_check(checks, "control", true, control);
}

/* In percent of the cheapest data path's, with the highest QMAP version that it carries. */
static int highest_cost(const struct datapath_ops *ops)
{
	struct datapath_choice c;

	if (datapath_choose_only(&c, ops, DATAPATH_ANY, NULL))
		return 0;
	return (int)(datapath_cost(ops, c.wish[0].version, 0) * 100 + .5);
}

static void add_datapath(struct json_object *datapaths, const struct datapath_ops *ops,
			 const char *dev)
{
	struct json_object *o = json_object_new_object();
	struct error why = {0};
	int ret = ops->probe(dev, &why);

	json_add_string(o, "name", ops->name);
	json_add_bool(o, "ok", !ret);
	json_add_string(o, "reason", ret ? why.text : "available");
	json_object_object_add(o, "hint", why.hint[0] ? json_object_new_string(why.hint) : NULL);
	json_add_int(o, "cost", highest_cost(ops));
	json_object_array_add(datapaths, o);
}

/* The data path that `auto` would begin with, and why no cheaper one. */
static void add_choice(struct json_object *o, const char *dev)
{
	struct datapath_choice c;
	struct error err = {0};
	bool ok = !datapath_choose(&c, dev, DATAPATH_ANY, NULL, &err);
	const char *why = c.why.err ? c.why.text : "there is none that costs less";

	json_object_object_add(o, "datapath",
			       ok ? json_object_new_string(c.wish[0].ops->name) : NULL);
	json_add_string(o, "datapath_reason", ok ? why : err.text);
}

/* @o: the modem's object; @dev: its netdev, may be NULL. */
static void add_checks(struct json_object *o, const char *dev)
{
	struct json_object *checks = json_object_new_array(), *datapaths = json_object_new_array();
	const struct datapath_ops *ops;

	check_kernel(checks);
	if (dev)
		check_dev(checks, dev);
	for (unsigned int i = 0; (ops = datapath_by_cost(i)); i++)
		add_datapath(datapaths, ops, dev);
	json_object_object_add(o, "checks", checks);
	json_object_object_add(o, "datapaths", datapaths);
	add_choice(o, dev);
}

/*
 * Reads the [model] sections of the configuration files; errors in these files do not matter
 * here.
 */
static void read_models(void)
{
	struct config_set set = {.n = 0};
	struct error err = {0};

	if (config_set_read(&set, CONFIG_DIRECTORY, &err) ||
	    config_set_use_models(&set, true, &err))
		log_debug("no models of " CONFIG_DIRECTORY ": %s", err.text);
	config_set_clear(&set);
}

/* Lists all modems, or the one whose netdev is @dev. */
static int probe_modems(struct json_object *out, const char *dev, struct error *err)
{
	struct modem *list;
	size_t n;
	int ret;

	read_models();
	ret = modems_find("/sys", &list, &n);
	if (ret)
		return error_set(err, ret, "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct json_object *o;

		if (dev && strcmp(list[i].netdev, dev))
			continue;
		o = probe_modem_json("/sys", &list[i]);
		add_checks(o, list[i].netdev[0] ? list[i].netdev : NULL);
		json_object_array_add(out, o);
	}
	free(list);
	return 0;
}

int discover_probe(struct json_object **out, const char *dev, struct error *err)
{
	struct json_object *o;
	struct trunk_dev t;
	int ret;

	libbpf_set_print(NULL);
	if (dev && trunk_dev_open(&t, dev, err) == -ENODEV)
		return -ENODEV;
	if (err)
		*err = (struct error){0}; /* a netdev that is no trunk is a result, not a failure */
	*out = json_object_new_array();
	ret = probe_modems(*out, dev, err);
	if (ret || json_object_array_length(*out))
		return ret;
	o = json_object_new_object();
	json_object_object_add(o, "dev", dev ? json_object_new_string(dev) : NULL);
	add_checks(o, dev);
	json_object_array_add(*out, o);
	return 0;
}
