// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vm_bench METHOD ROUNDS [CASE...]: what one packet costs by way of the shim, of kernel rmnet and,
 * on a modem on USB, of qmimux.
 *
 * Runs inside a guest. Under QEMU's -icount shift=0 the guest's clock counts instructions, so the
 * same reading is "insns" there and "ns" elsewhere; METHOD only labels it. Paths are interleaved,
 * round by round; what making and injecting an aggregate costs is measured on a TUN that nobody
 * listens on ("base") and subtracted. One "DATA {json}" line per case and path.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "qmap/abi.h"
#include "build/include/qmap_shim.skel.h"
#include "tests/vm/nl.h"
#include "tests/vm/packets.h"
#include "tests/vm/rmnet.h"
#include "tests/vm/world.h"

#define WARM	   100 /* aggregates before the clock starts */
#define MEASURED   400 /* aggregates */
#define ROUNDS_MAX 15
#define SENDS	   2000
#define DIE(...)                                                                                   \
	do {                                                                                       \
		printf("FAIL vm_bench: " __VA_ARGS__);                                             \
		printf(" (%s) %s\n", strerror(errno), nl_error());                                 \
		exit(1);                                                                           \
	} while (0)

enum path {
	BASE,
	SHIM,
	RMNET,
	QMIMUX,
	PATHS
};
static const char *const path_names[] = {"base", "shim", "rmnet", "qmimux"};

enum sink {
	SINK_TC,
	SINK_SOCKET,
	SINK_FORWARD,
	SINK_VETH,
	SINK_SEND,
	SINK_SEND_GSO
};

