// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random changes of everything that an administrator can change, while traffic runs in both
 * directions on all CPUs, with failing allocations if the kernel supports that. Made for the debug
 * kernel, which reports faults: the test itself only checks that the final state equals the initial
 * one.
 *
 *   ROUNDS=500 SEED=3      on the kernel's command line, number of changes and their order
 */
#include "shim_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/if_link.h>

#include "faults.h"
#include "load.h"
#include "netns.h"
#include "proc.h"
#include "qmap/abi.h"
#include "world.h"
#include "build/include/qmap_shim.skel.h"

#define PORTS	     4
#define ROUNDS	     300
#define REPORT_EVERY 50

static struct world world;

static void pause_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

static const char *some_port(void)
{
	static char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "port%u", random_in(1, PORTS));
	return name;
}

static const char *some_device(void)
{
	return chance(20) ? "modem0" : chance(25) ? "trunk0" : some_port();
}

static __attribute__((format(printf, 1, 2))) void run(const char *format, ...)
{
	char command[512];
	va_list ap;
	size_t n = snprintf(command, sizeof(command), "exec >/dev/null 2>&1; ");

	va_start(ap, format);
	vsnprintf(command + n, sizeof(command) - n, format, ap);
	va_end(ap);
	/* The kernel refuses some of this, depending on earlier changes. */
	if (system(command))
		return;
}

/* The file keeps its number, which the threads of the load use. */
static int make_modem(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	dup3(fd, world.modem, O_CLOEXEC); /* closes the old netdev in any namespace */
	close(fd);
	fd = world_tun("modem0", 0, &world.modem_ifindex);
	if (fd < 0)
		return -1;
	dup3(fd, world.modem, O_CLOEXEC);
	close(fd);
	return 0;
}

/* Completes a port of which an earlier attempt failed: without carrier it is not open. */
static int make_port(unsigned int number)
{
	struct qmap_port port = {.flags = QMAP_PORT_UP};
	uint32_t key = number;
	char name[IFNAMSIZ];
	int err = 0;

	snprintf(name, sizeof(name), "port%u", number);
	if (!if_nametoindex(name))
		err = nl_add_port(name, world.trunk_ifindex, number);
	if (err)
		return err;
	port.ifindex = if_nametoindex(name);
	bpf_map_update_elem(bpf_map__fd(world.skel->maps.ports), &key, &port, 0);
	bpf_xdp_attach(port.ifindex, bpf_program__fd(world.skel->progs.qmap_shim_tx), 0, NULL);
	return nl_up(name, true) ?: nl_carrier(name, true);
}

/* Creates missing devices. 0, or a negative errno: some are still missing. */
static int make_missing(void)
{
	const struct nl_trunk t = {.tx_bytes = 8192, .tx_usecs = 300};
	unsigned int i;
	int err = 0;

	if (!if_nametoindex("modem0"))
		err = make_modem();
	if (!err && !if_nametoindex("trunk0")) {
		err = nl_add_trunk("trunk0", if_nametoindex("modem0"), &t);
		bpf_xdp_attach(if_nametoindex("trunk0"),
			       bpf_program__fd(world.skel->progs.qmap_shim_rx), 0, NULL);
	}
	world.trunk_ifindex = if_nametoindex("trunk0");
	for (i = 1; i <= PORTS && !err; i++)
		err = make_port(i);
	return err ?: nl_up("modem0", true) ?: nl_up("trunk0", true);
}

static void replace_programs(void)
{
	int rx = bpf_program__fd(world.skel->progs.qmap_shim_rx), index = if_nametoindex("trunk0");

	bpf_xdp_attach(index, rx, 0, NULL);
	if (chance(40)) {
		bpf_xdp_detach(index, 0, NULL);
		pause_ms(random_in(0, 3));
	}
	bpf_xdp_attach(index, rx, 0, NULL);
}

static void foreign_program(void)
{
	static const char *const names[] = {"plain_pass",     "plain_tx",     "plain_drop",
					    "plain_redirect", "plain_adjust", "plain_garbage"};

	bpf_xdp_attach(if_nametoindex("trunk0"), world_prog(&world, names[random_in(0, 5)]), 0,
		       NULL);
	pause_ms(random_in(0, 20));
	replace_programs();
}

static void port_program(void)
{
	int index = if_nametoindex(some_port());

	if (chance(50))
		bpf_xdp_detach(index, 0, NULL);
	bpf_xdp_attach(index, bpf_program__fd(world.skel->progs.qmap_shim_tx), 0, NULL);
}

