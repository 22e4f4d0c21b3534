// SPDX-License-Identifier: GPL-2.0-or-later
/* rtnetlink requests and events in two network namespaces of the test's own. */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/rtnl/rtnl.h"
#include "daemon/rtnl/monitor.h"
#include "daemon/rtnl/watch.h"
#include "daemon/rtnl/request.h"
#include "daemon/rtnl/snapshot.h"
#include "daemon/rtnl/sysctl.h"

#define OTHER "qmap-other"

static const char *skip_reason;

/* Uses /run/netns of a mount namespace of our own: nothing remains when the process ends. */
static int make_other(void)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd, ret;

	mkdir("/run/netns", 0755);
	if (mount("none", "/run/netns", "tmpfs", 0, NULL) || unshare(CLONE_NEWNET))
		return -1;
	fd = open("/run/netns/" OTHER, O_CREAT | O_RDONLY, 0444);
	close(fd);
	ret = mount("/proc/self/ns/net", "/run/netns/" OTHER, NULL, MS_BIND, NULL);
	ret |= setns(home, CLONE_NEWNET);
	close(home);
	return ret;
}

static int group_setup(void **state)
{
	if (geteuid()) {
		skip_reason = "not root";
		return 0;
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || make_other())
		skip_reason = "no network namespaces";
	return 0;
}

TEST_GROUP(group_setup, NULL);

static int setup(void **state)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;

	if (skip_reason)
		return 0;
	assert_int_equal(rtnl_open(&nl, NULL, NULL), 0);
	/* Either end: a test may have moved the other one away. */
	if (!rtnl_link_get(nl, "qtest0", &link, NULL) || !rtnl_link_get(nl, "qtest1", &link, NULL))
		rtnl_link_del(nl, link.ifindex, NULL);
	*state = nl;
	return 0;
}

static int teardown(void **state)
{
	rtnl_close((struct rtnl **)state);
	return 0;
}

TEST_FIXTURE(setup, teardown);

static void skip_unless_able(void)
{
	if (!skip_reason)
		return;
	print_message("SKIP: %s\n", skip_reason);
	skip();
}

/* Reads the kernel's view, to compare it with the request. */
static void read_text(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	buf[fread(buf, 1, size - 1, f)] = '\0';
	fclose(f);
}

static unsigned int add_pair(struct rtnl *nl)
{
	struct rtnl_link link;

	assert_int_equal(rtnl_veth_add(nl, "qtest0", "qtest1", 1400, NULL), 0);
	assert_int_equal(rtnl_link_get(nl, "qtest0", &link, NULL), 0);
	return link.ifindex;
}

TEST(veth_pair)
{
	struct rtnl *nl = *state;
	struct rtnl_link a, b, again;

	skip_unless_able();
	add_pair(nl);
	assert_int_equal(rtnl_link_get(nl, "qtest0", &a, NULL), 0);
	assert_int_equal(rtnl_link_get(nl, "qtest1", &b, NULL), 0);
	assert_string_equal(a.name, "qtest0");
	assert_string_equal(a.kind, "veth");
	assert_string_equal(b.kind, "veth");
	assert_int_equal(a.mtu, 1400);
	assert_int_equal(b.mtu, 1400);
	assert_int_equal(a.flags & (IFF_NOARP | IFF_UP), IFF_NOARP);
	assert_int_equal(b.flags & (IFF_NOARP | IFF_UP), IFF_NOARP);
	assert_int_equal(a.type, 1); /* ARPHRD_ETHER */
	assert_memory_not_equal(a.mac, b.mac, 6);
	assert_int_equal(rtnl_link_get_index(nl, a.ifindex, &again, NULL), 0);
	assert_string_equal(again.name, "qtest0");
}

/* Its own MTU limits sending and leaves the lower device's alone. */
TEST(macvlan)
{
	struct rtnl *nl = *state;
	struct rtnl_link lower, upper;
	struct error err = {0};
	unsigned int ifindex;

	skip_unless_able();
	ifindex = add_pair(nl);
	if (rtnl_macvlan_probe(nl, &err)) {
		assert_int_equal(err.err, -EOPNOTSUPP);
		skip();
	}
	assert_int_equal(rtnl_macvlan_add(nl, "qtest3", ifindex, 1300, NULL), 0);
	assert_int_equal(rtnl_link_get(nl, "qtest3", &upper, NULL), 0);
	assert_int_equal(rtnl_link_get(nl, "qtest0", &lower, NULL), 0);
	assert_string_equal(upper.kind, "macvlan");
	assert_int_equal(upper.mtu, 1300);
	assert_int_equal(lower.mtu, 1400);
	assert_int_equal(upper.lower, ifindex);
	assert_int_equal(upper.flags & (IFF_NOARP | IFF_UP), IFF_NOARP);
	assert_int_equal(upper.addrgenmode, IN6_ADDR_GEN_MODE_NONE);
	assert_memory_equal(upper.mac, lower.mac, 6);
	assert_int_equal(rtnl_macvlan_add(nl, "qtest3", ifindex, 1300, NULL), -EEXIST);
	/* it disappears with the lower device */
	assert_int_equal(rtnl_link_del(nl, ifindex, NULL), 0);
	assert_int_equal(rtnl_link_get(nl, "qtest3", &upper, NULL), -ENODEV);
}

