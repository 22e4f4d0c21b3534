// SPDX-License-Identifier: GPL-2.0-or-later
#include "noise.h"
#include "aggregate.h"
#include "control.h"
#include "generate.h"
#include "rules.h"
#include "trunk.h"
#include "util.h"

#include <errno.h>
#include <qmap/wire.h>
#include <stdlib.h>

#define MAX_FRAMES   8
#define MAX_PACKET   600
#define NOISE_STREAM 0xffff

struct noise {
	uint64_t aggregates;
	uint64_t messages; /* still to send */
	bool framing;
	uint32_t random;
	uint64_t sequence;
};

/* An aggregate under construction, with the offsets of its frames. */
struct draft {
	uint8_t buf[MAX_TRANSFER];
	size_t len;
	size_t frame[MAX_FRAMES];
	unsigned int frames;
	uint32_t *random;
};

static uint32_t below(struct draft *d, uint32_t n)
{
	return faults_random(d->random) % n;
}

/* Returns the header of a random frame. */
static uint8_t *some_frame(struct draft *d)
{
	return d->buf + d->frame[below(d, d->frames)];
}

static bool cut(const struct modem *m, struct draft *d)
{
	size_t end = d->frames > 1 ? d->frame[1] : d->len;

	d->len = 1 + below(d, end - 1); /* inside the first frame */
	return true;
}

static bool too_long(const struct modem *m, struct draft *d)
{
	uint8_t *last = d->buf + d->frame[d->frames - 1];

	put_be16(last + 2, d->len + 1 + below(d, 60000 - d->len));
	return true;
}

static bool zero_length(const struct modem *m, struct draft *d)
{
	put_be16(some_frame(d) + 2, 0);
	return true;
}

/* Only a short frame can have a pad (6 bits) as long as itself. */
static bool pad(const struct modem *m, struct draft *d)
{
	uint8_t *last = d->buf + d->frame[d->frames - 1];
	size_t tail = m->format.dl == WDA_QMAP_V4 ? sizeof(struct qmap_v4_trailer) : 0;
	size_t head = m->format.dl == WDA_QMAP_V5 ? 8 : 4;
	unsigned int len = 1 + below(d, 63);

	put_be16(last + 2, len);
	last[0] = (last[0] & ~QMAP_PAD_MASK) | (len + below(d, 64 - len));
	d->len = d->frame[d->frames - 1] + head + len + tail;
	return true;
}

static bool unknown_mux(const struct modem *m, struct draft *d)
{
	uint8_t mux;

	do {
		mux = below(d, 256);
	} while (m->by_mux[mux]);
	some_frame(d)[1] = mux;
	return true;
}

static bool not_ip(const struct modem *m, struct draft *d)
{
	static const uint8_t versions[] = {0, 1, 2, 3, 5, 7, 8, 15};
	uint8_t *ip = some_frame(d) + (m->format.dl == WDA_QMAP_V5 ? 8 : 4);

	*ip = versions[below(d, sizeof(versions))] << 4 | (*ip & 15);
	return true;
}

static bool next_header(const struct modem *m, struct draft *d)
{
	static const uint8_t types[] = {0, 1, 3, 4, 5, 127};

	if (m->format.dl != WDA_QMAP_V5)
		return false;
	some_frame(d)[4] = types[below(d, sizeof(types))] << 1;
	return true;
}

static bool trailer(const struct modem *m, struct draft *d)
{
	if (m->format.dl != WDA_QMAP_V4)
		return false;
	d->len -= 1 + below(d, sizeof(struct qmap_v4_trailer));
	return true;
}

/* Makes a command frame whose payload is shorter than a command's header. */
static bool short_command(const struct modem *m, struct draft *d)
{
	size_t start = d->frame[d->frames - 1];
	unsigned int len = 1 + below(d, sizeof(struct qmap_cmd) - 1);
	size_t tail = m->format.dl == WDA_QMAP_V4 ? sizeof(struct qmap_v4_trailer) : 0;

	d->buf[start] = QMAP_FLAG_COMMAND;
	put_be16(d->buf + start + 2, len);
	d->len = start + 4 + len + tail;
	return true;
}

static bool random_bytes(const struct modem *m, struct draft *d)
{
	d->len = 1 + below(d, 4096);
	for (size_t i = 0; i < d->len; i++)
		d->buf[i] = faults_random(d->random);
	return true;
}

/* Changes a few bytes anywhere; some changes are harmless. */
static bool flip(const struct modem *m, struct draft *d)
{
	for (unsigned int n = 1 + below(d, 8); n; n--)
		d->buf[below(d, d->len)] ^= 1u << below(d, 8);
	return true;
}

#define KINDS(X)                                                                                   \
	X(cut)                                                                                     \
	X(too_long)                                                                                \
	X(zero_length)                                                                             \
	X(pad)                                                                                     \
	X(unknown_mux)                                                                             \
	X(not_ip)                                                                                  \
	X(next_header)                                                                             \
	X(trailer)                                                                                 \
	X(short_command)                                                                           \
	X(random_bytes)                                                                            \
	X(flip)

static const struct {
	const char *name;
	bool (*spoil)(const struct modem *m, struct draft *d);
} kinds[] = {
#define X(name) {#name, name},
	KINDS(X)
#undef X
};

const char *noise_kinds(void)
{
#define X(name) " " #name
	static const char names[] = KINDS(X);
#undef X

	return &names[1];
}

int noise_new(struct modem *m)
{
	m->noise = calloc(1, sizeof(*m->noise));
	if (!m->noise)
		return -ENOMEM;
	m->noise->random = 1;
	return 0;
}

