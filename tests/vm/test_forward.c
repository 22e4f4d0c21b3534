// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Forwarding is exact: through coalesced packets, NAT and a flowtable of nft, the LAN and the modem get the
 * same packets as those of a second router, byte for byte and in the order of each flow. The second router
 * is a namespace with the same rules, but without a flowtable; its port1 is a TUN that gets each packet
 * alone.
 */
#include "shim_test.h"

#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns.h"
#include "world.h"
#include "qmap/wire.h"

#define FLOWS	   24
#define FENCE	   (FLOWS + 1) /* UDP, the last packet of a round in either direction */
#define PACKETS	   30000
#define MILLION	   1000000
#define WAIT_MS	   30000
#define ROUND_MAX  2048	      /* packets of a round */
#define PUBLIC	   0x0a010001 /* 10.1.0.1, of port1 */
#define SERVER	   0x0a000001 /* 10.0.0.1, the source in packets.c */
#define FIRST_HOST 0xc0a80000 /* 192.168.0.0 */
#define FIRST_PORT 5000
#define PORT_STEP  100	 /* a flow that is opened again has another port */
#define IP6_HOST   0x100 /* in packets.c: 2001:db8::100 + flow */

static const uint8_t router_mac[] = {2, 0, 0, 0, 0, 1}, host_mac[] = {2, 0, 0, 0, 0, 2};
/* fd00:30b8:: has the checksum of 2001:db8::, so a packet keeps its own when one replaces the other. */
static const uint8_t lan_prefix[] = {0xfd, 0x00, 0x30, 0xb8};

struct router {
	int wan;  /* the TUN; -1: the shim */
	int lan;  /* tap on lan1 */
	int host; /* sends on lan1 */
};

struct flow {
	struct packet_spec modem, host; /* the next packet in each direction */
	unsigned int mss, generation;
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

static struct flow flows[FENCE + 1];
static struct arrivals with_shim, without;

/* ---- routers ---- */

#define IP "/bin/ip " /* not busybox's own */
#define LAN                                                                                        \
	"exec >/dev/null; " IP                                                                     \
	"link add lan0 address 02:00:00:00:00:01 type veth peer name lan1 address "                \
	"02:00:00:00:00:02 && ethtool -K lan0 tx off sg off && "                                   \
	"cd /proc/sys/net && echo 1 >ipv4/ip_forward && echo 1 >ipv6/conf/all/forwarding && "      \
	"echo 0 >ipv6/conf/lan0/disable_ipv6 && echo 0 >ipv6/conf/port1/disable_ipv6 && " IP       \
	"link set lan0 arp off && " IP "link set lan1 up && " IP "link set lan0 up && " IP         \
	"addr add 10.1.0.1/32 dev port1 && " IP "route add default dev port1 && " IP               \
	"route add 192.168.0.0/16 dev lan0 && " IP "-6 route add fd00:30b8::/64 dev lan0 && " IP   \
	"-6 route add default dev port1"

#define RULES                                                                                      \
	"nft 'table inet router {\n"                                                               \
	"counter slow { }\n"                                                                       \
	"chain post {\n"                                                                           \
	"type nat hook postrouting priority 100;\n"                                                \
	"meta nfproto ipv4 oifname port1 masquerade\n"                                             \
	"oifname port1 snat ip6 prefix to ip6 saddr map { fd00:30b8::/64 : 2001:db8::/64 }\n"      \
	"}\n"                                                                                      \
	"chain forward {\n"                                                                        \
	"type filter hook forward priority 0; policy drop;\n"                                      \
	"counter name slow\n"                                                                      \
	"ct state established,related accept\n"                                                    \
	"iifname lan0 accept\n"                                                                    \
	"}\n"                                                                                      \
	"}'"

/* A flow table checks neither windows nor checksums; the comparison is with a stack that does not, either. */
#define TRUSTING                                                                                   \
	"cd /proc/sys/net/netfilter && echo 1 >nf_conntrack_tcp_be_liberal && "                    \
	"echo 0 >nf_conntrack_checksum"

#define FLOWTABLE                                                                                  \
	"nft 'table inet router {\n"                                                               \
	"flowtable fast { hook ingress priority 0; devices = { lan0, port1 }; }\n"                 \
	"}\n"                                                                                      \
	"insert rule inet router forward meta l4proto { tcp, udp } flow add @fast'"

static int host_socket(void)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("lan1")};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* protocol 0: receives nothing */

	return bind(fd, (struct sockaddr *)&at, sizeof(at)) ? -1 : fd;
}