static void up_and_down(void)
{
	const char *name = some_device();

	nl_up(name, false);
	pause_ms(random_in(0, 3));
	nl_up(name, true);
}

static void new_port(void)
{
	nl_del(some_port());
}

static void new_trunk(void)
{
	nl_del("trunk0");
}

static void new_modem(void)
{
	nl_del("modem0");
}

static void mtu(void)
{
	const char *name = some_port();

	nl_set_u32(name, IFLA_MTU, random_in(68, 65000));
	pause_ms(random_in(0, 5));
	nl_set_u32(name, IFLA_MTU, 1500);
}

static void threads(void)
{
	proc_write("/sys/class/net/trunk0/threaded", chance(50) ? "1" : "0");
	proc_write("/sys/class/net/trunk0/gro_flush_timeout", chance(50) ? "20000" : "0");
	proc_write("/sys/class/net/trunk0/napi_defer_hard_irqs", chance(50) ? "2" : "0");
}

static void features(void)
{
	static const char *const names[] = {
		"gro",	      "rx-gro-hw", "tso", "sg", "tx", "rx", "gso", "rx-udp-gro-forwarding",
		"rx-gro-list"};

	run("/bin/ethtool -K %s %s %s", some_port(), names[random_in(0, 8)],
	    chance(70) ? "on" : "off");
}

static void limits(void)
{
	const struct nl_trunk t = {.tx_bytes = random_in(1, chance(70) ? 65000 : 3000),
				   .tx_frames = random_in(1, 255),
				   .tx_usecs = random_in(1, 3000),
				   .flow_ms = random_in(1, 100)};

	nl_change_trunk("trunk0", &t);
}

/* Moves a device to another namespace for a while, or ends the namespace that it is in. */
static void namespaces(void)
{
	int here = netns_here(), there = netns_new();
	const char *name = some_device();

	netns_move(name, here, there);
	pause_ms(random_in(0, 10));
	if (chance(70))
		netns_move(name, there, here);
	if (chance(50))
		netns_end(&there, 1);
	else
		close(there);
	close(here);
}

static void redirects(void)
{
	const char *name = some_device();

	run("/bin/tc qdisc replace dev %s clsact; /bin/tc filter replace dev %s %s prio 7 matchall "
	    "action "
	    "mirred egress %s dev %s",
	    name, name, chance(50) ? "ingress" : "egress", chance(50) ? "redirect" : "mirror",
	    some_device());
	pause_ms(random_in(0, 50));
	run("/bin/tc qdisc del dev %s clsact", name);
}

static void queues(void)
{
	const char *name = some_device();

	run("/bin/tc qdisc replace dev %s root %s", name,
	    chance(50) ? "pfifo limit 100" : "tbf rate 5mbit burst 20k latency 20ms");
	pause_ms(random_in(0, 50));
	run("/bin/tc qdisc del dev %s root", name);
}

/* Makes forwarded flows bypass the stack's usual path. */
static void flowtable(void)
{
	run("nft 'table inet f { flowtable t { hook ingress priority 0; devices = { port1, port2 "
	    "}; }; chain c { type "
	    "filter hook forward priority 0; meta l4proto { tcp, udp } flow add @t; } }'");
	pause_ms(random_in(0, 50));
	run("nft flush ruleset");
}

static void taps(void)
{
	int a = world_tap("modem0"), b = world_tap(some_port());

	pause_ms(random_in(0, 10));
	close(a);
	close(b);
}

static void single_pages(void)
{
	proc_write("/proc/sys/net/core/high_order_alloc_disable", chance(50) ? "1" : "0");
}

static void statistics(void)
{
	world_counter("trunk0", "aggregates");
	world_counter(some_port(), "rx_packets");
	run("/bin/ip -s -d link show; /bin/ethtool -c trunk0; /bin/ethtool -k port1");
}

/* Packets: 1 to 5 % of the allocations in softirqs fail, of objects or of pages. */
static void fail_packets(void)
{
	const char *kind = chance(50) ? "failslab" : "fail_page_alloc";

	if (*kind == 'f' && chance(50))
		faults_set("fail_page_alloc", "min-order", random_in(0, 3));
	faults_start(kind, random_in(1, 5), false);
	pause_ms(random_in(20, 120));
	faults_stop(kind);
}

