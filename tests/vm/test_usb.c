// SPDX-License-Identifier: GPL-2.0-or-later
/* The shim's own USB driver: sizes and numbers of transfers, errors, the device's life. */
#include "shim_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_link.h>

#include "proc.h"
#include "usbmodem.h"
#include "usbredir.h"
#include "world.h"

#define WAIT_MS	 30000
#define LARGEST	 31744
#define CYCLES	 20
#define WWAN	 "wwan0"
#define INTERVAL 1000 /* us */

/* A world with one port, which the test hears. */
struct ear {
	struct world w;
	int tap;
};

static int ear_up(struct ear *e, bool high_speed, uint32_t rx_bytes)
{
	const struct world_options o = {.version = 1,
					.ports = 1,
					.modem = WORLD_USB_OWN,
					.high_speed = high_speed,
					.trunk.rx_bytes = rx_bytes};

	if (world_new(&e->w, &o))
		return -1;
	e->tap = world_tap("port1");
	if (e->tap >= 0)
		return 0;
	world_free(&e->w);
	return -1;
}

static void ear_down(struct ear *e)
{
	close(e->tap);
	world_free(&e->w);
}

/* An aggregate of @bytes, all of UDP datagrams; all that there is room for. */
static size_t fill(struct aggregate *a, size_t bytes)
{
	static uint8_t packet[PACKET_MAX];
	struct packet_spec s = {.udp = true, .flow = 1, .ttl = 64, .seq = random_u32()};
	size_t left;

	*a = (struct aggregate){.version = 1, .max = bytes};
	while (a->len < bytes) {
		left = bytes - a->len;
		/* what remains must be enough for a packet again */
		s.payload = (left > 1500 + 64 ? 1432 : left) - 4 - 28;
		s.id++;
		if (!aggregate_add(a, 1, packet, packet_make(packet, &s), 0))
			break;
	}
	return a->len;
}

/* The packets of an aggregate arrive, in order and unchanged; if @behind, behind others. */
static int heard(struct ear *e, const uint8_t *data, size_t bytes, bool behind)
{
	static uint8_t packet[PACKET_MAX];
	size_t at, len;
	bool same;

	for (at = 0; at < bytes; at += 4 + len) {
		do {
			len = world_read(e->tap, packet, sizeof(packet), WAIT_MS);
			same = at + 4 + len <= bytes && !memcmp(packet, data + at + 4, len);
		} while (len && !same && behind && !at);
		if (!len)
			return FAIL("nothing of %zu bytes comes at %zu", bytes, at);
		if (!same)
			return FAIL("%zu bytes: packet at %zu differs", bytes, at);
	}
	return 0;
}

/* The same of one of @bytes, a multiple of 4, that the modem sends. */
static int hears_behind(struct ear *e, size_t bytes, bool behind)
{
	static struct aggregate a;

	if (fill(&a, bytes) != bytes)
		return FAIL("%zu bytes cannot be filled: %zu", bytes, a.len);
	if (world_send(&e->w, a.data, a.len))
		return FAIL("%zu bytes are not taken", bytes);
	return heard(e, a.data, a.len, behind);
}

static int hears(struct ear *e, size_t bytes)
{
	return hears_behind(e, bytes, false);
}

static uint64_t count(const char *name)
{
	return world_counter(WWAN, name);
}

/* Sizes change while the netdev is up; the modem's largest aggregate fits each time. */
static int resize(struct ear *e, uint32_t bytes, unsigned int packet, unsigned int least)
{
	const struct nl_trunk t = {.rx_bytes = bytes, .usb = true};
	const struct usb_host *host = usb_modem_host(e->w.usb);
	unsigned int expected = (bytes + packet - 1) / packet * packet;

	world_configure(&e->w);
	if (nl_change_trunk(WWAN, &t))
		return FAIL("%u bytes: %s", bytes, nl_error());
	world_run(&e->w);
	if (host->request_size != expected || count("usb_rx_urb_bytes") != expected)
		return FAIL("%u bytes: requests of %u", bytes, host->request_size);
	if (host->requests < least || count("usb_rx_urbs") != host->requests)
		return FAIL("%u bytes: %u requests in flight", bytes, host->requests);
	if (bytes == LARGEST && host->requests != least)
		return FAIL("%u bytes: %u requests in flight, not %u", bytes, host->requests,
			    least);
	return hears(e, bytes & ~3U) || hears(e, 60) || hears(e, (bytes & ~3U) - 4);
}

