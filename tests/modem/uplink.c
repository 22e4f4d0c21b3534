// SPDX-License-Identifier: GPL-2.0-or-later
#include "uplink.h"
#include "aggregate.h"
#include "checksum.h"
#include "client.h"
#include "netside.h"
#include "sink.h"
#include "util.h"

#include <qmap/wire.h>

#define MAX_EXPECTED 64

/* Commands whose answer is awaited; the oldest is dropped when there are too many. */
static struct {
	bool used;
	uint8_t mux;
	uint32_t transaction;
} expected[MAX_EXPECTED];

void uplink_expect_answer(struct modem *m, uint8_t mux, uint32_t transaction)
{
	static unsigned int next;

	expected[next].used = true;
	expected[next].mux = mux;
	expected[next].transaction = transaction;
	next = (next + 1) % MAX_EXPECTED;
}

static bool was_expected(uint8_t mux, uint32_t transaction)
{
	for (unsigned int i = 0; i < MAX_EXPECTED; i++) {
		if (!expected[i].used || expected[i].mux != mux ||
		    expected[i].transaction != transaction)
			continue;
		expected[i].used = false;
		return true;
	}
	return false;
}

static void receive_command(struct modem *m, uint8_t mux, const uint8_t *body, size_t len)
{
	struct trunk_counters *n = &m->traffic;
	struct qmap_cmd cmd;

	if (len < sizeof(cmd)) {
		m->violations.command_short++;
		return;
	}
	memcpy(&cmd, body, sizeof(cmd));
	if ((cmd.type & QMAP_CMD_TYPE_MASK) == QMAP_CMD_TYPE_REQUEST) {
		m->violations.command_unknown++;
		return;
	}
	if (!was_expected(mux, be32toh(cmd.transaction))) {
		n->command_mismatched++;
		return;
	}
	switch (cmd.type & QMAP_CMD_TYPE_MASK) {
	case QMAP_CMD_TYPE_ACK:
		n->command_acks++;
		break;
	case QMAP_CMD_TYPE_UNSUPPORTED:
		n->command_unsupported++;
		break;
	default:
		n->command_invalid++;
	}
}

/* IP family if `packet` is an IP packet of exactly `len` bytes; else -1 with the reason counted. */
static int check_ip(struct modem *m, const uint8_t *packet, size_t len)
{
	unsigned int version = len ? packet[0] >> 4 : 0;
	size_t want;

	if ((version != 4 && version != 6) || len < (version == 4 ? 20 : 40)) {
		m->violations.not_ip++;
		return -1;
	}
	want = version == 4 ? get_be16(packet + 2) : 40u + get_be16(packet + 4);
	if (want != len) {
		m->violations.ip_length++;
		return -1;
	}
	return version == 4 ? FAMILY_V4 : FAMILY_V6;
}

/*
 * The network only forwards packets from the address that it assigned; v6: from anywhere in the
 * /64.
 */
static bool own_source(const struct pdn *pdn, enum family family, const uint8_t *packet)
{
	static const uint8_t unspecified[16];

	if (family == FAMILY_V4)
		return !memcmp(packet + 12, &pdn->host4, 4);
	return !memcmp(packet + 8, &pdn->host6, 8) || !memcmp(packet + 8, unspecified, 16) ||
	       (packet[8] == 0xfe && (packet[9] & 0xc0) == 0x80);
}

static bool mux_bound(struct modem *m, uint8_t mux)
{
	client_foreach(m, QMI_SERVICE_WDS, c)
	{
		if (c->bound && c->mux == mux)
			return true;
	}
	return false;
}

/* Returns the PDN that may take this packet, or NULL with the reason counted. */
static struct pdn *check_call(struct modem *m, uint8_t mux, const uint8_t *packet, size_t len)
{
	struct pdn *pdn = m->by_mux[mux];
	int family = check_ip(m, packet, len);

	if (family < 0)
		return NULL;
	if (!pdn && m->format.ul != WDA_OFF && !mux_bound(m, mux)) {
		m->violations.unbound_mux++;
		return NULL;
	}
	if (!pdn || !pdn->users[family]) {
		m->violations.not_connected++;
		return NULL;
	}
	if (len > pdn->mtu) {
		m->violations.over_mtu++;
		return NULL;
	}
	if (!m->loopback && !own_source(pdn, family, packet)) {
		m->violations.foreign_source++;
		return NULL;
	}
	return pdn;
}

