// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stack calls a port again while the port sends: by a tc redirect of the netdev below, by a
 * tunnel, by another trunk on top. Nothing may lock up, and afterwards both directions work.
 */
#include "shim_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "proc.h"
#include "world.h"

#define PORTS	2
#define PACKETS 40
#define WAIT_MS 5000
#define STEPS	6

#define REDIRECT(dev, hook, verb, to)                                                              \
	"/bin/tc qdisc replace dev " dev " clsact",                                                \
		"/bin/tc filter add dev " dev " " hook " matchall action mirred " verb " dev " to

struct loop {
	const char *name;
	const char *up[STEPS];	 /* each must work, except those with a '-' in front */
	const char *down[STEPS]; /* may fail: the objects may be gone */
};

/* With paths, because busybox prefers an ip and a tc of its own. */
static const struct loop loops[] = {
	{"egress of the modem to a port",
	 {REDIRECT("modem0", "egress", "egress redirect", "port2")},
	 {"/bin/tc qdisc del dev modem0 clsact"}},
	{"egress of the modem mirrored to a port",
	 {REDIRECT("modem0", "egress", "egress mirror", "port2")},
	 {"/bin/tc qdisc del dev modem0 clsact"}},
	{"egress of the modem to the trunk",
	 {REDIRECT("modem0", "egress", "egress redirect", "trunk0")},
	 {"/bin/tc qdisc del dev modem0 clsact"}},
	{"egress of the modem to its ingress",
	 {REDIRECT("modem0", "egress", "ingress redirect", "modem0")},
	 {"/bin/tc qdisc del dev modem0 clsact"}},
	{"ingress of the modem to a port",
	 {REDIRECT("modem0", "ingress", "egress redirect", "port1")},
	 {"/bin/tc qdisc del dev modem0 clsact"}},
	{"ports to each other",
	 {REDIRECT("port1", "egress", "egress redirect", "port2"),
	  REDIRECT("port2", "egress", "egress redirect", "port1")},
	 {"/bin/tc qdisc del dev port1 clsact", "/bin/tc qdisc del dev port2 clsact"}},
	{"ingress of one port to egress of the other",
	 {REDIRECT("port1", "ingress", "egress redirect", "port2"),
	  REDIRECT("port2", "ingress", "egress redirect", "port1")},
	 {"/bin/tc qdisc del dev port1 clsact", "/bin/tc qdisc del dev port2 clsact"}},
	{"egress of a port to ingress of the modem",
	 {REDIRECT("port1", "egress", "ingress redirect", "modem0")},
	 {"/bin/tc qdisc del dev port1 clsact"}},
	{"tunnels over ports",
	 {"/bin/ip tunnel add t0 mode ipip local 10.100.1.1 remote 10.100.1.2 dev port1",
	  "/bin/ip addr add 10.200.1.1/24 dev t0", "/bin/ip link set t0 up",
	  "/bin/ip route add 10.200.2.0/24 dev t0"},
	 {"/bin/ip link del t0"}},
	{"egress of the modem into a tunnel over a port",
	 {"/bin/ip link add t0 type vxlan id 1 remote 10.100.2.2 dstport 4789 dev port2",
	  "/bin/ip link set t0 up", REDIRECT("modem0", "egress", "egress redirect", "t0")},
	 {"/bin/tc qdisc del dev modem0 clsact", "/bin/ip link del t0"}},
	{"a tunnel over a port whose route is the tunnel",
	 {"/bin/ip tunnel add t0 mode gre local 10.100.1.1 remote 10.99.0.1",
	  "/bin/ip link set t0 up", "/bin/ip route add 10.99.0.1 dev t0",
	  "/bin/ip route replace 10.100.1.2 dev t0"},
	 {"/bin/ip route del 10.100.1.2 dev t0", "/bin/ip link del t0"}},
	{"ports in a bridge, a bond, under a macvlan, a VLAN",
	 {"-/bin/ip link add br0 type bridge && /bin/ip link set port1 master br0",
	  "-/bin/ip link add bond9 type bond && /bin/ip link set port2 down && "
	  "/bin/ip link set port2 master bond9",
	  "-/bin/ip link add mv0 link port1 type macvlan && /bin/ip link set mv0 up",
	  "-/bin/ip link add vl0 link port1 type vlan id 5 && /bin/ip link set vl0 up"},
	 {"/bin/ip link del mv0", "/bin/ip link del vl0",
	  "/bin/ip link set port1 nomaster; /bin/ip link del br0",
	  "/bin/ip link set port2 nomaster; /bin/ip link del bond9",
	  "/bin/ip link set port2 up; /bin/ip link set port2 carrier on",
	  "/bin/ip addr replace 10.100.2.1/24 dev port2"}},
	{"the trunk in a bridge, a bond, under a macvlan, a VLAN",
	 {"-/bin/ip link add br0 type bridge && /bin/ip link set trunk0 master br0",
	  "-/bin/ip link add bond9 type bond && /bin/ip link set trunk0 down && "
	  "/bin/ip link set trunk0 master bond9",
	  "-/bin/ip link add mv0 link trunk0 type macvlan && /bin/ip link set mv0 up",
	  "-/bin/ip link add vl0 link trunk0 type vlan id 5 && /bin/ip link set vl0 up"},
	 {"/bin/ip link del mv0", "/bin/ip link del vl0",
	  "/bin/ip link set trunk0 nomaster; /bin/ip link del br0",
	  "/bin/ip link set trunk0 nomaster; /bin/ip link del bond9",
	  "/bin/ip link set trunk0 up"}},
};

