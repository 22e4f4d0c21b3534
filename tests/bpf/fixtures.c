// SPDX-License-Identifier: GPL-2.0-or-later
/* Builds the aggregates of the table and computes the expected results. */
#include "fixtures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/walk.h"
#include "fixture_table.h"
#include "tests/vm/packets.h"

#define ROOM	98304 /* while an aggregate is being built */
#define TRAILER 8     /* v4: bytes behind every frame */

enum fixture_port fixture_port(uint8_t mux)
{
	switch (mux) {
	case 0x01:
	case 0x81:
	case 0x82:
	case 0x83:
	case 0xfe:
		return FIXTURE_PORT_UP;
	case 0x84:
		return FIXTURE_PORT_DOWN;
	}
	return FIXTURE_PORT_NONE;
}

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static uint8_t *append(struct fixture *f, size_t n)
{
	if (f->size + n > ROOM)
		abort();
	f->size += n;
	return f->bytes + f->size - n;
}

static void append_hex(struct fixture *f, const char *hex)
{
	unsigned int byte;

	for (; *hex; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1)
			abort();
		*append(f, 1) = byte;
	}
}

/* Appends bytes that differ between packets and positions. */
static void append_packet(struct fixture *f, uint8_t first, unsigned int len)
{
	uint32_t seed = 2463534242u + f->size;
	uint8_t *p = append(f, len);

	for (unsigned int i = 0; i < len; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		p[i] = seed >> 24;
	}
	if (len)
		p[0] = first;
}

/* A pad that is not zero is noticed if it gets into a packet. */
static void append_pad(struct fixture *f, unsigned int pad)
{
	memset(append(f, pad), 0xa5, pad);
}

static void append_v5(struct fixture *f, const struct piece *p)
{
	uint8_t type_next = p->v5 ?: 0x04;
	uint8_t *h = append(f, type_next >> 1 == 1 ? 28 : 4);

	h[0] = type_next;
	h[1] = p->csum == QMAP_CSUM_VERIFIED ? 0x80 : 0;
}

static void append_trailer(struct fixture *f, const struct piece *p, unsigned int len)
{
	static const uint8_t sum[TRAILER] = {0, 1, 0, 20, 0, 0, 0xbe, 0xef};
	uint8_t *t = append(f, TRAILER);

	if (p->csum != QMAP_CSUM_SUM)
		return;
	memcpy(t, sum, sizeof(sum));
	t[4] = (len - 20) >> 8;
	t[5] = len - 20;
}

/* Appends a packet or command and returns its offset. */
static uint32_t append_frame(struct fixture *f, const struct piece *p, unsigned int *len)
{
	bool command = p->kind == PIECE_COMMAND,
	     v5 = f->version == QMAP_V5 && !command && p->v5 != NO_V5;
	uint32_t at = f->size, payload;
	uint8_t *h = append(f, 4);

	h[0] = p->flags | p->pad | (command ? 0x80 : 0) | (v5 ? 0x40 : 0);
	h[1] = p->mux;
	if (v5)
		append_v5(f, p);
	payload = f->size;
	if (command)
		append_hex(f, p->hex);
	else
		append_packet(f, p->first ?: 0x45, *len);
	*len = f->size - payload;
	append_pad(f, p->pad);
	h = f->bytes + at;
	h[2] = (*len + p->pad) >> 8;
	h[3] = *len + p->pad;
	if (f->version == QMAP_V4)
		append_trailer(f, p, *len);
	return payload;
}

static uint32_t append_raw(struct fixture *f, const struct piece *p, unsigned int *len)
{
	uint32_t at = f->size, hlen = p->hlen ?: 4;

	append_hex(f, p->hex);
	*len = f->size - at - hlen - p->pad - (f->version == QMAP_V4 ? TRAILER : 0);
	return at + hlen;
}

static bool is_over(const struct fixture *f)
{
	return f->nframes && !f->frames[f->nframes - 1].next;
}

static void expect_frame(struct fixture *f, const struct fixture_frame *frame)
{
	if (is_over(f))
		return;
	if (!(f->nframes & (f->nframes - 1))) /* full: double it */
		f->frames = must(realloc(f->frames, (2 * f->nframes + 1) * sizeof(*frame)));
	f->frames[f->nframes++] = *frame;
}

