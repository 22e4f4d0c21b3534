// SPDX-License-Identifier: GPL-2.0-or-later
/* Uplink: framing, padding, checksum requests, aggregation, flow control. */
#include "shim_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "usbredir.h"
#include "world.h"
#include "qmap/wire.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define PORTS	 2
#define WAIT_MS	 30000
#define QUIET_MS 50
#define ROUNDS	 100
#define SEGMENT	 1000
#define MAX_SEND 60000

static uint32_t host_addr(unsigned int port)
{
	return htonl(0x0a640001 + (port << 8));
}

static int addresses(void)
{
	char name[IFNAMSIZ];
	unsigned int i;

	for (i = 1; i <= PORTS; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		if (nl_add_addr4(name, host_addr(i), 24) || nl_wait_running(name))
			return FAIL("%s: %s", name, nl_error());
	}
	return 0;
}

/* A UDP socket that sends out of one port. */
static int udp_open(unsigned int port, unsigned int segment)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(4000),
				 .sin_addr.s_addr = host_addr(port) + htonl(1)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    (segment && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment))))
		return FAIL("UDP socket: %s", strerror(errno));
	return fd;
}

/* Bytes sent and expected, as one stream per port: payloads back to back. */
struct stream {
	uint8_t sent[MAX_SEND * 2], came[MAX_SEND * 2];
	size_t n_sent, n_came;
	unsigned int packets;
};

static struct stream streams[PORTS + 1];

static int check_csum(const uint8_t *ip, size_t len, int version, const uint8_t *header)
{
	uint32_t pseudo = csum16(ip + 12, 8, IPPROTO_UDP + (len - 20));
	uint16_t field = ip[26] << 8 | ip[27];

	if (csum16(ip, 20, 0) != 0xffff)
		return FAIL("IP header checksum");
	if (version == 1)
		return csum16(ip + 20, len - 20, pseudo) == 0xffff ? 0 : FAIL("UDP checksum");
	if (version == 5) {
		if (header[0] != QMAP_V5_TYPE_CSUM << 1 || header[1] != QMAP_V5_CSUM)
			return FAIL("v5 header %02x %02x", header[0], header[1]);
		return field == csum16(NULL, 0, pseudo) ? 0 : FAIL("v5 pseudo sum");
	}
	if (header[0] || header[1] != 20 || header[2] != 0xc0 || header[3] != 6)
		return FAIL("v4 header %02x%02x%02x%02x", header[0], header[1], header[2],
			    header[3]);
	return field + csum16(NULL, 0, pseudo) == 0xffff ? 0 : FAIL("v4 pseudo sum");
}

static int take_packet(unsigned int mux, const uint8_t *ip, size_t len, int version,
		       const uint8_t *header)
{
	struct stream *s = &streams[mux];

	if (mux < 1 || mux > PORTS)
		return FAIL("mux %u", mux);
	if (len < 28 || ip[0] != 0x45 || (size_t)(ip[2] << 8 | ip[3]) != len)
		return FAIL("not an IP packet of %zu bytes", len);
	if (ip[9] != IPPROTO_UDP)
		return 0;
	memcpy(s->came + s->n_came, ip + 28, len - 28);
	s->n_came += len - 28;
	s->packets++;
	return check_csum(ip, len, version, header);
}

/* Parses one transfer; returns the number of frames or -1. */
static int take(const uint8_t *p, size_t len, int version)
{
	size_t header = version == 1 ? 4 : 8, frame, pad;
	int frames = 0;

	while (len) {
		if (len < header)
			return FAIL("%zu bytes left over", len);
		frame = p[2] << 8 | p[3];
		pad = p[0] & QMAP_PAD_MASK;
		if (frame % QMAP_ALIGN || header + frame > len || pad >= frame)
			return FAIL("frame of %zu bytes, pad %zu, in %zu", frame, pad, len);
		if (!(p[0] & QMAP_FLAG_NEXT_HEADER) != (version != 5))
			return FAIL("flags %02x", p[0]);
		if ((p[header] >> 4) == 4 &&
		    take_packet(p[1], p + header, frame - pad, version, p + 4))
			return -1;
		p += header + frame;
		len -= header + frame;
		frames++;
	}
	return frames;
}