static int run(const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "(%s) >/tmp/step 2>&1", command);
	return system(line);
}

static uint32_t host_addr(unsigned int port)
{
	return 0x0a640001 + (port << 8);
}

/* Sends UDP through each port, to the addresses behind a tunnel, and aggregates from the modem. */
static void traffic(const struct world *w)
{
	static const uint32_t more[] = {0x0ac80102, 0x0ac80202};
	static uint8_t buf[AGGREGATE_MAX], data[1000];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(4000)};
	struct packet_spec s = {.udp = true, .flow = 1, .ttl = 64, .payload = 100};
	static struct aggregate a;
	unsigned int i;

	for (i = 0; i < PACKETS; i++) {
		to.sin_addr.s_addr =
			htonl(i % 4 < PORTS ? host_addr(i % 4 + 1) + 1 : more[i % 4 - PORTS]);
		sendto(fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
		a = (struct aggregate){.version = 1, .max = 4096};
		while (aggregate_add(&a, 1 + i % PORTS, buf, packet_make(buf, &s), 0))
			;
		world_send(w, a.data, a.len);
		while (world_recv(w, buf, sizeof(buf), 0))
			;
	}
	close(fd);
}

static int gets_in(const struct world *w, unsigned int port)
{
	struct packet_spec s = {.udp = true, .flow = 7, .ttl = 64, .payload = 321};
	static struct aggregate a;
	uint8_t sent[PACKET_MAX], came[PACKET_MAX];
	size_t len = packet_make(sent, &s), n;
	char name[IFNAMSIZ];
	int tap, err;

	snprintf(name, sizeof(name), "port%u", port);
	tap = world_tap(name);
	a = (struct aggregate){.version = 1, .max = 4096};
	aggregate_add(&a, port, sent, len, 0);
	err = tap < 0 || world_send(w, a.data, a.len);
	n = err ? 0 : world_read(tap, came, sizeof(came), WAIT_MS);
	close(tap);
	return n == len && !memcmp(sent, came, len) ? 0 : FAIL("%s: nothing gets in", name);
}

/* Sends a payload of a size that no other packet has. */
static int gets_out(const struct world *w, unsigned int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(4000),
				 .sin_addr.s_addr = htonl(host_addr(port) + 1)};
	static uint8_t data[773], buf[AGGREGATE_MAX];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t len;

	sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to));
	close(fd);
	while ((len = world_recv(w, buf, sizeof(buf), WAIT_MS)))
		if (buf[1] == port && (buf[2] << 8 | buf[3]) >= 28 + (int)sizeof(data) &&
		    (buf[2] << 8 | buf[3]) < 32 + (int)sizeof(data))
			return 0;
	return FAIL("port%u: nothing gets out", port);
}