static void expect_command(struct fixture *f, const struct piece *p,
			   const struct fixture_frame *frame)
{
	struct qmap_event ev = {.mux_id = p->mux, .len = frame->len};
	uint32_t n = frame->len < QMAP_EVENT_BYTES ? frame->len : QMAP_EVENT_BYTES;

	if (p->flow != FIXTURE_FLOW_AS_BEFORE)
		f->flow[p->mux] = p->flow;
	memcpy(ev.data, f->bytes + frame->payload, n);
	f->events = must(realloc(f->events, (f->nevents + 1) * sizeof(ev)));
	f->events[f->nevents++] = ev;
	f->trunk.commands++;
	f->port[p->mux].commands++;
}

void fixture_drop(struct qmap_trunk_stats *trunk, struct qmap_port_stats *port, uint8_t mux,
		  uint8_t reason)
{
	trunk->drops[reason]++;
	if (mux || reason == QMAP_DROP_UNKNOWN_MUX)
		port[mux].rx_dropped++;
}

static void expect_drop(struct fixture *f, uint8_t mux, uint8_t reason)
{
	fixture_drop(&f->trunk, f->port, mux, reason);
}

static void expect_packet(struct fixture *f, const struct fixture_frame *frame)
{
	struct qmap_port_stats *ps = &f->port[frame->mux];
	struct fixture_packet *packet = &f->packets[f->npackets++];

	packet->frame = f->nframes - 1;
	packet->len = frame->len;
	packet->bytes = must(malloc(frame->len));
	memcpy(packet->bytes, f->bytes + frame->payload, frame->len);
	f->trunk.frames++;
	ps->rx_packets++;
	ps->rx_bytes += frame->len;
	if (frame->csum == QMAP_CSUM_VERIFIED)
		ps->rx_csum_ok++;
	else
		ps->rx_csum_none++;
}

/* Result of a frame that the walker accepts. */
static uint8_t fate(const struct fixture *f, const struct fixture_frame *frame)
{
	enum fixture_port port = fixture_port(frame->mux);

	if (port == FIXTURE_PORT_NONE)
		return QMAP_DROP_UNKNOWN_MUX;
	if (frame->command)
		return QMAP_DROP_NONE;
	if (port == FIXTURE_PORT_DOWN)
		return QMAP_DROP_PORT_DOWN;
	return f->npackets == QMAP_MAX_FRAMES ? QMAP_DROP_TOO_MANY_FRAMES : QMAP_DROP_NONE;
}

static void expect(struct fixture *f, const struct piece *p, struct fixture_frame *frame)
{
	if (is_over(f))
		return;
	frame->drop = frame->walk == QMAP_DROP_NONE ? fate(f, frame) : frame->walk;
	expect_frame(f, frame);
	if (frame->drop != QMAP_DROP_NONE) {
		expect_drop(f, frame->mux, frame->drop);
		return;
	}
	if (!frame->command) {
		expect_packet(f, frame);
		return;
	}
	expect_command(f, p, frame);
	if (p->refused)
		expect_drop(f, frame->mux, QMAP_DROP_COMMAND_REFUSED);
}

/* Reason for which a frame cut off at @size cannot be read. */
static uint8_t cut_reason(const struct fixture *f, const struct fixture_frame *frame, uint32_t size)
{
	if (size < frame->payload)
		return QMAP_DROP_TRUNCATED_HEADER;
	if (f->version == QMAP_V4 && size >= frame->next - TRAILER)
		return QMAP_DROP_TRUNCATED_TRAILER;
	return QMAP_DROP_LENGTH_BEYOND;
}

