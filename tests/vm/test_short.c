// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transfers that end before the length in their first header, into a port of the shim and into one
 * of the kernel's rmnet: nothing may come out, nothing may be read beyond the end, and the next
 * good frame gets through.
 *
 * The test also proves that the debug kernel detects such a fault: tests/vm/control.sh runs it with
 * an rmnet that has CVE-2026-64550.
 */
#include "shim_test.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "rmnet.h"
#include "world.h"

#define LONGEST 7 /* bytes: v5 has headers of 8 */
#define STEP	2039
#define WAIT_MS 30000

struct format {
	const char *name;
	int version;
	bool split; /* rmnet splits a transfer into several frames */
};

static const struct format formats[] = {
	{"v1", 1, true},  {"v4", 4, true},  {"v5", 5, true},
	{"v1", 1, false}, {"v4", 4, false}, {"v5", 5, false},
};

/* Sends the first bytes of a transfer whose header announces @said more. */
static int send_short(const struct world *to, uint8_t flags, size_t n, unsigned int said)
{
	const uint8_t bytes[LONGEST] = {flags, 1, said >> 8, said, 4, 0x80, 0x45};

	return world_send(to, bytes, n) ? FAIL("%zu bytes: %s", n, strerror(errno)) : 0;
}

/* Without and with a second header behind the first, with all pads, and as a command. */
static int send_all(const struct world *to)
{
	static const uint8_t flags[] = {0, 0x40, 0x3f, 0x80};
	unsigned int said;
	size_t n, i;

	for (said = LONGEST + 1; said <= 0xffff; said += STEP)
		for (n = 1; n <= LONGEST; n++)
			for (i = 0; i < sizeof(flags); i++)
				if (send_short(to, flags[i], n, said))
					return -1;
	return 0;
}

static int send_good(const struct world *to, int version, const uint8_t *packet, size_t len)
{
	static struct aggregate a;

	a = (struct aggregate){.version = version, .csum_ok = true, .max = AGGREGATE_MAX};
	aggregate_add(&a, 1, packet, len, 0);
	return world_send(to, a.data, a.len) ? FAIL("%zu bytes: %s", a.len, strerror(errno)) : 0;
}

/* The first packet out of @port is the good one behind all the others. */
static int only_good(const struct world *to, const char *port, int version)
{
	struct packet_spec s = {.udp = true, .flow = 7, .ttl = 64, .payload = 321};
	uint8_t sent[PACKET_MAX], came[PACKET_MAX];
	size_t len = packet_make(sent, &s), n;
	int tap = world_tap(port), err;

	err = tap < 0 ? -1 : send_all(to) ?: send_good(to, version, sent, len);
	n = err ? 0 : world_read(tap, came, sizeof(came), WAIT_MS);
	close(tap);
	if (!err && (n != len || memcmp(sent, came, len)))
		return FAIL("%s: %zu bytes came, expected %zu", port, n, len);
	return err;
}

static int into_shim(const struct format *f)
{
	const struct world_options o = {.version = f->version, .ports = 1};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = only_good(&w, "port1", f->version);
	world_free(&w);
	return err;
}

/*
 * Older kernels have an rmnet with the fault, which may do anything: only the debug kernel runs one
 * whose state the test knows.
 */
static int into_rmnet(const struct format *f)
{
	struct world w = {.modem = -1, .second = -1};
	int err;

	if (!is_debug_kernel())
		return 0;
	w.modem = world_tun("modem1", 0, &w.modem_ifindex);
	if (w.modem < 0)
		return -1;
	err = f->split ? rmnet_up("modem1", "rm", 1, f->version)
		       : rmnet_up_unsplit("modem1", "rm", f->version);
	if (err == -EOPNOTSUPP)
		skipped = "this kernel has no rmnet";
	else
		err = err ? FAIL("rmnet: %d %s", err, nl_error())
			  : only_good(&w, "rm1", f->version);
	rmnet_down("rm", 1);
	world_free(&w);
	return skipped ? 0 : err;
}

TEST(short_transfers)
{
	size_t i;
	int err = 0;

	if (!is_debug_kernel())
		printf("  only the shim: the kernel's rmnet is for the debug kernel\n");
	for (i = 0; i < sizeof(formats) / sizeof(*formats) && !skipped; i++)
		if ((formats[i].split ? into_shim(&formats[i]) : 0) || into_rmnet(&formats[i]))
			err = FAIL("%s%s", formats[i].name, formats[i].split ? "" : ", not split");
	return err;
}