static int sizes_at(bool high_speed)
{
	static const uint32_t sizes[] = {4096, LARGEST, 1500, 16384, 65280, 2048, LARGEST};
	struct ear e;
	unsigned int i;
	int err = 0;

	if (ear_up(&e, high_speed, 0))
		return -1;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes) && !err; i++)
		err = resize(&e, sizes[i], high_speed ? 512 : 1024, high_speed ? 4 : 8);
	world_configure(&e.w);
	ear_down(&e);
	return err;
}

TEST(usb_sizes)
{
	if (!test_has_usb())
		return 0;
	return sizes_at(false) || sizes_at(true);
}

/* What the host asks for now. */
static unsigned int requests(struct ear *e)
{
	world_configure(&e->w);
	world_run(&e->w);
	return usb_modem_host(e->w.usb)->requests;
}

/* After each error packets run again, and it has been counted. */
static int survives(struct ear *e, int status, unsigned int times, const char *counter)
{
	uint64_t before = count(counter);
	unsigned int i;

	for (i = 0; i < times; i++)
		if (usb_modem_fail(e->w.usb, status))
			return FAIL("%s: the host asks no more", strerror(-status));
	if (world_counter_reaches(WWAN, counter, before + times) != before + times)
		return FAIL("%s: %s is %llu, not %llu", strerror(-status), counter,
			    (unsigned long long)count(counter),
			    (unsigned long long)(before + times));
	return hears(e, 4096) || hears(e, LARGEST);
}

/*
 * A modem that leaves out the zero-length packet behind an aggregate which is a multiple of the
 * endpoint's packet: the next aggregate fills the rest of the request, and its end comes alone, as
 * bytes without a header.
 */
static int runs_on(struct ear *e)
{
	static struct aggregate a, b;

	fill(&a, 16384);
	fill(&b, 20480);
	memcpy(a.data + a.len, b.data, b.len);
	if (world_send(&e->w, a.data, LARGEST) ||
	    world_send(&e->w, a.data + LARGEST, a.len + b.len - LARGEST))
		return FAIL("transfers without an end are not taken");
	return heard(e, a.data, a.len, false) || hears_behind(e, LARGEST, true);
}

/* The modem ends a transfer in the middle of a packet. */
static int cut_short(struct ear *e)
{
	static struct aggregate a;

	fill(&a, 8192);
	if (world_send(&e->w, a.data, a.len - 700))
		return FAIL("a short transfer is not taken");
	return hears_behind(e, LARGEST, true);
}

static int errors(struct ear *e)
{
	const struct usb_host *host = usb_modem_host(e->w.usb);
	static uint8_t large[40000];

	if (hears(e, LARGEST) || survives(e, -EPROTO, 1, "usb_rx_errors") ||
	    survives(e, -EILSEQ, 3, "usb_rx_errors") || survives(e, -ETIME, 10, "usb_rx_errors") ||
	    survives(e, -EOVERFLOW, 20, "usb_rx_overflows") ||
	    survives(e, -ENOMEM, 2, "usb_rx_no_memory") || survives(e, 0, 5, "usb_rx_empty") ||
	    survives(e, -EPIPE, 1, "usb_rx_stalls"))
		return -1;
	if (host->cleared != 1 || count("usb_halts_cleared") != 1)
		return FAIL("halts cleared: %u", host->cleared);
	/* a babble in earnest, and a transfer that is cut short */
	if (usb_modem_send(e->w.usb, large, sizeof(large)) || hears(e, LARGEST))
		return -1;
	if (usb_modem_send(e->w.usb, large, 3) || hears(e, LARGEST))
		return -1;
	if (world_counter_reaches(WWAN, "drop_truncated", 1) == 0)
		return FAIL("3 bytes are taken for an aggregate");
	if (runs_on(e) || cut_short(e))
		return -1;
	return requests(e) == 8 ? 0 : FAIL("%u requests in the end", host->requests);
}

TEST(usb_errors)
{
	struct ear e;
	int err;

	if (!test_has_usb())
		return 0;
	if (ear_up(&e, false, LARGEST))
		return -1;
	world_run(&e.w);
	err = errors(&e);
	world_configure(&e.w);
	ear_down(&e);
	return err;
}

/* ---- uplink ---- */

