// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Forwarding is exact: through coalesced packets, NAT and a flowtable of nft, the LAN and the modem get the
 * same packets as those of a second router, byte for byte and in the order of each flow. The second router
 * is a namespace with the same rules, but without a flowtable; its port1 is a TUN that gets each packet
 * alone.
 */
#include "shim_test.h"

#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"
#include "router.h"
#include "world.h"
#include "qmap/wire.h"

#define FLOWS	   24
#define FENCE	   (FLOWS + 1) /* UDP, the last packet of a round in either direction */
#define WAIT_MS	   30000
#define ROUND_MAX  2048	      /* packets of a round */
#define SERVER	   0x0a000001 /* 10.0.0.1, the source in packets.c */
#define FIRST_PORT 5000
#define PORT_STEP  100	 /* a flow that is opened again has another port */
#define IP6_HOST   0x100 /* in packets.c: 2001:db8::100 + flow */
#define MSS_MAX	   1220	 /* with all headers within the LAN's MTU */
#define LARGE	   1400	 /* not within that, of two flows: TCP over IPv4, UDP over IPv4 */
#define LARGE_TCP  1
#define LARGE_UDP  4

struct flow {
	struct packet_spec modem, host; /* the next packet in each direction */
	unsigned int mss, generation, host_mac;
	bool closed;
};

struct arrivals {
	unsigned int n;
	struct arrival {
		unsigned int flow, at;
		size_t len;
		uint8_t data[PACKET_MAX];
	} packets[ROUND_MAX];
};

struct options {
	int version;
	unsigned long long packets;
	bool vlan; /* of the LAN */
};

struct test {
	const struct options *o;
	struct world w;
	struct router {
		int netns;
		int lan;
	} shim, plain;
	int tun;			  /* port1 of the plain router */
	unsigned long long packets, down; /* all of them; those of the modem */
	struct aggregate a;
};

static struct flow flows[FENCE + 1];
static struct arrivals with_shim, without;

/* ---- packets ---- */

static void flow_start(struct flow *f, unsigned int number)
{
	unsigned int port = FIRST_PORT + f->generation++ % 500 * PORT_STEP + number;
	bool large = number == LARGE_TCP || number == LARGE_UDP;
	struct packet_spec s = {.flow = number,
				.v6 = number % 3 == 0,
				.udp = number % 4 == 0 || number == FENCE,
				.ttl = 64,
				.frag = !large && chance(70) ? 0x4000 : 0,
				.window = 0xffff};

	f->closed = false;
	f->mss = large ? LARGE : random_in(100, MSS_MAX);
	f->modem = f->host = s;
	f->modem.saddr = f->host.daddr = SERVER;
	f->modem.sport = f->host.dport = 443;
	f->modem.daddr = ROUTER_PUBLIC;
	f->modem.dport = f->host.sport = port;
	f->host.saddr = ROUTER_LAN + number;
	if (number == LARGE_TCP && chance(50))
		f->modem.frag = 0x4000; /* refused by the router */
}

/* The flow's number, by the port or the address of its host; 0: the kernel's own packets. */
static unsigned int flow_of(const uint8_t *packet, size_t len, bool uplink)
{
	unsigned int number = 0;

	if (len >= 48 && packet[0] >> 4 == 6 &&
	    (packet[6] == IPPROTO_TCP || packet[6] == IPPROTO_UDP))
		number = (packet[uplink ? 22 : 38] << 8 | packet[uplink ? 23 : 39]) - IP6_HOST;
	else if (len >= 28 && packet[0] == 0x45 &&
		 (packet[9] == IPPROTO_TCP || packet[9] == IPPROTO_UDP))
		number = uplink ? (packet[20] << 8 | packet[21]) % PORT_STEP : packet[19];
	return number <= FENCE ? number : 0;
}

/* Changes one property, for this packet alone; FIN and RST end the flow with its round. */
static void perturb(struct flow *f, struct packet_spec *s, bool bad_csum)
{
	switch (random_in(0, 13)) {
	case 0:
		s->payload = random_in(0, f->mss);
		break;
	case 1:
		s->payload = 0;
		break;
	case 2:
		s->tos = random_u32();
		break;
	case 3:
		s->ttl = random_in(2, 255);
		break;
	case 4:
		s->ttl = 1;
		break;
	case 5:
		s->frag ^= 0x4000;
		break;
	case 6:
		s->flags |= TH_PUSH;
		break;
	case 7:
		s->flags |= random_in(0, 3) << 6;
		break;
	case 8:
		s->window = random_u32();
		break;
	case 9:
		s->ack += random_in(1, 5000);
		break;
	case 10:
		memcpy(s->options, "\x01\x01\x08\x0a\x11\x22\x33\x44\x55\x66\x77\x88", 12);
		s->options_len = 12;
		break;
	case 11:
		s->bad_csum = bad_csum;
		break;
	case 12:
		s->no_csum = s->udp && !s->v6;
		break;
	case 13:
		f->closed = !s->udp;
		s->flags |= chance(50) ? TH_FIN : TH_RST;
		break;
	}
}

