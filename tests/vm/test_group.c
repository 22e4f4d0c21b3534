// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trunk, ports and the netdev below are deleted together: by one message, or with their namespaces.
 * The kernel puts all of them into one list and asks each device for those that it takes along.
 */
#include "shim_test.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>

#include "load.h"
#include "netns.h"
#include "world.h"

#define GROUP  5
#define DEVS   4
#define ORDERS 8
#define ROUNDS 8

/* lower0 is one end of a veth; its other end shows that the initial state is restored. */
static const char *const devs[DEVS] = {"lower0", "trunk0", "port1", "port2"};

enum {
	LOWER = 1,
	TRUNK = 2,
	PORT1 = 4,
	PORT2 = 8
};

static int make_devs(void)
{
	unsigned int trunk;
	size_t i;

	if (nl_add_veth("lower0", "modem0") ||
	    nl_add_trunk("trunk0", if_nametoindex("lower0"), &(struct nl_trunk){}))
		return FAIL("trunk0: %s", nl_error());
	trunk = if_nametoindex("trunk0");
	if (nl_add_port("port1", trunk, 1) || nl_add_port("port2", trunk, 2))
		return FAIL("ports: %s", nl_error());
	for (i = 0; i < DEVS; i++)
		if (nl_up(devs[i], true))
			return FAIL("%s: %s", devs[i], nl_error());
	return 0;
}

static int expect_gone(unsigned int left)
{
	size_t i;

	for (i = 0; i < DEVS; i++)
		if (!if_nametoindex(devs[i]) != !(left & 1 << i))
			return FAIL("%s is %s", devs[i],
				    left & 1 << i ? "gone, too" : "still there");
	return 0;
}

/* Devices left after deleting @deleted: a device takes along those above it. */
static unsigned int left_of(unsigned int deleted)
{
	if (deleted & LOWER)
		return 0;
	return deleted & TRUNK ? LOWER : ~deleted & 0xf;
}

static void remove_rest(void)
{
	if (if_nametoindex("lower0"))
		nl_del("lower0");
}

