// SPDX-License-Identifier: GPL-2.0-or-later
/* rmnet and qmimux: counters while some ports are out of sight; the format of one that is adopted. */
#include "test.h"

#include <bpf/bpf.h>
#include <json-c/json.h>
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

static void skip_unless_able(void)
{
	if (!skip_reason)
		return;
	print_message("SKIP: %s\n", skip_reason);
	skip();
}

TEST(counters_of_the_others)
{
	static struct datapath_stats stats;
	static struct datapath dp;
	uint64_t rx[QMAP_MAX_MUX] = {0};
	struct error err = {0};
	struct pins pins;

	skip_unless_able();
	open_datapath(&dp, &pins);
	assert_int_equal(links_stats(&dp, NULL, &stats, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(stats.nports, 1);
	assert_int_equal(stats.ports[0].mux, 1);
	assert_int_equal(datapath_rx_packets(&dp, rx, &err), 0);
	close_datapath(&dp);
}

static void save_format(struct pins *pins, const struct data_format *format)
{
	struct json_object *state = json_object_new_object();

	json_object_object_add(state, "format", data_format_to_json(format));
	assert_int_equal(pins_set_state(pins, state, NULL), 0);
	json_object_put(state);
}

/* A port that is made again needs it for its flags, if no other port shows them. */
TEST(adopted_format)
{
	const struct data_format format = {.version = QMAP_V5,
					   .dl_max_bytes = 15360,
					   .ul_max_bytes = 8192,
					   .ul_max_datagrams = 16};
	struct datapath *dp = NULL;
	struct error err = {0};
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	struct pins pins;

	skip_unless_able();
	assert_int_equal(mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700"), 0);
	assert_int_equal(rtnl_open(&nl, NULL, NULL), 0);
	assert_int_equal(rtnl_veth_add(nl, "wwan0", "other", 1500, NULL), 0);
	assert_int_equal(rtnl_link_get(nl, "wwan0", &link, NULL), 0);
	assert_int_equal(pins_create(&pins, link.ifindex, "wwan0", &err), 0);
	assert_int_equal(links_attach(&dp, &pins, "wwan0", "rmnet", &format, &err), 0);
	save_format(&pins, &format);
	datapath_close(&dp);
	assert_int_equal(links_adopt(&dp, &pins, &err), 0);
	assert_memory_equal(&dp->format, &format, sizeof(format));
	observe_detach(dp);
	datapath_close(&dp);
	pins_remove(&pins);
	assert_int_equal(rtnl_link_del(nl, link.ifindex, NULL), 0);
	rtnl_close(&nl);
}
