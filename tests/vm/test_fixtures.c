// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of fixtures through the shim: packets, answers and every counter, after each one. */
#include "shim_test.h"

#include <net/if.h>
#include <string.h>

#include "fixture_check.h"
#include "qmap/wire.h"
#include "world.h"

#define WAIT_MS 30000

struct number {
	const char *name;
	uint64_t value;
};

static int counter_is(const struct fixture *f, const char *dev, const char *name, uint64_t expected)
{
	uint64_t value = world_counter_reaches(dev, name, expected);

	if (value == expected)
		return 0;
	return FAIL("%s, v%d, %u bytes: %s %s is %llu, expected %llu", f->name, f->version, f->size,
		    dev, name, (unsigned long long)value, (unsigned long long)expected);
}

static int trunk_counters(const struct fixture_check *c, const struct fixture *f)
{
	static const char *const drops[QMAP_DROP_MAX] = {
#define X(sym, name, text) [QMAP_DROP_##sym] = "drop_" name,
		QMAP_DROP_REASONS(X)
#undef X
	};
	const struct qmap_trunk_stats *t = &c->expected.trunk;
	unsigned int i;

	if (counter_is(f, "trunk0", "aggregates", t->aggregates) ||
	    counter_is(f, "trunk0", "bytes", t->bytes) ||
	    counter_is(f, "trunk0", "frames", t->frames) ||
	    counter_is(f, "trunk0", "replies", t->commands))
		return -1;
	for (i = 0; i < QMAP_DROP_MAX; i++)
		if (counter_is(f, "trunk0", drops[i], t->drops[i]))
			return -1;
	return 0;
}

static int port_counters(const struct fixture_check *c, const struct fixture *f, uint8_t mux)
{
	const struct qmap_port_stats *s = &c->expected.port[mux];
	const struct number numbers[] = {
		{"rx_packets", s->rx_packets}, {"rx_bytes", s->rx_bytes},
		{"rx_dropped", s->rx_dropped}, {"rx_csum_ok", s->rx_csum_ok},
		{"replies", s->commands},      {"rx_csum_none", s->rx_csum_none},
		{"rx_coalesced", 0},
	};
	char dev[IFNAMSIZ];
	size_t i;

	snprintf(dev, sizeof(dev), "port%u", mux);
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (counter_is(f, dev, numbers[i].name, numbers[i].value))
			return -1;
	return 0;
}

static int counters(const struct fixture_check *c, const struct fixture *f)
{
	unsigned int i;
	int err = trunk_counters(c, f);

	for (i = 0; !err && i < fixture_mux_count; i++)
		err = port_counters(c, f, fixture_muxes[i]);
	return err;
}

/* Each request comes back with only its type changed, in a transfer of its own. */
static int replies(const struct world *w, const struct fixture *f)
{
	static uint8_t buf[AGGREGATE_MAX], want[AGGREGATE_MAX];
	struct fixture_part part;
	unsigned int i;

	for (i = 0; i < f->nframes; i++) {
		uint8_t *cmd = want + sizeof(struct qmap_hdr);

		if (!fixture_reply(f, i, &part))
			continue;
		memcpy(want, f->bytes + part.at, part.len);
		cmd[1] &= ~QMAP_CMD_TYPE_MASK;
		cmd[1] |= cmd[0] == QMAP_CMD_FLOW_DISABLE || cmd[0] == QMAP_CMD_FLOW_ENABLE
				  ? QMAP_CMD_TYPE_ACK
				  : QMAP_CMD_TYPE_UNSUPPORTED;
		if (world_recv(w, buf, sizeof(buf), WAIT_MS) != part.len ||
		    memcmp(buf, want, part.len))
			return FAIL("%s, v%d, %u bytes: no such answer to frame %u", f->name,
				    f->version, f->size, i);
	}
	if (world_readable(w->modem, 0))
		return FAIL("%s, v%d, %u bytes: sends what it should not", f->name, f->version,
			    f->size);
	return 0;
}

static int one(struct fixture_check *c, const struct world *w, const struct fixture *f)
{
	fixture_expect(c, f);
	if (world_send(w, f->bytes, f->size))
		return FAIL("cannot send");
	return fixture_packets(c, f, WAIT_MS) || replies(w, f) || fixture_nothing_more(c, f) ||
	       counters(c, f);
}

static int table(struct fixture_check *c, const struct world *w, int version)
{
	unsigned int row, i, n = 0;
	struct fixture *f;
	int err = 0;

	for (row = 0; !err && row < fixture_rows(); row++) {
		for (i = 0; !err && (f = fixture_new(row, i)); i++) {
			if (f->version == version) {
				err = one(c, w, f);
				n++;
			}
			fixture_free(&f);
		}
	}
	return !err && !n ? FAIL("no fixtures") : err;
}

static int ports(struct fixture_check *c, struct world *w)
{
	char dev[IFNAMSIZ];
	unsigned int i;

	for (i = 0; i < fixture_mux_count; i++) {
		uint8_t mux = fixture_muxes[i];

		snprintf(dev, sizeof(dev), "port%u", mux);
		if (world_port(w, mux, fixture_port(mux) == FIXTURE_PORT_UP) ||
		    fixture_tap(c, mux, dev))
			return -1;
	}
	return 0;
}

static int run(int version)
{
	const struct world_options o = {.version = version};
	struct fixture_check c;
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	fixture_check_init(&c, FIXTURE_SHIM);
	err = ports(&c, &w) || table(&c, &w, version);
	fixture_check_close(&c);
	world_free(&w);
	return err;
}

TEST(fixtures)
{
	return run(QMAP_V1) || run(QMAP_V4) || run(QMAP_V5);
}
