// SPDX-License-Identifier: GPL-2.0-or-later
#include "trunk_filter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "rtnl/rtnl.h"
#include "renew.h"

#define HANDLE	 1
#define PRIORITY 1

/* An XDP program of another owner would get the aggregates first. */
static int check_trunk(unsigned int trunk, const char *name, struct error *err)
{
	__u32 id = 0;

	if (bpf_xdp_query_id(trunk, 0, &id) || !id)
		return 0;
	error_set(err, -EBUSY, "another XDP program is attached to %s", name);
	error_hint(err, "find it with `ip -d link show dev %s` and remove it", name);
	return -EBUSY;
}

int trunk_filter_attach(unsigned int trunk, int prog, struct error *err)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = trunk, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY,
			    .prog_fd = prog);
	char name[IFNAMSIZ] = "?";
	int ret;

	if_indextoname(trunk, name);
	ret = check_trunk(trunk, name, err);
	if (ret)
		return ret;
	ret = bpf_tc_hook_create(&hook);
	if (!ret || ret == -EEXIST)
		ret = bpf_tc_attach(&hook, &opts);
	if (!ret)
		return 0;
	if (ret == -EINVAL) /* the filter with this priority is of another kind or protocol */
		ret = -EEXIST;
	error_set(err, ret, "cannot attach the program to %s: %s", name, strerror(-ret));
	if (ret == -EEXIST)
		error_hint(err,
			   "another filter has the first place: `tc filter show dev %s ingress`",
			   name);
	else
		error_hint(err, "the kernel needs CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF");
	return ret;
}

static bool is_named(__u32 prog_id, const char *program)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id), ret;

	if (fd < 0)
		return false;
	ret = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	return !ret && !strcmp(info.name, program);
}

enum keep_look trunk_filter_look(unsigned int trunk, const char *program, char *detail)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = trunk, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);

	if_indextoname(trunk, detail);
	return !bpf_tc_query(&hook, &opts) && is_named(opts.prog_id, program) ? KEEP_FINE
									      : KEEP_WRONG;
}

int trunk_filter_renew(unsigned int trunk, const char *program, int prog, bool *changed,
		       struct error *err)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = trunk, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);
	bool same;
	int fd, ret;

	if (bpf_tc_query(&hook, &opts) || !is_named(opts.prog_id, program))
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
	return error_set(err, ret, "cannot replace the program: %s", strerror(-ret));
}

void trunk_filter_remove(struct rtnl *nl, unsigned int trunk, const char *program)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = trunk, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);

	if (bpf_tc_query(&hook, &opts) || !is_named(opts.prog_id, program))
		return;
	opts.prog_fd = opts.prog_id = opts.flags = 0;
	bpf_tc_detach(&hook, &opts);
	/* the qdisc goes with the last filter on it, even if another program made it */
	if (!rtnl_filters(nl, trunk, TC_H_MIN_INGRESS) &&
	    !rtnl_filters(nl, trunk, TC_H_MIN_EGRESS)) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
}