TEST(names_with_dots)
{
	struct rtnl *nl = *state;
	struct rtnl_link link;

	skip_unless_able();
	assert_int_equal(rtnl_veth_add(nl, "qtest0.254", "qtestx254", 1500, NULL), 0);
	assert_int_equal(rtnl_link_get(nl, "qtest0.254", &link, NULL), 0);
	assert_int_equal(rtnl_link_del(nl, link.ifindex, NULL), 0);
}

TEST(twice_is_refused)
{
	struct rtnl *nl = *state;
	struct error err = {0};

	skip_unless_able();
	add_pair(nl);
	assert_int_equal(rtnl_veth_add(nl, "qtest0", "qtest2", 1400, &err), -EEXIST);
	assert_int_equal(err.err, -EEXIST);
	assert_int_equal(err.exit, EXIT_REFUSED);
	assert_non_null(strstr(err.text, "qtest0"));
}

TEST(no_such_device)
{
	struct rtnl *nl = *state;
	struct error err = {0};
	struct rtnl_link link;

	skip_unless_able();
	assert_int_equal(rtnl_link_get(nl, "qtest9", &link, &err), -ENODEV);
	assert_string_equal(err.text, "there is no network device qtest9");
	assert_int_equal(err.exit, EXIT_NO_DEVICE);
	assert_int_equal(rtnl_link_get_index(nl, 99999, &link, NULL), -ENODEV);
	assert_int_equal(rtnl_link_del(nl, 99999, NULL), -ENODEV);
}

/* The kernel says "mtu greater than device maximum" for a veth; @err must contain that sentence. */
TEST(kernel_sentence)
{
	struct rtnl *nl = *state;
	struct error err = {0};
	unsigned int ifindex;

	skip_unless_able();
	ifindex = add_pair(nl);
	assert_int_equal(rtnl_link_set_mtu(nl, ifindex, 100000, &err), -EINVAL);
	assert_non_null(strstr(err.text, "mtu greater than device maximum"));
	assert_int_equal(err.exit, EXIT_REFUSED);
}

TEST(flags_and_mtu)
{
	struct rtnl *nl = *state;
	struct rtnl_link link;
	unsigned int ifindex;

	skip_unless_able();
	ifindex = add_pair(nl);
	assert_int_equal(rtnl_link_set_up(nl, ifindex, true, NULL), 0);
	assert_int_equal(rtnl_link_set_mtu(nl, ifindex, 1280, NULL), 0);
	assert_int_equal(rtnl_link_get_index(nl, ifindex, &link, NULL), 0);
	assert_int_equal(link.flags & IFF_UP, IFF_UP);
	assert_int_equal(link.mtu, 1280);
	assert_int_equal(rtnl_link_set_up(nl, ifindex, false, NULL), 0);
	assert_int_equal(rtnl_link_get_index(nl, ifindex, &link, NULL), 0);
	assert_int_equal(link.flags & IFF_UP, 0);
}