static int speaker(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(4000),
				 .sin_addr.s_addr = htonl(0x0a640002)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (nl_add_addr4("port1", htonl(0x0a640001), 24) || nl_wait_running("port1") ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return FAIL("UDP socket: %s", strerror(errno));
	return fd;
}

/* A datagram of @len bytes gets out, behind others that an error has cost. */
static int speaks(struct ear *e, int fd, size_t len)
{
	static uint8_t data[PACKET_MAX], buf[AGGREGATE_MAX];
	size_t i, n;

	for (i = 0; i < len; i++)
		data[i] = random_u32();
	if (send(fd, data, len, 0) != (ssize_t)len)
		return FAIL("send %zu: %s", len, strerror(errno));
	do {
		n = world_recv(&e->w, buf, sizeof(buf), WAIT_MS);
		if (!n)
			return FAIL("%zu bytes do not get out", len);
	} while (n < 32 + len || memcmp(buf + 32, data, len));
	return 0;
}

static int loses(struct ear *e, int fd, int status, const char *counter)
{
	uint64_t before = count(counter), dropped = count("usb_tx_dropped");

	usb_modem_refuse(e->w.usb, status);
	if (send(fd, "lost", 4, 0) != 4 || speaks(e, fd, 100))
		return -1;
	/* the answers to both may still be on their way through vhci_hcd */
	if (world_counter_reaches(WWAN, "usb_tx_dropped", dropped + 1) != dropped + 1 ||
	    count(counter) != before + 1)
		return FAIL("%s is %llu", counter, (unsigned long long)count(counter));
	return 0;
}

/* Every length, hence multiples of the endpoint's packet, and datagrams beyond the usual MTU. */
static int lengths(struct ear *e, int fd)
{
	const struct usb_host *host = usb_modem_host(e->w.usb);
	size_t len;

	for (len = 1; len <= 1472; len += len < 960 ? 37 : 1)
		if (speaks(e, fd, len))
			return -1;
	if (!host->ends_transfers)
		return FAIL("no zero-length packet at the end");
	return 0;
}

static int uplink_errors(struct ear *e, int fd)
{
	const struct usb_host *host = usb_modem_host(e->w.usb);

	if (lengths(e, fd) || loses(e, fd, -EPROTO, "usb_tx_errors") ||
	    loses(e, fd, -EILSEQ, "usb_tx_errors") || loses(e, fd, -EPIPE, "usb_tx_stalls"))
		return -1;
	world_configure(&e->w);
	world_counter_reaches(WWAN, "usb_halts_cleared", 1);
	world_run(&e->w);
	return host->cleared == 1 ? 0 : FAIL("halts cleared: %u", host->cleared);
}

/* MTUs limit what is sent, and nothing of what is received. */
static int mtus(struct ear *e, int fd)
{
	static const unsigned int mtu[] = {1280, 1500, 9000};
	unsigned int i;
	int err = 0;

	for (i = 0; i < sizeof(mtu) / sizeof(*mtu) && !err; i++) {
		world_configure(&e->w);
		err = nl_set_u32("port1", IFLA_MTU, mtu[i]);
		world_run(&e->w);
		err = err || speaks(e, fd, mtu[i] - 28) || hears(e, LARGEST);
	}
	return err ? FAIL("MTU %u", mtu[i - 1]) : 0;
}

/* Runs @exchange with a modem, and a socket of speaker(). */
static int with_speaker(int (*exchange)(struct ear *e, int fd))
{
	struct ear e;
	int err, fd;

	if (ear_up(&e, false, LARGEST))
		return -1;
	fd = speaker();
	world_run(&e.w);
	err = fd < 0 || exchange(&e, fd);
	world_configure(&e.w);
	close(fd);
	ear_down(&e);
	return err;
}

static int errors_and_mtus(struct ear *e, int fd)
{
	return uplink_errors(e, fd) || mtus(e, fd);
}

TEST(usb_uplink_errors)
{
	return test_has_usb() ? with_speaker(errors_and_mtus) : 0;
}

/* ---- memory ---- */

#define NO_MEMORY "/sys/module/qmap_usb/parameters/no_memory" /* of the debug build */

/* A third of the requests cannot be made: they are made later, and nothing is lost. */
static int short_of_memory(struct ear *e, int fd)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		if (hears(e, LARGEST) || speaks(e, fd, 1000))
			return FAIL("transfer %u", i);
	printf("DATA usb short of memory: %llu times for downlink, %llu for uplink\n",
	       (unsigned long long)count("usb_rx_no_memory"),
	       (unsigned long long)count("usb_tx_no_memory"));
	if (count("usb_rx_no_memory") < 10 || count("usb_tx_no_memory") < 10)
		return FAIL("it is not counted");
	return count("usb_tx_dropped") || count("drop_no_memory") ? FAIL("packets are lost") : 0;
}

