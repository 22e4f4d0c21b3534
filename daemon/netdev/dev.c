// SPDX-License-Identifier: GPL-2.0-or-later
#include "dev.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <net/if_arp.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "qmi/models.h"
#include "util/sysfs.h"

#define SYSFS_NET "/sys/class/net/"

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519 /* from linux/if_arp.h, which conflicts with net/if.h */
#endif

static const struct {
	const char *driver;
	const char *mode;
} wrong_modes[] = {
	{"cdc_ether", "ECM"},
	{"rndis_host", "RNDIS"},
	{"cdc_mbim", "MBIM"},
	{"cdc_ncm", "NCM"},
};

void trunk_dev_driver(const char *name, char *driver, size_t size)
{
	char path[128], target[256];
	ssize_t n;
	char *base;

	driver[0] = 0;
	snprintf(path, sizeof(path), SYSFS_NET "%s/device/driver", name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = 0;
	base = strrchr(target, '/');
	snprintf(driver, size, "%s", base ? base + 1 : target);
}

/* Adds Quectel's command as a hint, unless the modem is known to have no QMI mode. */
static void hint_mode(const char *name, struct error *err)
{
	long vendor = sysfs_number(16, SYSFS_NET "%s/device/../idVendor", name);
	long product = sysfs_number(16, SYSFS_NET "%s/device/../idProduct", name);
	const struct qmi_model *known =
		vendor > 0 && product > 0 ? qmi_model_find_id(vendor, product) : NULL;

	if (known && known->no_qmi)
		error_hint(err,
			   "it speaks no QMI in any mode: qmap cannot drive it; its netdev takes "
			   "DHCP");
	else
		error_hint(err, "AT+QCFG=\"usbnet\",0 and a restart of the modem change it to QMI");
}

static int check_mode(const char *name, struct error *err)
{
	char driver[64];

	trunk_dev_driver(name, driver, sizeof(driver));
	for (size_t i = 0; i < ARRAY_SIZE(wrong_modes); i++) {
		if (strcmp(driver, wrong_modes[i].driver))
			continue;
		error_set(err, -EOPNOTSUPP,
			  "%s is a modem in %s mode (driver %s), which has no QMAP", name,
			  wrong_modes[i].mode, driver);
		hint_mode(name, err);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int check_type(const struct rtnl_link *link, struct error *err)
{
	char path[128];

	if (link->type == ARPHRD_NONE || link->type == ARPHRD_RAWIP)
		return 0;
	snprintf(path, sizeof(path), SYSFS_NET "%s/qmi/raw_ip", link->name);
	if (!access(path, F_OK))
		return 0; /* qmi_wwan starts in 802.3 mode */
	error_set(err, -EOPNOTSUPP, "%s is no modem's raw-IP netdev", link->name);
	error_hint(err, "`qmapctl probe` lists netdevs and what they are");
	return -EOPNOTSUPP;
}

void trunk_dev_device(const char *name, char *device, size_t size)
{
	char path[128], real[PATH_MAX];

	snprintf(path, sizeof(path), SYSFS_NET "%s/device", name);
	device[0] = 0;
	if (realpath(path, real) && strlen(real) < size)
		memcpy(device, real, strlen(real) + 1);
}

int trunk_dev_find(const char *device, char name[16])
{
	char its[sizeof(((struct trunk_dev *)0)->device)];
	DIR *d = device[0] ? opendir(SYSFS_NET) : NULL;
	int ret = -ENODEV;
	struct dirent *e;

	while (d && ret && (e = readdir(d))) {
		trunk_dev_device(e->d_name, its, sizeof(its));
		if (strcmp(its, device) || strlen(e->d_name) >= IFNAMSIZ)
			continue;
		strcpy(name, e->d_name);
		ret = 0;
	}
	if (d)
		closedir(d);
	return ret;
}

bool trunk_dev_is_left_over(const struct trunk_dev *t)
{
	char name[IFNAMSIZ], its[sizeof(t->device)];

	if (!t->device[0] || !if_indextoname(t->ifindex, name))
		return false;
	trunk_dev_device(name, its, sizeof(its));
	return !its[0];
}

static int look_up(const char *name, struct rtnl_link *link, struct error *err)
{
	struct rtnl *nl = NULL;
	int ret = rtnl_open(&nl, NULL, err);

	if (ret)
		return ret;
	ret = rtnl_link_get(nl, name, link, NULL);
	rtnl_close(&nl);
	if (ret) {
		error_set(err, ret, "there is no netdev %s", name);
		error_hint(err, "`ip link` lists them; a modem's is usually wwan0.");
		return ret;
	}
	return check_mode(name, err) ?: check_type(link, err);
}

int trunk_dev_open(struct trunk_dev *t, const char *name, struct error *err)
{
	struct rtnl_link link = {0};
	int ret = look_up(name, &link, err);

	if (ret)
		return ret;
	*t = (struct trunk_dev){.ifindex = link.ifindex,
				.was_up = link.flags & IFF_UP,
				.was_addrgen = link.addrgenmode};
	snprintf(t->name, sizeof(t->name), "%s", link.name);
	trunk_dev_device(link.name, t->device, sizeof(t->device));
	return 0;
}

int trunk_dev_check(const struct trunk_dev *t, struct error *err)
{
	struct rtnl_link link = {0};
	int ret = look_up(t->name, &link, err);

	if (!ret && link.ifindex != t->ifindex)
		ret = error_set(err, -ENODEV, "%s is another netdev now", t->name);
	return ret;
}

int trunk_dev_write(const char *name, const char *attr, const char *value, struct error *err)
{
	int ret = sysfs_write(value, SYSFS_NET "%s/qmi/%s", name, attr);

	if (!ret)
		return 0;
	error_set(err, ret, "cannot write %s to " SYSFS_NET "%s/qmi/%s: %s", value, name, attr,
		  strerror(-ret));
	if (ret == -ENOENT)
		error_hint(err,
			   "qmi_wwan has it since Linux 5.12; an older kernel needs updating.");
	return ret;
}

/*
 * qmi_wwan sizes its receive buffers by the MTU, and an aggregate larger than a buffer is lost
 * entirely. Two traps: a kernel that caps the MTU at 1500 lifts the cap when raw_ip is switched off
 * and on again (qmi_wwan.c, qmi_wwan_netdev_setup), and usbnet refuses sizes that are a multiple of
 * the endpoint's packet size (usbnet.c, usbnet_change_mtu: EDOM), hence the odd one.
 */
static int set_buffer_size(struct rtnl *nl, const struct trunk_dev *t, unsigned int bytes,
			   struct error *err)
{
	int ret = rtnl_link_set_mtu(nl, t->ifindex, bytes + 1, NULL);

	if (!ret)
		return 0;
	ret = trunk_dev_write(t->name, "pass_through", "N", NULL);
	ret = trunk_dev_write(t->name, "raw_ip", "N", err)
		      ?: trunk_dev_write(t->name, "raw_ip", "Y", err);
	return ret ?: rtnl_link_set_mtu(nl, t->ifindex, bytes + 1, err);
}

static bool is_qmi_wwan(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), SYSFS_NET "%s/qmi/raw_ip", name);
	return !access(path, F_OK);
}

/* --- its wanted state: every row by its look and its fix --- */

int trunk_dev_read(struct trunk_dev_view *view, struct error *err)
{
	return rtnl_link_get_index(view->nl, view->dev->ifindex, &view->link, err);
}

static bool is_off(const struct trunk_dev_view *v, const char *attr)
{
	char value[8];

	return sysfs_text(value, sizeof(value), SYSFS_NET "%s/qmi/%s", v->link.name, attr) &&
	       value[0] == 'N';
}

static enum keep_look look_raw_ip(void *arg, char *detail)
{
	return is_off(arg, "raw_ip") ? KEEP_WRONG : KEEP_FINE;
}

/* The driver requires it to be down. With QMAP the row of its admin state sets it up. */
static int set_raw_ip(void *arg, struct error *err)
{
	struct trunk_dev_view *v = arg;
	int ret = rtnl_link_set_up(v->nl, v->dev->ifindex, false, err)
			  ?: trunk_dev_write(v->dev->name, "raw_ip", "Y", err);

	if (!ret && !v->dev->qmap)
		ret = rtnl_link_set_up(v->nl, v->dev->ifindex, true, err);
	return ret ?: trunk_dev_read(v, err);
}

/* Without QMAP the netdev is the port, and belongs to its user. */
static enum keep_look look_buffers(void *arg, char *detail)
{
	const struct trunk_dev_view *v = arg;

	if (!v->dev->qmap || !v->dev->rx_bytes || !is_qmi_wwan(v->link.name))
		return KEEP_UNKNOWN;
	return v->link.mtu <= v->dev->rx_bytes ? KEEP_WRONG : KEEP_FINE;
}

static int set_buffers(void *arg, struct error *err)
{
	struct trunk_dev_view *v = arg;

	return set_buffer_size(v->nl, v->dev, v->dev->rx_bytes, err);
}

static enum keep_look look_pass_through(void *arg, char *detail)
{
	const struct trunk_dev_view *v = arg;

	return v->dev->qmap && is_off(v, "pass_through") ? KEEP_WRONG : KEEP_FINE;
}

static int set_pass_through(void *arg, struct error *err)
{
	const struct trunk_dev_view *v = arg;

	return trunk_dev_write(v->dev->name, "pass_through", "Y", err);
}

static enum keep_look look_up_or_down(void *arg, char *detail)
{
	const struct trunk_dev_view *v = arg;

	return v->dev->qmap && !(v->link.flags & IFF_UP) ? KEEP_WRONG : KEEP_FINE;
}

static int set_up(void *arg, struct error *err)
{
	const struct trunk_dev_view *v = arg;

	return rtnl_link_set_up(v->nl, v->dev->ifindex, true, err);
}

static enum keep_look look_queue(void *arg, char *detail)
{
	struct trunk_dev_view *v = arg;
	int ret = 0;

	v->queue[0] = 0;
	if (v->dev->qmap)
		ret = rtnl_queue_look(v->nl, v->dev->ifindex, v->queue, sizeof(v->queue), NULL);
	return ret > 0 ? KEEP_WRONG : KEEP_FINE;
}

/*
 * A queueing discipline that marks congestion (fq_codel, most systems' default) takes the frame for
 * the IP packet that it was, because a BPF program cannot change skb->protocol. It sets the ECN
 * bits where the mux id is now, and "corrects" the checksum where the IP length is
 * (include/net/inet_ecn.h, IP_ECN_set_ce).
 */
static int set_queue(void *arg, struct error *err)
{
	const struct trunk_dev_view *v = arg;
	struct error why = {0};
	int ret = rtnl_queue_set_plain(v->nl, v->dev->ifindex, &why);

	if (!ret)
		return 0;
	return error_set(err, ret, "%s: %s: if it marks congestion (ECN), it damages QMAP frames",
			 v->dev->name, why.text);
}

static enum keep_look look_users_queue(void *arg, char *detail)
{
	const struct trunk_dev_view *v = arg;

	snprintf(detail, KEEP_DETAIL, "%s", v->queue);
	return v->queue[0] ? KEEP_WRONG : KEEP_FINE;
}

/*
 * Leaving raw IP requires it to be down, and resets its MTU and queue: one damage, not five. A process
 * that renames it has to set it down before and up afterwards, and would fail (EBUSY) if it were set up
 * too early.
 */
const struct keep_row trunk_dev_rows[] = {
	{.what = "somebody has taken it out of raw IP",
	 .covers = true,
	 .budget = KEEP_THRICE,
	 .look = look_raw_ip,
	 .fix = set_raw_ip},
	{.what = "somebody has lowered its MTU, and with it the receive buffers",
	 .budget = KEEP_THRICE,
	 .look = look_buffers,
	 .fix = set_buffers},
	{.what = "somebody has switched its pass_through off",
	 .budget = KEEP_THRICE,
	 .look = look_pass_through,
	 .fix = set_pass_through},
	{.what = "somebody has set it down",
	 .patience_ms = 300,
	 .budget = KEEP_THRICE,
	 .look = look_up_or_down,
	 .fix = set_up},
	{.what = "somebody has given it a queue that marks congestion in QMAP headers",
	 .may_fail = true,
	 .budget = KEEP_THRICE,
	 .look = look_queue,
	 .fix = set_queue},
	{.what = "somebody has given it the queue %s: if that marks congestion (ECN), it damages "
		 "QMAP "
		 "frames",
	 .owner = KEEP_USER,
	 .look = look_users_queue},
	{0},
};

int trunk_dev_prepare(struct trunk_dev *t, bool qmap, unsigned int rx_bytes, struct error *err)
{
	struct trunk_dev_view v = {.dev = t};
	int ret = rtnl_open(&v.nl, NULL, err);

	if (ret)
		return ret;
	t->prepared = true;
	t->qmap = qmap;
	t->rx_bytes = rx_bytes;
	/*
	 * Otherwise the kernel sends router solicitations of its own, before there is a call and
	 * without a QMAP header. It only removes an address that it has made already when the link
	 * goes down.
	 */
	rtnl_link_set_addrgenmode(v.nl, t->ifindex, IN6_ADDR_GEN_MODE_NONE, NULL);
	ret = rtnl_link_set_up(v.nl, t->ifindex, false, err)
		      ?: trunk_dev_read(&v, err)
		      ?: keep_build(trunk_dev_rows, &v, err);
	if (!ret && !qmap)
		ret = set_up(&v, err);
	rtnl_close(&v.nl);
	return ret;
}

void trunk_dev_restore(struct trunk_dev *t)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;

	/* the driver of a netdev that is left over refers to the device that is gone */
	if (!t->prepared || trunk_dev_is_left_over(t) || rtnl_open(&nl, NULL, NULL))
		return;
	t->prepared = false;
	if (!rtnl_link_get_index(nl, t->ifindex, &link, NULL)) {
		rtnl_queue_set_default(nl, t->ifindex);
		if (is_qmi_wwan(link.name)) {
			rtnl_link_set_up(nl, t->ifindex, false, NULL);
			trunk_dev_write(link.name, "pass_through", "N", NULL);
			rtnl_link_set_mtu(nl, t->ifindex, 1500, NULL);
		}
		rtnl_link_set_addrgenmode(nl, t->ifindex, t->was_addrgen, NULL);
		rtnl_link_set_up(nl, t->ifindex, t->was_up, NULL);
	}
	rtnl_close(&nl);
}

int trunk_dev_control(const char *name, char *path, size_t size, struct error *err)
{
	char dir[128];
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(dir, sizeof(dir), SYSFS_NET "%s/device/usbmisc", name);
	d = opendir(dir);
	while (d && !found && (e = readdir(d)))
		if (!strncmp(e->d_name, "cdc-wdm", 7)) {
			snprintf(path, size, "/dev/%s", e->d_name);
			found = true;
		}
	if (d)
		closedir(d);
	if (found)
		return 0;
	error_set(err, -ENODEV, "no control device of %s found", name);
	error_hint(err, "name it with --control PATH, or --control none for the data path alone");
	return -ENODEV;
}