static int works(const struct world *w)
{
	char name[IFNAMSIZ];

	for (unsigned int i = 1; i <= PORTS; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		if (nl_wait_running("trunk0") || nl_wait_running(name))
			return FAIL("%s: %s", name, nl_error());
		if (gets_in(w, i) || gets_out(w, i))
			return -1;
	}
	return 0;
}

static int up(const struct loop *l)
{
	char why[256];
	unsigned int i;

	for (i = 0; i < STEPS && l->up[i]; i++) {
		if (!run(l->up[i] + (*l->up[i] == '-')) || *l->up[i] == '-')
			continue;
		proc_read("/tmp/step", why, sizeof(why));
		return FAIL("%s: %s", l->up[i], why);
	}
	return 0;
}

static int in_world(const struct loop *l, int (*work)(const struct world *w, const struct loop *l),
		    uint32_t tx_bytes)
{
	const struct world_options o = {
		.version = 1, .ports = PORTS, .trunk = {.tx_bytes = tx_bytes}};
	struct world w;
	char name[IFNAMSIZ];
	unsigned int i;
	int err = 0;

	if (world_new(&w, &o))
		return -1;
	for (i = 1; i <= PORTS; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		if (nl_add_addr4(name, htonl(host_addr(i)), 24))
			err = FAIL("%s: %s", name, nl_error());
	}
	err = err ?: works(&w) ?: work(&w, l) ?: works(&w);
	world_free(&w);
	return err;
}

static int loop_work(const struct world *w, const struct loop *l)
{
	int err = up(l);
	unsigned int i;

	if (!err)
		traffic(w);
	for (i = 0; i < STEPS && l->down[i]; i++)
		run(l->down[i]);
	return err;
}

/*
 * With PREEMPT_RT the kernel holds a qdisc's busylock while the netdev sends (net/core/dev.c,
 * __dev_xmit_skb()), and takes it again when the packet comes back to that netdev: a deadlock of any
 * tunnel whose lower netdev is redirected to it. pfifo_fast has no such lock.
 */
static bool is_realtime(void)
{
	return !access("/sys/kernel/realtime", F_OK);
}

static int each_loop(void)
{
	size_t i;

	for (i = 0; i < sizeof(loops) / sizeof(*loops); i++) {
		printf("  %s\n", loops[i].name);
		if (in_world(&loops[i], loop_work, 0) || in_world(&loops[i], loop_work, 16384))
			return FAIL("%s", loops[i].name);
	}
	return 0;
}

TEST(loops)
{
	static const char path[] = "/proc/sys/net/core/default_qdisc";
	char usual[64];
	int err;

	if (!is_realtime())
		return each_loop();
	if (proc_read(path, usual, sizeof(usual)) < 0 || proc_write(path, "pfifo_fast"))
		return FAIL("%s", path);
	err = each_loop();
	proc_write(path, usual);
	return err;
}

/* A trunk and port9 over a tunnel over port1: nested aggregators. */
static int stack(const struct world *w, struct bpf_link **tx)
{
	static const struct loop tunnel = {.up = {"/bin/ip link add t0 type gretap local "
						  "10.100.1.1 remote 10.100.1.2 dev port1",
						  "/bin/ip link set t0 up"}};
	const struct nl_trunk t = {.tx_bytes = 4096};

	if (up(&tunnel))
		return -1;
	if (nl_add_trunk("trunk1", if_nametoindex("t0"), &t) ||
	    nl_add_port("port9", if_nametoindex("trunk1"), 9) || nl_up("trunk1", true) ||
	    nl_up("port9", true) || nl_carrier("port9", true) || nl_wait_running("port9") ||
	    nl_add_addr4("port9", htonl(0x0ac80101), 24))
		return FAIL("port9: %s", nl_error());
	*tx = bpf_program__attach_xdp(world_tx_prog(w), if_nametoindex("port9"));
	return *tx ? 0 : FAIL("no program");
}

static int unstack(struct bpf_link *tx)
{
	bpf_link__destroy(tx);
	run("/bin/ip link del t0");
	return if_nametoindex("trunk1") || if_nametoindex("port9") ? FAIL("links are left behind")
								   : 0;
}