static size_t make(struct packet_spec *s, uint8_t *packet)
{
	size_t len = packet_make(packet, s);

	s->seq += s->payload + !!(s->flags & TH_SYN);
	s->id++;
	return len;
}

/*
 * packets.c has the server as the source of IPv6. fd00:30b8:: has the checksum of 2001:db8::, so the packet
 * keeps its own.
 */
static void from_host(uint8_t *packet)
{
	static const uint8_t lan_prefix[] = {0xfd, 0x00, 0x30, 0xb8};
	uint8_t server[16];

	memcpy(server, packet + 8, 16);
	memcpy(packet + 8, packet + 24, 16);
	memcpy(packet + 24, server, 16);
	memcpy(packet + 8, lan_prefix, sizeof(lan_prefix));
}

/* ---- a round ---- */

static int host_sends(struct test *t, struct packet_spec *s)
{
	uint8_t frame[ETHER_HDR_LEN + PACKET_MAX], *packet = frame + ETHER_HDR_LEN;
	struct ether_header h = {.ether_shost = {2},
				 .ether_type = htons(s->v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP)};
	ssize_t len = ETHER_HDR_LEN + make(s, packet);

	memcpy(h.ether_dhost, router_mac, ETHER_ADDR_LEN);
	memcpy(frame, &h, sizeof(h));
	if (s->v6)
		from_host(packet);
	t->packets++;
	if (write(t->shim.lan, frame, len) != len || write(t->plain.lan, frame, len) != len)
		return FAIL("a host cannot send");
	return 0;
}

static int flush(struct test *t)
{
	int err = t->a.len && world_send(&t->w, t->a.data, t->a.len);

	t->a = (struct aggregate){
		.version = t->o->version, .csum_ok = true, .max = random_in(1600, 32768)};
	return err ? FAIL("the modem cannot send") : 0;
}

static int modem_sends(struct test *t, struct packet_spec *s)
{
	uint8_t packet[PACKET_MAX];
	ssize_t len = make(s, packet);

	t->packets++;
	t->down++;
	if (!aggregate_add(&t->a, 1, packet, len, -len & 3) &&
	    (flush(t) || !aggregate_add(&t->a, 1, packet, len, -len & 3)))
		return FAIL("no aggregate for %zd bytes", len);
	return write(t->tun, packet, len) == len ? 0 : FAIL("the TUN refuses a packet");
}

/* @l2: bytes in front of the packet. */
static int keep(struct arrivals *all, const uint8_t *frame, size_t len, size_t l2, bool uplink)
{
	unsigned int flow = len > l2 ? flow_of(frame + l2, len - l2, uplink) : 0;
	struct arrival *p = &all->packets[all->n];

	if (!flow)
		return 0;
	if (all->n == ROUND_MAX || len > sizeof(p->data))
		return FAIL("more than was sent");
	p->flow = flow;
	p->at = all->n++;
	p->len = len;
	memcpy(p->data, frame, len);
	return 0;
}

static bool is_over(const struct arrivals *all)
{
	return all->n && all->packets[all->n - 1].flow == FENCE;
}

static int read_packets(struct arrivals *all, int fd, size_t l2, bool uplink)
{
	uint8_t packet[PACKET_MAX];
	size_t len;

	for (all->n = 0; !is_over(all);) {
		len = world_read(fd, packet, sizeof(packet), WAIT_MS);
		if (!len)
			return FAIL("no packet after %u of the round", all->n);
		if (keep(all, packet, len, l2, uplink))
			return -1;
	}
	return 0;
}

/* Those of the uplink's aggregates. */
static int read_frames(struct arrivals *all, const struct test *t)
{
	static uint8_t buf[AGGREGATE_MAX];
	size_t header = t->o->version == 5 ? 8 : 4, len, at, frame;

	for (all->n = 0; !is_over(all);) {
		len = world_recv(&t->w, buf, sizeof(buf), WAIT_MS);
		if (!len)
			return FAIL("no aggregate after %u packets of the round", all->n);
		for (at = 0; at + header <= len; at += header + frame) {
			frame = buf[at + 2] << 8 | buf[at + 3];
			if (keep(all, buf + at + header, frame - (buf[at] & QMAP_PAD_MASK), 0,
				 true))
				return -1;
		}
	}
	return 0;
}

