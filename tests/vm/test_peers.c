// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shim and kernel rmnet side by side: the same packets go out of both, the same aggregates come
 * in by both, and each decodes the output of the other.
 *
 * The two differ, and may, in these points:
 * - rmnet does not pad (kernel rmnet_handlers.c asks rmnet_map_add_map_header() for none), the shim
 *   pads to 4 bytes: the test checks pads by themselves and all else for equality;
 * - both aggregate, but end a transfer for reasons of their own: frames are compared, not
 *   transfers;
 * - the shim keeps order within a port, and a port's queue limit may let another port go first; rmnet
 *   does not keep it on a slow machine: rmnet's worker and a sender both send without the lock
 *   (rmnet_map_data.c), so the next transfer can overtake the one of the worker;
 * - rmnet leaves a command that it does not know unanswered: these are not compared;
 * - rmnet compares the sum of a v4 trailer, the shim leaves that to the stack.
 */
#include "shim_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>

#include "qmap/wire.h"
#include "rmnet.h"
#include "world.h"

#define PORTS	  3
#define ROUNDS	  60U
#define BATCH	  40
#define LARGEST	  1500
#define FULL	  30 /* frames of any size that fit an aggregate */
#define WAIT_MS	  30000
#define NUDGE	  (PORTS + 1) /* of rmnet only */
#define NUDGES	  3
#define TRANSFERS (BATCH + NUDGES)
#define STRANGER  77 /* a mux id without a port */

struct peer {
	const char *name; /* and prefix of its ports */
	struct world w;
	int out[NUDGE + 1], tap[NUDGE + 1];
};

static struct peer shim = {.name = "port"}, rmnet = {.name = "rm"};

/* A packet as given to a port, and with its checksum filled in. */
struct packet {
	unsigned int port;
	bool partial, bad;
	unsigned int start, field; /* of the checksum, from the IP header */
	size_t len;
	uint8_t given[LARGEST], whole[LARGEST];
};

/* A frame of a transfer. */
struct frame {
	uint8_t flags, mux;
	unsigned int pad;
	size_t len; /* of the packet */
	uint8_t *next_header, *packet;
};

/* Frames of one peer in the order of packets[]; their order on the wire is in wire[]. */
struct sent {
	unsigned int n;
	struct {
		size_t len;
		uint8_t data[AGGREGATE_MAX];
	} transfers[TRANSFERS];
	unsigned int n_frames;
	struct frame frames[BATCH];
	unsigned int wire[BATCH];
};

static struct packet packets[BATCH];
static struct sent by_shim, by_rmnet;
static unsigned int n_nudges;

/* ---- packets ---- */

/* Completes a checksum: sums from @start, the field included. */
static void finish(uint8_t *packet, size_t len, unsigned int start, unsigned int field)
{
	uint16_t sum = ~csum16(packet + start, len - start, 0);

	sum = htons(sum ? sum : 0xffff);
	memcpy(packet + field, &sum, sizeof(sum));
}

static void leave_open(struct packet *p, uint8_t proto)
{
	bool v6 = p->given[0] >> 4 == 6;
	uint16_t sum = csum16(p->given + (v6 ? 8 : 12), v6 ? 32 : 8, proto + p->len - p->start);

	sum = htons(sum);
	memcpy(p->given + p->field, &sum, sizeof(sum));
	memcpy(p->whole, p->given, p->len);
	finish(p->whole, p->len, p->start, p->field);
}

static void make(struct packet *p, bool bad)
{
	struct packet_spec s = {
		.udp = chance(50),
		.v6 = chance(50),
		.flow = random_in(1, 100),
		.seq = random_u32(),
		.ack = random_u32(),
		.window = random_u32(),
		.ttl = random_in(1, 255),
		.tos = random_u32(),
		.flags = 0x10,
		.id = random_u32(),
		.frag = chance(50) ? 0x4000 : 0,
		.payload = chance(30) ? random_in(0, 40) : random_in(41, 1420),
		.bad_csum = bad,
	};

	p->port = random_in(1, PORTS);
	p->bad = bad;
	p->start = s.v6 ? 40 : 20;
	p->field = p->start + (s.udp ? 6 : 16);
	p->len = packet_make(p->given, &s);
	p->partial = !bad && chance(70);
	memcpy(p->whole, p->given, p->len);
	if (p->partial)
		leave_open(p, s.udp ? IPPROTO_UDP : IPPROTO_TCP);
}