static const struct bench_case {
	const char *name;
	int version;
	bool udp;
	unsigned int frames, packet; /* bytes of a packet; 0: IMIX */
	unsigned int ports;
	enum sink sink;
	const char *against; /* rmnet figure of another case */
	const char *feature; /* of both paths' ports, switched on */
	bool usb; /* on the stock qmi_wwan, with qmimux for a peer, which knows v1 alone */
	/* Of the grid: what differs from 21 x 1400 B of one TCP flow, v5, dropped at tc. */
	const char *factor;
	unsigned int x;	    /* its value */
	unsigned int flows; /* 0: one */
} cases[] = {
#define CASE(n, v, u, f, p, m, s, ...)                                                             \
	{                                                                                          \
		.name = (n), .version = (v), .udp = (u), .frames = (f), .packet = (p),             \
		.ports = (m), .sink = (s), __VA_ARGS__                                             \
	}
	CASE("tcp-socket-v5", 5, false, 21, 1400, 1, SINK_SOCKET),
	CASE("tcp-socket-v1", 1, false, 21, 1400, 1, SINK_SOCKET),
	CASE("tcp-forward-v5", 5, false, 21, 1400, 1, SINK_FORWARD),
	CASE("tcp-forward-v1", 1, false, 21, 1400, 1, SINK_FORWARD),
	CASE("udp-forward", 1, true, 21, 1400, 1, SINK_FORWARD),
	CASE("udp-forward-gro", 1, true, 21, 1400, 1, SINK_FORWARD,
	     .feature = "rx-udp-gro-forwarding"),
	CASE("tcp-drop-4mux", 1, false, 21, 1400, 4, SINK_TC),
	CASE("tcp-drop-v5", 5, false, 21, 1400, 1, SINK_TC),
	CASE("udp-drop", 1, true, 21, 1400, 1, SINK_TC),
	CASE("udp-drop-64mux", 1, true, 21, 1400, 64, SINK_TC),
	CASE("udp100-drop", 1, true, 50, 100, 1, SINK_TC),
	CASE("redirect-veth", 1, true, 21, 1400, 1, SINK_VETH, .against = "udp-drop"),
	CASE("ul-gso", 5, true, 1, 1400, 1, SINK_SEND_GSO),
	CASE("ul-single", 5, true, 1, 1400, 1, SINK_SEND),
	CASE("usb-tcp-socket", 1, false, 21, 1400, 1, SINK_SOCKET, .usb = true),
	CASE("usb-tcp-forward", 1, false, 21, 1400, 1, SINK_FORWARD, .usb = true),
	CASE("usb-tcp-drop", 1, false, 21, 1400, 1, SINK_TC, .usb = true),
	CASE("usb-tcp-drop-4mux", 1, false, 21, 1400, 4, SINK_TC, .usb = true),
	CASE("usb-udp-drop", 1, true, 21, 1400, 1, SINK_TC, .usb = true),
#define GRID(what, value, v, u, f, p, m, ...)                                                      \
	CASE(what "-" #value, v, u, f, p, m, SINK_TC, .factor = (what), .x = (value), __VA_ARGS__)
	GRID("aggregate-kb", 4, 5, false, 2, 1400, 1),
	GRID("aggregate-kb", 8, 5, false, 5, 1400, 1),
	GRID("aggregate-kb", 16, 5, false, 11, 1400, 1),
	GRID("aggregate-kb", 31, 5, false, 22, 1400, 1),
	GRID("packet-bytes", 40, 5, true, 21, 40, 1),
	GRID("packet-bytes", 128, 5, true, 21, 128, 1),
	GRID("packet-bytes", 576, 5, true, 21, 576, 1),
	GRID("packet-bytes", 1500, 5, true, 21, 1500, 1),
	GRID("tcp-packet-bytes", 80, 5, false, 21, 80, 1),
	GRID("tcp-packet-bytes", 576, 5, false, 21, 576, 1),
	GRID("tcp-packet-bytes", 1500, 5, false, 21, 1500, 1),
	GRID("pdns", 1, 5, false, 21, 1400, 1),
	GRID("pdns", 4, 5, false, 21, 1400, 4),
	GRID("pdns", 16, 5, false, 21, 1400, 16),
	GRID("pdns", 64, 5, false, 64, 400, 64),
	GRID("flows", 1, 5, false, 21, 1400, 1),
	GRID("flows", 10, 5, false, 21, 1400, 1, .flows = 10),
	GRID("flows", 100, 5, false, 21, 1400, 1, .flows = 100),
	GRID("flows", 1000, 5, false, 21, 1400, 1, .flows = 1000),
	GRID("version", 1, 1, false, 21, 1400, 1),
	GRID("version", 4, 4, false, 21, 1400, 1),
	GRID("version", 5, 5, false, 21, 1400, 1),
	CASE("imix-udp", 5, true, 36, 0, 1, SINK_TC),
	CASE("imix-tcp", 5, false, 36, 0, 1, SINK_TC),
};
#define N_CASES (sizeof(cases) / sizeof(*cases))

static double results[N_CASES][PATHS][ROUNDS_MAX];
static unsigned long long sent[N_CASES][PATHS], lost[N_CASES][PATHS];

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* ---- aggregates: made once, sequence numbers and ids moved on for each use ---- */

#define STREAMS 1001

/* A frame of the aggregate, and the flow that it is of at present. */
struct slot {
	uint8_t *packet;
	unsigned int port, flow, payload;
};

struct generator {
	const struct bench_case *c;
	struct aggregate a;
	struct slot slots[64];
	unsigned int next_flow;
	uint32_t seq[STREAMS]; /* by flow or, where there is one, by port */
	uint16_t id[STREAMS];
};

/* TCP headers do not fit in the smallest packets of the mix: these get 20 bytes more. */
static unsigned int packet_len(const struct bench_case *c, unsigned int i)
{
	static const unsigned int imix[] = {40, 576, 40, 40, 576, 40, 1500, 40, 576, 40, 40, 576};
	unsigned int len = c->packet ? c->packet : imix[i % (sizeof(imix) / sizeof(*imix))];

	return !c->packet && !c->udp && len < 60 ? 60 : len;
}

static unsigned int headers(const struct bench_case *c)
{
	return c->udp ? 28 : 40;
}

static void generator_init(struct generator *g, const struct bench_case *c, uint32_t seq,
			   uint32_t ack)
{
	struct packet_spec s = {.udp = c->udp,
				.flow = 1,
				.ttl = 64,
				.flags = 0x10,
				.frag = 0x4000,
				.window = 0xffff,
				.seq = seq,
				.ack = ack};
	uint8_t packet[PACKET_MAX];
	unsigned int i;

	memset(g, 0, sizeof(*g));
	g->c = c;
	g->a.version = c->version;
	g->a.max = AGGREGATE_MAX;
	g->a.csum_ok = true;
	for (i = 0; i < STREAMS; i++)
		g->seq[i] = seq;
	for (i = 0; i < c->frames; i++) {
		struct slot *slot = &g->slots[i];

		slot->port = 1 + i % c->ports;
		slot->flow = 1;
		slot->payload = s.payload = packet_len(c, i) - headers(c);
		slot->packet = g->a.data + g->a.len + (c->version == 5 ? 8 : 4);
		if (!aggregate_add(&g->a, slot->port, packet, packet_make(packet, &s), 0))
			DIE("aggregate");
	}
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

/* RFC 1624: a checksum after 16 bits have changed. */
static void fix(uint8_t *sum, uint16_t old, uint16_t new)
{
	uint32_t s = (uint16_t)~get16(sum) + (uint16_t)~old + new;

	s = (s & 0xffff) + (s >> 16);
	put16(sum, ~((s & 0xffff) + (s >> 16)));
}

/* 16 bits at @at become @value, and the sum that covers them follows. */
static void set16(uint8_t *at, uint16_t value, uint8_t *sum)
{
	fix(sum, get16(at), value);
	put16(at, value);
}

/* As packet_make() makes addresses and ports of a flow. */
static void set_flow(struct slot *s, unsigned int flow, uint8_t *l4_sum)
{
	uint8_t *p = s->packet;

	fix(l4_sum, get16(p + 18), flow);
	set16(p + 18, flow, p + 10);
	set16(p + 20, 5000 + flow, l4_sum);
	s->flow = flow;
}

static void generator_next(struct generator *g)
{
	unsigned int i, stream, flows = g->c->flows;

	for (i = 0; i < g->c->frames; i++) {
		struct slot *s = &g->slots[i];
		uint8_t *p = s->packet, *l4_sum = p + (g->c->udp ? 26 : 36);

		if (flows > 1)
			set_flow(s, 1 + g->next_flow++ % flows, l4_sum);
		stream = flows > 1 ? s->flow : s->port;
		set16(p + 4, g->id[stream]++, p + 10);
		if (g->c->udp)
			continue;
		set16(p + 24, g->seq[stream] >> 16, l4_sum);
		set16(p + 26, g->seq[stream], l4_sum);
		g->seq[stream] += s->payload;
	}
}

/* ---- one cell ---- */

struct cell {
	const struct bench_case *c;
	enum path path;
	struct world w;
	int listener, sock;
	struct bpf_link *veth;
};

static void cell_sinks(struct cell *cell)
{
	char name[IFNAMSIZ];
	unsigned int i;

	if (cell->path == BASE)
		return;
	for (i = 1; i <= cell->c->ports; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		if (cell->c->sink == SINK_TC && world_tc_ingress(&cell->w, name, "drop"))
			DIE("tc");
	}
	if (cell->c->sink == SINK_SOCKET || cell->c->sink >= SINK_SEND)
		if (nl_add_addr4("port1", htonl(0x0a010001), 8) || nl_wait_running("port1"))
			DIE("address");
	if (cell->c->sink == SINK_FORWARD &&
	    (nl_add_addr4("port1", htonl(0x0a000002), 24) || nl_wait_running("port1") ||
	     (!if_nametoindex("dummy0") && nl_add_dummy("dummy0")) || nl_up("dummy0", true) ||
	     nl_add_addr4("dummy0", htonl(0x0a0100fe), 24)))
		DIE("dummy0");
}

static void cell_redirect(struct cell *cell)
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

static void cell_up(struct cell *cell, const struct bench_case *c, enum path path)
{
	struct world_options o = {.version = c->version, .ports = c->ports};

	memset(cell, 0, sizeof(*cell));
	cell->c = c;
	cell->path = path;
	cell->listener = cell->sock = -1;
	o.modem_only = path != SHIM;
	if (c->usb)
		o.modem = path == QMIMUX ? WORLD_USB_MUX : WORLD_USB;
	if (c->sink >= SINK_SEND)
		o.trunk = (struct nl_trunk){.tx_bytes = 16384, .tx_frames = 32, .tx_usecs = 800};
	if (world_new(&cell->w, &o) || world_extra(&cell->w, 0))
		DIE("world");
	if (path == RMNET && rmnet_up(world_modem(&cell->w), "port", c->ports, c->version))
		DIE("rmnet");
	if (c->feature && path != BASE && world_named_feature("port1", c->feature, true))
		DIE("%s", c->feature);
	cell_sinks(cell);
	if (c->sink == SINK_VETH && path == SHIM)
		cell_redirect(cell);
	world_run(&cell->w);
}

static void cell_down(struct cell *cell)
{
	world_configure(&cell->w);
	if (cell->sock >= 0)
		close(cell->sock);
	if (cell->listener >= 0)
		close(cell->listener);
	bpf_link__destroy(cell->veth);
	if (cell->path == RMNET)
		rmnet_down("port", cell->c->ports);
	if (if_nametoindex("veth0"))
		nl_del("veth0");
	if (if_nametoindex("dummy0"))
		nl_del("dummy0");
	world_free(&cell->w);
}

/* ---- downlink ---- */

static void send_one(struct cell *cell, const struct packet_spec *s)
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

/* A connection whose other end is the generator. Returns the acknowledgement number to use. */
static uint32_t handshake(struct cell *cell, uint32_t seq)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct packet_spec s = {.flow = 1,
				.ttl = 64,
				.flags = 0x02,
				.window = 0xffff,
				.seq = seq,
				.options = "\x02\x04\x05\x50",
				.options_len = 4};
	const struct linger at_once = {.l_onoff = 1};
	int size = 8 << 20, on = 1;
	uint8_t buf[4096], *ip;
	size_t len;

	cell->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(cell->listener, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(cell->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(cell->listener, (struct sockaddr *)&at, sizeof(at)) || listen(cell->listener, 1))
		DIE("listen");
	send_one(cell, &s);
	len = world_recv(&cell->w, buf, sizeof(buf), 1000);
	ip = buf + (cell->c->version == 5 ? 8 : 4);
	if (len < 48 || ip[33] != 0x12)
		DIE("%s: no SYN-ACK but %zu bytes", path_names[cell->path], len);
	s.ack = (ip[24] << 24 | ip[25] << 16 | ip[26] << 8 | ip[27]) + 1;
	s.seq++;
	s.flags = 0x10;
	s.options_len = 0;
	send_one(cell, &s);
	cell->sock = accept4(cell->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (cell->sock < 0)
		DIE("accept");
	/* Closing must leave nothing behind that answers the next cell's SYN. */
	setsockopt(cell->sock, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	/* Its acknowledgements are none of the receive path's business. */
	if (world_tc_egress(&cell->w, "port1", "drop"))
		DIE("tc egress");
	return s.ack;
}

/* Waits for what was sent, so that nothing piles up. Discards without copying. */
static void read_socket(struct cell *cell)
{
	struct pollfd pfd = {.fd = cell->sock, .events = POLLIN};
	size_t want = cell->c->frames * (cell->c->packet - 40);
	ssize_t n;

	while (want) {
		n = recv(cell->sock, NULL, want, MSG_TRUNC | MSG_DONTWAIT);
		/* A softirq may have been left to its thread. */
		if (n < 0 && errno == EAGAIN && poll(&pfd, 1, 1000) == 1)
			continue;
		if (n <= 0)
			DIE("socket is short of %zu bytes", want);
		want -= n;
	}
}

/* Packets that the ports have received. */
static unsigned long long received(const struct cell *cell)
{
	unsigned long long sum = 0, n;
	unsigned int i;
	char path[80];
	FILE *f;

	for (i = 1; i <= cell->c->ports && cell->path != BASE; i++) {
		snprintf(path, sizeof(path), "/sys/class/net/port%u/statistics/rx_packets", i);
		f = fopen(path, "re");
		if (!f || fscanf(f, "%llu", &n) != 1)
			DIE("%s", path);
		fclose(f);
		sum += n;
	}
	return sum;
}

/*
 * Waits until @sent aggregates' packets have come out of the ports: what is still on its way, as in
 * a backlog that was left to ksoftirqd, would cost nothing. Returns how many packets are missing. A
 * redirected packet never reaches a port.
 */
static unsigned long long drain(const struct cell *cell, unsigned long long before,
				unsigned int aggregates)
{
	unsigned long long want = before + (unsigned long long)aggregates * cell->c->frames, got;
	uint64_t end = now() + 1000000000ULL;

	if (cell->path == BASE || cell->c->sink == SINK_VETH)
		return 0;
	while ((got = received(cell)) < want && now() < end)
		sched_yield();
	return want - got;
}

static double downlink(const struct bench_case *c, enum path path)
{
	static struct generator g;
	struct cell cell;
	uint64_t start = 0;
	unsigned long long before;
	uint32_t ack = 1;
	unsigned int i;

	cell_up(&cell, c, path);
	if (c->sink == SINK_SOCKET && path != BASE)
		ack = handshake(&cell, 1000);
	generator_init(&g, c, 1001, ack);
	before = received(&cell);
	for (i = 0; i < WARM + MEASURED; i++) {
		if (i == WARM) {
			drain(&cell, before, WARM);
			start = now();
		}
		generator_next(&g);
		if (world_send(&cell.w, g.a.data, g.a.len))
			DIE("send");
		if (cell.sock >= 0)
			read_socket(&cell);
	}
	lost[c - cases][path] += drain(&cell, before, WARM + MEASURED);
	sent[c - cases][path] += (WARM + MEASURED) * c->frames;
	start = now() - start;
	cell_down(&cell);
	return (double)start / (MEASURED * c->frames);
}

/* ---- uplink: the whole way from send() to read() on the TUN ---- */

static double uplink(const struct bench_case *c, enum path path)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(4000),
				 .sin_addr.s_addr = htonl(0x0a000001)};
	static uint8_t data[65536], buf[AGGREGATE_MAX];
	unsigned int segments = c->sink == SINK_SEND_GSO ? 40 : 1, size = c->packet - 28, i;
	unsigned int sends = SENDS / segments;
	struct cell cell;
	uint64_t start = 0;
	int fd;

	if (path == BASE)
		return 0;
	cell_up(&cell, c, path);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    (segments > 1 && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size))))
		DIE("UDP socket");
	for (i = 0; i < sends + sends / 4; i++) {
		if (i == sends / 4)
			start = now();
		if (send(fd, data, size * segments, 0) != (ssize_t)(size * segments))
			DIE("send");
		while (world_recv(&cell.w, buf, sizeof(buf), 0))
			;
	}
	start = now() - start;
	close(fd);
	cell_down(&cell);
	return (double)start / (sends * segments);
}