static int by_flow(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	return x->flow != y->flow ? (int)x->flow - (int)y->flow : (int)x->at - (int)y->at;
}

static void dump(const char *name, const struct arrival *p)
{
	printf("  %s, flow %u (%zu):", name, p->flow, p->len);
	for (size_t i = 0; i < p->len && i < 80; i++)
		printf(" %02x", p->data[i]);
	putchar('\n');
}

static int compare(const char *direction)
{
	struct arrival *x = with_shim.packets, *y = without.packets;

	qsort(x, with_shim.n, sizeof(*x), by_flow);
	qsort(y, without.n, sizeof(*y), by_flow);
	for (unsigned int i = 0; i < with_shim.n && i < without.n; i++, x++, y++)
		if (x->flow != y->flow || x->len != y->len || memcmp(x->data, y->data, x->len)) {
			dump("without", y);
			dump("with the shim", x);
			return FAIL("%s differs", direction);
		}
	if (with_shim.n != without.n)
		return FAIL("%s: %u packets, %u without", direction, with_shim.n, without.n);
	return 0;
}

static int finish_downlink(struct test *t)
{
	/* Chains are delivered at the end of a poll, of several aggregates if the kernel defers it. */
	if (flush(t))
		return -1;
	if (world_counter_reaches("port1", "rx_packets", t->down) < t->down)
		return FAIL("the port has not received %llu packets", t->down);
	if (modem_sends(t, &flows[FENCE].modem) || flush(t) ||
	    read_packets(&with_shim, t->shim.lan, ETHER_HDR_LEN, false) ||
	    read_packets(&without, t->plain.lan, ETHER_HDR_LEN, false))
		return -1;
	return compare("downlink");
}

static int finish_uplink(struct test *t)
{
	if (host_sends(t, &flows[FENCE].host) || read_frames(&with_shim, t) ||
	    read_packets(&without, t->tun, 0, true))
		return -1;
	return compare("uplink");
}

/* By a packet in each direction, then one of the host: of TCP, its handshake. */
static int open_flow(struct test *t, unsigned int number)
{
	struct flow *f = &flows[number];

	flow_start(f, number);
	f->host.flags = TH_SYN;
	f->host.seq = random_u32();
	if (host_sends(t, &f->host) || finish_uplink(t))
		return -1;
	f->modem.flags = TH_SYN | TH_ACK;
	f->modem.seq = random_u32();
	f->modem.ack = f->host.seq;
	if (modem_sends(t, &f->modem) || finish_downlink(t))
		return -1;
	f->modem.flags = f->host.flags = TH_ACK;
	f->host.ack = f->modem.seq;
	return host_sends(t, &f->host) || finish_uplink(t) ? -1 : 0;
}

/*
 * Packets beyond the LAN's MTU do not change: a chain of them is refused as a whole, as all that GRO
 * coalesces, with a shorter last one that alone would pass.
 */
static int send_one(struct test *t, struct flow *f, unsigned int percent)
{
	struct packet_spec s = f->modem;
	int err;

	s.payload = f->mss;
	if (f->mss <= MSS_MAX && chance(percent))
		perturb(f, &s, t->o->version != 5);
	err = modem_sends(t, &s);
	f->modem.seq = s.seq;
	f->modem.id = s.id;
	f->host.ack = s.seq;
	return err;
}

static int send_downlink(struct test *t, unsigned int n)
{
	unsigned int stay = random_in(1, 100), percent = random_in(0, 20);
	struct flow *f = &flows[1];

	while (n--) {
		if (!chance(stay))
			f = &flows[random_in(1, FLOWS)];
		if (send_one(t, f, percent))
			return -1;
	}
	return finish_downlink(t);
}

static int send_uplink(struct test *t, unsigned int n)
{
	while (n--) {
		struct flow *f = &flows[random_in(1, FLOWS)];

		f->host.payload = chance(50) ? 0 : random_in(1, MSS_MAX);
		if (host_sends(t, &f->host))
			return -1;
	}
	return finish_uplink(t);
}

/* ---- both routers ---- */