static int stacked_work(const struct world *w, const struct loop *l)
{
	struct bpf_link *tx = NULL;
	int err = stack(w, &tx) ?: l ? up(l) : 0;
	unsigned int i;

	if (!err) {
		traffic(w);
		if (!world_counter("port9", "tx_packets"))
			err = FAIL("nothing has gone through both");
	}
	for (i = 0; l && i < STEPS && l->down[i]; i++)
		run(l->down[i]);
	return unstack(tx) ?: err;
}

TEST(stacked)
{
	return in_world(NULL, stacked_work, 0) ?: in_world(NULL, stacked_work, 16384);
}

/*
 * A packet from port1 comes back through port9 while port1 is sending: port9 holds a lock of its
 * queue (pfifo_fast's) when one of port1's is taken. That is no deadlock, but lockdep, on the debug
 * kernel, would report one if the queues of ports had locks of one class.
 */
TEST(lock_classes)
{
	static const struct loop back = {
		.up = {"/bin/tc qdisc replace dev port1 root pfifo limit 100",
		       "/bin/tc qdisc replace dev port9 root pfifo_fast",
		       "/bin/ip link add t1 type vxlan id 1 remote 10.200.1.2 dstport 4789 "
		       "dev port9 df set && /bin/ip link set t1 up",
		       REDIRECT("modem0", "egress", "egress redirect", "t1")},
		.down = {"/bin/tc qdisc del dev modem0 clsact", "/bin/ip link del t1",
			 "/bin/tc qdisc del dev port1 root"}};

	if (is_realtime()) {
		skipped = "a kernel with PREEMPT_RT deadlocks in this loop";
		return 0;
	}
	return in_world(&back, stacked_work, 0) ?: in_world(&back, stacked_work, 16384);
}

/* Packets from a packet socket: empty, too short for a header, longer than the room. */
static int sockets_work(const struct world *w, __attribute__((unused)) const struct loop *l)
{
	static const char *const names[] = {"port1", "trunk0", "port2", "modem0"};
	static const int sizes[] = {1, 19, 20, 21, 39, 40, 100, 1500};
	static const uint16_t protocols[] = {ETH_P_IP, ETH_P_IPV6, 0x00f9, ETH_P_ARP};
	static uint8_t data[1500], buf[AGGREGATE_MAX];
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned int i;

	if (fd < 0)
		return FAIL("packet socket: %s", strerror(errno));
	for (i = 0; i < 4 * 4 * 8; i++) {
		to.sll_ifindex = if_nametoindex(names[i % 4]);
		to.sll_protocol = htons(protocols[i / 4 % 4]);
		memset(data, 0, sizeof(data));
		data[0] = protocols[i / 4 % 4] == ETH_P_IPV6 ? 0x60 : 0x45;
		sendto(fd, data, sizes[i / 16], MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
		while (world_recv(w, buf, sizeof(buf), 0))
			;
	}
	close(fd);
	return 0;
}

TEST(packet_sockets)
{
	return in_world(NULL, sockets_work, 0) ?: in_world(NULL, sockets_work, 16384);
}

#define TARGET "/sys/kernel/config/netconsole/port1"

static int target_set(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), TARGET "/%s", file);
	return proc_write(path, text);
}

/* Kernel messages leave with interrupts off; a port may refuse to carry them. */
static int netconsole_work(const struct world *w, __attribute__((unused)) const struct loop *l)
{
	char level[64] = "";
	int err;

	mount("configfs", "/sys/kernel/config", "configfs", 0, NULL);
	if (run("mkdir " TARGET)) {
		skipped = "no netconsole that is configured at run time";
		return 0;
	}
	target_set("dev_name", "port1");
	target_set("local_ip", "10.100.1.1");
	target_set("remote_ip", "10.100.1.2");
	err = target_set("enabled", "1");
	printf("  netconsole over a port: %s\n", err ? strerror(-err) : "works");
	proc_read("/proc/sys/kernel/printk", level, sizeof(level));
	proc_write("/proc/sys/kernel/printk", "8");
	for (err = 0; err < 20; err++)
		proc_write("/dev/kmsg", "<5>netconsole: a line for the port\n");
	traffic(w);
	proc_write("/proc/sys/kernel/printk", level);
	target_set("enabled", "0");
	run("rmdir " TARGET);
	return 0;
}

TEST(netpoll)
{
	return in_world(NULL, netconsole_work, 0);
}