static bool is_turn(uint32_t every, uint32_t *since)
{
	if (!every || ++*since < every)
		return false;
	*since = 0;
	return true;
}

/* Sends the packet back unchanged, without verifying its checksum. */
static void loop_back(struct modem *m, struct pdn *pdn, uint8_t *packet, size_t len)
{
	for (uint32_t i = 0; i < m->loopback; i++) {
		bool damage = is_turn(m->loop_faults.damage, &m->loop_faults.damaged);

		if (is_turn(m->loop_faults.lose, &m->loop_faults.lost))
			continue;
		packet[len - 1] ^= damage;
		aggregate_add(m, pdn, packet, len);
		packet[len - 1] ^= damage;
	}
	pdn->count.loopback++;
}

static void deliver(struct modem *m, struct pdn *pdn, uint8_t *packet, size_t len)
{
	pdn->count.ul_packets++;
	pdn->count.ul_bytes += len;
	pdn->count.ul_flow_off += pdn->flow_off;
	m->traffic.ul_frames++;
	if (m->loopback) {
		loop_back(m, pdn, packet, len);
		return;
	}
	if (!sink_take(m, pdn, packet, len))
		netside_send(pdn, packet, len);
}

/* Parsed header of a frame; offsets into the frame. */
struct frame {
	bool command;
	uint8_t mux;
	size_t head; /* QMAP header and further headers */
	size_t pad;
	size_t len; /* packet without pad */
	size_t total;
};

static bool parse_frame(struct modem *m, const uint8_t *buf, size_t left, struct frame *f)
{
	struct violations *v = &m->violations;
	struct qmap_hdr hdr;
	size_t len;

	if (left < sizeof(hdr)) {
		v->truncated_header++;
		return false;
	}
	memcpy(&hdr, buf, sizeof(hdr));
	f->command = hdr.flags & QMAP_FLAG_COMMAND;
	f->mux = hdr.mux_id;
	f->head = sizeof(hdr);
	if (!f->command && m->format.ul != WDA_QMAP_V1)
		f->head += 4; /* qmap_v4_ul_hdr or qmap_v5_hdr */
	len = be16toh(hdr.len);
	f->pad = hdr.flags & QMAP_PAD_MASK;
	f->total = f->head + len;
	if (left < f->head) {
		v->truncated_header++;
		return false;
	}
	if (!len) {
		v->zero_length++;
		return false;
	}
	if (f->total > left) {
		v->length_beyond++;
		return false;
	}
	f->len = f->pad < len ? len - f->pad : 0;
	return true;
}

/* May the frame be parsed further? Its end is known, so the next frame is parsed in any case. */
static bool check_frame(struct modem *m, const uint8_t *buf, const struct frame *f)
{
	bool next = buf[0] & QMAP_FLAG_NEXT_HEADER;
	bool v5 = m->format.ul == WDA_QMAP_V5;
	struct violations *v = &m->violations;

	if (!f->len) {
		v->pad_too_long++;
		return false;
	}
	if (next && (f->command || !v5)) {
		v->unexpected_next_header++;
		return false;
	}
	if (f->command || !v5)
		return true;
	if (!next) {
		v->missing_v5_header++;
		return false;
	}
	if (buf[4] != QMAP_V5_TYPE_CSUM << 1) {
		v->unknown_v5_type++;
		return false;
	}
	return true;
}

static void check_pad(struct modem *m, const uint8_t *pad, const struct frame *f)
{
	m->warnings.unpadded += (f->len + f->pad) % QMAP_ALIGN != 0;
	m->warnings.pad_excess += f->pad >= QMAP_ALIGN;
	for (size_t i = 0; i < f->pad; i++) {
		if (pad[i]) {
			m->warnings.pad_not_zero++;
			return;
		}
	}
}

