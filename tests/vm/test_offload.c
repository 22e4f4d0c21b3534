// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets that the stack leaves to a port to segment and to checksum: each frame has the bytes that
 * the packet's sender would have sent one by one. Packets come with a virtio header, as from a
 * virtual machine behind the router, so that every shape can be made.
 */
#include "shim_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>

#include "qmap/wire.h"
#include "world.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define SEGMENT	 1000
#define SEGMENTS 12
#define PAYLOAD	 (SEGMENT * (SEGMENTS - 1) + 333)
#define WAIT_MS	 3000

struct shape {
	const char *name;
	bool v6, udp;
	unsigned int options; /* bytes between IP and transport header, or of IPv4 options */
	unsigned int tcp_options;
	uint8_t flags; /* of TCP */
	bool ae;       /* the flag beside CWR, of AccECN */
	uint8_t ecn;
	uint8_t next; /* header behind that of IPv6 */
	bool fixed_id;
};

static const struct shape shapes[] = {
	{.name = "TCP", .flags = 0x18},
	{.name = "TCP, FIN", .flags = 0x19, .tcp_options = 12},
	{.name = "TCP, CWR", .flags = 0x90},
	{.name = "TCP, IPv4 options", .flags = 0x10, .options = 8},
	{.name = "TCP over IPv6", .v6 = true, .flags = 0x18, .tcp_options = 12},
	{.name = "TCP, destination options", .v6 = true, .flags = 0x18, .options = 8, .next = 60},
	{.name = "TCP, long destination options",
	 .v6 = true,
	 .flags = 0x18,
	 .options = 64,
	 .next = 60},
	{.name = "TCP, hop-by-hop options", .v6 = true, .flags = 0x18, .options = 8, .next = 0},
	{.name = "UDP", .udp = true},
	{.name = "UDP over IPv6", .v6 = true, .udp = true},
	{.name = "TCP, CWR and ECT(0)", .flags = 0x90, .ecn = 2},
	{.name = "TCP, ECE and CE", .flags = 0x50, .ecn = 3},
	{.name = "TCP, AE, ECE and ECT(1)", .flags = 0x50, .ae = true, .ecn = 1},
	{.name = "TCP over IPv6, CWR and ECT(0)", .v6 = true, .flags = 0x90, .ecn = 2},
	{.name = "TCP over IPv6, AE and CE", .v6 = true, .flags = 0x10, .ae = true, .ecn = 3},
	{.name = "UDP, ECT(1)", .udp = true, .ecn = 1},
	{.name = "UDP over IPv6, CE", .v6 = true, .udp = true, .ecn = 3},
};

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static unsigned int l3_length(const struct shape *s)
{
	return (s->v6 ? 40 : 20) + s->options;
}

static unsigned int headers(const struct shape *s)
{
	return l3_length(s) + (s->udp ? 8 : 20 + s->tcp_options);
}

