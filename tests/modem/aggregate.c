// SPDX-License-Identifier: GPL-2.0-or-later
#include "aggregate.h"
#include "checksum.h"
#include "trunk.h"
#include "util.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <qmap/wire.h>
#include <stdlib.h>

struct aggregator {
	struct modem *modem;
	struct timer hold;
	bool no_checksums;
	unsigned int frames;
	size_t len;
	uint8_t buf[MAX_TRANSFER];
};

static void hold_over(struct timer *timer)
{
	aggregate_flush(container_of(timer, struct aggregator, hold)->modem);
}

int aggregator_new(struct modem *m)
{
	m->aggregator = calloc(1, sizeof(*m->aggregator));
	if (!m->aggregator)
		return -ENOMEM;
	m->aggregator->modem = m;
	m->aggregator->hold.fire = hold_over;
	return 0;
}

void aggregator_free(struct modem *m)
{
	if (m->aggregator)
		loop_disarm(&m->loop, &m->aggregator->hold);
	free(m->aggregator);
	m->aggregator = NULL;
}

void aggregate_set_checksums(struct modem *m, bool on)
{
	m->aggregator->no_checksums = !on;
}

void aggregate_flush(struct modem *m)
{
	struct aggregator *a = m->aggregator;
	struct trunk_counters *n = &m->traffic;

	if (!a->len)
		return;
	loop_disarm(&m->loop, &a->hold);
	trunk_send(m, QMAP_ETHERTYPE, a->buf, a->len);
	n->dl_aggregates++;
	n->dl_bytes += a->len;
	n->dl_frames += a->frames;
	if (a->len > n->dl_max_aggregate)
		n->dl_max_aggregate = a->len;
	if (a->frames > n->dl_max_frames)
		n->dl_max_frames = a->frames;
	a->len = 0;
	a->frames = 0;
}

void aggregate_idle(struct modem *m)
{
	if (!m->options.hold_us)
		aggregate_flush(m);
}

/* Number of pad bytes: at least as many as negotiated, and up to a multiple of four. */
static size_t pad_for(const struct modem *m, size_t len)
{
	size_t pad = m->format.dl_padding;

	return pad + (-(len + pad) & (QMAP_ALIGN - 1));
}

/*
 * The v4 trailer holds the complement of the sum over the whole packet, as a checksum does (kernel
 * rmnet_map_data.c, rmnet_map_ipv4_dl_csum_trailer()).
 */
static void put_trailer(const uint8_t *packet, size_t len, bool valid, uint8_t *buf)
{
	struct qmap_v4_trailer t = {0};

	if (valid) {
		t.flags = QMAP_V4_CSUM_VALID;
		t.csum_len = htobe16(len);
		t.csum = ~checksum_add(0, packet, len);
	}
	memcpy(buf, &t, sizeof(t));
}

/*
 * v5 claims that the checksum is good, so the modem verifies it; v4 sends the sum, and the host
 * verifies.
 */
static bool vouch(const struct modem *m, const uint8_t *packet, size_t len)
{
	struct transport t;

	if (m->aggregator->no_checksums)
		return false;
	t = checksum_transport(packet, len);
	if (!t.checked || t.none)
		return false;
	return m->format.dl == WDA_QMAP_V4 || checksum_good(packet, &t);
}

size_t aggregate_frame(const struct modem *m, uint8_t mux, const uint8_t *packet, size_t len,
		       uint8_t *buf, size_t room)
{
	bool v4 = m->format.dl == WDA_QMAP_V4, v5 = m->format.dl == WDA_QMAP_V5;
	struct qmap_hdr hdr = {.mux_id = mux};
	size_t pad = pad_for(m, len), head = sizeof(hdr) + (v5 ? sizeof(struct qmap_v5_hdr) : 0);
	size_t total = head + len + pad + (v4 ? sizeof(struct qmap_v4_trailer) : 0);

	if (total > room || len + pad > QMAP_MAX_LEN)
		return 0;
	hdr.flags = pad | (v5 ? QMAP_FLAG_NEXT_HEADER : 0);
	hdr.len = htobe16(len + pad);
	memcpy(buf, &hdr, sizeof(hdr));
	if (v5) {
		struct qmap_v5_hdr next = {.type_next = QMAP_V5_TYPE_CSUM << 1};

		next.flags = vouch(m, packet, len) ? QMAP_V5_CSUM : 0;
		memcpy(buf + sizeof(hdr), &next, sizeof(next));
	}
	memcpy(buf + head, packet, len);
	memset(buf + head + len, 0, pad);
	if (v4)
		put_trailer(packet, len, vouch(m, packet, len), buf + head + len + pad);
	return total;
}

static void add_raw(struct modem *m, struct pdn *pdn, const uint8_t *packet, size_t len)
{
	pdn->count.dl_packets++;
	pdn->count.dl_bytes += len;
	m->traffic.dl_aggregates++;
	m->traffic.dl_frames++;
	m->traffic.dl_bytes += len;
	trunk_send(m, packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP, packet, len);
}

void aggregate_add(struct modem *m, struct pdn *pdn, const uint8_t *packet, size_t len)
{
	struct aggregator *a = m->aggregator;
	const struct data_format *f = &m->format;
	size_t n;

	if (f->dl == WDA_OFF) {
		add_raw(m, pdn, packet, len);
		return;
	}
	n = aggregate_frame(m, pdn->mux, packet, len, a->buf + a->len, f->dl_max_size - a->len);
	if (!n && a->len) {
		aggregate_flush(m);
		n = aggregate_frame(m, pdn->mux, packet, len, a->buf, f->dl_max_size);
	}
	if (!n) {
		pdn->count.dl_oversize++;
		return;
	}
	if (!a->len && m->options.hold_us)
		loop_arm(&m->loop, &a->hold, now_us() + m->options.hold_us);
	pdn->count.dl_packets++;
	pdn->count.dl_bytes += len;
	a->len += n;
	if (++a->frames >= f->dl_max_datagrams)
		aggregate_flush(m);
}

void aggregate_command(struct modem *m, uint8_t mux, uint8_t name, uint32_t transaction,
		       const uint8_t *body, size_t len)
{
	struct qmap_hdr hdr = {.flags = QMAP_FLAG_COMMAND, .mux_id = mux};
	struct qmap_cmd cmd = {.name = name, .transaction = htobe32(transaction)};
	size_t pad = -len & (QMAP_ALIGN - 1), payload = sizeof(cmd) + len + pad;
	uint8_t buf[512] = {0};
	size_t total = sizeof(hdr) + payload;

	/* Command frames have the trailer, too (kernel rmnet_map_command.c trims it there). */
	if (m->format.dl == WDA_QMAP_V4)
		total += sizeof(struct qmap_v4_trailer);
	if (total > sizeof(buf))
		return;
	aggregate_flush(m); /* a command must follow the data sent before it */
	hdr.flags |= pad;
	hdr.len = htobe16(payload);
	memcpy(buf, &hdr, sizeof(hdr));
	memcpy(buf + sizeof(hdr), &cmd, sizeof(cmd));
	memcpy(buf + sizeof(hdr) + sizeof(cmd), body, len);
	m->traffic.commands_sent++;
	trunk_send(m, QMAP_ETHERTYPE, buf, total);
}
