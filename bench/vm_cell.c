// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm_cell.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <net/ethernet.h>
#include <time.h>

#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>

#include "daemon/datapath/counters.h"
#include "tests/vm/observe.h"
#include "tests/vm/rmnet.h"
#include "vm_lan.h"
#include "vm_user.h"
#include "vm_xdp.h"

static uint64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

uint64_t cell_clock(void)
{
	return read_clock(CLOCK_MONOTONIC_RAW);
}

uint64_t cell_time(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* ---- where packets end ---- */

/* The netdev on which packets of port @number arrive, with GRO and counters. */
static void receiver(const struct cell *cell, unsigned int number, char name[IFNAMSIZ])
{
	if (cell->xdp)
		vm_xdp_lower(cell->xdp, number, name);
	else
		snprintf(name, IFNAMSIZ, "%s", cell->port[number]);
}

unsigned long long cell_statistic(const char *dev, const char *name)
{
	unsigned long long n;
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", dev, name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%llu", &n) != 1)
		DIE("%s", path);
	fclose(f);
	return n;
}

/* A netdev that takes super-packets whole. */
static void dummy(void)
{
	/* the module creates one when it is loaded */
	if ((!if_nametoindex("dummy0") && nl_add_dummy("dummy0")) || nl_up("dummy0", true))
		DIE("dummy0");
}

static void steer(const char *dev)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/queues/rx-0/rps_cpus", dev);
	f = fopen(path, "we");
	if (!f || fputs("1", f) < 0 || fclose(f))
		DIE("%s", path);
}

void cell_sysctl6(const char *dev, const char *name, const char *value)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", dev, name);
	f = fopen(path, "we");
	if (!f || fputs(value, f) < 0 || fclose(f))
		DIE("%s", path);
}

/*
 * Adds IPv6 to a netdev on which the kernel sends nothing by itself: no router solicitation without
 * a link-local address, no MLD report without multicast, no DAD.
 */
static void address6(const char *dev, const char *text, unsigned int prefix)
{
	struct in6_addr addr;

	cell_sysctl6(dev, "forwarding",
		     "0"); /* leaves the group of routers, which an Ethernet has joined */
	if (nl_multicast(dev, false) || nl_wait_running(dev))
		DIE("%s", dev);
	cell_sysctl6(dev, "addr_gen_mode", "1");
	cell_sysctl6(dev, "accept_ra", "0");
	cell_sysctl6(dev, "disable_ipv6", "0");
	if (inet_pton(AF_INET6, text, &addr) != 1 || nl_add_addr6(dev, &addr, prefix))
		DIE("address of %s", dev);
}

static void address(const char *port, uint32_t addr, unsigned int prefix)
{
	if (nl_add_addr4(port, htonl(addr), prefix) || nl_wait_running(port))
		DIE("address of %s", port);
}

/* 10.N.0.1/16 for port N, so that a packet to 10.N.0.2 leaves through it. */
static void uplink_addresses(struct cell *cell)
{
	unsigned int i;

	for (i = 1; i <= cell->c->ports; i++)
		if (cell->path == BASE)
			nl_add_addr4("dummy0", htonl(0x0a000001 + (i << 16)), 16);
		else
			address(cell->port[i], 0x0a000001 + (i << 16), 16);
}

/* The first flow's destination in packet_make(), and its source beside it. */
static void socket_addresses(struct cell *cell)
{
	if (cell->c->v6)
		address6(cell->port[1], "2001:db8::101", 64);
	else
		address(cell->port[1], 0x0a010001, 8);
}

/* The netdev behind which the destinations of all flows are. */
static const char *destination(const struct cell *cell)
{
	return cell->c->sink == SINK_LAN ? lan_netdev(cell->c) : "dummy0";
}

/* The packets' source is behind the port. */
static void forward_addresses(struct cell *cell)
{
	const char *to = destination(cell);

	if (cell->c->v6) {
		address6(cell->port[1], "2001:db8::2", 126);
		address6(to, "2001:db8::ffff", 112);
	} else {
		address(cell->port[1], 0x0a000002, 24);
		address(to, 0x0a01fffe, 16);
	}
}

static void sinks(struct cell *cell)
{
	unsigned int i;

	if (case_is_uplink(cell->c)) {
		uplink_addresses(cell);
		return;
	}
	if (cell->c->sink == SINK_LAN)
		lan_up(cell);
	if (cell->path == BASE)
		return;
	for (i = 1; i <= cell->ports && cell->c->sink == SINK_TC; i++)
		if (world_tc_ingress(&cell->w, cell->port[i], "drop"))
			DIE("tc");
	if (cell->c->sink == SINK_SOCKET)
		socket_addresses(cell);
	if (cell->c->sink == SINK_FORWARD)
		dummy();
	if (cell->c->sink == SINK_FORWARD || cell->c->sink == SINK_LAN)
		forward_addresses(cell);
}