/* Gives the hosts of these flows hardware addresses that no host has had. */
static int move_hosts(struct test *t, unsigned int first, unsigned int last)
{
	const char *vlan = t->o->vlan ? ".7" : "";
	char lines[FENCE * 96];
	size_t at = 0;
	int err;

	for (unsigned int i = first; i <= last; i++) {
		unsigned int mac = ++flows[i].host_mac;

		at += snprintf(lines + at, sizeof(lines) - at,
			       i % 3 ? "neigh replace 192.168.0.%u"
				     : "neigh replace " ROUTER_LAN_IPV6 "%x",
			       i % 3 ? i : IP6_HOST + i);
		at += snprintf(lines + at, sizeof(lines) - at,
			       " lladdr 02:01:%02x:%02x:00:%02x dev lan0%s nud permanent\n",
			       mac >> 8 & 0xff, mac & 0xff, i, vlan);
	}
	err = netns_enter(t->plain.netns) ?: router_neighbours(lines);
	return netns_enter(t->shim.netns) || err || router_neighbours(lines) ? -1 : 0;
}

/*
 * With a VLAN the kernel's flow table keeps the hardware address that a host had when its flow began
 * (net/netfilter/nft_flow_offload.c: nft_dev_forward_path()), with and without us.
 */
static int round_trip(struct test *t)
{
	unsigned int n = random_in(1, 300), i;

	if (send_downlink(t, n) || send_uplink(t, n / 8))
		return -1;
	for (i = 1; i <= FLOWS; i++)
		if (flows[i].closed && open_flow(t, i))
			return -1;
	i = random_in(1, FLOWS);
	return !t->o->vlan && chance(5) ? move_hosts(t, i, i) : 0;
}

static int check_ways(const struct test *t)
{
	uint64_t coalesced = world_counter("port1", "rx_coalesced");
	long long slow = router_slow_packets();

	printf("  %llu packets, %llu of them coalesced, %lld not by the flow table\n", t->packets,
	       (unsigned long long)coalesced, slow);
	if (coalesced < t->packets / 4)
		return FAIL("hardly anything was coalesced");
	return slow < 0 || slow > (long long)t->packets / 5 ? FAIL("the flow table is not used")
							    : 0;
}

static int exchange(struct test *t)
{
	memset(flows, 0, sizeof(flows));
	flow_start(&flows[FENCE], FENCE);
	if (move_hosts(t, 1, FENCE) || flush(t) || finish_uplink(t) || finish_downlink(t))
		return -1;
	for (unsigned int i = 1; i <= FLOWS; i++)
		if (open_flow(t, i))
			return -1;
	while (t->packets < t->o->packets)
		if (round_trip(t))
			return -1;
	return check_ways(t);
}

static int plain_router(struct test *t)
{
	const struct router_options o = {.vlan = t->o->vlan};
	unsigned int ifindex;

	t->tun = world_tun("port1", IFF_NO_PI, &ifindex);
	t->plain.lan = t->tun < 0 ? -1 : router_up(&o);
	return t->plain.lan < 0 ? -1 : 0;
}

static int shim_router(struct test *t)
{
	const struct router_options o = {.vlan = t->o->vlan, .flowtable = true};
	const struct world_options wo = {.version = t->o->version, .ports = 1};
	int err;

	if (world_new(&t->w, &wo))
		return -1;
	t->shim.lan = router_up(&o);
	err = t->shim.lan < 0 ? -1 : exchange(t);
	world_free(&t->w);
	return err;
}

/* In namespaces of their own: no connection that another test has left is there. */
static int in_namespaces(struct test *t)
{
	int here = netns_here(), there[] = {netns_new(), netns_new()}, err;

	t->plain.netns = there[0];
	t->shim.netns = there[1];
	err = here < 0 || netns_enter(there[0]) || plain_router(t) || netns_enter(there[1]) ||
	      shim_router(t);
	close(t->tun);
	close(t->plain.lan);
	close(t->shim.lan);
	if (netns_enter(here) || netns_end(there, 2))
		err = -1;
	close(here);
	return err ? -1 : 0;
}

/* On one CPU: packets of different ones overtake each other. */
static int forward(const struct options *o)
{
	static struct test t;
	cpu_set_t all, first;
	int err;

	if (access("/bin/nft", X_OK)) {
		skipped = "no nft";
		return 0;
	}
	t = (struct test){.o = o, .tun = -1, .shim.lan = -1, .plain.lan = -1};
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_getaffinity(0, sizeof(all), &all) || sched_setaffinity(0, sizeof(first), &first))
		return FAIL("cannot stay on the first CPU");
	err = in_namespaces(&t);
	sched_setaffinity(0, sizeof(all), &all);
	return err;
}

TEST(forward_v1)
{
	return forward(&(struct options){.version = 1, .packets = 30000, .vlan = true});
}

TEST(forward_v5)
{
	return forward(&(struct options){.version = 5, .packets = 30000});
}

TEST_ON_DEMAND(forward_million)
{
	return forward(&(struct options){.version = 5, .packets = 1000000});
}
