// SPDX-License-Identifier: GPL-2.0-or-later
#include "clat_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <net/if_arp.h>
#include <string.h>
#include <unistd.h>

#include "clat/address.h"
#include "rtnl/rtnl.h"
#include "common.h"
#include "qmap_clat.skel.h"
#include "renew.h"
#include "xdp_link.h"

#define NEEDS "5.8"

/* Of filters: unusual ones, so that an administrator's filters find room in front and behind. */
#define HANDLE	 1
#define PRIORITY 464

/* Values of enum bpf_attach_type since Linux 6.6 (include/uapi/linux/bpf.h); older headers lack them. */
#define TCX_INGRESS 46
#define TCX_EGRESS  47
/* BPF_MPROG_MAX: programs in one place (kernel/bpf/mprog.c). */
#define TCX_MOST 64

static const struct place {
	enum bpf_tc_attach_point point;
	int tcx;
	const char *program;
} places[2] = {{BPF_TC_EGRESS, TCX_EGRESS, "qmap_clat_out"},
	       {BPF_TC_INGRESS, TCX_INGRESS, "qmap_clat_in"}};

/* --- what is attached --- */

static bool is_named(int prog, const char *name)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(prog, &info, &len) && !strcmp(info.name, name);
}

/* The program that TCX runs at @place: a descriptor, or -ENOENT. */
static int running_tcx(unsigned int ifindex, const struct place *place)
{
	__u32 ids[TCX_MOST] = {0}, n = TCX_MOST;

	if (bpf_prog_query(ifindex, place->tcx, 0, NULL, ids, &n))
		return -ENOENT;
	for (unsigned int i = 0; i < n && i < TCX_MOST; i++) {
		int fd = bpf_prog_get_fd_by_id(ids[i]);

		if (fd >= 0 && is_named(fd, place->program))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ENOENT;
}

/* The program of the filter at @place: a descriptor. -ENOENT: none; -EEXIST: that of another owner. */
static int running_filter(unsigned int ifindex, const struct place *place)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = place->point);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);
	int fd;

	if (bpf_tc_query(&hook, &opts))
		return -ENOENT;
	fd = bpf_prog_get_fd_by_id(opts.prog_id);
	if (fd < 0)
		return -ENOENT;
	if (is_named(fd, place->program))
		return fd;
	close(fd);
	return -EEXIST;
}

/* Either of them. */
static int running(unsigned int ifindex, const struct place *place)
{
	int fd = running_tcx(ifindex, place);

	return fd >= 0 ? fd : running_filter(ifindex, place);
}

#define MAPS 2 /* of each program: constants, counters */

/* The map of program @prog whose name ends in @name and whose values have @size bytes. */
static int map_of(int prog, const char *name, __u32 size)
{
	__u32 ids[MAPS] = {0}, len;
	struct bpf_prog_info info = {.nr_map_ids = MAPS, .map_ids = (uintptr_t)ids};

	len = sizeof(info);
	if (bpf_obj_get_info_by_fd(prog, &info, &len))
		return -errno;
	for (unsigned int i = 0; i < info.nr_map_ids && i < MAPS; i++) {
		struct bpf_map_info map = {0};
		int fd = bpf_map_get_fd_by_id(ids[i]);

		len = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &len) && map.value_size == size &&
		    strstr(map.name, name))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ENOENT;
}

static int read_config(int prog, struct qmap_clat_config *config)
{
	int fd = map_of(prog, ".rodata", sizeof(*config)), ret = fd;
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	ret = bpf_map_lookup_elem(fd, &zero, config) ? -errno : 0;
	close(fd);
	return ret;
}

/* --- attaching --- */

struct job {
	unsigned int ifindex;
	struct qmap_clat_config *config;
	struct qmap_clat_stats *stats;
	bool *same_code;
};

static int load(struct qmap_clat **out, const struct qmap_clat_config *config, int stats,
		struct error *err)
{
	struct qmap_clat *skel;
	int ret;

	bpf_log_to_ours();
	skel = qmap_clat__open();
	if (!skel)
		return error_set(err, -errno, "cannot open the BPF programs: %s", strerror(errno));
	skel->rodata->clat = *config;
	ret = stats >= 0 ? bpf_map__reuse_fd(skel->maps.clat_stats, stats) : 0;
	ret = ret ?: qmap_clat__load(skel);
	if (!ret) {
		*out = skel;
		return 0;
	}
	qmap_clat__destroy(skel);
	return bpf_load_error(ret, NEEDS, err);
}

