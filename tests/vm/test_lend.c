// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Payloads that stay where the modem's transfers have put them: unchanged for as long as a capture, a
 * socket or a queue keeps them, also without driver and modem, and never too many.
 */
#include "shim_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/if_link.h>

#include "faults.h"
#include "usbmodem.h"
#include "world.h"

#define WWAN	 "wwan0"
#define LARGEST	 31744
#define WAIT_MS	 30000
#define SEGMENTS 21
#define PAYLOAD	 1400
#define MOST	 (8 << 20) /* bytes of buffers that packets may keep */
#define SENT	 400U	   /* aggregates: in buffers of 32 KB, more than that */
#define MODULE	 "qmap_usb"

struct lender {
	struct world w;
	bool udp;
	int keeper;		 /* a socket or a TUN that keeps packets */
	unsigned int sent, read; /* segments */
};

/* Segment @i of all: one flow. A datagram's number takes the place of its sequence number. */
static size_t segment(const struct lender *l, unsigned int i, uint8_t *packet)
{
	const struct packet_spec s = {.udp = l->udp,
				      .flow = 1,
				      .ttl = 64,
				      .flags = 0x10,
				      .window = 100,
				      .id = i,
				      .seq = 1000 + i * PAYLOAD,
				      .payload = PAYLOAD};

	return packet_make(packet, &s);
}

static int sends(struct lender *l, unsigned int aggregates)
{
	static uint8_t packet[PACKET_MAX];
	static struct aggregate a;
	uint64_t before = world_counter(WWAN, "aggregates");
	unsigned int i, k;

	for (i = 0; i < aggregates; i++) {
		a = (struct aggregate){.version = 1, .max = LARGEST};
		for (k = 0; k < SEGMENTS; k++)
			aggregate_add(&a, 1, packet, segment(l, l->sent++, packet), 0);
		if (world_send(&l->w, a.data, a.len))
			return FAIL("aggregate %u is not taken", i);
		/* in one poll with others, only the first one's payloads would be lent */
		if (world_counter_reaches(WWAN, "aggregates", before + i + 1) != before + i + 1)
			return FAIL("aggregate %u is lost", i);
	}
	return 0;
}

/* @payload: of any number of segments. */
static int is_next(struct lender *l, const uint8_t *payload, size_t len)
{
	static uint8_t packet[PACKET_MAX];
	size_t at, n, headers = l->udp ? 28 : 40;

	if (!len || len % PAYLOAD)
		return FAIL("%zu bytes behind segment %u", len, l->read);
	for (at = 0; at < len; at += PAYLOAD) {
		n = segment(l, l->read++, packet);
		if (memcmp(payload + at, packet + headers, n - headers))
			return FAIL("segment %u differs", l->read - 1);
	}
	return 0;
}

/* Reads all; each read gives @headers bytes and payloads. */
static int reads(struct lender *l, size_t headers)
{
	static uint8_t buf[AGGREGATE_MAX];
	size_t len;

	while (l->read < l->sent) {
		len = world_read(l->keeper, buf, sizeof(buf), WAIT_MS);
		if (len <= headers)
			return FAIL("nothing behind segment %u of %u", l->read, l->sent);
		if (is_next(l, buf + headers, len - headers))
			return -1;
	}
	return 0;
}

static uint64_t count(const char *name)
{
	return world_counter(WWAN, name);
}

/*
 * What is kept stays below the limit; beyond it packets are copied. When it has been read, buffers are
 * lent again.
 */
static int keeps(struct lender *l, size_t headers, const char *who)
{
	uint64_t kept, lent, copied;
	unsigned int i;

	if (sends(l, SENT))
		return -1;
	kept = count("usb_rx_lent_bytes");
	lent = count("usb_rx_lent");
	copied = count("usb_rx_not_lent");
	printf("DATA usb memory pinned by %s: %llu bytes in %llu buffers, %llu aggregates copied\n",
	       who, (unsigned long long)kept, (unsigned long long)lent, (unsigned long long)copied);
	if (kept > MOST || kept < MOST / 2)
		return FAIL("%s keeps %llu bytes", who, (unsigned long long)kept);
	if (world_counter_reaches(WWAN, "usb_rx_urbs", 8) != 8)
		return FAIL("%llu requests in flight", (unsigned long long)count("usb_rx_urbs"));
	if (lent + copied > SENT || !copied)
		return FAIL("%llu of %u lent, %llu copied", (unsigned long long)lent, SENT,
			    (unsigned long long)copied);
	for (i = 0; i < 100; i++)
		if (reads(l, headers) || sends(l, 1))
			return -1;
	if (count("usb_rx_lent_bytes") > MOST / 8)
		return FAIL("%llu bytes are kept after all was read",
			    (unsigned long long)count("usb_rx_lent_bytes"));
	if (count("usb_rx_lent") < lent + 50)
		return FAIL("after that %llu are lent",
			    (unsigned long long)(count("usb_rx_lent") - lent));
	return 0;
}

static int lender_up(struct lender *l, bool udp)
{
	const struct world_options o = {
		.version = 1, .ports = 1, .modem = WORLD_USB_OWN, .trunk.rx_bytes = LARGEST};

	*l = (struct lender){.udp = udp, .keeper = -1};
	return world_new(&l->w, &o);
}

static void lender_down(struct lender *l)
{
	world_configure(&l->w);
	if (l->keeper >= 0 && l->keeper != l->w.second)
		close(l->keeper);
	world_free(&l->w);
}

static int captured(struct lender *l)
{
	l->keeper = world_tap("port1");
	world_run(&l->w);
	return l->keeper < 0 ? -1 : keeps(l, 40, "a packet capture");
}