static int send_random(const int *fds, unsigned int segment)
{
	unsigned int port = random_in(1, PORTS);
	struct stream *s = &streams[port];
	size_t n = segment ? random_in(1, 30 * segment) : random_in(1, 1472), i;
	uint8_t *p = s->sent + s->n_sent;

	for (i = 0; i < n; i++)
		p[i] = random_u32();
	if (send(fds[port], p, n, 0) != (ssize_t)n)
		return FAIL("send %zu: %s", n, strerror(errno));
	s->n_sent += n;
	return 0;
}

static int drain(const struct world *w, int version, unsigned int *transfers)
{
	static uint8_t buf[AGGREGATE_MAX];
	unsigned int i;
	size_t len;

	for (;;) {
		for (i = 1; i <= PORTS && streams[i].n_came >= streams[i].n_sent; i++)
			;
		if (i > PORTS)
			break;
		len = world_recv(w, buf, sizeof(buf), WAIT_MS);
		if (!len)
			return FAIL("port %u: %zu of %zu bytes came", i, streams[i].n_came,
				    streams[i].n_sent);
		if (take(buf, len, version) < 0)
			return -1;
		++*transfers;
	}
	for (i = 1; i <= PORTS; i++) {
		if (memcmp(streams[i].came, streams[i].sent, streams[i].n_sent))
			return FAIL("port %u: bytes differ", i);
		streams[i].n_sent = streams[i].n_came = 0;
	}
	return 0;
}

static int exchange(const struct world *w, int version, unsigned int segment,
		    unsigned int *transfers)
{
	int fds[PORTS + 1], err = 0;
	unsigned int i, j;

	for (i = 1; i <= PORTS; i++) {
		fds[i] = udp_open(i, segment);
		if (fds[i] < 0)
			return -1;
	}
	for (i = 0; i < ROUNDS && !err; i++) {
		for (j = random_in(1, 4); j && !err; j--)
			err = send_random(fds, segment);
		err = err ?: drain(w, version, transfers);
	}
	for (i = 1; i <= PORTS; i++)
		close(fds[i]);
	return err;
}

static int run_on(enum world_modem modem, int version, const struct nl_trunk *t,
		  unsigned int segment, bool aggregated)
{
	const struct world_options o = {
		.version = version, .ports = PORTS, .trunk = *t, .modem = modem};
	/* the emulated modem on USB is slow, and a slow modem gets smaller transfers (credit.c) */
	unsigned int transfers = 0, packets, least = modem == WORLD_TUN ? 3 : 2;
	struct world w;
	int err;

	memset(streams, 0, sizeof(streams));
	if (world_new(&w, &o))
		return -1;
	err = addresses();
	world_run(&w);
	err = err || exchange(&w, version, segment, &transfers);
	world_configure(&w);
	packets = streams[1].packets + streams[2].packets;
	printf("  %u packets in %u transfers\n", packets, transfers);
	/* the emulated controller with DMA is so slow that the timer ends most aggregates */
	if (!err && !usbredir_exists() &&
	    (aggregated ? packets < least * transfers : packets > transfers))
		err = FAIL("not what was asked for");
	world_free(&w);
	return err;
}

static int run(int version, const struct nl_trunk *t, unsigned int segment, bool aggregated)
{
	return run_on(WORLD_TUN, version, t, segment, aggregated);
}

/* Software GSO announces that more follows, so one send fills aggregates without a timer. */
static const struct nl_trunk by_bytes = {.tx_bytes = 16384};

TEST(uplink_v1)
{
	return run(1, &by_bytes, SEGMENT, true);
}

TEST(uplink_v4)
{
	return run(4, &by_bytes, SEGMENT, true);
}

TEST(uplink_v5)
{
	return run(5, &by_bytes, SEGMENT, true);
}

static int run_usb(int version)
{
	const struct nl_trunk by_31k = {.tx_bytes = 31744}, off = {};

	if (!test_has_usb())
		return 0;
	return run_on(WORLD_USB_OWN, version, &by_bytes, SEGMENT, true) ||
	       run_on(WORLD_USB_OWN, version, &by_31k, SEGMENT, true) ||
	       run_on(WORLD_USB_OWN, version, &off, 0, false);
}

TEST_VERSIONS(usb_uplink, run_usb);

TEST(uplink_alone)
{
	const struct nl_trunk off = {};

	return run(1, &off, 0, false);
}