/* The kernel's link watch generates addresses when it finds the carrier, some time after "up". */
static bool gets_address(const char *dev)
{
	char text[4096];

	for (int i = 0; i < 6000; i++) {
		read_text("/proc/net/if_inet6", text, sizeof(text));
		if (strstr(text, dev))
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

/*
 * With generation on again at one end, that end gets a link-local address and the other
 * does not.
 */
TEST(no_generated_addresses)
{
	struct rtnl *nl = *state;
	struct rtnl_link peer;
	unsigned int ifindex;
	char text[4096];

	skip_unless_able();
	ifindex = add_pair(nl);
	assert_int_equal(rtnl_link_get(nl, "qtest1", &peer, NULL), 0);
	assert_int_equal(rtnl_link_set_addrgenmode(nl, peer.ifindex, IN6_ADDR_GEN_MODE_EUI64, NULL),
			 0);
	assert_int_equal(rtnl_link_set_up(nl, ifindex, true, NULL), 0);
	assert_int_equal(rtnl_link_set_up(nl, peer.ifindex, true, NULL), 0);
	assert_true(gets_address("qtest1"));
	read_text("/proc/net/if_inet6", text, sizeof(text));
	assert_null(strstr(text, "qtest0"));
}

TEST(addresses_v6)
{
	struct rtnl *nl = *state;
	unsigned int ifindex;
	uint8_t a[16];
	char text[4096];

	skip_unless_able();
	ifindex = add_pair(nl);
	assert_int_equal(rtnl_link_set_up(nl, ifindex, true, NULL), 0);
	inet_pton(AF_INET6, "2001:db8::7", a);
	assert_int_equal(rtnl_addr_add(nl, ifindex, AF_INET6, a, 64, true, NULL), 0);
	assert_int_equal(rtnl_addr_add(nl, ifindex, AF_INET6, a, 64, true, NULL), 0);
	read_text("/proc/net/if_inet6", text, sizeof(text));
	assert_non_null(strstr(text, "20010db8000000000000000000000007"));
	assert_int_equal(rtnl_addr_flush(nl, ifindex, AF_INET6, NULL, 32, NULL), 1);
	read_text("/proc/net/if_inet6", text, sizeof(text));
	assert_null(strstr(text, "20010db8"));
}

static struct rtnl_snapshot *snapshot(struct rtnl *nl, unsigned int ifindex)
{
	struct rtnl_snapshot *s = NULL;

	assert_int_equal(rtnl_snapshot_read(&s, nl, ifindex, NULL), 0);
	return s;
}

static bool has_default(struct rtnl *nl, const struct rtnl_route *r)
{
	struct rtnl_snapshot *s = snapshot(nl, 0);
	bool has = rtnl_snapshot_has_default(s, r);

	rtnl_snapshot_free(&s);
	return has;
}

static bool has_made(struct rtnl *nl, unsigned int ifindex)
{
	struct rtnl_snapshot *s = snapshot(nl, 0);
	bool has = rtnl_snapshot_has_made(s, ifindex);

	rtnl_snapshot_free(&s);
	return has;
}

/* On a point-to-point link an address brings no route; and the same one with another prefix is another. */
TEST(addresses_without_routes)
{
	struct rtnl *nl = *state;
	struct rtnl_route any = {.family = AF_INET};
	uint8_t a[16] = {10, 9, 0, 1};
	char text[4096];

	skip_unless_able();
	any.ifindex = add_pair(nl);
	assert_int_equal(rtnl_link_set_up(nl, any.ifindex, true, NULL), 0);
	assert_int_equal(rtnl_addr_add(nl, any.ifindex, AF_INET, a, 1, false, NULL), 0);
	assert_int_equal(rtnl_addr_has(nl, any.ifindex, AF_INET, a, 1, NULL), 1);
	assert_int_equal(rtnl_addr_has(nl, any.ifindex, AF_INET, a, 30, NULL), 0);
	read_text("/proc/net/route", text, sizeof(text));
	assert_null(strstr(text, "qtest0"));
	assert_int_equal(rtnl_addr_add(nl, any.ifindex, AF_INET, a, 30, false, NULL), 0);
	assert_int_equal(rtnl_addr_flush(nl, any.ifindex, AF_INET, a, 30, NULL), 1);
	assert_int_equal(rtnl_addr_has(nl, any.ifindex, AF_INET, a, 1, NULL), 0);
	inet_pton(AF_INET6, "2001:db8::7", a);
	assert_int_equal(rtnl_addr_add(nl, any.ifindex, AF_INET6, a, 0, false, NULL), 0);
	assert_int_equal(has_made(nl, any.ifindex), 0);
	assert_int_equal(rtnl_addr_del(nl, any.ifindex, AF_INET6, a, 0, NULL), 0);
	assert_int_equal(rtnl_addr_add(nl, any.ifindex, AF_INET6, a, 64, true, NULL), 0);
	assert_int_equal(has_made(nl, any.ifindex), 1);
	assert_int_equal(rtnl_route_flush_made(nl, any.ifindex, NULL), 0);
	assert_int_equal(has_made(nl, any.ifindex), 0);
}

/* Two routes may differ in their table alone. */
TEST(routes_in_tables)
{
	static const unsigned int tables[] = {0, 100, 70000};
	struct rtnl *nl = *state;
	struct rtnl_route r = {.metric = 7, .mtu = 1400};
	uint8_t a[4] = {10, 9, 0, 1};

	skip_unless_able();
	r.ifindex = add_pair(nl);
	assert_int_equal(rtnl_link_set_up(nl, r.ifindex, true, NULL), 0);
	assert_int_equal(rtnl_addr_add(nl, r.ifindex, AF_INET, a, 32, false, NULL), 0);
	for (int i = 0; i < 6; i++) {
		r.family = i % 2 ? AF_INET6 : AF_INET;
		r.table = tables[i / 2];
		assert_int_equal(has_default(nl, &r), 0);
		assert_int_equal(rtnl_route_add_default(nl, &r, NULL), 0);
		assert_int_equal(has_default(nl, &r), 1);
		r.mtu = 1300;
		assert_int_equal(has_default(nl, &r), 0);
		assert_int_equal(rtnl_route_add_default(nl, &r, NULL), 0);
		assert_int_equal(rtnl_route_renew_mtu(nl, &r, NULL), 0);
		assert_int_equal(has_default(nl, &r), 1);
		r.mtu = 1400;
		assert_int_equal(has_default(nl, &r), 0);
	}
	for (int i = 0; i < 6; i++) {
		r.family = i % 2 ? AF_INET6 : AF_INET;
		r.table = tables[i / 2];
		assert_int_equal(rtnl_route_del_default(nl, &r, NULL), 0);
		r.mtu = 0;
		assert_int_equal(has_default(nl, &r), 0);
		r.mtu = 1400;
	}
}

static size_t count_rules(struct rtnl *nl, const struct rtnl_rule *wanted)
{
	struct rtnl_snapshot *s = snapshot(nl, 0);
	size_t n = 0;

	while (rtnl_snapshot_rule(s, n))
		n++;
	assert_int_equal(rtnl_snapshot_has_rule(s, wanted), n);
	rtnl_snapshot_free(&s);
	return n;
}

/* Each exists once however often it is added; others with the same selector or priority are left alone. */
TEST(rules)
{
	static const struct rtnl_rule list[] = {
		{.family = AF_INET,
		 .priority = RTNL_RULE_TABLE,
		 .table = 100,
		 .from = {10, 9, 0, 1},
		 .from_len = 32},
		{.family = AF_INET,
		 .priority = RTNL_RULE_LOCAL_NETWORKS,
		 .table = 254,
		 .from = {10, 9, 0, 1},
		 .from_len = 32,
		 .no_default = true},
		{.family = AF_INET, .priority = RTNL_RULE_TABLE, .table = 70000, .oif = "qtest0"},
		{.family = AF_INET6,
		 .priority = RTNL_RULE_TABLE,
		 .table = 4294967295,
		 .from = {0x20, 0x01, 0x0d, 0xb8},
		 .from_len = 64},
		{.family = AF_INET6, .priority = RTNL_RULE_TABLE, .table = 7, .oif = "qtest0"},
	};
	struct rtnl *nl = *state;

	skip_unless_able();
	add_pair(nl);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct rtnl_rule other = list[i];

		assert_int_equal(count_rules(nl, &list[i]), 0);
		assert_int_equal(rtnl_rule_add(nl, &list[i], NULL), 0);
		assert_int_equal(rtnl_rule_add(nl, &list[i], NULL), 0);
		assert_int_equal(count_rules(nl, &list[i]), 1);
		other.table--;
		assert_int_equal(rtnl_rule_del(nl, &other, NULL), 0);
		other.priority = 5;
		assert_int_equal(rtnl_rule_add(nl, &other, NULL), 0);
		assert_int_equal(count_rules(nl, &list[i]), 1);
		assert_int_equal(rtnl_rule_del(nl, &list[i], NULL), 0);
		assert_int_equal(rtnl_rule_del(nl, &list[i], NULL), 0);
		assert_int_equal(count_rules(nl, &list[i]), 0);
		assert_int_equal(rtnl_rule_del(nl, &other, NULL), 0);
	}
}

/* A rule goes with the address, or the last one of the netdev, and with no other netdev's. */
TEST(stale_rules)
{
	static const struct rtnl_rule list[] = {
		{.family = AF_INET6,
		 .priority = RTNL_RULE_TABLE,
		 .table = 100,
		 .from = {0x20, 0x01, 0x0d, 0xb8},
		 .from_len = 64},
		{.family = AF_INET6, .priority = RTNL_RULE_TABLE, .table = 100, .oif = "qtest0"},
	};
	struct rtnl *nl = *state;
	unsigned int ifindex;
	uint8_t a[16];

	skip_unless_able();
	ifindex = add_pair(nl);
	inet_pton(AF_INET6, "2001:db8::7", a);
	assert_int_equal(rtnl_link_set_up(nl, ifindex, true, NULL), 0);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		assert_int_equal(rtnl_addr_add(nl, ifindex, AF_INET6, a, 64, false, NULL), 0);
		assert_int_equal(rtnl_rule_add(nl, &list[i], NULL), 0);
		rtnl_rule_sweep(nl);
		assert_int_equal(count_rules(nl, &list[i]), 1);
		assert_int_equal(rtnl_addr_del(nl, ifindex, AF_INET6, a, 64, NULL), 0);
		rtnl_rule_sweep(nl);
		assert_int_equal(count_rules(nl, &list[i]), 0);
	}
}