/* ---- out of a port ---- */

/* A packet socket passes bytes to a device unchanged, and can leave a checksum open. */
static int out_open(const char *dev)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;

	if (fd >= 0 && setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on))) {
		close(fd);
		fd = -1;
	}
	return fd < 0 ? FAIL("%s: packet socket: %s", dev, strerror(errno)) : fd;
}

static int send_out(const struct peer *peer, const struct packet *p)
{
	uint8_t buf[sizeof(struct virtio_net_hdr) + LARGEST];
	struct virtio_net_hdr h = {};
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	char dev[IFNAMSIZ];
	size_t n = sizeof(h) + p->len;

	if (p->partial) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = p->start;
		h.csum_offset = p->field - p->start;
	}
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), p->given, p->len);
	snprintf(dev, sizeof(dev), "%s%u", peer->name, p->port);
	to.sll_protocol = htons(p->given[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
	to.sll_ifindex = if_nametoindex(dev);
	if (sendto(peer->out[p->port], buf, n, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)n)
		return FAIL("%s: send %zu: %s", dev, p->len, strerror(errno));
	return 0;
}

/* Reads the frame at @p; returns its length or 0. */
static size_t read_frame(uint8_t *p, size_t left, int version, struct frame *f)
{
	size_t header = version == 1 ? 4 : 8, n;

	if (left < header)
		return 0;
	f->pad = p[0] & QMAP_PAD_MASK;
	f->flags = p[0] & ~QMAP_PAD_MASK;
	f->mux = p[1];
	n = p[2] << 8 | p[3];
	if (header + n > left || f->pad >= n)
		return 0;
	f->len = n - f->pad;
	f->next_header = p + 4;
	f->packet = p + header;
	return header + n;
}

/* The packet that the frame must carry if each port sends in order. BATCH: none. */
static unsigned int next_packet(const struct sent *s, const struct frame *f)
{
	unsigned int i;

	for (i = 0; i < BATCH && (packets[i].port != f->mux || s->frames[i].packet); i++)
		;
	return i;
}

/* The packet that the frame carries, by its length and its IP header. BATCH: none. */
static unsigned int same_packet(const struct sent *s, const struct frame *f)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		if (packets[i].port == f->mux && packets[i].len == f->len && !s->frames[i].packet &&
		    !memcmp(packets[i].given, f->packet, 20))
			break;
	return i;
}

/* Assigns a frame to the packet that it must carry. */
static int note_frame(struct sent *s, const struct frame *f)
{
	unsigned int i;

	if (f->mux == NUDGE)
		return 0;
	if (f->mux < 1 || f->mux > PORTS)
		return FAIL("mux %u", f->mux);
	i = s == &by_shim ? next_packet(s, f) : same_packet(s, f);
	if (i == BATCH)
		return FAIL("a frame of %zu bytes that was not sent on mux %u", f->len, f->mux);
	s->frames[i] = *f;
	s->wire[s->n_frames++] = i;
	return 0;
}

static int read_transfer(struct sent *s, size_t len, int version)
{
	uint8_t *data = s->transfers[s->n].data;
	struct frame f;
	size_t at, n;

	s->transfers[s->n++].len = len;
	for (at = 0; at < len; at += n) {
		n = read_frame(data + at, len - at, version, &f);
		if (!n)
			return FAIL("not a frame at %zu of %zu", at, len);
		if (note_frame(s, &f))
			return -1;
	}
	return 0;
}

/*
 * A packet that arrives just as the handler of rmnet's timer ends waits for the next one (kernel
 * rmnet_map_data.c: rmnet_map_tx_aggregate() finds hrtimer_active() and starts no other). This
 * packet, on a port that the shim does not have, makes rmnet send it.
 */
static int nudge(const struct peer *peer)
{
	struct packet p = packets[0];

	n_nudges++;
	if (peer != &rmnet)
		return FAIL("%s: packets are missing", peer->name);
	p.port = NUDGE;
	return send_out(peer, &p);
}