static int lend_test(bool udp, int (*test)(struct lender *l))
{
	struct lender l;
	int err;

	if (!test_has_usb())
		return 0;
	if (lender_up(&l, udp))
		return -1;
	err = test(&l);
	lender_down(&l);
	return err;
}

TEST(usb_lend_capture)
{
	return lend_test(false, captured);
}

#define PAGES "fail_page_alloc"
#define FEW   60 /* aggregates: many more than there are buffers */

/*
 * No more than a page at once can be had in softirqs: buffers that wait anyway are lent, the other
 * aggregates are copied to single pages, and nothing is lost. Afterwards all is as before.
 */
static int short_of_pages(struct lender *l)
{
	uint64_t copied, lent;
	unsigned int i;
	int err;

	l->keeper = world_tap("port1");
	world_run(&l->w);
	if (l->keeper < 0)
		return -1;
	faults_set(PAGES, "min-order", 1);
	faults_start(PAGES, 100, false);
	err = sends(l, FEW);
	faults_stop(PAGES);
	copied = count("usb_rx_not_lent");
	lent = count("usb_rx_lent");
	printf("DATA usb without pages: %llu aggregates lent, %llu copied\n",
	       (unsigned long long)lent, (unsigned long long)copied);
	if (err || reads(l, 40))
		return -1;
	if (lent + copied > FEW || copied < FEW / 2 || count("drop_no_memory"))
		return FAIL("%llu frames dropped", (unsigned long long)count("drop_no_memory"));
	if (world_counter_reaches(WWAN, "usb_rx_urbs", 8) != 8)
		return FAIL("%llu requests in flight", (unsigned long long)count("usb_rx_urbs"));
	for (i = 0; i < FEW; i++)
		if (sends(l, 1) || reads(l, 40))
			return -1;
	return count("usb_rx_lent") >= lent + FEW / 2 ? 0 : FAIL("after that none is lent");
}

TEST(usb_lend_no_pages)
{
	if (access("/sys/kernel/debug/" PAGES, F_OK)) {
		skipped = "this kernel injects no faults";
		return 0;
	}
	return lend_test(false, short_of_pages);
}

/* For such a socket the kernel cuts a chain into datagrams, each of which refers to the buffer. */
static int stopped_reader(struct lender *l)
{
	const struct sockaddr_in at = {.sin_family = AF_INET,
				       .sin_port = htons(4000),
				       .sin_addr.s_addr = htonl(0x0a010001)};
	int size = 64 << 20;

	if (world_named_feature("port1", "rx-udp-gro-forwarding", true))
		return FAIL("no rx-udp-gro-forwarding");
	l->keeper = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(l->keeper, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (nl_add_addr4("port1", htonl(0x0a010001), 8) || nl_wait_running("port1") ||
	    bind(l->keeper, (const struct sockaddr *)&at, sizeof(at)))
		return FAIL("socket: %s", strerror(errno));
	world_run(&l->w);
	return keeps(l, 0, "a reader that stops");
}

TEST(usb_lend_reader)
{
	return lend_test(true, stopped_reader);
}

/* A TUN that is not read keeps the segments of chains. */
static int paused_queue(struct lender *l)
{
	if (world_second(&l->w) || world_extra(&l->w, l->w.second_ifindex) ||
	    world_tc_ingress(&l->w, "port1", "forward") ||
	    nl_set_u32("second0", IFLA_TXQLEN, SENT * SEGMENTS) ||
	    world_named_feature("port1", "rx-udp-gro-forwarding", true))
		return FAIL("no second0");
	l->keeper = l->w.second;
	world_run(&l->w);
	return keeps(l, 28, "a paused queue");
}

TEST(usb_lend_queue)
{
	return lend_test(true, paused_queue);
}

static int driver_is_loaded(bool load)
{
	int fd = -1, err;

	if (load) {
		fd = open("/ko/" MODULE ".ko", O_RDONLY | O_CLOEXEC);
		err = syscall(SYS_finit_module, fd, "", 0);
		close(fd);
	} else {
		err = syscall(SYS_delete_module, MODULE, O_NONBLOCK);
	}
	return err ? FAIL("%s: %s", load ? "load" : "unload", strerror(errno)) : 0;
}

static bool gone(void)
{
	int i;

	for (i = 0; i < WAIT_MS && if_nametoindex(WWAN); i++)
		usleep(1000);
	return !if_nametoindex(WWAN);
}

/* The modem is pulled out, and the driver unloaded, while a capture keeps a hundred buffers. */
static int pulled_out(struct lender *l, bool unload)
{
	int err, gone_error;
	socklen_t len = sizeof(gone_error);

	l->keeper = world_tap("port1");
	world_run(&l->w);
	if (l->keeper < 0 || sends(l, 120))
		return -1;
	if (count("usb_rx_lent_bytes") < 100 * 32768)
		return FAIL("only %llu bytes are kept",
			    (unsigned long long)count("usb_rx_lent_bytes"));
	usb_modem_unplug(&l->w.usb);
	if (!gone())
		return FAIL("the netdev outlives the modem");
	l->w.trunk_ifindex = 0;
	/* the socket's report that the port is gone */
	getsockopt(l->keeper, SOL_SOCKET, SO_ERROR, &gone_error, &len);
	if (unload && driver_is_loaded(false))
		return -1;
	err = reads(l, 40);
	return (unload && driver_is_loaded(true)) || err ? -1 : 0;
}

static int unplugged(struct lender *l)
{
	return pulled_out(l, false);
}

static int unloaded(struct lender *l)
{
	return pulled_out(l, true);
}

TEST(usb_lend_unplug)
{
	return lend_test(false, unplugged) || lend_test(false, unloaded) ||
	       lend_test(false, unloaded);
}