/* One, two or more paddings (PadN) fill the room in an options header. */
static void put_v6(uint8_t *p, const struct shape *s, unsigned int len)
{
	uint8_t proto = s->udp ? IPPROTO_UDP : IPPROTO_TCP;

	p[0] = 0x60;
	p[1] = s->ecn << 4;
	put16(p + 4, len - 40);
	p[6] = s->options ? s->next : proto;
	p[7] = 64;
	memcpy(p + 8, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	memcpy(p + 24, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
	if (!s->options)
		return;
	p[40] = proto;
	p[41] = s->options / 8 - 1;
	p[42] = 1;
	p[43] = s->options - 4;
}

static void put_v4(uint8_t *p, const struct shape *s, unsigned int len, unsigned int id)
{
	p[0] = 0x40 | (20 + s->options) / 4;
	p[1] = s->ecn;
	put16(p + 2, len);
	put16(p + 4, id);
	p[6] = 0x40;
	p[8] = 64;
	p[9] = s->udp ? IPPROTO_UDP : IPPROTO_TCP;
	put32(p + 12, 0x0a640101);
	put32(p + 16, 0x0a640102);
	memset(p + 20, 1, s->options); /* no-operation */
	put16(p + 10, ~csum16(p, 20 + s->options, 0));
}

static void put_l4(uint8_t *p, const struct shape *s, unsigned int len, uint32_t offset,
		   uint8_t flags)
{
	put16(p, 5000);
	put16(p + 2, 4000);
	if (s->udp) {
		put16(p + 4, len);
		return;
	}
	put32(p + 4, 1000000 + offset);
	put32(p + 8, 77);
	p[12] = (20 + s->tcp_options) / 4 << 4 | s->ae;
	p[13] = flags;
	put16(p + 14, 5840);
	memset(p + 20, 1, s->tcp_options);
}

static uint32_t pseudo(const uint8_t *p, const struct shape *s, unsigned int l4)
{
	uint8_t proto = s->udp ? IPPROTO_UDP : IPPROTO_TCP;

	return s->v6 ? csum16(p + 8, 32, proto + l4) : csum16(p + 12, 8, proto + l4);
}

/* @payload bytes from @offset on; the checksum is that of the pseudo header if @partial. */
static size_t build(uint8_t *p, const struct shape *s, unsigned int offset, unsigned int payload,
		    uint8_t flags, bool partial)
{
	unsigned int l3 = l3_length(s), len = headers(s) + payload, i;
	uint16_t sum;

	memset(p, 0, headers(s));
	for (i = 0; i < payload; i++)
		p[headers(s) + i] = (offset + i) * 2654435761U >> 24;
	if (s->v6)
		put_v6(p, s, len);
	else
		put_v4(p, s, len, 7 + offset / SEGMENT);
	put_l4(p + l3, s, len - l3, offset, flags);
	sum = csum16(NULL, 0, pseudo(p, s, len - l3));
	if (!partial)
		sum = ~csum16(p + l3, len - l3, sum);
	put16(p + l3 + (s->udp ? 6 : 16), sum ?: (s->udp ? 0xffff : 0));
	return len;
}

/* Only the last segment has FIN and PSH, only the first has CWR. */
static uint8_t flags_of(const struct shape *s, bool first, bool last)
{
	uint8_t flags = s->flags;

	if (!last)
		flags &= ~0x09;
	return first ? flags : flags & ~0x80;
}

/* 0, or a negative errno. */
static int send_vnet(const struct virtio_net_hdr *h, const uint8_t *packet, size_t len, bool v6)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(v6 ? ETH_P_IPV6 : ETH_P_IP),
				 .sll_ifindex = if_nametoindex("port1")};
	static uint8_t buf[sizeof(*h) + 65536];
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, err = 0;

	memcpy(buf, h, sizeof(*h));
	memcpy(buf + sizeof(*h), packet, len);
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    sendto(fd, buf, sizeof(*h) + len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static uint8_t gso_type(const struct shape *s)
{
	uint8_t type = s->udp  ? VIRTIO_NET_HDR_GSO_UDP_L4
		       : s->v6 ? VIRTIO_NET_HDR_GSO_TCPV6
			       : VIRTIO_NET_HDR_GSO_TCPV4;

	return type | (s->flags & 0x80 ? VIRTIO_NET_HDR_GSO_ECN : 0);
}

/* Iterates over the frames of a transfer; NULL at its end. */
struct frames {
	uint8_t buf[AGGREGATE_MAX];
	size_t at, len;
};

static const uint8_t *next_frame(const struct world *w, struct frames *f, int version, size_t *len)
{
	size_t header = version == 5 ? 8 : 4;
	const uint8_t *p;

	if (f->at + header > f->len) {
		f->len = world_recv(w, f->buf, sizeof(f->buf), WAIT_MS);
		f->at = 0;
		if (!f->len)
			return NULL;
	}
	p = f->buf + f->at;
	*len = (p[2] << 8 | p[3]) - (p[0] & QMAP_PAD_MASK);
	f->at += header + (p[2] << 8 | p[3]);
	return p;
}

static int check_segment(const struct shape *s, const uint8_t *frame, size_t len,
			 unsigned int offset)
{
	unsigned int payload = PAYLOAD - offset < SEGMENT ? PAYLOAD - offset : SEGMENT, i;
	static uint8_t want[65536];
	size_t want_len = build(want, s, offset, payload,
				flags_of(s, !offset, offset + payload == PAYLOAD), false);

	if (len != want_len)
		return FAIL("%zu bytes, expected %zu", len, want_len);
	for (i = 0; i < len; i++)
		if (frame[4 + i] != want[i])
			return FAIL("byte %u is %02x, expected %02x", i, frame[4 + i], want[i]);
	return 0;
}

static int cut(const struct world *w, const struct shape *s)
{
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = gso_type(s),
		.hdr_len = headers(s),
		.gso_size = SEGMENT,
		.csum_start = l3_length(s),
		.csum_offset = s->udp ? 6 : 16,
	};
	static uint8_t packet[65536];
	static struct frames f;
	const uint8_t *frame;
	unsigned int offset;
	size_t len;
	int err;

	f.at = f.len = 0;
	len = build(packet, s, 0, PAYLOAD, s->flags, true);
	err = send_vnet(&h, packet, len, s->v6);
	if (err == -EINVAL && s->udp) { /* since Linux 6.2 */
		printf("  %s: this kernel takes none to be cut\n", s->name);
		return 0;
	}
	if (err)
		return FAIL("%s: packet socket: %s", s->name, strerror(-err));
	for (offset = 0; offset < PAYLOAD; offset += SEGMENT) {
		frame = next_frame(w, &f, 1, &len);
		if (!frame || check_segment(s, frame, len, offset))
			return FAIL("%s: segment %u", s->name, offset / SEGMENT);
	}
	return 0;
}

static int in_world(int version, uint32_t tx_bytes, int (*work)(const struct world *w))
{
	const struct world_options o = {
		.version = version, .ports = 1, .trunk = {.tx_bytes = tx_bytes}};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = nl_wait_running("port1") ? FAIL("port1") : work(&w);
	world_free(&w);
	return err;
}

static int cut_all(const struct world *w)
{
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(shapes) / sizeof(*shapes) && !err; i++)
		err = cut(w, &shapes[i]);
	return err;
}