/* Without any memory, neither the size of buffers changes nor does the netdev come up. */
static int out_of_memory(struct ear *e)
{
	const struct nl_trunk t = {.rx_bytes = 4096, .usb = true};

	proc_write_number(NO_MEMORY, 100);
	world_configure(&e->w);
	if (nl_change_trunk(WWAN, &t) != -ENOMEM || count("usb_rx_urb_bytes") != LARGEST)
		return FAIL("%llu bytes", (unsigned long long)count("usb_rx_urb_bytes"));
	if (nl_up(WWAN, false) || nl_up(WWAN, true) != -ENOMEM)
		return FAIL("it comes up");
	proc_write_number(NO_MEMORY, 0);
	if (nl_up(WWAN, true) || requests(e) != 8)
		return FAIL("%u requests afterwards", requests(e));
	return hears(e, LARGEST);
}

static int refusals(struct ear *e, int fd)
{
	int err;

	proc_write_number(NO_MEMORY, 33);
	err = short_of_memory(e, fd) || out_of_memory(e);
	proc_write_number(NO_MEMORY, 0);
	return err;
}

TEST(usb_no_memory)
{
	if (!test_has_usb())
		return 0;
	if (access(NO_MEMORY, F_OK)) {
		skipped = "this is not the debug build";
		return 0;
	}
	return with_speaker(refusals);
}

/* ---- the device's life ---- */

static bool gone(void)
{
	int i;

	for (i = 0; i < 30000 && if_nametoindex(WWAN); i++)
		usleep(INTERVAL);
	return !if_nametoindex(WWAN);
}

/* The modem is pulled out while aggregates and packets are on their way. */
static int unplug_once(void)
{
	struct aggregate *a;
	struct ear e;
	unsigned int i;
	int fd;

	static struct aggregate aggregate;

	a = &aggregate;
	if (ear_up(&e, false, LARGEST))
		return -1;
	fd = speaker();
	world_run(&e.w);
	fill(a, LARGEST);
	for (i = random_in(1, 12); i && fd >= 0; i--) {
		world_send(&e.w, a->data, a->len);
		send(fd, a->data, 1000, 0);
	}
	usb_modem_unplug(&e.w.usb);
	for (i = 0; i < 5; i++)
		send(fd, a->data, 1000, 0);
	close(fd);
	if (!gone())
		return FAIL("the netdev outlives the modem");
	if (if_nametoindex("port1"))
		return FAIL("the port outlives the trunk");
	e.w.trunk_ifindex = 0;
	ear_down(&e);
	return fd < 0 ? -1 : 0;
}

TEST(usb_unplug)
{
	unsigned int i;

	if (!test_has_usb())
		return 0;
	for (i = 0; i < CYCLES; i++)
		if (unplug_once())
			return FAIL("cycle %u", i);
	return 0;
}

/* The netdev is the hardware's: nobody else creates or deletes it. */
static int device(struct ear *e)
{
	const struct nl_trunk t = {.usb = true, .rx_bytes = 4096},
			      small = {.usb = true, .rx_bytes = 10};
	const struct nl_trunk other = {.rx_bytes = 4096};
	unsigned int i;

	if (nl_del(WWAN) != -EOPNOTSUPP)
		return FAIL("it can be deleted");
	if (nl_add_trunk("usb0", e->w.trunk_ifindex, &t) != -EOPNOTSUPP)
		return FAIL("one can be created");
	if (nl_add_trunk("usb0", e->w.trunk_ifindex, &other) != -EOPNOTSUPP &&
	    nl_add_trunk("usb0", e->w.trunk_ifindex, &other) != -EINVAL)
		return FAIL("a trunk is stacked on it");
	if (nl_change_trunk(WWAN, &small) != -ERANGE)
		return FAIL("10 bytes are a size");
	for (i = 0; i < CYCLES; i++)
		if (nl_up(WWAN, false) || count("usb_rx_urbs") || nl_up(WWAN, true) ||
		    count("usb_rx_urbs") != 8)
			return FAIL("down and up: %llu requests",
				    (unsigned long long)count("usb_rx_urbs"));
	world_run(&e->w);
	return hears(e, LARGEST);
}

TEST(usb_device)
{
	struct ear e;
	int err;

	if (!test_has_usb())
		return 0;
	if (ear_up(&e, false, LARGEST))
		return -1;
	err = device(&e);
	world_configure(&e.w);
	ear_down(&e);
	return err;
}

/* ---- sleep ---- */

