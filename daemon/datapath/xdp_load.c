// SPDX-License-Identifier: GPL-2.0-or-later
/* Loads the programs of bpf/qmap_xdp.bpf.c, and replaces earlier ones. */
#include "xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rtnl/rtnl.h"
#include "port_map.h"
#include "qmap_xdp.skel.h"
#include "renew.h"
#include "trunk_filter.h"
#include "xdp_link.h"

/*
 * Creates a device map with @n entries, each the split veth with the trim program. Returns its
 * descriptor.
 */
static int make_copies(const struct bpf_devmap_val *val, __u32 n)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "qmap_copies", sizeof(__u32), sizeof(*val), n,
				NULL);
	int ret;

	for (__u32 i = 0; fd >= 0 && i < n; i++) {
		if (!bpf_map_update_elem(fd, &i, val, BPF_ANY))
			continue;
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd < 0 ? -errno : fd;
}

/*
 * Sets copies[n] = fds[n - 1], in one batch if the kernel can: after each single update of a map of
 * maps it waits for an RCU grace period (kernel/bpf/syscall.c, maybe_wait_bpf_programs), which
 * would make an attach most of a second longer.
 */
static int enter_copies(int outer, const __u32 *fds)
{
	__u32 keys[QMAP_MAX_FRAMES], count = QMAP_MAX_FRAMES;
	int ret = 0;

	for (__u32 i = 0; i < QMAP_MAX_FRAMES; i++)
		keys[i] = i + 1;
	if (!bpf_map_update_batch(outer, keys, fds, &count, NULL))
		return 0;
	for (__u32 i = 0; i < QMAP_MAX_FRAMES && !ret; i++)
		ret = bpf_map_update_elem(outer, &keys[i], &fds[i], BPF_ANY) ? -errno : 0;
	return ret;
}

int xdp_fill_copies(struct qmap_xdp *skel, unsigned int ifindex, struct error *err)
{
	struct bpf_devmap_val val = {
		.ifindex = ifindex,
		.bpf_prog.fd = bpf_program__fd(skel->progs.qmap_trim),
	};
	__u32 fds[QMAP_MAX_FRAMES], n;
	int ret = 0;

	for (n = 0; n < QMAP_MAX_FRAMES; n++) {
		int fd = make_copies(&val, n + 1);

		if (fd < 0) {
			ret = fd;
			break;
		}
		fds[n] = fd;
	}
	if (!ret)
		ret = enter_copies(bpf_map__fd(skel->maps.copies), fds);
	while (n)
		close(fds[--n]);
	return ret ? error_set(err, ret, "cannot fill a BPF device map: %s", strerror(-ret)) : 0;
}

int xdp_load_probe(struct error *why)
{
	struct qmap_xdp *skel = qmap_xdp__open();
	int ret;

	if (!skel)
		return error_set(why, -errno, "cannot open the BPF programs: %s", strerror(errno));
	ret = qmap_xdp__load(skel);
	qmap_xdp__destroy(skel);
	return ret ? bpf_load_error(ret, "5.18", why) : 0;
}

int xdp_load(struct qmap_xdp **out, const struct datapath *dp, const struct qmap_config *config,
	     unsigned int entry, struct error *err)
{
	struct qmap_xdp *skel = qmap_xdp__open();
	int ret;

	if (!skel)
		return error_set(err, -errno, "cannot open the BPF programs: %s", strerror(errno));
	skel->rodata->entry_ifindex = entry;
	memcpy((void *)&skel->rodata->config, config, sizeof(*config));
	ret = datapath_reuse_maps(dp, skel->obj) ?: qmap_xdp__load(skel);
	if (ret) {
		bpf_load_error(ret, "5.18", err);
		qmap_xdp__destroy(skel);
		return ret;
	}
	*out = skel;
	return 0;
}

/*
 * Split and trim program, and the maps between them, are replaced together: an aggregate that the
 * old split program has begun meets the old ones to its end.
 */
static int renew_split(struct datapath *dp, struct qmap_xdp *skel, bool *changed, struct error *err)
{
	int split = bpf_program__fd(skel->progs.qmap_split);
	int trim = bpf_program__fd(skel->progs.qmap_trim), ret;
	char name[IFNAMSIZ];

	if (renew_same_link(dp->fd[XDP_LINK_SPLIT], split) &&
	    renew_same_program(dp->fd[XDP_PROG_TRIM], trim))
		return 0;
	*changed = true;
	xdp_inner_name(dp->base, 'a', name);
	ret = xdp_fill_copies(skel, if_nametoindex(name), err);
	return ret ?: renew_link(dp->fd[XDP_LINK_SPLIT], split, err)
		?: renew_pin(dp->pins, xdp_pins[XDP_PROG_TRIM].name, trim, &dp->fd[XDP_PROG_TRIM],
			     err);
}

static int renew_deliver(struct datapath *dp, struct qmap_xdp *skel, bool *changed,
			 struct error *err)
{
	int deliver = bpf_program__fd(skel->progs.qmap_deliver);

	if (renew_same_link(dp->fd[XDP_LINK_DELIVER], deliver))
		return 0;
	*changed = true;
	return renew_link(dp->fd[XDP_LINK_DELIVER], deliver, err);
}

/* Replaces the pin last: a process that finds the old one repeats all of this. */
static int renew_uplink(struct datapath *dp, struct qmap_xdp *skel, bool *changed,
			struct error *err)
{
	int uplink = bpf_program__fd(skel->progs.qmap_uplink), ret = 0;
	struct qmap_port port[QMAP_MAX_MUX];

	if (renew_same_program(dp->fd[XDP_PROG_UPLINK], uplink))
		return 0;
	*changed = true;
	ret = port_map_read_all(dp->fd[XDP_PORTS], port, err);
	for (__u32 mux = 0; mux < QMAP_MAX_MUX && !ret; mux++)
		if (port[mux].ifindex)
			ret = xdp_attach_uplink(port[mux].ifindex, uplink, BPF_TC_F_REPLACE, err);
	return ret
		       ?: renew_pin(dp->pins, xdp_pins[XDP_PROG_UPLINK].name, uplink,
				    &dp->fd[XDP_PROG_UPLINK], err);
}

int xdp_load_again(struct qmap_xdp **out, const struct datapath *dp, struct error *err)
{
	struct qmap_config config;
	char entry[IFNAMSIZ];

	xdp_inner_name(dp->base, 'e', entry);
	return renew_get_config(dp->pins, &config, err)
		       ?: xdp_load(out, dp, &config, if_nametoindex(entry), err);
}

int xdp_renew(struct datapath *dp, bool *changed, struct error *err)
{
	struct qmap_xdp *skel = NULL;
	int ret = xdp_load_again(&skel, dp, err);

	if (ret)
		return ret;
	*changed = false;
	ret = renew_split(dp, skel, changed, err)
		?: renew_deliver(dp, skel, changed, err)
		?: renew_uplink(dp, skel, changed, err)
		?: trunk_filter_renew(dp->trunk, XDP_ENTRY_PROGRAM,
				      bpf_program__fd(skel->progs.qmap_enter), changed, err);
	qmap_xdp__destroy(skel);
	return ret;
}