static double measure(const struct bench_case *c, enum path path)
{
	if (c->sink == SINK_VETH && path == RMNET)
		return 0; /* rmnet has no XDP */
	if (path == QMIMUX && !c->usb)
		return 0; /* it is part of qmi_wwan */
	return c->sink >= SINK_SEND ? uplink(c, path) : downlink(c, path);
}

/* ---- report ---- */

static int ascending(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return (d > 0) - (d < 0);
}

static double median(const double *v, unsigned int n)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*sorted), ascending);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* By round: what disturbs one path of a round disturbs the others. */
static double without_base(size_t i, enum path p, unsigned int rounds, double *v)
{
	unsigned int r;

	for (r = 0; r < rounds; r++)
		v[r] = results[i][p][r] - results[i][BASE][r];
	return median(v, rounds);
}

static size_t case_index(const char *name)
{
	size_t i;

	for (i = 0; i < N_CASES && strcmp(cases[i].name, name); i++)
		;
	return i;
}

/* Raw: the machine that has started the guest reckons, as for all other results. */
static void print_result(size_t i, enum path p, const char *unit, unsigned int rounds, double rmnet)
{
	double v[ROUNDS_MAX] = {}, value = without_base(i, p, rounds, v);
	struct utsname u;
	unsigned int r;

	uname(&u);
	printf("DATA {\"name\": \"vm.%s.%s\", \"case\": \"%s\", \"path\": \"%s\", "
	       "\"unit\": \"%s\", \"kernel\": \"%s\", \"method\": \"%s\", \"base\": %.1f, "
	       "\"ratio_to_rmnet\": %.3f, ",
	       cases[i].name, path_names[p], cases[i].name, path_names[p], unit, u.release,
	       strcmp(unit, "insns") ? "guest clock" : "icount", median(results[i][BASE], rounds),
	       value / rmnet);
	if (cases[i].factor)
		printf("\"factor\": \"%s\", \"x\": %u, ", cases[i].factor, cases[i].x);
	printf("\"sent\": %llu, \"lost\": %llu, \"samples\": [", sent[i][p], lost[i][p]);
	for (r = 0; r < rounds; r++)
		printf("%s%.1f", r ? ", " : "", v[r]);
	printf("]}\n");
}

static void report(size_t i, const char *unit, unsigned int rounds)
{
	size_t other = cases[i].against ? case_index(cases[i].against) : i;
	double v[ROUNDS_MAX] = {}, rmnet = without_base(other, RMNET, rounds, v);
	enum path p;

	for (p = SHIM; p < PATHS; p++)
		if (results[i][p][0])
			print_result(i, p, unit, rounds, rmnet);
}

int main(int argc, char **argv)
{
	const char *method = argc > 1 ? argv[1] : "ns";
	unsigned int rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 3, r;
	bool wanted[N_CASES] = {};
	enum path p;
	size_t i;
	int a;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!rounds || rounds > ROUNDS_MAX)
		rounds = ROUNDS_MAX;
	for (i = 0; i < N_CASES; i++) {
		wanted[i] = argc <= 3;
		for (a = 3; a < argc; a++)
			wanted[i] |= !strcmp(argv[a], cases[i].name);
	}
	for (r = 0; r < rounds; r++)
		for (i = 0; i < N_CASES; i++)
			for (p = 0; wanted[i] && p < PATHS; p++)
				results[i][p][r] = measure(&cases[i], p);
	for (i = 0; i < N_CASES; i++)
		if (wanted[i])
			report(i, method, rounds);
	return 0;
}