/* @size: where the aggregate will be cut; UINT32_MAX: nowhere. */
static void add_frame(struct fixture *f, const struct piece *p, unsigned int len, uint32_t size)
{
	struct fixture_frame frame = {
		.at = f->size,
		.mux = p->mux,
		.csum = p->csum,
		.command = p->kind == PIECE_COMMAND,
		.walk = p->drop ? p->drop - 1 : QMAP_DROP_NONE,
	};

	if (p->kind == PIECE_RAW)
		frame.payload = append_raw(f, p, &len);
	else
		frame.payload = append_frame(f, p, &len);
	frame.len = len;
	frame.next = f->size;
	if (frame.at < size && frame.next > size)
		frame.walk = cut_reason(f, &frame, size);
	/* an incomplete header names no PDN */
	if (frame.walk == QMAP_DROP_TRUNCATED_HEADER && size - frame.at < 4)
		frame.mux = 0;
	if (frame.walk < QMAP_DROP_PAD_LENGTH)
		frame.next = 0;
	if (frame.at < size)
		expect(f, p, &frame);
}

static void add_piece(struct fixture *f, const struct piece *p, unsigned int times, uint32_t size)
{
	if (p->kind == PIECE_FILL) {
		append(f, p->len);
		return;
	}
	for (unsigned int i = 0; i < times; i++)
		add_frame(f, p, p->len + i * p->step, size);
}

static struct fixture *build(const struct row *row, int version, unsigned int times, uint32_t size)
{
	struct fixture *f = must(calloc(1, sizeof(*f)));

	f->name = row->name;
	f->version = version;
	f->bytes = must(calloc(1, ROOM));
	for (unsigned int i = 0; i < row->npieces; i++)
		add_piece(f, &row->pieces[i], times ?: row->pieces[i].times ?: 1, size);
	if (size < f->size)
		f->size = size;
	/* an exact allocation, so that a sanitizer detects reads behind the end */
	f->bytes = must(realloc(f->bytes, f->size));
	f->trunk.aggregates = 1;
	f->trunk.bytes = f->size;
	return f;
}

static struct fixture *build_whole(const struct row *row, int version)
{
	return build(row, version, 0, UINT32_MAX);
}

/* Number of fixtures that a row has for one version. */
static unsigned int variants(const struct row *row, int version)
{
	struct fixture *f;
	unsigned int n;

	if (row->every == ROW_EVERY_COUNT)
		return QMAP_MAX_FRAMES + 1;
	if (row->every == ROW_ONCE)
		return 1;
	f = build_whole(row, version);
	n = f->size;
	fixture_free(&f);
	return n;
}

unsigned int fixture_rows(void)
{
	return fixture_table_rows;
}

const char *fixture_row_name(unsigned int row)
{
	return fixture_table[row].name;
}

struct fixture *fixture_new(unsigned int row, unsigned int variant)
{
	static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};
	const struct row *r = &fixture_table[row];

	for (unsigned int i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		int version = versions[i];
		unsigned int n;

		if (!(r->versions & 1u << version))
			continue;
		n = variants(r, version);
		if (variant >= n) {
			variant -= n;
			continue;
		}
		if (r->every == ROW_EVERY_BYTE)
			return build(r, version, 0, variant + 1);
		if (r->every == ROW_EVERY_COUNT)
			return build(r, version, variant + 1, UINT32_MAX);
		return build_whole(r, version);
	}
	return NULL;
}

struct fixture *fixture_uniform(int version, unsigned int n, unsigned int len)
{
	const struct piece piece = {.mux = 0x81, .len = len, .pad = -len & 3, .times = n};
	const struct row row = {.name = "uniform", .pieces = &piece, .npieces = 1};

	return build_whole(&row, version);
}

struct fixture *fixture_imix(int version, unsigned int n)
{
	struct piece *pieces = must(calloc(n, sizeof(*pieces)));
	const struct row row = {.name = "imix", .pieces = pieces, .npieces = n};
	struct fixture *f;

	for (unsigned int i = 0; i < n; i++)
		pieces[i] = (struct piece){.mux = 0x81 + i % 3, .len = packet_imix(i)};
	f = build_whole(&row, version);
	free(pieces);
	return f;
}

void fixture_free(struct fixture **fp)
{
	struct fixture *f = *fp;

	if (!f)
		return;
	for (unsigned int i = 0; i < f->npackets; i++)
		free(f->packets[i].bytes);
	free(f->frames);
	free(f->events);
	free(f->bytes);
	free(f);
	*fp = NULL;
}