static void redirect(struct cell *cell)
{
	struct bpf_devmap_val val = {};
	struct bpf_map *map;
	uint32_t zero = 0;

	if (nl_add_veth("veth0", "veth1") || nl_up("veth0", true) || nl_up("veth1", true) ||
	    nl_wait_running("veth0"))
		DIE("veth");
	val.ifindex = if_nametoindex("veth0");
	val.bpf_prog.fd = world_prog(&cell->w, "push_ethernet");
	map = bpf_object__find_map_by_name(cell->w.extra, "out");
	if (bpf_map_update_elem(bpf_map__fd(map), &zero, &val, 0))
		DIE("device map");
	cell->veth =
		bpf_program__attach_xdp(bpf_object__find_program_by_name(cell->w.extra, "xdp_drop"),
					if_nametoindex("veth1"));
	if (!cell->veth ||
	    bpf_link__update_program(
		    cell->w.rx, bpf_object__find_program_by_name(cell->w.extra, "frames_to_map")))
		DIE("XDP");
}

/* ---- the cell ---- */

static bool is_rmnet(enum path path)
{
	return path == RMNET || path == RMNET_OBSERVED;
}

static bool is_observed(enum path path)
{
	return path == RMNET_OBSERVED || path == QMIMUX_OBSERVED;
}

static bool is_qmimux(enum path path)
{
	return path == QMIMUX || path == QMIMUX_OBSERVED;
}

static void data_path(struct cell *cell)
{
	const struct bench_case *c = cell->c;
	char name[IFNAMSIZ];
	unsigned int i;

	if (cell->path == XDP)
		cell->xdp = vm_xdp_up(world_modem(&cell->w), c->ports, c->version);
	if (is_rmnet(cell->path) && rmnet_up(world_modem(&cell->w), "port", c->ports, c->version))
		DIE("rmnet");
	if (is_observed(cell->path))
		cell->observe = observer_up(world_modem(&cell->w), c->ports, c->version,
					    is_qmimux(cell->path));
	if (is_observed(cell->path) && !cell->observe)
		DIE("observer");
	if (cell->path == USER)
		cell->user = vm_user_up(world_modem(&cell->w), c->ports, c->version);
	cell->ports = cell->path == BASE ? 0 : c->ports;
	for (i = 1; i <= cell->ports; i++) {
		if (cell->xdp)
			vm_xdp_port(cell->xdp, i, cell->port[i]);
		else
			snprintf(cell->port[i], IFNAMSIZ, "port%u", i);
		receiver(cell, i, name);
		if (c->feature && world_named_feature(name, c->feature, true))
			DIE("%s", c->feature);
		if (c->steered)
			steer(name);
	}
}

static enum world_modem usb_of(enum path path)
{
	if (path == BASE)
		return WORLD_USB_BARE;
	if (path == USB)
		return WORLD_USB_OWN;
	return is_qmimux(path) ? WORLD_USB_MUX : WORLD_USB;
}

void cell_up(struct cell *cell, const struct bench_case *c, enum path path)
{
	struct world_options o = {.version = c->version, .ports = c->ports};

	memset(cell, 0, sizeof(*cell));
	cell->c = c;
	cell->path = path;
	o.modem_only = path != SHIM && path != USB;
	if (c->usb)
		o.modem = usb_of(path);
	o.rx_bytes = c->rx_bytes;
	o.napi = c->burst;
	if (case_is_uplink(c) || c->host_packets)
		o.trunk = (struct nl_trunk){
			.tx_bytes = c->tx_bytes ?: 16384, .tx_frames = 32, .tx_usecs = 800};
	if (world_new(&cell->w, &o) || world_extra(&cell->w, 0))
		DIE("world");
	if (path == BASE && case_is_uplink(c))
		dummy();
	data_path(cell);
	sinks(cell);
	if (c->sink == SINK_VETH && path == SHIM)
		redirect(cell);
	world_run(&cell->w);
}

void cell_down(struct cell *cell)
{
	world_configure(&cell->w);
	bpf_link__destroy(cell->veth);
	vm_xdp_down(&cell->xdp);
	observer_down(&cell->observe);
	vm_user_down(&cell->user);
	if (is_rmnet(cell->path))
		rmnet_down("port", cell->c->ports);
	if (if_nametoindex("veth0"))
		nl_del("veth0");
	if (if_nametoindex("dummy0"))
		nl_del("dummy0");
	if (cell->c->sink == SINK_LAN)
		lan_down();
	world_free(&cell->w);
}

/*
 * Frames from xdp keep the protocol of the packet inside, which the TUN reports; modem drivers
 * ignore it.
 */
