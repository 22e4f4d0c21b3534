// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Data path `qmimux`: the multiplexer inside the kernel's qmi_wwan, which is only configured here,
 * by the attributes add_mux and del_mux of the trunk. It is on every kernel that has qmi_wwan, but
 * knows QMAP v1 alone, does not pad, aggregates no uplink, ignores commands, and
 * leaves out the rest of an aggregate when a queue of the kernel's is full (qmi_wwan.c,
 * qmimux_rx_fixup()). The observer (observe.h) counts drops.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netdev/dev.h"
#include "qmap_commands.h"
#include "hold.h"
#include "links.h"

#define SYSFS_NET "/sys/class/net/"

/*
 * When a modem is unplugged, qmi_wwan removes its own netdevs and only then, with the lock released
 * in between, the trunk (qmi_wwan_disconnect()). A netdev added in that moment is never removed:
 * the trunk waits for it for ever, and so does the USB core.
 */
#define GONE_MS 2000

static int probe(const char *trunk, struct error *why)
{
	char path[128];

	if (!trunk)
		return error_set(why, -EOPNOTSUPP,
				 "it is a part of qmi_wwan, and `qmapctl probe DEV` looks for it");
	snprintf(path, sizeof(path), SYSFS_NET "%s/qmi/add_mux", trunk);
	if (!access(path, F_OK))
		return observe_probe(why);
	error_set(why, -EOPNOTSUPP, "%s is not a netdev of qmi_wwan, which qmimux is a part of",
		  trunk);
	error_hint(why,
		   "another data path; qmi_wwan drives the USB modems of Qualcomm's in QMI mode");
	return -EOPNOTSUPP;
}

static int carries(int version, struct error *why)
{
	if (version == QMAP_V1)
		return 0;
	error_set(why, -EOPNOTSUPP, "data path qmimux knows QMAP v1 alone");
	error_hint(why, "--qmap v1, or another data path");
	return -EOPNOTSUPP;
}

static int attach(struct datapath **out, struct pins *pins, const char *trunk,
		  const struct data_format *format, struct error *err)
{
	return carries(format->version, err)
		       ?: links_attach(out, pins, trunk, "qmimux", format, err);
}

/* --- one netdev for each mux id --- */

/* The trunk may have been renamed since it was attached. */
static int trunk_name(const struct datapath *dp, char name[IFNAMSIZ], struct error *err)
{
	return if_indextoname(dp->trunk, name) ? 0 : error_set(err, -ENODEV, "the trunk is gone");
}

static int read_mux(const char *trunk, const char *upper, unsigned int *mux)
{
	char path[300], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), SYSFS_NET "%s/%s/qmap/mux_id", trunk, upper);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*mux = read(fd, text, sizeof(text) - 1) > 0 ? strtoul(text, NULL, 0) : 0;
	close(fd);
	return 0;
}

/* Finds the netdev of a mux id, as long as it is in the trunk's namespace. -ENODEV. */
static int find_netdev(const char *trunk, unsigned int mux, char name[IFNAMSIZ])
{
	static const char prefix[] = "upper_"; /* links to the netdevs stacked on a netdev */
	char path[128];
	struct dirent *e;
	int ret = -ENODEV;
	unsigned int its = 0;
	DIR *d;

	snprintf(path, sizeof(path), SYSFS_NET "%s", trunk);
	d = opendir(path);
	while (d && ret && (e = readdir(d))) {
		if (strncmp(e->d_name, prefix, strlen(prefix)) ||
		    read_mux(trunk, e->d_name, &its) || its != mux)
			continue;
		snprintf(name, IFNAMSIZ, "%s", e->d_name + strlen(prefix));
		ret = 0;
	}
	if (d)
		closedir(d);
	return ret;
}

static int set_mux(const char *trunk, const char *attr, unsigned int mux, struct error *err)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", mux);
	return trunk_dev_write(trunk, attr, text, err);
}

/* The kernel creates it as qmimux0 or with the next free number. */
static int make_netdev(const char *trunk, unsigned int mux, char name[IFNAMSIZ], struct error *err)
{
	int ret;

	if (!find_netdev(trunk, mux, name)) {
		error_set(err, -EEXIST, "%s has mux id 0x%02x already: %s", trunk, mux, name);
		error_hint(err, "if nothing uses it: echo %u >/sys/class/net/%s/qmi/del_mux", mux,
			   trunk);
		return -EEXIST;
	}
	ret = set_mux(trunk, "add_mux", mux, err);
	if (ret || !find_netdev(trunk, mux, name))
		return ret;
	set_mux(trunk, "del_mux", mux, NULL);
	error_set(err, -EOPNOTSUPP, "qmi_wwan of this kernel does not tell which mux id is whose");
	error_hint(err, "it has since Linux 5.12; or another data path");
	return -EOPNOTSUPP;
}