static bool differs(struct rtnl *nl, const char *name, const struct rtnl_sysctl *list, size_t n)
{
	struct rtnl_snapshot *s = snapshot(nl, 0);
	const struct rtnl_link *link = rtnl_snapshot_find(s, name);
	bool it_does;

	assert_non_null(link);
	it_does = rtnl_sysctl_differs(link, list, n);
	rtnl_snapshot_free(&s);
	return it_does;
}

/* Each that netlink reports: a value set by /proc shows in the link. */
TEST(sysctls)
{
	static const struct rtnl_sysctl list[] = {{"ipv6", "accept_ra", 0},
						  {"ipv4", "accept_redirects", 0},
						  {"ipv4", "there_is_none", 3}};
	static const struct rtnl_sysctl each[] = {
		{"ipv6", "accept_ra", 2},	 {"ipv6", "autoconf", 0},
		{"ipv6", "accept_ra_defrtr", 0}, {"ipv6", "accept_redirects", 0},
		{"ipv4", "accept_redirects", 0},
	};
	struct rtnl *nl = *state;
	struct error err = {0};

	skip_unless_able();
	add_pair(nl);
	assert_true(differs(nl, "qtest0", list, 3));
	assert_int_equal(rtnl_sysctl_set("", "qtest0", list, 3, &err), 0);
	assert_false(differs(nl, "qtest0", list, 3));
	assert_true(differs(nl, "qtest1", list, 3));
	rtnl_sysctl_reset("", "qtest0", list, 3);
	assert_true(differs(nl, "qtest0", list, 3));
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		assert_true(differs(nl, "qtest1", &each[i], 1));
		assert_int_equal(rtnl_sysctl_set("", "qtest1", &each[i], 1, &err), 0);
		assert_false(differs(nl, "qtest1", &each[i], 1));
	}
	assert_int_equal(rtnl_sysctl_set("qmap-none", "qtest0", list, 3, &err), -ENOENT);
}

