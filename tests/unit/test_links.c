// SPDX-License-Identifier: GPL-2.0-or-later
/* Counters of rmnet and qmimux while some of their ports are out of sight. */
#include "test.h"

#include <bpf/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "daemon/datapath/links.h"
#include "daemon/datapath/pins.h"

static const char *skip_reason;

static int group_setup(void **state)
{
	if (geteuid())
		skip_reason = "not root";
	else if (unshare(CLONE_NEWNS | CLONE_NEWNET) ||
		 mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		skip_reason = "no network namespaces";
	return 0;
}

TEST_GROUP(group_setup, NULL);

static int make_map(enum bpf_map_type type, uint32_t value_size, uint32_t n)
{
	int fd = bpf_map_create(type, "qtest", sizeof(uint32_t), value_size, n, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void place(struct datapath *dp, unsigned int mux, const char *name, const char *netns)
{
	snprintf(dp->places[mux].name, sizeof(dp->places[mux].name), "%s", name);
	snprintf(dp->places[mux].netns, sizeof(dp->places[mux].netns), "%s", netns);
}

/* One port is there, one was moved away, and one has gone with its namespace. */
static void open_datapath(struct datapath *dp, struct pins *pins)
{
	struct rtnl_link link;

	*pins = PINS_INIT;
	*dp = (struct datapath){.pins = pins};
	assert_int_equal(rtnl_open(&dp->nl, NULL, NULL), 0);
	assert_int_equal(rtnl_veth_add(dp->nl, "wwan0", "wwan0.1", 1500, NULL), 0);
	assert_int_equal(rtnl_link_get(dp->nl, "wwan0", &link, NULL), 0);
	pins->ifindex = link.ifindex;
	dp->fd[OBSERVE_BASELINE] = make_map(BPF_MAP_TYPE_ARRAY, 24, 1);
	dp->fd[OBSERVE_PORTS] =
		make_map(BPF_MAP_TYPE_ARRAY, sizeof(struct qmap_port), QMAP_MAX_MUX);
	dp->fd[OBSERVE_PORT_STATS] =
		make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct qmap_port_stats), QMAP_MAX_MUX);
	dp->fd[OBSERVE_TRUNK_STATS] =
		make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct qmap_trunk_stats), 1);
	place(dp, 1, "wwan0.1", "");
	place(dp, 2, "wwan0.2", "");
	place(dp, 3, "wwan0.3", "qmap-nowhere");
}

static void close_datapath(struct datapath *dp)
{
	for (unsigned int i = OBSERVE_BASELINE; i <= OBSERVE_TRUNK_STATS; i++)
		close(dp->fd[i]);
	assert_int_equal(rtnl_link_del(dp->nl, dp->pins->ifindex, NULL), 0);
	rtnl_close(&dp->nl);
}

TEST(counters_of_the_others)
{
	static struct datapath_stats stats;
	static struct datapath dp;
	uint64_t rx[QMAP_MAX_MUX] = {0};
	struct error err = {0};
	struct pins pins;

	if (skip_reason) {
		print_message("SKIP: %s\n", skip_reason);
		skip();
	}
	open_datapath(&dp, &pins);
	assert_int_equal(links_stats(&dp, NULL, &stats, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(stats.nports, 1);
	assert_int_equal(stats.ports[0].mux, 1);
	assert_int_equal(datapath_rx_packets(&dp, rx, &err), 0);
	close_datapath(&dp);
}