/* A namespace lists devices in the order in which they entered it. */
static int shuffle(int here, int there)
{
	unsigned int order[DEVS] = {0, 1, 2, 3}, i, j, t;

	for (i = DEVS - 1; i; i--) {
		j = random_in(0, i);
		t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
	for (i = 0; i < DEVS; i++) {
		const char *name = devs[order[i]];

		/* A device may refuse the move, or take others along: another test covers that. */
		if (order[i] == 0 || !if_nametoindex(name))
			continue;
		if (netns_move(name, here, there) || netns_move(name, there, here))
			return FAIL("%s cannot be moved: %s", name, nl_error());
	}
	return 0;
}

static int delete_group(unsigned int members, int here, int there)
{
	int err;
	size_t i;

	if (make_devs() || shuffle(here, there))
		return -1;
	for (i = 0; i < DEVS; i++)
		if (members & 1 << i && nl_set_u32(devs[i], IFLA_GROUP, GROUP))
			return FAIL("group of %s: %s", devs[i], nl_error());
	err = nl_del_group(GROUP);
	if (err)
		return FAIL("group: %s %s", strerror(-err), nl_error());
	err = expect_gone(left_of(members));
	remove_rest();
	return err ? FAIL("members %x", members) : 0;
}

TEST(group_delete)
{
	int here = netns_here(), there = netns_new(), err = 0;
	unsigned int members, i;

	for (members = 1; members < 1 << DEVS && !err; members++)
		for (i = 0; i < (members == 0xf ? ORDERS : 1) && !err; i++)
			err = delete_group(members, here, there);
	close(there);
	close(here);
	return err;
}

/*
 * Creates all devices in the namespace of lower0, and moves trunk0 and port1 to their places: here,
 * or in one of two namespaces. port2 stays with lower0.
 */
static int spread(const unsigned int *place, const int *ns)
{
	unsigned int i;
	int err;

	netns_enter(ns[place[0]]);
	err = make_devs();
	netns_enter(ns[0]);
	for (i = 1; i < 3 && !err; i++)
		if (place[i] != place[0] && netns_move(devs[i], ns[place[0]], ns[place[i]]))
			err = FAIL("%s cannot be moved: %s", devs[i], nl_error());
	return err;
}

static bool exists_in(const char *name, int ns)
{
	int home = netns_here();
	bool yes;

	netns_enter(ns);
	yes = if_nametoindex(name);
	netns_enter(home);
	close(home);
	return yes;
}

/* After the end of @ended of the two namespaces, devices above one in them are gone. */
static int end_namespaces(const unsigned int *place, unsigned int ended, bool swap)
{
	int ns[3] = {netns_here(), netns_new(), netns_new()}, gone[2], err;
	unsigned int n = 0, i, j, below = 0;

	err = spread(place, ns);
	for (i = 0; i < 2; i++) {
		unsigned int k = swap ? 1 - i : i;

		if (ended & 1 << k)
			gone[n++] = ns[1 + k];
	}
	err = netns_end(gone, n) || err;
	for (i = 0; i < 3 && !err; i++) {
		below |= place[i] && ended & 1 << (place[i] - 1);
		for (j = 0; j < 3 && below; j++)
			if ((!j || !(ended & 1 << (j - 1))) && exists_in(devs[i], ns[j]))
				err = FAIL("%s is left behind", devs[i]);
	}
	for (i = 0; i < 2; i++)
		if (!(ended & 1 << i))
			err = netns_end(&ns[1 + i], 1) || err;
	close(ns[0]);
	remove_rest();
	return err ? FAIL("places %u %u %u, ended %u", place[0], place[1], place[2], ended) : 0;
}

/* Three devices in three places; one or both of the others end, in either order. */
TEST(namespaces)
{
	unsigned int place[3], i;
	int err = 0;

	for (i = 1; i < 27 && !err; i++) {
		place[0] = i % 3;
		place[1] = i / 3 % 3;
		place[2] = i / 9;
		err = end_namespaces(place, 1 + i % 3, i & 1);
		if (!err && i % 3 == 2)
			err = end_namespaces(place, 3, !(i & 1));
	}
	return err;
}

/* Removes the world's devices by @how, with traffic. */
static int take_away(struct world *w, unsigned int how, int here, int there)
{
	switch (how) {
	case 0:
		nl_set_u32("trunk0", IFLA_GROUP, GROUP);
		nl_set_u32("port2", IFLA_GROUP, GROUP);
		nl_set_u32("modem0", IFLA_GROUP, GROUP);
		return nl_del_group(GROUP);
	case 1: /* a port is elsewhere when its trunk goes */
		return netns_move("port2", here, there) ?: nl_del("trunk0");
	case 2: /* and when the netdev below goes */
		return netns_move("port1", here, there) ?: nl_del("modem0");
	case 3: /* its namespace goes */
		return netns_move("port1", here, there) ?: netns_end(&there, 1);
	case 4: /* the netdev below moves: the trunk may stay above it, or go */
		return netns_move("modem0", here, there) ?: netns_move("modem0", there, here);
	case 5: /* the trunk moves, and its namespace goes */
		return netns_move("trunk0", here, there) ?: netns_end(&there, 1);
	case 6: /* the modem itself: its file is closed */
		close(w->modem);
		w->modem = -1;
		return 0;
	}
	return netns_move("trunk0", here, there) ?: nl_del("modem0");
}

static int with_load(unsigned int how)
{
	const struct world_options o = {
		.version = 1, .ports = 2, .trunk = {.tx_bytes = 8192, .tx_usecs = 300}};
	int here = netns_here(), there = netns_new(), err;
	struct load load = {};
	struct world w;

	if (world_new(&w, &o))
		return -1;
	if (how == 6) /* no other process may hold the file that is closed */
		err = take_away(&w, how, here, there);
	else {
		load_start(&load, &w);
		err = nl_add_addr4("port1", htonl(LOAD_ADDR), 24) || nl_wait_running("port1");
		while (!err && !(load.down > 20 && load.up))
			sched_yield();
		err = err ?: take_away(&w, how, here, there);
		load_stop(&load);
	}
	if (err)
		FAIL("way %u: %s", how, nl_error());
	if (how != 3 && how != 5)
		close(there);
	close(here);
	world_free(&w);
	return err;
}

/* The same with packets on their way in both directions. */
TEST(group_load)
{
	unsigned int how;
	int err = 0;

	for (how = 0; how < ROUNDS && !err; how++)
		err = with_load(how);
	return err;
}