/*
 * Without a link: like a filter, the program stays until it is removed or its netdev is. -EINVAL: this
 * kernel has no TCX.
 */
static int attach_tcx(unsigned int ifindex, const struct place *place, int prog)
{
	int ret, old = running_tcx(ifindex, place);
	DECLARE_LIBBPF_OPTS(bpf_prog_attach_opts, opts, .flags = old >= 0 ? BPF_F_REPLACE : 0,
			    .replace_prog_fd = old >= 0 ? old : 0);

	ret = bpf_prog_attach_opts(prog, ifindex, place->tcx, &opts) ? -errno : 0;
	if (old >= 0)
		close(old);
	return ret;
}

static int attach_filter(unsigned int ifindex, const struct place *place, int prog,
			 struct error *err)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = place->point);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY,
			    .prog_fd = prog, .flags = BPF_TC_F_REPLACE);
	int ret, old = running_filter(ifindex, place);

	if (old >= 0)
		close(old);
	ret = old == -EEXIST ? old : bpf_tc_attach(&hook, &opts);
	if (!ret)
		return 0;
	if (ret == -EINVAL) /* the filter with this priority is of another kind or protocol */
		ret = -EEXIST;
	error_set(err, ret, "cannot attach the programs of 464XLAT: %s", strerror(-ret));
	if (ret == -EEXIST)
		error_hint(err, "another filter has priority %d", PRIORITY);
	else
		error_hint(err, "the kernel needs CONFIG_NET_CLS_BPF");
	return ret;
}

static int add_hook(unsigned int ifindex, struct error *err)
{
	struct rtnl *nl = NULL;
	struct error why = {0};
	int ret = rtnl_open(&nl, NULL, &why) ?: rtnl_clsact_add(nl, ifindex, &why);

	rtnl_close(&nl);
	if (ret == -EBUSY) {
		error_set(err, ret, "%s", why.text);
		error_hint(err, "put its filters on clsact, or use Linux 6.6 or newer");
	} else if (ret) {
		error_pass(err, &why);
		error_hint(err, "the kernel needs CONFIG_NET_SCH_INGRESS");
	}
	return ret;
}

static int link_header(unsigned int ifindex, __u32 *len, struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret = rtnl_open(&nl, NULL, err) ?: rtnl_link_get_index(nl, ifindex, &link, err);

	if (!ret)
		*len = link.type == ARPHRD_ETHER ? ETH_HLEN : 0;
	rtnl_close(&nl);
	return ret;
}

/* Both programs count into the same map, which outlives them. */
static int old_stats(unsigned int ifindex)
{
	int stats = -1;

	for (unsigned int i = 0; i < 2 && stats < 0; i++) {
		int prog = running(ifindex, &places[i]);

		if (prog < 0)
			continue;
		stats = map_of(prog, "clat_stats", sizeof(struct qmap_clat_stats));
		close(prog);
	}
	return stats;
}

/* A clsact without filters does nothing, whoever has made it. */
static void remove_filters(unsigned int ifindex)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct rtnl *nl = NULL;
	bool was_there = false;

	for (unsigned int i = 0; i < 2; i++) {
		DECLARE_LIBBPF_OPTS(bpf_tc_hook, at, .ifindex = ifindex,
				    .attach_point = places[i].point);
		DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);
		int prog = running_filter(ifindex, &places[i]);

		if (prog < 0)
			continue;
		close(prog);
		bpf_tc_detach(&at, &opts);
		was_there = true;
	}
	if (was_there && !rtnl_open(&nl, NULL, NULL) &&
	    !rtnl_filters(nl, ifindex, TC_H_MIN_INGRESS) &&
	    !rtnl_filters(nl, ifindex, TC_H_MIN_EGRESS))
		bpf_tc_hook_destroy(&hook);
	rtnl_close(&nl);
}

static void remove_tcx(unsigned int ifindex)
{
	for (unsigned int i = 0; i < 2; i++) {
		int prog = running_tcx(ifindex, &places[i]);

		if (prog < 0)
			continue;
		bpf_prog_detach2(prog, ifindex, places[i].tcx);
		close(prog);
	}
}

static int remove_here(void *arg, struct error *err)
{
	const struct job *j = arg;

	remove_tcx(j->ifindex);
	remove_filters(j->ifindex);
	return 0;
}