/* A transmit program has a say in the header alone: no frame gets shorter or longer by another length. */
TEST(uplink_program_lies)
{
	const struct world_options o = {.version = 1, .ports = PORTS, .trunk = by_bytes};
	unsigned int transfers = 0, i;
	struct bpf_program *lies;
	struct world w;
	int err;

	memset(streams, 0, sizeof(streams));
	if (world_new(&w, &o))
		return -1;
	err = addresses() || world_extra(&w, 0);
	lies = err ? NULL : bpf_object__find_program_by_name(w.extra, "tx_lies");
	for (i = 1; i <= PORTS && !err; i++)
		err = bpf_link__update_program(w.tx[i], lies) ? FAIL("cannot install it") : 0;
	err = err || exchange(&w, 1, SEGMENT, &transfers) || exchange(&w, 1, 0, &transfers);
	world_free(&w);
	return err;
}

/*
 * Memory of aggregates is used again: not before the modem has read them, and by aggregates of
 * other sizes when the limit changes.
 */
static int under_limit(const struct world *w, uint32_t tx_bytes, unsigned int *transfers)
{
	const struct nl_trunk t = {.tx_bytes = tx_bytes, .tx_frames = 255};
	int fds[PORTS + 1], err;

	if (nl_change_trunk("trunk0", &t))
		return FAIL("limit %u: %s", tx_bytes, nl_error());
	fds[1] = udp_open(1, SEGMENT);
	fds[2] = udp_open(2, SEGMENT);
	err = fds[1] < 0 || fds[2] < 0 || send_random(fds, SEGMENT) || send_random(fds, SEGMENT) ||
	      drain(w, 1, transfers);
	close(fds[1]);
	close(fds[2]);
	return err ? FAIL("limit %u", tx_bytes) : 0;
}

TEST(uplink_memory)
{
	static const uint32_t limits[] = {2100, 65280, 4096, 32768, 2100, 16384, 8192};
	const struct world_options o = {.version = 1, .ports = PORTS};
	unsigned int transfers = 0, i;
	struct world w;
	int err;

	memset(streams, 0, sizeof(streams));
	if (world_new(&w, &o))
		return -1;
	err = addresses();
	for (i = 0; i < 10 * sizeof(limits) / sizeof(*limits) && !err; i++)
		err = under_limit(&w, limits[i % (sizeof(limits) / sizeof(*limits))], &transfers);
	printf("  %u transfers\n", transfers);
	world_free(&w);
	return err;
}

/* Single sends only meet in an aggregate if they wait for each other. */
TEST(uplink_timer)
{
	const struct nl_trunk timer = {.tx_bytes = 16384, .tx_frames = 64, .tx_usecs = 500000};
	const struct world_options o = {.version = 1, .ports = PORTS, .trunk = timer};
	uint8_t buf[AGGREGATE_MAX];
	struct world w;
	int fd, i, err, frames = 0;

	if (world_new(&w, &o))
		return -1;
	memset(streams, 0, sizeof(streams));
	err = addresses();
	fd = err ? -1 : udp_open(1, 0);
	for (i = 0; i < 10 && fd >= 0; i++)
		if (send(fd, "0123456789", 10, 0) != 10)
			err = FAIL("send");
	while (!err && frames >= 0 && streams[1].packets < 10) {
		size_t len = world_recv(&w, buf, sizeof(buf), WAIT_MS);

		frames = len ? take(buf, len, 1) : FAIL("timer does not send");
	}
	if (frames < 0)
		err = -1;
	if (!err && world_counter("trunk0", "tx_aggregates") > 6)
		err = FAIL("%llu transfers for 10 packets",
			   (unsigned long long)world_counter("trunk0", "tx_aggregates"));
	close(fd);
	world_free(&w);
	return err;
}

/*
 * The first packet after a silence leaves at once, though others follow; those wait for each other.
 * The limit of time is one that no machine spends on two calls of send().
 */
TEST(uplink_sparse)
{
	const struct nl_trunk timer = {.tx_bytes = 16384, .tx_frames = 64, .tx_usecs = 1000000};
	const struct world_options o = {.version = 1, .ports = PORTS, .trunk = timer};
	uint8_t buf[AGGREGATE_MAX];
	struct world w;
	int fd, i, err, frames = 0;

	if (world_new(&w, &o))
		return -1;
	memset(streams, 0, sizeof(streams));
	err = addresses();
	fd = err ? -1 : udp_open(1, 0);
	for (i = 0; i < 3 && fd >= 0; i++)
		if (send(fd, "0123456789", 10, 0) != 10)
			err = FAIL("send");
	for (i = 0; i < 2 && !err && fd >= 0; i++) {
		size_t len = world_recv(&w, buf, sizeof(buf), WAIT_MS);

		frames = len ? take(buf, len, 1) : FAIL("transfer %d does not come", i);
		if (frames != i + 1)
			err = FAIL("transfer %d has %d frames", i, frames);
	}
	close(fd);
	world_free(&w);
	return err || fd < 0;
}