/* In this thread's namespace, around its port1. */
static int router_up(struct router *r, bool flowtable)
{
	if (system(LAN))
		return FAIL("no LAN");
	if (system(RULES) || system(TRUSTING) || (flowtable && system(FLOWTABLE)))
		return FAIL("nft refuses the rules");
	r->lan = world_tap("lan1");
	r->host = host_socket();
	return r->lan < 0 || r->host < 0 ? FAIL("packet sockets") : 0;
}

static void router_down(struct router *r)
{
	if (r->wan >= 0)
		close(r->wan);
	if (r->lan >= 0)
		close(r->lan);
	if (r->host >= 0)
		close(r->host);
}

/* ---- packets ---- */

static void flow_start(struct flow *f, unsigned int number)
{
	unsigned int port = FIRST_PORT + f->generation++ % 500 * PORT_STEP + number;
	struct packet_spec s = {.flow = number,
				.v6 = number % 3 == 0,
				.udp = number % 4 == 0 || number == FENCE,
				.ttl = 64,
				.frag = chance(70) ? 0x4000 : 0,
				.window = 0xffff};

	f->closed = false;
	f->mss = random_in(100, 1400);
	f->modem = f->host = s;
	f->modem.saddr = f->host.daddr = SERVER;
	f->modem.sport = f->host.dport = 443;
	f->modem.daddr = PUBLIC;
	f->modem.dport = f->host.sport = port;
	f->host.saddr = FIRST_HOST + number;
	if (number == FENCE)
		f->modem.v6 = f->host.v6 = false;
}