static int power(const char *file, const char *text)
{
	char path[128];
	int fd, err;

	snprintf(path, sizeof(path), "/sys/class/net/" WWAN "/device/../power/%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	err = fd < 0 || write(fd, text, strlen(text)) < 0 ? FAIL("%s: %s", path, strerror(errno))
							  : 0;
	close(fd);
	return err;
}

static bool asleep(void)
{
	char text[32] = "";
	int fd, i;

	for (i = 0; i < 30000 && strncmp(text, "suspended", 9) != 0; i++) {
		usleep(INTERVAL);
		fd = open("/sys/class/net/" WWAN "/device/../power/runtime_status",
			  O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
			text[0] = 0;
		close(fd);
	}
	return !strncmp(text, "suspended", 9);
}

/* The modem may sleep while nothing is sent; a packet wakes it up, and is not lost. */
static int sleeps(struct ear *e, int fd)
{
	unsigned int i;

	for (i = 0; i < 5; i++) {
		world_configure(&e->w);
		if (!asleep())
			return FAIL("it does not fall asleep");
		/* not by ethtool, which would wake it up */
		if (requests(e))
			return FAIL("it sleeps with requests in flight");
		if (speaks(e, fd, 500) || hears(e, LARGEST))
			return -1;
	}
	return 0;
}

/* Milliseconds for which it has slept so far. */
static long slept(void)
{
	char text[32] = "";

	if (proc_read("/sys/class/net/" WWAN "/device/../power/runtime_suspended_time", text,
		      sizeof(text)) < 0)
		return -1;
	return strtol(text, NULL, 10);
}

/* It stays awake while packets are sent, also if none comes back. */
static int stays_awake(struct ear *e, int fd)
{
	long before;
	int i;

	if (power("autosuspend_delay_ms", "1000") || speaks(e, fd, 100))
		return -1;
	before = slept();
	for (i = 0; i < 60; i++) {
		usleep(50 * INTERVAL);
		if (speaks(e, fd, 100))
			return -1;
	}
	return slept() == before ? 0 : FAIL("it has slept for %ld ms", slept() - before);
}

static int autosuspends(struct ear *e, int fd)
{
	return power("autosuspend_delay_ms", "200") || power("control", "auto") || sleeps(e, fd) ||
	       stays_awake(e, fd);
}

TEST(usb_sleep)
{
	if (!test_has_usb())
		return 0;
	if (access("/sys/bus/usb/devices/usb1/power/autosuspend_delay_ms", F_OK)) {
		skipped = "this kernel has no autosuspend (CONFIG_PM)";
		return 0;
	}
	return with_speaker(autosuspends);
}

#define STATE	 "/sys/power/state"
#define PM_TEST	 "/sys/power/pm_test"
#define UNFROZEN "/sys/module/unfrozen"

/* The machine suspends its devices and resumes them, without a sleep in between. */
static int suspends(struct ear *e)
{
	int err;

	world_configure(&e->w);
	err = proc_write(STATE, "freeze");
	world_run(&e->w);
	return err ? FAIL("%s", strerror(-err)) : 0;
}

/* Packets on their way are not lost, though the modem keeps neither halt nor requests. */
static int passes(struct ear *e, int fd)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (speaks(e, fd, 500) || hears(e, LARGEST) || suspends(e))
			return -1;
	return speaks(e, fd, 500) || hears(e, LARGEST);
}

static bool is_clearing(const struct ear *e, unsigned int halts)
{
	const struct usb_host *host = usb_modem_host(e->w.usb);
	int i;

	world_configure(&e->w);
	for (i = 0; i < WAIT_MS && host->cleared < halts; i++)
		usleep(INTERVAL);
	return host->cleared == halts;
}

/* The machine is suspended while the driver clears a halt: it does so again afterwards. */
static int interrupted(struct ear *e, int fd)
{
	world_run(&e->w);
	if (usb_modem_stall(e->w.usb) || !is_clearing(e, 1))
		return FAIL("the halt is not cleared");
	if (suspends(e))
		return -1;
	if (!is_clearing(e, 2))
		return FAIL("the halt stays");
	world_run(&e->w);
	return hears(e, LARGEST) || speaks(e, fd, 500);
}

static int passes_and_recovers(struct ear *e, int fd)
{
	return passes(e, fd) || interrupted(e, fd);
}

TEST(usb_system_sleep)
{
	if (!test_has_usb())
		return 0;
	if (!usbredir_exists()) {
		skipped = "vhci_hcd keeps its devices out of a suspend";
		return 0;
	}
	if (access(UNFROZEN, F_OK) || proc_write(PM_TEST, "devices")) {
		skipped = "this kernel cannot suspend devices for a test (CONFIG_PM_DEBUG)";
		return 0;
	}
	proc_write("/sys/module/suspend/parameters/pm_test_delay", "1");
	return with_speaker(passes_and_recovers);
}