void noise_free(struct modem *m)
{
	free(m->noise);
	m->noise = NULL;
}

static const struct pdn *some_call(struct modem *m, uint32_t random, enum family *family)
{
	*family = FAMILY_V4;
	for (unsigned int i = 0; i < 2 * m->options.pdns; i++) {
		unsigned int n = (random + i) % (2 * m->options.pdns);

		*family = n & 1 ? FAMILY_V6 : FAMILY_V4;
		if (m->pdns[n / 2].users[*family])
			return &m->pdns[n / 2];
	}
	return NULL;
}

/* Makes a good aggregate to start from. */
static int make_draft(struct modem *m, struct draft *d)
{
	unsigned int frames = 1 + below(d, MAX_FRAMES);
	static uint8_t packet[MAX_PACKET];

	d->len = 0;
	for (d->frames = 0; d->frames < frames; d->frames++) {
		enum family family;
		const struct pdn *pdn = some_call(m, faults_random(d->random), &family);
		unsigned int low = generate_min_size(family);
		unsigned int size = low + below(d, MAX_PACKET - low);

		if (!pdn)
			return -ENOTCONN;
		generate_packet(pdn, family, NOISE_STREAM, m->noise->sequence++, NOISE_PORT, packet,
				size);
		d->frame[d->frames] = d->len;
		d->len += aggregate_frame(m, pdn->mux, packet, size, d->buf + d->len,
					  sizeof(d->buf) - d->len);
	}
	return 0;
}

static int find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	return -EINVAL;
}

/* Counts by the mux ids that the host will read, if the aggregate was spoilt elsewhere. */
static void count_frames(struct modem *m, const struct draft *d)
{
	m->traffic.dl_noise_frames += d->frames;
	for (unsigned int i = 0; i < d->frames; i++) {
		struct pdn *pdn = m->by_mux[d->buf[d->frame[i] + 1]];

		if (pdn)
			pdn->count.dl_noise_frames++;
	}
}

int noise_aggregates(struct modem *m, const char *kind, uint64_t count, uint32_t seed)
{
	static struct draft d;
	int err, only = kind ? find_kind(kind) : -1;
	uint64_t sent = 0;

	if (kind && only < 0)
		return only;
	if (m->format.dl == WDA_OFF)
		return -EOPNOTSUPP;
	aggregate_flush(m);
	d.random = &seed;
	for (unsigned int turn = 0; sent < count; turn++) {
		unsigned int n = kind ? (unsigned int)only : turn % ARRAY_SIZE(kinds);

		err = make_draft(m, &d);
		if (err)
			return err;
		if (!kinds[n].spoil(m, &d)) {
			if (kind)
				return -EOPNOTSUPP;
			continue;
		}
		count_frames(m, &d);
		trunk_send(m, QMAP_ETHERTYPE, d.buf, d.len);
		m->traffic.dl_injected++;
		m->noise->aggregates++;
		sent++;
	}
	return 0;
}

void noise_messages(struct modem *m, uint64_t count, uint32_t seed, bool framing)
{
	m->noise->messages = count;
	m->noise->random = seed;
	m->noise->framing = framing;
}

/* Makes the start of an answer or indication of some service; its TLVs are random. */
static size_t make_message(struct noise *n, uint8_t *buf)
{
	static const uint8_t services[] = {0, 1, 2, 3, 0x0b, 0x1a, 0xe0};
	static const uint8_t messages[] = {0x20, 0x21, 0x22, 0x24, 0x27, 0x2d, 0x4d, 0xa2};
	size_t len = 6 + faults_random(&n->random) % 120;

	for (size_t i = 0; i < len; i++)
		buf[i] = faults_random(&n->random);
	if (len >= 16 && faults_random(&n->random) % 4) {
		buf[4] = services[buf[4] % sizeof(services)];
		buf[5] %= 4;
		buf[6] = buf[6] % 3 << (buf[4] != 0);
		buf[7] %= 16; /* a transaction that may be open */
		if (buf[4]) {
			buf[8] = 0;
			put_le16(buf + 9, messages[buf[9] % sizeof(messages)]);
			put_le16(buf + 11, buf[11] % 3 ? len - 13 : buf[12]);
		} else {
			put_le16(buf + 8, messages[buf[8] % sizeof(messages)]);
			put_le16(buf + 10, buf[10] % 3 ? len - 12 : buf[11]);
		}
	}
	if (n->framing) {
		buf[0] = QMUX_MARKER;
		put_le16(buf + 1, len - 1);
		buf[3] = 0x80;
	}
	return len;
}

/* A message that happens to be valid must not be sent: the host would take it for an answer. */
static bool is_good(const uint8_t *buf, size_t len)
{
	struct qmi_msg msg;

	return buf[0] == QMUX_MARKER && get_le16(buf + 1) == len - 1 &&
	       !qmux_parse(buf, len, &msg) && qmi_tlvs_whole(&msg);
}

bool noise_round(struct modem *m)
{
	struct noise *n = m->noise;
	uint8_t buf[128];

	for (int i = 0; i < 64 && n->messages && !control_congested(m); i++) {
		size_t len = make_message(n, buf);

		if (is_good(buf, len))
			continue;
		control_broadcast(m, buf, len);
		m->qmi.garbage_sent++;
		n->messages--;
	}
	return n->messages && !control_congested(m);
}

struct json_object *noise_json(const struct modem *m)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "aggregates", json_object_new_int64(m->noise->aggregates));
	json_object_object_add(o, "messages_left", json_object_new_int64(m->noise->messages));
	return o;
}