/* No transfer has a length that the modem cannot terminate. */
TEST(uplink_avoid)
{
	const struct world_options o = {.version = 1, .ports = 1, .avoid = 512};
	static uint8_t buf[AGGREGATE_MAX], data[1472];
	struct world w;
	unsigned int n;
	int fd, err;

	if (world_new(&w, &o))
		return -1;
	err = nl_add_addr4("port1", host_addr(1), 24) || nl_wait_running("port1");
	fd = err ? -1 : udp_open(1, 0);
	for (n = 1; n <= sizeof(data) && fd >= 0 && !err; n++) {
		size_t len = send(fd, data, n, 0) == (ssize_t)n
				     ? world_recv(&w, buf, sizeof(buf), WAIT_MS)
				     : 0;

		if (!len || len % 512 == 0)
			err = FAIL("%u bytes of payload: transfer of %zu", n, len);
	}
	close(fd);
	world_free(&w);
	return err || fd < 0;
}

static int send_flow(const struct world *w, unsigned int mux, bool enable)
{
	static struct aggregate a;
	uint8_t answer[64];
	size_t len;

	a = (struct aggregate){.version = 1, .max = 64};
	aggregate_add_flow(&a, mux, enable, 0x12345678);
	if (world_send(w, a.data, a.len))
		return FAIL("cannot send");
	len = world_recv(w, answer, sizeof(answer), WAIT_MS);
	a.data[5] = QMAP_CMD_TYPE_ACK;
	if (len != a.len || memcmp(answer, a.data, len))
		return FAIL("no proper answer to flow %s", enable ? "enable" : "disable");
	return 0;
}

/* Does a packet sent by @fd come out? */
static bool gets_out(const struct world *w, int fd, int ms)
{
	uint8_t buf[2048];

	if (send(fd, "flow", 4, 0) != 4)
		return false;
	return world_recv(w, buf, sizeof(buf), ms) == 4 + 20 + 8 + 4;
}

static int flow_in(const struct world *w, const int *fds)
{
	uint8_t buf[2048];

	if (!gets_out(w, fds[1], WAIT_MS) || !gets_out(w, fds[2], WAIT_MS))
		return FAIL("nothing gets out to begin with");
	if (send_flow(w, 1, false))
		return -1;
	if (gets_out(w, fds[1], QUIET_MS))
		return FAIL("port 1 is not stopped");
	if (!gets_out(w, fds[2], WAIT_MS))
		return FAIL("port 2 is stopped too");
	if (send_flow(w, 1, true))
		return -1;
	if (!world_recv(w, buf, sizeof(buf), WAIT_MS))
		return FAIL("port 1 does not start again");
	return gets_out(w, fds[1], WAIT_MS) ? 0 : FAIL("port 1 is slow");
}

TEST(flow)
{
	const struct world_options o = {.version = 1, .ports = PORTS};
	struct world w;
	int fds[PORTS + 1], err;

	if (world_new(&w, &o))
		return -1;
	err = addresses();
	fds[1] = err ? -1 : udp_open(1, 0);
	fds[2] = err ? -1 : udp_open(2, 0);
	err = err || flow_in(&w, fds);
	close(fds[1]);
	close(fds[2]);
	world_free(&w);
	return err;
}

/* A flow-enable that never comes. */
TEST(flow_timeout)
{
	const struct nl_trunk t = {.flow_ms = 3000};
	const struct world_options o = {.version = 1, .ports = PORTS, .trunk = t};
	uint8_t buf[2048];
	uint64_t start;
	struct world w;
	int fd, err;

	if (world_new(&w, &o))
		return -1;
	err = addresses();
	fd = err ? -1 : udp_open(1, 0);
	start = world_ms();
	err = err || send_flow(&w, 1, false);
	if (!err && gets_out(&w, fd, QUIET_MS))
		err = FAIL("not stopped");
	if (!err && !world_recv(&w, buf, sizeof(buf), WAIT_MS))
		err = FAIL("wedged");
	if (!err && world_ms() - start < 2900)
		err = FAIL("started again too early");
	close(fd);
	world_free(&w);
	return err;
}
