// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture_check.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/walk.h"
#include "qmap/wire.h"
#include "shim_test.h"
#include "world.h"

#define V4_TRAILER 8

const uint8_t fixture_muxes[] = {0x01, 0x81, 0x82, 0x83, 0x84, 0xfe};
const unsigned int fixture_mux_count = sizeof(fixture_muxes);

void fixture_check_init(struct fixture_check *c, enum fixture_path path)
{
	unsigned int i;

	memset(c, 0, sizeof(*c));
	c->path = path;
	for (i = 0; i < QMAP_MAX_MUX; i++)
		c->taps[i] = -1;
}

int fixture_tap(struct fixture_check *c, uint8_t mux, const char *dev)
{
	int error;
	socklen_t size = sizeof(error);

	c->taps[mux] = world_tap(dev);
	if (c->taps[mux] < 0)
		return -1;
	/* A device that is down is reported as an error, once; reading it clears it. */
	return getsockopt(c->taps[mux], SOL_SOCKET, SO_ERROR, &error, &size);
}

void fixture_check_close(struct fixture_check *c)
{
	unsigned int i;

	for (i = 0; i < QMAP_MAX_MUX; i++)
		if (c->taps[i] >= 0)
			close(c->taps[i]);
}

/*
 * The fixtures expect two limits that the shim does not have, because its program sees one frame at
 * a time: frames per aggregate, and bytes parsed.
 */
static bool beyond_limits(const struct fixture *f, const struct fixture_frame *frame)
{
	return frame->drop == QMAP_DROP_TOO_MANY_FRAMES ||
	       (frame->drop == QMAP_DROP_LENGTH_BEYOND && f->size > QMAP_MAX_AGGREGATE);
}

static bool delivered(const struct fixture_check *c, const struct fixture *f,
		      const struct fixture_frame *frame)
{
	if (frame->command)
		return false;
	return frame->drop == QMAP_DROP_NONE ||
	       (c->path == FIXTURE_SHIM && beyond_limits(f, frame));
}

static uint8_t type_of(const struct fixture *f, const struct fixture_frame *frame)
{
	return f->bytes[frame->payload + 1] & QMAP_CMD_TYPE_MASK;
}

bool fixture_reply(const struct fixture *f, unsigned int n, struct fixture_part *reply)
{
	const struct fixture_frame *frame = &f->frames[n];
	uint32_t behind = frame->next - (f->version == QMAP_V4 ? V4_TRAILER : 0);

	if (!frame->command || frame->drop != QMAP_DROP_NONE ||
	    type_of(f, frame) != QMAP_CMD_TYPE_REQUEST)
		return false;
	*reply = (struct fixture_part){frame->at, behind - frame->at};
	return true;
}

static void expect_delivery(struct fixture_totals *t, const struct fixture_frame *frame)
{
	struct qmap_port_stats *ps = &t->port[frame->mux];

	t->trunk.frames++;
	ps->rx_packets++;
	ps->rx_bytes += frame->len;
	if (frame->csum == QMAP_CSUM_VERIFIED)
		ps->rx_csum_ok++;
	else
		ps->rx_csum_none++;
}

/* A command counts by its treatment: requests are answered, answers without a request are refused. */
static void expect_command(struct fixture_totals *t, const struct fixture *f, unsigned int n)
{
	const struct fixture_frame *frame = &f->frames[n];
	struct fixture_part reply;

	if (!fixture_reply(f, n, &reply)) {
		fixture_drop(&t->trunk, t->port, frame->mux, QMAP_DROP_COMMAND_REFUSED);
		return;
	}
	t->trunk.commands++;
	t->port[frame->mux].commands++;
}

static void expect_shim(struct fixture_check *c, const struct fixture *f)
{
	struct fixture_totals *t = &c->expected;
	unsigned int i;

	t->trunk.aggregates++;
	t->trunk.bytes += f->size;
	for (i = 0; i < f->nframes; i++) {
		const struct fixture_frame *frame = &f->frames[i];

		if (delivered(c, f, frame)) {
			expect_delivery(t, frame);
		} else if (frame->drop != QMAP_DROP_NONE) {
			fixture_drop(&t->trunk, t->port, frame->mux, frame->drop);
		} else {
			expect_command(t, f, i);
		}
	}
}

static void add(void *to, const void *from, size_t size)
{
	uint64_t *sum = to;
	const uint64_t *more = from;
	size_t i;

	for (i = 0; i < size / sizeof(*sum); i++)
		sum[i] += more[i];
}

void fixture_expect(struct fixture_check *c, const struct fixture *f)
{
	if (c->path == FIXTURE_SHIM) {
		expect_shim(c, f);
		return;
	}
	add(&c->expected.trunk, &f->trunk, sizeof(f->trunk));
	add(c->expected.port, f->port, sizeof(f->port));
}

static int packet(const struct fixture_check *c, const struct fixture *f, unsigned int n, int ms)
{
	static uint8_t buf[AGGREGATE_MAX];
	const struct fixture_frame *frame = &f->frames[n];
	size_t len = world_read(c->taps[frame->mux], buf, sizeof(buf), ms);

	if (len == frame->len && !memcmp(buf, f->bytes + frame->payload, len))
		return 0;
	return FAIL("%s, v%d, %u bytes: frame %u for mux id %u: %zu bytes%s, expected %u", f->name,
		    f->version, f->size, n, frame->mux, len,
		    len == frame->len ? " that differ" : "", frame->len);
}

int fixture_packets(const struct fixture_check *c, const struct fixture *f, int ms)
{
	unsigned int i;

	for (i = 0; i < f->nframes; i++)
		if (delivered(c, f, &f->frames[i]) && packet(c, f, i, ms))
			return -1;
	return 0;
}

int fixture_nothing_more(const struct fixture_check *c, const struct fixture *f)
{
	unsigned int i;

	for (i = 0; i < QMAP_MAX_MUX; i++)
		if (c->taps[i] >= 0 && world_readable(c->taps[i], 0))
			return FAIL("%s, v%d, %u bytes: more than was sent for mux id %u", f->name,
				    f->version, f->size, i);
	return 0;
}