/* All links, or one alone, and the facts about it. */
TEST(snapshots)
{
	struct rtnl *nl = *state;
	struct rtnl_snapshot *s;
	uint8_t v4[4] = {10, 9, 0, 1}, v6[16];
	unsigned int ifindex;

	skip_unless_able();
	ifindex = add_pair(nl);
	inet_pton(AF_INET6, "2001:db8::7", v6);
	assert_int_equal(rtnl_link_set_up(nl, ifindex, true, NULL), 0);
	assert_int_equal(rtnl_addr_add(nl, ifindex, AF_INET, v4, 24, false, NULL), 0);
	assert_int_equal(rtnl_addr_add(nl, ifindex, AF_INET6, v6, 64, false, NULL), 0);
	s = snapshot(nl, 0);
	assert_int_equal(rtnl_snapshot_find(s, "qtest0")->ifindex, ifindex);
	assert_string_equal(rtnl_snapshot_link(s, ifindex)->name, "qtest0");
	assert_int_equal(rtnl_snapshot_link(s, ifindex)->mtu, 1400);
	assert_non_null(rtnl_snapshot_find(s, "qtest1"));
	assert_null(rtnl_snapshot_find(s, "qtest9"));
	assert_null(rtnl_snapshot_link(s, 4711));
	assert_true(rtnl_snapshot_has_addr(s, ifindex, AF_INET, v4, 24));
	assert_false(rtnl_snapshot_has_addr(s, ifindex, AF_INET, v4, 25));
	assert_false(rtnl_snapshot_has_addr(s, ifindex + 1, AF_INET, v4, 24));
	assert_true(rtnl_snapshot_has_addr(s, ifindex, AF_INET6, v6, 64));
	rtnl_snapshot_free(&s);
	s = snapshot(nl, ifindex);
	assert_non_null(rtnl_snapshot_link(s, ifindex));
	assert_null(rtnl_snapshot_find(s, "qtest1"));
	assert_true(rtnl_snapshot_has_addr(s, ifindex, AF_INET6, v6, 64));
	rtnl_snapshot_free(&s);
	s = snapshot(nl, 4711); /* a link that is gone is no error */
	assert_null(rtnl_snapshot_link(s, 4711));
	rtnl_snapshot_free(&s);
}

/* In one message, in order: without "up" the kernel would refuse the route. */
TEST(batch)
{
	struct rtnl *nl = *state;
	struct error err = {0};
	struct rtnl_link link;
	unsigned int ifindex;
	uint8_t a[4] = {10, 9, 0, 1};

	skip_unless_able();
	ifindex = add_pair(nl);
	for (int again = 0; again < 2; again++) {
		rtnl_batch_begin(nl);
		assert_int_equal(rtnl_link_set_mtu(nl, ifindex, 1300, &err), 0);
		assert_int_equal(rtnl_link_set_up(nl, ifindex, true, &err), 0);
		assert_int_equal(rtnl_addr_add(nl, ifindex, AF_INET, a, 24, true, &err), 0);
		assert_int_equal(rtnl_route_add_default(nl,
							&(struct rtnl_route){.ifindex = ifindex,
									     .family = AF_INET,
									     .metric = 4711},
							&err),
				 0);
		/* nothing is executed so far */
		assert_int_equal(rtnl_addr_has(nl, ifindex, AF_INET, a, 24, NULL), again);
		assert_int_equal(rtnl_batch_send(nl, &err), 0);
		assert_int_equal(rtnl_addr_has(nl, ifindex, AF_INET, a, 24, NULL), 1);
		assert_int_equal(has_default(nl, &(struct rtnl_route){.ifindex = ifindex,
								      .family = AF_INET,
								      .metric = 4711}),
				 1);
	}
	assert_int_equal(rtnl_link_get_index(nl, ifindex, &link, NULL), 0);
	assert_int_equal(link.mtu, 1300);
	assert_true(link.flags & IFF_UP);
	rtnl_batch_begin(nl);
	assert_int_equal(rtnl_batch_send(nl, &err), 0);
}

/* The first failure is reported, in the kernel's words; the other changes are made. */
TEST(batch_with_failures)
{
	struct rtnl *nl = *state;
	struct error err = {0};
	struct rtnl_link link;
	unsigned int ifindex;

	skip_unless_able();
	ifindex = add_pair(nl);
	rtnl_batch_begin(nl);
	assert_int_equal(rtnl_link_set_mtu(nl, ifindex, 100000, &err), 0);
	assert_int_equal(rtnl_link_set_up(nl, 99999, true, &err), 0);
	assert_int_equal(rtnl_link_set_up(nl, ifindex, true, &err), 0);
	assert_int_equal(rtnl_batch_send(nl, &err), -EINVAL);
	assert_non_null(strstr(err.text, "cannot set the MTU of network device"));
	assert_non_null(strstr(err.text, "mtu greater than device maximum"));
	assert_int_equal(rtnl_link_get_index(nl, ifindex, &link, NULL), 0);
	assert_true(link.flags & IFF_UP);
	/* the batch is over: later changes are sent at once */
	assert_int_equal(rtnl_link_set_mtu(nl, ifindex, 1280, NULL), 0);
	assert_int_equal(rtnl_link_get_index(nl, ifindex, &link, NULL), 0);
	assert_int_equal(link.mtu, 1280);
}

