// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way of aggregates into this data path: a tc filter on the trunk that leads to a device of our
 * own, where the XDP program runs (bpf/qmap_xdp.bpf.c says why). Of all that this data path puts
 * into the kernel the filter alone cannot be pinned (links for tc came with 6.6), so it is found
 * again by the name of its program.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rtnl/rtnl.h"
#include "renew.h"
#include "xdp.h"

#define PROGRAM "qmap_enter"

/* First in line: filters of others see no aggregates that are ours. */
#define HANDLE	 1
#define PRIORITY 1

#define MTU 65535 /* of the entry device: no aggregate is larger */

/*
 * A TUN that stays when its descriptor is closed. Its type is one without a link-layer header, as
 * the trunk's is, but not a modem's.
 */
static int make_tun(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETLINK, ARPHRD_VOID) ||
	    ioctl(fd, TUNSETPERSIST, 1))
		ret = -errno;
	close(fd);
	return ret;
}

int xdp_entry_add(const struct datapath *dp, unsigned int *ifindex, struct error *err)
{
	char name[IFNAMSIZ];
	int ret;

	xdp_inner_name(dp->base, 'e', name);
	ret = make_tun(name);
	if (ret) {
		error_set(err, ret, "cannot create %s: %s", name, strerror(-ret));
		if (ret == -EBUSY)
			error_hint(err, "it is left over from something else: ip link del %s",
				   name);
		else if (ret == -ENOENT || ret == -ENODEV)
			error_hint(err,
				   "the kernel needs CONFIG_TUN (module tun) and /dev/net/tun");
		return ret;
	}
	*ifindex = if_nametoindex(name);
	ret = rtnl_link_set_mtu(dp->nl, *ifindex, MTU, err)
		      ?: rtnl_link_set_up(dp->nl, *ifindex, true, err);
	if (ret)
		rtnl_link_del(dp->nl, *ifindex, NULL);
	return ret;
}

/* A program of somebody else's would get its hands on the aggregates first. */
static int check_trunk(unsigned int trunk, const char *name, struct error *err)
{
	__u32 id = 0;

	if (bpf_xdp_query_id(trunk, 0, &id) || !id)
		return 0;
	error_set(err, -EBUSY, "another XDP program is attached to %s", name);
	error_hint(err, "find it with `ip -d link show dev %s` and remove it", name);
	return -EBUSY;
}

int xdp_entry_attach(const struct datapath *dp, int prog, struct error *err)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = dp->trunk,
			    .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY,
			    .prog_fd = prog);
	char name[IFNAMSIZ] = "?";
	int ret;

	if_indextoname(dp->trunk, name);
	ret = check_trunk(dp->trunk, name, err);
	if (ret)
		return ret;
	ret = bpf_tc_hook_create(&hook);
	if (!ret || ret == -EEXIST)
		ret = bpf_tc_attach(&hook, &opts);
	if (!ret)
		return 0;
	error_set(err, ret, "cannot attach the entry program to %s: %s", name, strerror(-ret));
	if (ret == -EEXIST)
		error_hint(err,
			   "another filter has the first place: `tc filter show dev %s ingress`",
			   name);
	else
		error_hint(err, "the kernel needs CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF");
	return ret;
}

static bool is_ours(__u32 prog_id)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id), ret;

	if (fd < 0)
		return false;
	ret = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	return !ret && !strcmp(info.name, PROGRAM);
}

bool xdp_entry_is_attached(const struct datapath *dp)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = dp->trunk,
			    .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);

	return !bpf_tc_query(&hook, &opts) && is_ours(opts.prog_id);
}

int xdp_entry_renew(const struct datapath *dp, int prog, bool *changed, struct error *err)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = dp->trunk,
			    .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);
	bool same;
	int fd, ret;

	if (bpf_tc_query(&hook, &opts) || !is_ours(opts.prog_id))
		return 0;
	fd = bpf_prog_get_fd_by_id(opts.prog_id);
	same = fd >= 0 && renew_same_program(fd, prog);
	if (fd >= 0)
		close(fd);
	if (same)
		return 0;
	*changed = true;
	opts.prog_id = 0;
	opts.prog_fd = prog;
	opts.flags = BPF_TC_F_REPLACE;
	ret = bpf_tc_attach(&hook, &opts);
	if (!ret)
		return 0;
	return error_set(err, ret, "cannot replace the entry program: %s", strerror(-ret));
}

/* The qdisc goes with the last filter on it, whoever had made it. */
static void remove_qdisc(struct rtnl *nl, unsigned int trunk, struct bpf_tc_hook *hook)
{
	if (!rtnl_filters(nl, trunk, TC_H_MIN_INGRESS) &&
	    !rtnl_filters(nl, trunk, TC_H_MIN_EGRESS)) {
		hook->attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(hook);
	}
}

static void remove_filter(struct rtnl *nl, unsigned int trunk)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = trunk, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);

	if (bpf_tc_query(&hook, &opts) || !is_ours(opts.prog_id))
		return;
	opts.prog_fd = opts.prog_id = opts.flags = 0;
	bpf_tc_detach(&hook, &opts);
	remove_qdisc(nl, trunk, &hook);
}

int xdp_entry_remove(struct rtnl *nl, const char *base, unsigned int trunk, struct error *err)
{
	struct rtnl_link link;
	char name[IFNAMSIZ];

	remove_filter(nl, trunk);
	xdp_inner_name(base, 'e', name);
	if (rtnl_link_get(nl, name, &link, NULL) || strcmp(link.kind, "tun"))
		return 0;
	return rtnl_link_del(nl, link.ifindex, err);
}