/* Did the host request a checksum? v4 names its place, v5 leaves that to the modem. */
static bool csum_requested(const struct modem *m, const uint8_t *header, const struct transport *t,
			   bool *bad)
{
	unsigned int info, start;

	*bad = false;
	if (m->format.ul == WDA_QMAP_V5) {
		*bad = header[1] & QMAP_V5_CSUM && !t->checked;
		return header[1] & QMAP_V5_CSUM;
	}
	if (m->format.ul != WDA_QMAP_V4)
		return false;
	start = get_be16(header);
	info = get_be16(header + 2);
	if (!(info & QMAP_V4_UL_ENABLE))
		return false;
	*bad = !t->checked || start != t->offset ||
	       start + (info & QMAP_V4_UL_OFFSET_MASK) != t->field ||
	       !(info & QMAP_V4_UL_UDP) != (t->protocol != 17);
	return true;
}

/*
 * The field holds the sum of the pseudo header; on v4 the host has complemented it first (kernel
 * rmnet_map_data.c, rmnet_map_complement_ipv4_txporthdr_csum_field()).
 */
static bool finish_checksum(struct modem *m, const uint8_t *header, uint8_t *packet, size_t len)
{
	struct transport t = checksum_transport(packet, len);
	uint16_t seed;
	bool bad;

	if (!csum_requested(m, header, &t, &bad)) {
		if (t.checked && !checksum_good(packet, &t))
			m->warnings.bad_checksum++;
		return true;
	}
	if (bad) {
		m->violations.bad_csum_request++;
		return false;
	}
	memcpy(&seed, packet + t.field, sizeof(seed));
	if (m->format.ul == WDA_QMAP_V4)
		seed = ~seed;
	m->warnings.bad_csum_seed += seed != t.pseudo;
	checksum_fill(packet, &t);
	m->traffic.ul_csum_offloaded++;
	return true;
}

static void receive_frame(struct modem *m, uint8_t *buf, const struct frame *f)
{
	uint8_t *body = buf + f->head;
	struct pdn *pdn;

	if (!check_frame(m, buf, f))
		return;
	check_pad(m, body + f->len, f);
	if (f->command) {
		receive_command(m, f->mux, body, f->len);
		return;
	}
	pdn = check_call(m, f->mux, body, f->len);
	if (pdn && finish_checksum(m, buf + sizeof(struct qmap_hdr), body, f->len))
		deliver(m, pdn, body, f->len);
}

/*
 * Is this a bare IP packet? The length field must match, and for v4 the header checksum: no good
 * QMAP frame looks like that by chance.
 */
static bool looks_like_ip(const uint8_t *buf, size_t len)
{
	if (len >= 20 && buf[0] >> 4 == 4) {
		size_t ihl = (buf[0] & 15) * 4u;

		return ihl >= 20 && ihl <= len && get_be16(buf + 2) == len &&
		       checksum_add(0, buf, ihl) == 0xffff;
	}
	return len >= 40 && buf[0] >> 4 == 6 && 40u + get_be16(buf + 4) == len;
}

static void receive_raw(struct modem *m, uint8_t *buf, size_t len)
{
	struct pdn *pdn = check_call(m, 0, buf, len);
	struct transport t;

	if (!pdn)
		return;
	t = checksum_transport(buf, len);
	m->warnings.bad_checksum += t.checked && !checksum_good(buf, &t);
	deliver(m, pdn, buf, len);
}

static void receive_frames(struct modem *m, uint8_t *buf, size_t len)
{
	struct trunk_counters *n = &m->traffic;
	unsigned int frames = 0;
	struct frame f;

	for (size_t done = 0; done < len; done += f.total) {
		if (frames == m->format.ul_max_datagrams) {
			m->violations.too_many_frames++;
			return;
		}
		if (!parse_frame(m, buf + done, len - done, &f))
			return;
		frames++;
		if (frames > n->ul_max_frames)
			n->ul_max_frames = frames;
		receive_frame(m, buf + done, &f);
	}
}

void uplink_receive(struct modem *m, uint8_t *buf, size_t len)
{
	struct trunk_counters *n = &m->traffic;

	if (m->silent) {
		n->ul_silent++;
		return;
	}
	n->ul_transfers++;
	n->ul_bytes += len;
	if (len > n->ul_max_transfer)
		n->ul_max_transfer = len;
	if (m->format.ul == WDA_OFF)
		receive_raw(m, buf, len);
	else if (looks_like_ip(buf, len))
		m->violations.raw_ip++;
	else if (len > m->format.ul_max_size)
		m->violations.transfer_too_large++;
	else
		receive_frames(m, buf, len);
}