/* Sets its own name, and prevents router solicitations before there is a call. */
static int dress(struct datapath *dp, const char *made, struct datapath_port *port,
		 struct error *err)
{
	struct rtnl_link link;
	int ret = rtnl_link_get(dp->nl, made, &link, err);

	if (ret)
		return ret;
	port->ifindex = link.ifindex;
	return rtnl_link_set_addrgenmode(dp->nl, link.ifindex, IN6_ADDR_GEN_MODE_NONE, err)
		       ?: rtnl_link_set_name(dp->nl, link.ifindex, port->name, err);
}

static int add_port(struct datapath *dp, struct datapath_port *port, struct error *err)
{
	char trunk[IFNAMSIZ], made[IFNAMSIZ];
	int ret = trunk_name(dp, trunk, err) ?: make_netdev(trunk, port->mux, made, err);

	if (ret)
		return ret;
	ret = dress(dp, made, port, err) ?: observe_add_port(dp, port->mux, port->ifindex, err);
	if (ret)
		set_mux(trunk, "del_mux", port->mux, NULL);
	return ret ?: datapath_adopt_port(dp, port, NULL);
}

/*
 * The port of a trunk that is left over (trunk_dev_is_left_over()) stays as well: the attributes of that
 * trunk are gone from sysfs. It gives its name and its routes up.
 */
static int put_aside(const struct datapath_place *place, struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	char name[IFNAMSIZ];
	int ret = links_open_port(place, &nl, &link, err);

	if (ret)
		return ret;
	snprintf(name, sizeof(name), "left%u", link.ifindex);
	ret = rtnl_link_set_up(nl, link.ifindex, false, err)
		      ?: rtnl_link_set_name(nl, link.ifindex, name, err);
	rtnl_close(&nl);
	return ret;
}

/*
 * Deletes by mux id, so that the port is found under any name and in any namespace. EINVAL:
 * none.
 */
static int del_port(struct datapath *dp, unsigned int mux, struct error *err)
{
	struct datapath_place *place = &dp->places[mux % QMAP_MAX_MUX];
	struct error why = {0};
	char trunk[IFNAMSIZ];
	int ret;

	hold_end(dp, mux);
	ret = trunk_name(dp, trunk, &why) ?: set_mux(trunk, "del_mux", mux, &why);
	if (ret == -ENOENT && place->name[0])
		ret = put_aside(place, &why);

	observe_del_port(dp, mux, NULL);
	if (ret && ret != -EINVAL)
		return error_pass(err, &why);
	*place = (struct datapath_place){0};
	return 0;
}

/* The attribute lists the mux ids of all netdevs on top of the trunk, in any namespace. */
static bool has_port(struct datapath *dp, unsigned int mux)
{
	char trunk[IFNAMSIZ], path[128], line[16];
	bool has = false;
	FILE *f;

	if (trunk_name(dp, trunk, NULL))
		return false;
	snprintf(path, sizeof(path), SYSFS_NET "%s/qmi/add_mux", trunk);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		has |= strtoul(line, NULL, 0) == mux;
	if (f)
		fclose(f);
	return has;
}

/* --- counters: of packets, without QMAP headers; v1 reports no verified checksums --- */

static int stats(struct datapath *dp, struct datapath_stats *out, struct error *err)
{
	return links_stats(dp, NULL, out, err);
}

static int detach(struct datapath *dp, struct error *err)
{
	commands_close(&dp->commands);
	observe_detach(dp);
	return links_forget_ports(dp, del_port, err);
}

const struct datapath_ops datapath_qmimux = {
	.name = "qmimux",
	.gone_ms = GONE_MS,
	.probe = probe,
	.carries = carries,
	.attach = attach,
	.adopt = links_adopt,
	.renew = observe_renew,
	.rows = observe_rows,
	.add_port = add_port,
	.adopt_port = links_adopt_port,
	.del_port = del_port,
	.has_port = has_port,
	.flow = links_flow,
	.running = observe_running,
	.stats = stats,
	.rx_packets = datapath_rx_packets,
	.event_fd = observe_event_fd,
	.events = observe_events,
	.wait_ms = observe_wait_ms,
	.detach = detach,
	.close = datapath_close,
};