TEST(segments)
{
	return in_world(1, 0, cut_all) ?: in_world(1, 16384, cut_all);
}

struct sum {
	const char *name;
	unsigned int start, offset; /* of the checksum */
	uint8_t proto;
	bool v6;
	unsigned int options;
};

/* Checksums that no modem supports: it is not asked for them. */
static const struct sum sums[] = {
	{"GRE", 20, 4, IPPROTO_GRE, false, 0},
	{"UDP in GRE", 52, 6, IPPROTO_GRE, false, 0},
	{"ICMPv6", 40, 2, IPPROTO_ICMPV6, true, 0},
	{"UDP-Lite", 20, 6, IPPROTO_UDPLITE, false, 0},
	{"UDP behind IPv6 options", 48, 6, IPPROTO_DSTOPTS, true, 8},
};

static size_t build_sum(uint8_t *p, const struct sum *s, bool done)
{
	const unsigned int len = 400;
	unsigned int i;
	uint16_t sum;

	for (i = 0; i < len; i++)
		p[i] = i * 2654435761U >> 24;
	if (s->v6) {
		put_v6(p,
		       &(struct shape){.v6 = true, .udp = true, .options = s->options, .next = 60},
		       len);
		p[6] = s->proto;
	} else {
		put_v4(p, &(struct shape){.options = s->options}, len, 1);
		p[9] = s->proto;
		put16(p + 10, 0);
		put16(p + 10, ~csum16(p, 20 + s->options, 0));
	}
	put16(p + s->start + s->offset, 0x1234);
	if (done) {
		sum = ~csum16(p + s->start, len - s->start, 0);
		put16(p + s->start + s->offset, sum ?: 0xffff);
	}
	return len;
}

static int sum_in_software(const struct world *w)
{
	uint8_t packet[1500], want[1500];
	static struct frames f;
	const uint8_t *frame;
	size_t i, len, got;

	for (i = 0; i < sizeof(sums) / sizeof(*sums); i++) {
		struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					   .csum_start = sums[i].start,
					   .csum_offset = sums[i].offset};

		f.at = f.len = 0;
		len = build_sum(packet, &sums[i], false);
		build_sum(want, &sums[i], true);
		if (send_vnet(&h, packet, len, sums[i].v6))
			return FAIL("%s: packet socket", sums[i].name);
		frame = next_frame(w, &f, 5, &got);
		if (!frame || got != len)
			return FAIL("%s: %zu bytes, expected %zu", sums[i].name, frame ? got : 0,
				    len);
		if (frame[5] & QMAP_V5_CSUM)
			return FAIL("%s: the modem is asked for it", sums[i].name);
		if (memcmp(frame + 8, want, len))
			return FAIL("%s: bytes differ", sums[i].name);
	}
	return 0;
}

TEST(checksums)
{
	return in_world(5, 0, sum_in_software) ?: in_world(5, 16384, sum_in_software);
}