/* The flow's number, by the port or the address of the host; 0: the kernel's own packets. */
static unsigned int flow_of(const uint8_t *packet, size_t len, bool uplink)
{
	unsigned int number = 0;

	if (len >= 48 && packet[0] >> 4 == 6 &&
	    (packet[6] == IPPROTO_TCP || packet[6] == IPPROTO_UDP))
		number = (packet[uplink ? 22 : 38] << 8 | packet[uplink ? 23 : 39]) - IP6_HOST;
	else if (len >= 28 && packet[0] == 0x45 &&
		 (packet[9] == IPPROTO_TCP || packet[9] == IPPROTO_UDP))
		number = (packet[uplink ? 20 : 22] << 8 | packet[uplink ? 21 : 23]) % PORT_STEP;
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

/* packets.c has the server as the source of IPv6. */
static void from_host(uint8_t *packet)
{
	uint8_t server[16];

	memcpy(server, packet + 8, 16);
	memcpy(packet + 8, packet + 24, 16);
	memcpy(packet + 24, server, 16);
	memcpy(packet + 8, lan_prefix, sizeof(lan_prefix));
}

/* ---- a round ---- */

struct test {
	struct world w;
	struct router shim, plain;
	int version;
	unsigned long long packets;
	struct aggregate a;
};

static int host_sends(struct test *t, struct packet_spec *s)
{
	uint8_t frame[ETHER_HDR_LEN + PACKET_MAX], *packet = frame + ETHER_HDR_LEN;
	const struct ether_header h = {.ether_type = htons(s->v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP)};
	size_t len = make(s, packet);

	memcpy(frame, &h, sizeof(h));
	memcpy(frame, router_mac, ETHER_ADDR_LEN);
	memcpy(frame + ETHER_ADDR_LEN, host_mac, ETHER_ADDR_LEN);
	if (s->v6)
		from_host(packet);
	len += ETHER_HDR_LEN;
	t->packets++;
	return write(t->shim.host, frame, len) == (ssize_t)len &&
			       write(t->plain.host, frame, len) == (ssize_t)len
		       ? 0
		       : FAIL("the host cannot send");
}

static int flush(struct test *t)
{
	int err = t->a.len && world_send(&t->w, t->a.data, t->a.len);

	t->a = (struct aggregate){
		.version = t->version, .csum_ok = true, .max = random_in(1600, 32768)};
	return err ? FAIL("the modem cannot send") : 0;
}

static int modem_sends(struct test *t, struct packet_spec *s)
{
	uint8_t packet[PACKET_MAX];
	size_t len = make(s, packet);

	t->packets++;
	if (!aggregate_add(&t->a, 1, packet, len, -len & 3) &&
	    (flush(t) || !aggregate_add(&t->a, 1, packet, len, -len & 3)))
		return FAIL("no aggregate for %zu bytes", len);
	return write(t->plain.wan, packet, len) == (ssize_t)len ? 0
								: FAIL("the TUN refuses a packet");
}

static int keep(struct arrivals *all, const uint8_t *packet, size_t len, bool uplink)
{
	unsigned int flow = flow_of(packet, len, uplink);
	struct arrival *p = &all->packets[all->n];

	if (!flow)
		return 0;
	if (all->n == ROUND_MAX || len > sizeof(p->data))
		return FAIL("more than was sent");
	p->flow = flow;
	p->at = all->n++;
	p->len = len;
	memcpy(p->data, packet, len);
	return 0;
}

static bool is_over(const struct arrivals *all)
{
	return all->n && all->packets[all->n - 1].flow == FENCE;
}

static int read_packets(struct arrivals *all, int fd, bool uplink)
{
	uint8_t packet[PACKET_MAX];
	size_t len;

	for (all->n = 0; !is_over(all);) {
		len = world_read(fd, packet, sizeof(packet), WAIT_MS);
		if (!len)
			return FAIL("no packet after %u of the round", all->n);
		if (keep(all, packet, len, uplink))
			return -1;
	}
	return 0;
}

/* Those of the uplink's aggregates. */
static int read_frames(struct arrivals *all, const struct test *t)
{
	static uint8_t buf[AGGREGATE_MAX];
	size_t header = t->version == 5 ? 8 : 4, len, at, frame;

	for (all->n = 0; !is_over(all);) {
		len = world_recv(&t->w, buf, sizeof(buf), WAIT_MS);
		if (!len)
			return FAIL("no aggregate after %u packets of the round", all->n);
		for (at = 0; at + header <= len; at += header + frame) {
			frame = buf[at + 2] << 8 | buf[at + 3];
			if (keep(all, buf + at + header, frame - (buf[at] & QMAP_PAD_MASK), true))
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

static void dump(const char *what, const struct arrival *p)
{
	printf("  %s, flow %u (%zu):", what, p->flow, p->len);
	for (size_t i = 0; i < p->len && i < 64; i++)
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
	/* Chains are delivered at the end of their aggregate. */
	return flush(t) || modem_sends(t, &flows[FENCE].modem) || flush(t) ||
			       read_packets(&with_shim, t->shim.lan, false) ||
			       read_packets(&without, t->plain.lan, false)
		       ? -1
		       : compare("downlink");
}

static int finish_uplink(struct test *t)
{
	return host_sends(t, &flows[FENCE].host) || read_frames(&with_shim, t) ||
			       read_packets(&without, t->plain.wan, true)
		       ? -1
		       : compare("uplink");
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

static int send_one(struct test *t, struct flow *f, unsigned int percent)
{
	struct packet_spec s = f->modem;
	int err;

	s.payload = f->mss;
	if (chance(percent))
		perturb(f, &s, t->version != 5);
	err = modem_sends(t, &s);
	f->modem.seq = s.seq;
	f->modem.id = s.id;
	f->host.ack = s.seq;
	return err;
}

static int round_trip(struct test *t)
{
	unsigned int n = random_in(1, 300), stay = random_in(1, 100), percent = random_in(0, 20), i;
	struct flow *f = &flows[1];

	for (i = 0; i < n; i++) {
		if (!chance(stay))
			f = &flows[random_in(1, FLOWS)];
		if (send_one(t, f, percent))
			return -1;
	}
	if (finish_downlink(t))
		return -1;
	for (i = 0; i < n / 8; i++) {
		f = &flows[random_in(1, FLOWS)];
		f->host.payload = chance(50) ? 0 : random_in(1, f->mss);
		if (host_sends(t, &f->host))
			return -1;
	}
	if (finish_uplink(t))
		return -1;
	for (i = 1; i <= FLOWS; i++)
		if (flows[i].closed && open_flow(t, i))
			return -1;
	return 0;
}

/* Packets that have taken the stack's whole way through the router; -1 if it cannot be known. */
static long long slow_packets(void)
{
	FILE *p = popen("nft list counter inet router slow", "r");
	long long n = -1;
	char line[128];

	while (p && fgets(line, sizeof(line), p))
		if (sscanf(line, " packets %lld", &n) == 1)
			break;
	if (p)
		pclose(p);
	return n;
}

static int exchange(struct test *t, unsigned long long packets)
{
	uint64_t coalesced;
	long long slow;

	memset(flows, 0, sizeof(flows));
	flow_start(&flows[FENCE], FENCE);
	if (flush(t) || finish_uplink(t) || finish_downlink(t))
		return -1;
	for (unsigned int i = 1; i <= FLOWS; i++)
		if (open_flow(t, i))
			return -1;
	while (t->packets < packets)
		if (round_trip(t))
			return -1;
	coalesced = world_counter("port1", "rx_coalesced");
	slow = slow_packets();
	printf("  %llu packets, %llu of them coalesced, %lld by the slow path\n", t->packets,
	       (unsigned long long)coalesced, slow);
	if (coalesced < packets / 4)
		return FAIL("hardly anything was coalesced");
	return slow < 0 || slow > (long long)packets / 5 ? FAIL("the flow table is not used") : 0;
}

/* ---- both routers ---- */

static int plain_router(struct test *t)
{
	unsigned int ifindex;

	t->plain.wan = world_tun("port1", IFF_NO_PI, &ifindex);
	return t->plain.wan < 0 ? -1 : router_up(&t->plain, false);
}

static int shim_router(struct test *t, unsigned long long packets)
{
	const struct world_options o = {.version = t->version, .ports = 1};
	int err;

	if (world_new(&t->w, &o))
		return -1;
	err = router_up(&t->shim, true) || exchange(t, packets) ? -1 : 0;
	world_free(&t->w);
	return err;
}

/* In namespaces of their own: a connection that another test has left there would be taken for one of these. */
static int in_namespaces(struct test *t, unsigned long long packets)
{
	int here = netns_here(), there[] = {netns_new(), netns_new()}, err;

	err = here < 0 || netns_enter(there[0]) || plain_router(t) || netns_enter(there[1]) ||
	      shim_router(t, packets);
	router_down(&t->shim);
	router_down(&t->plain);
	if (netns_enter(here) || netns_end(there, 2))
		err = -1;
	close(here);
	return err ? -1 : 0;
}

/* On one CPU: packets of different ones overtake each other. */
static int forward(int version, unsigned long long packets)
{
	static struct test t;
	cpu_set_t all, first;
	int err;

	if (access("/bin/nft", X_OK)) {
		skipped = "no nft";
		return 0;
	}
	t = (struct test){.version = version,
			  .shim = {.wan = -1, .lan = -1, .host = -1},
			  .plain = {.wan = -1, .lan = -1, .host = -1}};
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_getaffinity(0, sizeof(all), &all) || sched_setaffinity(0, sizeof(first), &first))
		return FAIL("cannot stay on the first CPU");
	err = in_namespaces(&t, packets);
	sched_setaffinity(0, sizeof(all), &all);
	return err;
}

TEST(forward_v1)
{
	return forward(1, PACKETS);
}

TEST(forward_v5)
{
	return forward(5, PACKETS);
}

TEST_ON_DEMAND(forward_million)
{
	return forward(5, MILLION);
}