TEST(batch_too_long)
{
	struct rtnl *nl = *state;
	struct error err = {0};
	int ret = 0;

	skip_unless_able();
	rtnl_batch_begin(nl);
	for (int i = 0; i < 100 && !ret; i++)
		ret = rtnl_link_set_up(nl, 99999, true, &err);
	assert_int_equal(ret, -E2BIG);
	assert_non_null(strstr(err.text, "too much at once"));
	assert_int_equal(rtnl_batch_send(nl, &err), -ENODEV);
}

/* More addresses than one batch of the flush, secondaries among them. */
TEST(addresses_v4)
{
	struct rtnl *nl = *state;
	unsigned int ifindex;
	char text[65536];

	skip_unless_able();
	ifindex = add_pair(nl);
	assert_int_equal(rtnl_link_set_up(nl, ifindex, true, NULL), 0);
	for (unsigned int i = 1; i <= 100; i++) {
		uint8_t a[4] = {10, 9, i % 3, i};

		assert_int_equal(rtnl_addr_add(nl, ifindex, AF_INET, a, 24, true, NULL), 0);
	}
	read_text("/proc/net/fib_trie", text, sizeof(text));
	assert_non_null(strstr(text, "10.9.1.100"));
	assert_int_equal(rtnl_addr_flush(nl, ifindex, AF_INET, NULL, 32, NULL), 1);
	read_text("/proc/net/fib_trie", text, sizeof(text));
	assert_null(strstr(text, "10.9."));
}

static unsigned int count_default_v4(const char *dev, unsigned int metric)
{
	char text[8192], want[64];
	unsigned int n = 0;

	read_text("/proc/net/route", text, sizeof(text));
	snprintf(want, sizeof(want), "%s\t00000000\t00000000\t0001\t0\t0\t%u\t", dev, metric);
	for (const char *p = text; (p = strstr(p, want)); p++)
		n++;
	return n;
}