/* Reads transfers of @peer until the whole batch is there. */
static int collect(const struct peer *peer, struct sent *s, int version)
{
	unsigned int nudges = 0;

	s->n = s->n_frames = 0;
	memset(s->frames, 0, sizeof(s->frames));
	while (s->n_frames < BATCH && s->n < TRANSFERS) {
		size_t len = world_recv(&peer->w, s->transfers[s->n].data, AGGREGATE_MAX, WAIT_MS);

		if (len ? read_transfer(s, len, version) : nudges++ == NUDGES || nudge(peer))
			return FAIL("%s: %u frames came", peer->name, s->n_frames);
	}
	return s->n_frames == BATCH ? 0 : FAIL("%s: %u frames", peer->name, s->n_frames);
}

/* Builds the packet as expected in a frame. */
static void expected_in_frame(const struct packet *p, int version, uint8_t *out)
{
	memcpy(out, version == 1 ? p->whole : p->given, p->len);
	if (version == 4 && p->partial) {
		out[p->field] ^= 0xff;
		out[p->field + 1] ^= 0xff;
	}
}

static int compare_pads(const struct frame *ours, const struct frame *theirs)
{
	static const uint8_t zero[QMAP_ALIGN];

	if (theirs->pad)
		return FAIL("rmnet pads by %u", theirs->pad);
	if (ours->pad != (-ours->len & (QMAP_ALIGN - 1)) ||
	    memcmp(ours->packet + ours->len, zero, ours->pad))
		return FAIL("pad %u behind %zu bytes", ours->pad, ours->len);
	return 0;
}

static int compare_frames(const struct packet *p, const struct frame *ours,
			  const struct frame *theirs, int version)
{
	uint8_t expected[LARGEST];
	bool asked;

	if (ours->mux != p->port || theirs->mux != p->port || ours->flags != theirs->flags ||
	    ours->len != p->len || theirs->len != p->len)
		return FAIL("mux %u/%u, flags %02x/%02x, length %zu/%zu for a packet of %zu on %u",
			    ours->mux, theirs->mux, ours->flags, theirs->flags, ours->len,
			    theirs->len, p->len, p->port);
	if (version != 1 && memcmp(ours->next_header, theirs->next_header, 4))
		return FAIL("second header %02x%02x%02x%02x, rmnet's %02x%02x%02x%02x",
			    ours->next_header[0], ours->next_header[1], ours->next_header[2],
			    ours->next_header[3], theirs->next_header[0], theirs->next_header[1],
			    theirs->next_header[2], theirs->next_header[3]);
	/* Equality is not enough: neither may have requested a checksum. */
	asked = version == 5 ? ours->next_header[1] & QMAP_V5_CSUM : ours->next_header[2] & 0x80;
	if (version != 1 && asked != p->partial)
		return FAIL("checksum open: %d, asked for: %d", p->partial, asked);
	expected_in_frame(p, version, expected);
	if (memcmp(ours->packet, expected, p->len) || memcmp(theirs->packet, expected, p->len))
		return FAIL("packet of %zu bytes differs: ours %d, rmnet's %d", p->len,
			    memcmp(ours->packet, expected, p->len),
			    memcmp(theirs->packet, expected, p->len));
	return compare_pads(ours, theirs);
}

/* ---- into a port ---- */

