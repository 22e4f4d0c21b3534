// SPDX-License-Identifier: GPL-2.0-or-later
/* What this machine and a trunk can do: `qmapctl probe`. */
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <linux/magic.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "datapath/datapath.h"
#include "local.h"
#include "trunk_dev.h"

static void add_check(struct json_object *checks, const char *name, bool ok, const char *detail)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string(name));
	json_object_object_add(o, "ok", json_object_new_boolean(ok));
	json_object_object_add(o, "detail", json_object_new_string(detail));
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
	bool bpffs = !statfs("/sys/fs/bpf", &fs) && fs.f_type == BPF_FS_MAGIC;

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

static void add_datapath(struct json_object *datapaths, const struct datapath_ops *ops,
			 const char *dev)
{
	struct json_object *o = json_object_new_object();
	struct error why = {0};
	int ret = ops->probe(dev, &why);

	json_object_object_add(o, "name", json_object_new_string(ops->name));
	json_object_object_add(o, "ok", json_object_new_boolean(!ret));
	json_object_object_add(o, "reason", json_object_new_string(ret ? why.text : "available"));
	json_object_array_add(datapaths, o);
}

static struct json_object *probe_one(const char *dev)
{
	struct json_object *o = json_object_new_object();
	struct json_object *checks = json_object_new_array(), *datapaths = json_object_new_array();

	check_kernel(checks);
	if (dev)
		check_dev(checks, dev);
	add_datapath(datapaths, &datapath_shim, dev);
	add_datapath(datapaths, &datapath_xdp, dev);
	json_object_object_add(o, "dev", dev ? json_object_new_string(dev) : NULL);
	json_object_object_add(o, "checks", checks);
	json_object_object_add(o, "datapaths", datapaths);
	return o;
}

/* Netdevs that look like a modem's: raw IP ones, and those of qmi_wwan. */
static void probe_all(struct json_object *out)
{
	DIR *d = opendir("/sys/class/net");
	struct trunk_dev t;
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && !trunk_dev_open(&t, e->d_name, NULL))
			json_object_array_add(out, probe_one(e->d_name));
	if (d)
		closedir(d);
	if (!json_object_array_length(out))
		json_object_array_add(out, probe_one(NULL));
}

int local_probe(struct json_object **out, const char *dev, struct error *err)
{
	struct trunk_dev t;
	int ret = 0;

	libbpf_set_print(NULL);
	if (dev)
		ret = trunk_dev_open(&t, dev, err);
	if (ret == -ENODEV)
		return ret;
	if (ret && err)
		*err = (struct error){
			0}; /* a netdev that is no trunk is an answer, not a failure */
	*out = json_object_new_array();
	if (dev)
		json_object_array_add(*out, probe_one(dev));
	else
		probe_all(*out);
	return 0;
}