/* Links: 1 to 5 % of this thread's allocations fail. */
static void fail_links(void)
{
	faults_start("failslab", random_in(1, 5), true);
	faults_of_thread(true);
	nl_del(some_port());
	make_missing();
	if (chance(50)) {
		nl_del("trunk0");
		make_missing();
	}
	replace_programs();
	faults_of_thread(false);
	faults_stop("failslab");
}

static const struct action {
	const char *name;
	void (*run)(void);
	bool removes; /* devices, or a part of their state */
} actions[] = {
	{"replace_programs", replace_programs, false},
	{"foreign_program", foreign_program, false},
	{"port_program", port_program, false},
	{"up_and_down", up_and_down, true},
	{"new_port", new_port, true},
	{"new_trunk", new_trunk, true},
	{"new_modem", new_modem, true},
	{"mtu", mtu, false},
	{"threads", threads, false},
	{"features", features, false},
	{"limits", limits, false},
	{"namespaces", namespaces, true},
	{"redirects", redirects, false},
	{"queues", queues, false},
	{"flowtable", flowtable, false},
	{"taps", taps, false},
	{"single_pages", single_pages, false},
	{"statistics", statistics, false},
	{"fail_packets", fail_packets, true},
	{"fail_links", fail_links, true},
};

#define ACTIONS (sizeof(actions) / sizeof(*actions))

/* Both directions work after all that. */
static int still_works(void)
{
	struct packet_spec s = {.udp = true, .flow = 7, .ttl = 64, .payload = 321};
	static struct aggregate a;
	uint8_t sent[PACKET_MAX], came[PACKET_MAX];
	size_t len = packet_make(sent, &s), n;
	int tap = world_tap("port1");

	a = (struct aggregate){.version = 1, .max = 4096};
	aggregate_add(&a, 1, sent, len, 0);
	if (tap < 0 || world_send(&world, a.data, a.len))
		return FAIL("cannot send");
	do
		n = world_read(tap, came, sizeof(came), 5000);
	while (n && (n != len || memcmp(sent, came, len)));
	close(tap);
	return n ? 0 : FAIL("nothing gets in any more");
}

/* A namespace that ends takes its devices with it some time after. */
static bool is_missing(void)
{
	char name[IFNAMSIZ];
	unsigned int i;

	for (i = 1; i <= PORTS; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		if (!if_nametoindex(name))
			return true;
	}
	return !if_nametoindex("modem0") || !if_nametoindex("trunk0");
}

static int restore(void)
{
	unsigned int tries;

	for (tries = 0; tries < 50; tries++) {
		if (!make_missing() && !nl_add_addr4("port1", htonl(LOAD_ADDR), 24))
			return 0;
		pause_ms(20); /* a removed device may keep its name for a while */
	}
	return FAIL("the devices cannot be made again: %s", nl_error());
}

TEST_ON_DEMAND(chaos)
{
	const struct world_options o = {
		.version = 1, .ports = PORTS, .trunk = {.tx_bytes = 8192, .tx_usecs = 300}};
	const char *text = getenv("ROUNDS");
	unsigned int rounds = text ? strtoul(text, NULL, 0) : ROUNDS, i, count[ACTIONS] = {};
	struct load load = {};
	int err;

	proc_write("/proc/sys/net/ipv4/ip_forward", "1");
	if (world_new(&world, &o))
		return -1;
	err = world_extra(&world, 0);
	/* A link would keep other programs from being attached. */
	bpf_link__destroy(world.rx);
	world.rx = NULL;
	for (i = 1; i <= PORTS; i++) {
		bpf_link__destroy(world.tx[i]);
		world.tx[i] = NULL;
	}
	replace_programs();
	load_start(&load, &world);
	for (i = 0; i < rounds && !err; i++) {
		unsigned int k = random_in(0, ACTIONS - 1);

		actions[k].run();
		count[k]++;
		if ((actions[k].removes || is_missing()) && restore())
			err = FAIL("after %s", actions[k].name);
		if (i % REPORT_EVERY == 0)
			printf("  round %u of %u\n", i, rounds);
	}
	load_stop(&load);
	proc_write("/proc/sys/net/core/high_order_alloc_disable", "0");
	replace_programs();
	err = err ?: restore() ?: still_works();
	world_free(&world);
	for (i = 0; i < ACTIONS; i++)
		printf("  %-16s %u\n", actions[i].name, count[i]);
	printf("  %lu aggregates down, %lu transfers up\n", load.down, load.up);
	return err;
}