/* A CPU that has to align its accesses takes the fast path of raw IP for an error. */
static int load_for(unsigned int ifindex, struct qmap_clat **out, struct qmap_clat_config *config,
		    int stats, struct error *err)
{
	__u32 l2_len;
	int ret = link_header(ifindex, &l2_len, err);

	if (ret)
		return ret;
	clat_config_set_link(config, l2_len);
	if (config->fast == QMAP_CLAT_RAW) {
		if (!load(out, config, stats, NULL))
			return 0;
		config->fast = QMAP_CLAT_HELPERS;
	}
	return load(out, config, stats, err);
}

/*
 * By TCX where the kernel has it, which leaves the place of the qdisc `ingress` or `clsact` to others: SQM
 * adds the former. Filters of an earlier qmapd go when TCX has their successors.
 */
static int attach_both(unsigned int ifindex, const int progs[2], struct error *err)
{
	int ret = 0;

	for (unsigned int i = 0; i < 2 && !ret; i++)
		ret = attach_tcx(ifindex, &places[i], progs[i]);
	if (!ret) {
		remove_filters(ifindex);
		return 0;
	}
	if (ret != -EINVAL)
		return error_set(err, ret, "cannot attach the programs of 464XLAT: %s",
				 strerror(-ret));
	remove_tcx(ifindex);
	ret = add_hook(ifindex, err);
	for (unsigned int i = 0; i < 2 && !ret; i++)
		ret = attach_filter(ifindex, &places[i], progs[i], err);
	return ret;
}

static int attach_here(void *arg, struct error *err)
{
	struct job *j = arg;
	struct qmap_clat *skel = NULL;
	int stats = old_stats(j->ifindex), ret = load_for(j->ifindex, &skel, j->config, stats, err);

	if (!ret)
		ret = attach_both(j->ifindex,
				  (int[]){bpf_program__fd(skel->progs.qmap_clat_out),
					  bpf_program__fd(skel->progs.qmap_clat_in)},
				  err);
	if (ret)
		remove_here(arg, NULL);
	qmap_clat__destroy(skel);
	if (stats >= 0)
		close(stats);
	return ret;
}

/* --- looking --- */

static bool is_same_code(const int prog[2], const struct qmap_clat_config *config)
{
	struct qmap_clat *skel = NULL;
	bool same;

	if (load(&skel, config, -1, NULL))
		return true; /* it cannot be replaced */
	same = renew_same_program(prog[0], bpf_program__fd(skel->progs.qmap_clat_out)) &&
	       renew_same_program(prog[1], bpf_program__fd(skel->progs.qmap_clat_in));
	qmap_clat__destroy(skel);
	return same;
}

static int read_stats(int prog, struct qmap_clat_stats *out)
{
	int map = map_of(prog, "clat_stats", sizeof(struct qmap_clat_stats)), ret = map;

	if (map < 0)
		return ret;
	ret = datapath_sum_percpu(map, 1, sizeof(*out) / sizeof(__u64), (__u64 *)out, NULL);
	close(map);
	return ret;
}

static int look_here(void *arg, struct error *err)
{
	struct job *j = arg;
	int prog[2], ret;

	for (unsigned int i = 0; i < 2; i++)
		prog[i] = running(j->ifindex, &places[i]);
	if (prog[0] < 0 && prog[1] < 0)
		return -ENOENT;
	ret = read_config(prog[0] >= 0 ? prog[0] : prog[1], j->config);
	if (!ret && (prog[0] < 0 || prog[1] < 0))
		ret = -ENOTCONN;
	if (!ret && j->stats)
		ret = read_stats(prog[0], j->stats);
	if (!ret && j->same_code)
		*j->same_code = is_same_code(prog, j->config);
	for (unsigned int i = 0; i < 2; i++)
		if (prog[i] >= 0)
			close(prog[i]);
	return ret;
}

/* --- in the port's namespace --- */

int datapath_clat_attach(const struct clat_port *port, struct qmap_clat_config *config,
			 struct error *err)
{
	struct job j = {.ifindex = port->ifindex, .config = config};

	return rtnl_netns_do(port->netns, attach_here, &j, err);
}

int datapath_clat_look(const struct clat_port *port, struct qmap_clat_config *config,
		       struct qmap_clat_stats *stats, bool *same_code)
{
	struct job j = {
		.ifindex = port->ifindex, .config = config, .stats = stats, .same_code = same_code};

	return rtnl_netns_do(port->netns, look_here, &j, NULL);
}

void datapath_clat_remove(const struct clat_port *port)
{
	struct job j = {.ifindex = port->ifindex};

	rtnl_netns_do(port->netns, remove_here, &j, NULL);
}