/* Reads one packet of a tap, and whether its checksum counts as verified. */
static size_t read_tap(int fd, uint8_t *buf, size_t size, bool *verified)
{
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec iov = {.iov_base = buf, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct tpacket_auxdata aux = {};
	ssize_t n;

	if (!world_readable(fd, WAIT_MS))
		return 0;
	n = recvmsg(fd, &msg, 0);
	if (n > 0 && CMSG_FIRSTHDR(&msg))
		memcpy(&aux, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(aux));
	*verified = aux.tp_status & TP_STATUS_CSUM_VALID;
	return n > 0 ? n : 0;
}

static int expect_packet(const struct peer *peer, const struct packet *p, bool verified)
{
	uint8_t buf[2 * LARGEST];
	bool is_verified = false;
	size_t n = read_tap(peer->tap[p->port], buf, sizeof(buf), &is_verified);

	if (n != p->len || memcmp(buf, p->whole, n))
		return FAIL("%s%u: %zu bytes, not those of the packet of %zu", peer->name, p->port,
			    n, p->len);
	if (is_verified != verified)
		return FAIL("%s%u: checksum verified: %d", peer->name, p->port, is_verified);
	return 0;
}

static int expect_silence(const struct peer *peer)
{
	unsigned int i;

	for (i = 1; i <= PORTS; i++)
		if (world_readable(peer->tap[i], 0))
			return FAIL("%s%u: more than was sent", peer->name, i);
	return 0;
}

/* ---- each decodes the other's frames ---- */

/*
 * v1 and v5 look the same in both directions, except one bit of v5: uplink it requests a checksum,
 * downlink it reports a good one. The modem in between fills in requested checksums.
 */
static void through_the_modem(struct sent *s, int version)
{
	unsigned int i;

	for (i = 0; i < BATCH && version == 5; i++)
		if (s->frames[i].next_header[1] & QMAP_V5_CSUM)
			finish(s->frames[i].packet, s->frames[i].len, packets[i].start,
			       packets[i].field);
}

static int cross(struct sent *s, const struct peer *to, int version)
{
	const struct packet *p;
	unsigned int i;

	through_the_modem(s, version);
	for (i = 0; i < s->n; i++)
		if (world_send(&to->w, s->transfers[i].data, s->transfers[i].len))
			return FAIL("to %s: %s", to->name, strerror(errno));
	for (i = 0; i < BATCH; i++) {
		p = &packets[s->wire[i]];
		if (expect_packet(to, p, version == 5 && p->partial))
			return -1;
	}
	return expect_silence(to);
}

static int uplink_round(int version)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		make(&packets[i], false);
		if (send_out(&shim, &packets[i]) || send_out(&rmnet, &packets[i]))
			return -1;
	}
	if (collect(&shim, &by_shim, version) || collect(&rmnet, &by_rmnet, version))
		return -1;
	for (i = 0; i < BATCH; i++)
		if (compare_frames(&packets[i], &by_shim.frames[i], &by_rmnet.frames[i], version))
			return -1;
	/* v4's uplink header is no downlink format. */
	if (version == 4)
		return 0;
	return cross(&by_shim, &rmnet, version) ?: cross(&by_rmnet, &shim, version);
}

/* ---- the same aggregates for both ---- */

/* Both end an aggregate at malformed bytes: at the end, or in front of a good frame. */
static unsigned int spoil(struct aggregate *a, unsigned int n)
{
	static const uint8_t none[4] = {0, 1, 0, 0};

	if (chance(20)) {
		a->len -= random_in(1, 20);
		return n - 1;
	}
	if (chance(20)) {
		memcpy(a->data + a->len, none, sizeof(none));
		a->len += sizeof(none);
		aggregate_add(a, 1, packets[0].whole, packets[0].len, 0);
	}
	return n;
}

/* Returns how many of packets[] must arrive. */
static unsigned int fill(struct aggregate *a, bool *vouched)
{
	unsigned int i, count = random_in(1, FULL);

	for (i = 0; i < count; i++) {
		struct packet *p = &packets[i];

		make(p, chance(10));
		a->csum_ok = vouched[i] = chance(60);
		if (chance(10))
			aggregate_add(a, STRANGER, p->whole, p->len, random_in(0, 3));
		aggregate_add(a, p->port, p->whole, p->len,
			      chance(50) ? -p->len & 3 : random_in(0, 63));
	}
	return spoil(a, count);
}

static int downlink_round(int version)
{
	static struct aggregate a;
	bool vouched[BATCH];
	unsigned int i, n;

	a = (struct aggregate){.version = version, .max = AGGREGATE_MAX};
	n = fill(&a, vouched);
	if (world_send(&shim.w, a.data, a.len) || world_send(&rmnet.w, a.data, a.len))
		return FAIL("%zu bytes: %s", a.len, strerror(errno));
	for (i = 0; i < n; i++) {
		/* In v4 the sum is reported, not the verdict. */
		bool verified = vouched[i] && (version == 5 || (version == 4 && !packets[i].bad));

		if (expect_packet(&shim, &packets[i], verified) ||
		    expect_packet(&rmnet, &packets[i], verified))
			return FAIL("frame %u of %u", i, n);
	}
	return expect_silence(&shim) ?: expect_silence(&rmnet);
}

/*
 * In 6.12 the packets that rmnet_map_deaggregate() makes have no device, and rmnet_map_send_ack()
 * takes that device's lock: a command is an oops there.
 */
static bool rmnet_survives_commands(void)
{
	struct utsname u;
	unsigned int major, minor;

	return !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 && major == 6 &&
	       minor == 1;
}