TEST(default_routes)
{
	struct rtnl *nl = *state;
	unsigned int ifindex;
	uint8_t a[4] = {10, 9, 0, 1};
	char text[8192];

	skip_unless_able();
	ifindex = add_pair(nl);
	assert_int_equal(rtnl_link_set_up(nl, ifindex, true, NULL), 0);
	assert_int_equal(rtnl_addr_add(nl, ifindex, AF_INET, a, 32, true, NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(rtnl_route_add_default(nl,
							&(struct rtnl_route){.ifindex = ifindex,
									     .family = AF_INET,
									     .metric = 701},
							NULL),
				 0);
	assert_int_equal(
		rtnl_route_add_default(
			nl,
			&(struct rtnl_route){.ifindex = ifindex, .family = AF_INET, .metric = 702},
			NULL),
		0);
	assert_int_equal(count_default_v4("qtest0", 701), 1);
	assert_int_equal(count_default_v4("qtest0", 702), 1);
	assert_int_equal(
		rtnl_route_del_default(
			nl,
			&(struct rtnl_route){.ifindex = ifindex, .family = AF_INET, .metric = 701},
			NULL),
		0);
	assert_int_equal(
		rtnl_route_del_default(
			nl,
			&(struct rtnl_route){.ifindex = ifindex, .family = AF_INET, .metric = 701},
			NULL),
		0);
	assert_int_equal(count_default_v4("qtest0", 701), 0);
	assert_int_equal(count_default_v4("qtest0", 702), 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(rtnl_route_add_default(nl,
							&(struct rtnl_route){.ifindex = ifindex,
									     .family = AF_INET6,
									     .metric = 701},
							NULL),
				 0);
	read_text("/proc/net/ipv6_route", text, sizeof(text));
	assert_non_null(strstr(text, " 000002bd ")); /* 701 */
	assert_int_equal(
		rtnl_route_del_default(
			nl,
			&(struct rtnl_route){.ifindex = ifindex, .family = AF_INET6, .metric = 701},
			NULL),
		0);
	read_text("/proc/net/ipv6_route", text, sizeof(text));
	assert_null(strstr(text, " 000002bd "));
}

TEST(other_namespace)
{
	struct rtnl *nl = *state, *there = NULL;
	unsigned int ifindex;
	struct rtnl_link link;
	struct stat before, after;

	skip_unless_able();
	ifindex = add_pair(nl);
	assert_int_equal(stat("/proc/self/ns/net", &before), 0);
	assert_int_equal(rtnl_open(&there, OTHER, NULL), 0);
	assert_int_equal(stat("/proc/self/ns/net", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(rtnl_link_get(there, "qtest0", &link, NULL), -ENODEV);
	assert_int_equal(rtnl_link_set_netns(nl, ifindex, OTHER, NULL), 0);
	assert_int_equal(rtnl_link_get(nl, "qtest0", &link, NULL), -ENODEV);
	assert_int_equal(rtnl_link_get(there, "qtest0", &link, NULL), 0);
	assert_int_equal(rtnl_link_del(there, link.ifindex, NULL), 0);
	assert_int_equal(rtnl_link_get(nl, "qtest1", &link, NULL), -ENODEV);
	rtnl_close(&there);
	assert_null(there);
}

TEST(no_such_namespace)
{
	struct rtnl *nl = *state, *there = NULL;
	struct error err = {0};

	skip_unless_able();
	assert_int_equal(rtnl_open(&there, "nowhere", &err), -ENOENT);
	assert_string_equal(err.text, "there is no network namespace \"nowhere\"");
	assert_string_equal(err.hint, "ip netns add nowhere");
	assert_null(there);
	assert_int_equal(rtnl_link_set_netns(nl, 1, "nowhere", NULL), -ENOENT);
}

TEST(features)
{
	static const char *const off[] = {
		"tx-generic-segmentation", "tx-tcp-segmentation", "tx-tcp6-segmentation",
		"tx-tcp-ecn-segmentation", "tx-udp-segmentation", "tx-checksum-ip-generic",
		"tx-scatter-gather",
	};
	struct rtnl *nl = *state;
	struct error err = {0};

	skip_unless_able();
	add_pair(nl);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rtnl_feature_set("qtest0", "rx-gro", true, NULL), 0);
		for (size_t j = 0; j < sizeof(off) / sizeof(off[0]); j++)
			assert_int_equal(rtnl_feature_set("qtest0", off[j], false, NULL), 0);
	}
	assert_int_equal(rtnl_feature_set("qtest0", "rx-gro", false, NULL), 0);
	assert_int_equal(rtnl_feature_set("qtest0", "tx-checksum-ip-generic", true, NULL), 0);
	assert_int_equal(rtnl_feature_set("qtest0", "no-such", true, &err), -EOPNOTSUPP);
	assert_int_equal(err.exit, EXIT_UNSUPPORTED);
	assert_non_null(strstr(err.text, "no-such"));
	/* Known to the kernel, unknown to the device. */
	assert_int_equal(rtnl_feature_set("qtest0", "rx-fcs", true, NULL), -EOPNOTSUPP);
	assert_int_equal(rtnl_feature_set("qtest9", "rx-gro", true, NULL), -ENODEV);
}

struct seen {
	unsigned int links, gone, moved, changed, lost;
	unsigned int changed_ifindex;
	char last_name[IFNAMSIZ], gone_name[IFNAMSIZ];
	char netns[64]; /* of the last event, of a watch */
};

static void on_event(void *arg, const struct rtnl_event *e)
{
	struct seen *s = arg;

	switch (e->kind) {
	case RTNL_LINK:
		s->links++;
		snprintf(s->last_name, IFNAMSIZ, "%s", e->name);
		break;
	case RTNL_LINK_MOVED:
		s->moved++;
		/* fall through */
	case RTNL_LINK_GONE:
		assert_int_not_equal(e->ifindex, 0);
		s->gone++;
		snprintf(s->gone_name, IFNAMSIZ, "%s", e->name);
		break;
	case RTNL_CHANGED:
		s->changed++;
		s->changed_ifindex = e->ifindex;
		break;
	case RTNL_TC_GONE:
	case RTNL_RULE_GONE:
		break;
	case RTNL_LOST:
		s->lost++;
		break;
	}
}

/* Events are queued before the request that caused them is acknowledged. */
static void drain(struct rtnl_monitor *m)
{
	struct pollfd p = {.fd = rtnl_monitor_fd(m), .events = POLLIN};

	while (poll(&p, 1, 0) > 0)
		assert_int_equal(rtnl_monitor_read(m), 0);
}

TEST(monitor_links)
{
	struct rtnl *nl = *state;
	struct rtnl_monitor *m = NULL;
	struct seen s = {0};
	unsigned int ifindex;

	skip_unless_able();
	assert_int_equal(rtnl_monitor_open(&m, NULL, on_event, &s, NULL), 0);
	ifindex = add_pair(nl);
	drain(m);
	assert_in_range(s.links, 2, 20);
	assert_int_equal(s.gone, 0);
	assert_int_equal(rtnl_link_set_netns(nl, ifindex, OTHER, NULL), 0);
	drain(m);
	assert_int_equal(s.gone, 1);
	assert_int_equal(s.moved, 1);
	assert_string_equal(s.gone_name, "qtest0");
	rtnl_monitor_close(&m);
	assert_null(m);
}

TEST(monitor_deletion)
{
	struct rtnl *nl = *state;
	struct rtnl_monitor *m = NULL;
	struct seen s = {0};
	unsigned int ifindex;
	uint8_t a[4] = {10, 9, 0, 1};

	skip_unless_able();
	ifindex = add_pair(nl);
	assert_int_equal(rtnl_addr_add(nl, ifindex, AF_INET, a, 30, true, NULL), 0);
	assert_int_equal(rtnl_monitor_open(&m, NULL, on_event, &s, NULL), 0);
	assert_int_equal(rtnl_addr_flush(nl, ifindex, AF_INET, NULL, 32, NULL), 1);
	drain(m);
	assert_in_range(s.changed, 1, 5); /* the address, and the route to its prefix */
	assert_int_equal(s.changed_ifindex, ifindex);
	assert_int_equal(rtnl_link_del(nl, ifindex, NULL), 0);
	drain(m);
	assert_int_equal(s.gone, 2); /* both ends */
	assert_int_equal(s.moved, 0);
	rtnl_monitor_close(&m);
}

/* More events than the socket's buffer holds: reported once, and the monitor works afterwards. */
TEST(monitor_overrun)
{
	struct rtnl *nl = *state;
	struct rtnl_monitor *m = NULL;
	struct seen s = {0};
	unsigned int ifindex;
	int small = 4096;

	skip_unless_able();
	ifindex = add_pair(nl);
	assert_int_equal(rtnl_monitor_open(&m, NULL, on_event, &s, NULL), 0);
	setsockopt(rtnl_monitor_fd(m), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (unsigned int i = 0; i < 200; i++)
		assert_int_equal(rtnl_link_set_mtu(nl, ifindex, 1300 + i % 2, NULL), 0);
	drain(m);
	assert_in_range(s.lost, 1, 200);
	s.links = 0;
	assert_int_equal(rtnl_link_set_mtu(nl, ifindex, 1350, NULL), 0);
	drain(m);
	assert_int_not_equal(s.links, 0);
	assert_string_equal(s.last_name, "qtest0");
	rtnl_monitor_close(&m);
}

static void on_watch(void *arg, const char *netns, const struct rtnl_event *e)
{
	struct seen *s = arg;

	snprintf(s->netns, sizeof(s->netns), "%s", netns);
	on_event(s, e);
}

/* Deletes a link in namespace OTHER, and reads the events of @base. */
static void delete_in_other(struct event_base *base)
{
	struct rtnl *other = NULL;
	struct rtnl_link link;

	assert_int_equal(rtnl_open(&other, OTHER, NULL), 0);
	assert_int_equal(rtnl_veth_add(other, "qtest5", "qtest6", 1500, NULL), 0);
	assert_int_equal(rtnl_link_get(other, "qtest5", &link, NULL), 0);
	assert_int_equal(rtnl_link_del(other, link.ifindex, NULL), 0);
	rtnl_close(&other);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* One watcher for all users of a namespace, until the last has left it. */
TEST(watch_shared)
{
	struct event_base *base = event_base_new();
	struct rtnl_watch *w = NULL;
	struct seen s = {0};

	skip_unless_able();
	assert_int_equal(rtnl_watch_new(&w, base, on_watch, &s, NULL), 0);
	delete_in_other(base);
	assert_int_equal(s.gone, 0);
	rtnl_watch_use(w, OTHER, 1);
	rtnl_watch_use(w, OTHER, 1);
	delete_in_other(base);
	assert_int_equal(s.gone, 2); /* both ends, each once */
	assert_string_equal(s.netns, OTHER);
	rtnl_watch_use(w, OTHER, -1);
	delete_in_other(base);
	assert_int_equal(s.gone, 4);
	rtnl_watch_again(w, OTHER);
	delete_in_other(base);
	assert_int_equal(s.gone, 6);
	rtnl_watch_use(w, OTHER, -1);
	delete_in_other(base);
	assert_int_equal(s.gone, 6);
	add_pair(*state);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_string_equal(s.netns, "");
	rtnl_watch_free(&w);
	event_base_free(base);
}

/* Addresses change between the parts of a dump: it is repeated until it is consistent. */
TEST(flush_while_others_change)
{
	struct rtnl *nl = *state, *other = NULL;
	unsigned int ifindex;
	char text[65536];

	skip_unless_able();
	ifindex = add_pair(nl);
	assert_int_equal(rtnl_open(&other, NULL, NULL), 0);
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 1; i <= 40; i++) {
			uint8_t a[4] = {10, 9, round, i};

			assert_int_equal(rtnl_addr_add(other, ifindex, AF_INET, a, 32, true, NULL),
					 0);
		}
		assert_int_equal(rtnl_addr_flush(nl, ifindex, AF_INET, NULL, 32, NULL), 1);
	}
	read_text("/proc/net/fib_trie", text, sizeof(text));
	assert_null(strstr(text, "10.9."));
	rtnl_close(&other);
}

struct changer {
	struct rtnl *nl;
	unsigned int ifindex, calls;
};

/* Changes the table while it is being listed. */
static void change_table(const struct nlmsghdr *nlh, void *arg)
{
	struct changer *c = arg;
	uint8_t a[4] = {10, 8, 0, 1};

	if (c->calls++ % 50)
		return;
	rtnl_addr_add(c->nl, c->ifindex, AF_INET, a, 32, true, NULL);
	rtnl_addr_del(c->nl, c->ifindex, AF_INET, a, 32, NULL);
}

/* A table that another process changes without end does not keep the reader for ever. */
TEST(dump_of_a_changing_table)
{
	struct rtnl *nl = *state;
	struct changer c = {0};
	unsigned int dumps = 0;
	int ret;

	skip_unless_able();
	c.ifindex = add_pair(nl);
	assert_int_equal(rtnl_open(&c.nl, NULL, NULL), 0);
	for (unsigned int i = 0; i < 4000; i++) {
		uint8_t a[4] = {10, 9, i / 250, 1 + i % 250};

		assert_int_equal(rtnl_addr_add(nl, c.ifindex, AF_INET, a, 32, true, NULL), 0);
	}
	do {
		ret = rtnl_addr_list(nl, AF_INET, change_table, &c, NULL);
		assert_in_range(++dumps, 1, RTNL_DUMPS);
	} while (ret == -EINTR);
	assert_int_equal(ret, 0);
	assert_int_equal(dumps, RTNL_DUMPS);
	rtnl_close(&c.nl);
}