size_t cell_recv(const struct cell *cell, void *buf, size_t size, int ms)
{
	static uint8_t in[AGGREGATE_MAX + sizeof(struct tun_pi)];
	size_t n;

	if (!cell->xdp || cell->w.usb)
		return world_recv(&cell->w, buf, size, ms);
	n = world_read(cell->w.modem, in, sizeof(in), ms);
	if (n <= sizeof(struct tun_pi))
		return 0;
	n -= sizeof(struct tun_pi);
	memcpy(buf, in + sizeof(struct tun_pi), n < size ? n : size);
	return n;
}

const uint8_t *cell_frame(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *p = *at, *packet;

	if (end - p < 4 + 28 + 8)
		return NULL;
	packet = p + 4;
	if (packet[0] >> 4 < 4) /* a checksum header, which does not begin with a version of IP */
		packet += 4;
	*at = packet + (p[2] << 8 | p[3]);
	return packet;
}

void cell_send(const struct cell *cell, const struct packet_spec *s)
{
	struct aggregate *a = calloc(1, sizeof(*a));
	uint8_t packet[PACKET_MAX];

	a->version = cell->c->version;
	a->max = 4096;
	aggregate_add(a, 1, packet, packet_make(packet, s), 0);
	if (world_send(&cell->w, a->data, a->len))
		DIE("send");
	free(a);
}

/* ---- counters ---- */

unsigned long long cell_received(const struct cell *cell)
{
	unsigned long long sum = 0;
	char name[IFNAMSIZ];
	unsigned int i;

	/* a TUN counts a super-packet as one */
	if (cell->user)
		return vm_user_received(cell->user);
	for (i = 1; i <= cell->ports; i++) {
		receiver(cell, i, name);
		sum += cell_statistic(name, "rx_packets");
	}
	return sum;
}

void cell_start(struct cell *cell)
{
	cell->forwarded.skbs = cell_statistic(destination(cell), "tx_packets");
	cell->forwarded.bytes = cell_statistic(destination(cell), "tx_bytes");
}

/* The netdevs count skbs as sent, and an skb of many segments has one set of headers. */
unsigned long long cell_forwarded(const struct cell *cell)
{
	const char *to = destination(cell);
	unsigned long long skbs = cell_statistic(to, "tx_packets") - cell->forwarded.skbs,
			   bytes = cell_statistic(to, "tx_bytes") - cell->forwarded.bytes;

	return case_is_ack(cell->c) ? skbs : bytes - skbs * (ETHER_HDR_LEN + case_headers(cell->c));
}

static void add(struct json_object *drops, const char *reason, unsigned long long n)
{
	if (n)
		json_object_object_add(drops, reason, json_object_new_uint64(n));
}

static void shim_drops(const struct cell *cell, struct json_object *drops)
{
	char name[64];
	unsigned int i;

	for (i = 0; qmap_drop_name(i); i++) {
		uint64_t n;

		snprintf(name, sizeof(name), "drop_%s", qmap_drop_name(i));
		n = world_counter(world_trunk(&cell->w), name);
		add(drops, qmap_drop_name(i), n == UINT64_MAX ? 0 : n);
	}
}

static void xdp_drops(struct cell *cell, struct json_object *drops)
{
	uint64_t all[QMAP_DROP_MAX];

	vm_xdp_drops(cell->xdp, all);
	for (unsigned int i = 0; i < QMAP_DROP_MAX; i++)
		add(drops, qmap_drop_name(i), all[i]);
}

/* rmnet and qmimux have no reasons, netdevs only directions. */
static void netdev_drops(const struct cell *cell, struct json_object *drops)
{
	unsigned long long rx = 0, tx = 0;
	unsigned int i;

	for (i = 1; i <= cell->ports; i++) {
		rx += cell_statistic(cell->port[i], "rx_dropped") +
		      cell_statistic(cell->port[i], "rx_errors");
		tx += cell_statistic(cell->port[i], "tx_dropped");
	}
	add(drops, "port_rx", rx);
	add(drops, "port_tx", tx);
	if (cell->path == BASE && cell->c->usb)
		return; /* the transport alone has no netdev */
	/* qmi_wwan counts each aggregate that it has split there */
	if (!is_qmimux(cell->path))
		add(drops, "trunk_rx", cell_statistic(world_modem(&cell->w), "rx_dropped"));
	add(drops, "trunk_tx", cell_statistic(world_modem(&cell->w), "tx_dropped"));
}

struct json_object *cell_drops(struct cell *cell)
{
	struct json_object *drops = json_object_new_object();

	if (cell->path == SHIM || cell->path == USB)
		shim_drops(cell, drops);
	else if (cell->path == XDP)
		xdp_drops(cell, drops);
	else
		netdev_drops(cell, drops);
	if (cell->user)
		add(drops, "user", vm_user_drops(cell->user));
	return drops;
}

void cell_profiled(unsigned int packets)
{
	fflush(stdout);
	if (getenv("SYMBOLS") &&
	    system("gzip -c /proc/kallsyms | base64 -w 2000 | sed 's/^/SYMBOLS /'"))
		DIE("symbols");
	printf("MARK %s %u\n", vm_bench_at, packets);
}