/* rmnet's command header is made of bit-fields, whose order is that of little-endian machines
 * (drivers/net/ethernet/qualcomm/rmnet/rmnet_map.h). */
#define BIG_ENDIAN_MACHINE (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

/* Flow control: both answer with the same bytes. */
static int commands(int version)
{
	static struct aggregate a;
	uint8_t ours[64], theirs[64];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		size_t n;

		a = (struct aggregate){.version = version, .max = sizeof(ours)};
		aggregate_add_flow(&a, 1 + i / 2, i & 1, random_u32());
		if (world_send(&shim.w, a.data, a.len) || world_send(&rmnet.w, a.data, a.len))
			return FAIL("command: %s", strerror(errno));
		n = world_recv(&shim.w, ours, sizeof(ours), WAIT_MS);
		if (!n || n != world_recv(&rmnet.w, theirs, sizeof(theirs), WAIT_MS) ||
		    memcmp(ours, theirs, n))
			return FAIL("answers to command %u differ", i);
	}
	return 0;
}

/* ---- both peers ---- */

static int sockets(struct peer *peer, unsigned int ports)
{
	char dev[IFNAMSIZ];
	unsigned int i;
	int on = 1;

	for (i = 1; i <= ports; i++) {
		snprintf(dev, sizeof(dev), "%s%u", peer->name, i);
		/* GRO would merge the packets to compare. */
		if (world_feature(dev, ETHTOOL_SGRO, false) || nl_wait_running(dev))
			return FAIL("%s: %s", dev, strerror(errno));
		peer->out[i] = out_open(dev);
		peer->tap[i] = world_tap(dev);
		if (peer->out[i] < 0 || peer->tap[i] < 0 ||
		    setsockopt(peer->tap[i], SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)))
			return FAIL("%s: packet sockets", dev);
	}
	return 0;
}

static void close_sockets(struct peer *peer)
{
	unsigned int i;

	for (i = 1; i <= NUDGE; i++) {
		if (peer->out[i] >= 0)
			close(peer->out[i]);
		if (peer->tap[i] >= 0)
			close(peer->tap[i]);
	}
}

static int rounds(int version)
{
	unsigned int i, transfers = 0, theirs = 0;

	n_nudges = 0;
	if (sockets(&shim, PORTS) || sockets(&rmnet, NUDGE))
		return -1;
	for (i = 0; i < ROUNDS; i++) {
		if (uplink_round(version) || downlink_round(version))
			return FAIL("round %u", i);
		transfers += by_shim.n;
		theirs += by_rmnet.n;
	}
	printf("  %u packets in %u transfers, rmnet's %u after %u nudges\n", ROUNDS * BATCH,
	       transfers, theirs, n_nudges);
	if (BIG_ENDIAN_MACHINE)
		printf("  commands are left out: rmnet has their type in the wrong bits here\n");
	else if (rmnet_survives_commands())
		return commands(version);
	else
		printf("  commands are left out: this kernel's rmnet does not survive them\n");
	return 0;
}

static int run(int version)
{
	const struct nl_trunk aggregated = {.tx_bytes = 16384, .tx_frames = 32, .tx_usecs = 800};
	const struct world_options o = {.version = version, .ports = PORTS, .trunk = aggregated};
	struct world *modem = &rmnet.w;
	int err;

	memset(shim.out, -1, sizeof(shim.out));
	memcpy(shim.tap, shim.out, sizeof(shim.tap));
	memcpy(rmnet.out, shim.out, sizeof(rmnet.out));
	memcpy(rmnet.tap, shim.out, sizeof(rmnet.tap));
	if (world_new(&shim.w, &o))
		return -1;
	memset(modem, 0, sizeof(*modem));
	modem->second = -1;
	modem->modem = world_tun("modem1", 0, &modem->modem_ifindex);
	err = modem->modem < 0 ? modem->modem : rmnet_up("modem1", rmnet.name, NUDGE, version);
	if (err == -EOPNOTSUPP)
		skipped = "this kernel has no rmnet";
	else
		err = err ? FAIL("rmnet: %d %s", err, nl_error()) : rounds(version);
	close_sockets(&shim);
	close_sockets(&rmnet);
	rmnet_down(rmnet.name, NUDGE);
	world_free(modem);
	world_free(&shim.w);
	return skipped ? 0 : err;
}

TEST_VERSIONS(peers, run);
