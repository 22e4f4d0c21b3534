// SPDX-License-Identifier: GPL-2.0-or-later
/* Published QMI messages through the codec: parsed, decoded, written, truncated, mutated. */
#include "test.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/hex.h"
#include "daemon/util/json_get.h"
#include "daemon/qmi/decode.h"
#include "daemon/qmi/message.h"
#include "parse_all.h"

#define VECTORS	  "tests/unit/data/qmi-vectors.jsonl"
#define NVECTORS  108
#define MUTATIONS 10000

struct vector {
	struct json_object *o;
	const char *name, *framing;
	bool valid;
	uint8_t *bytes;
	size_t len;
};

static struct vector vectors[NVECTORS];

/* Position and reason of the malformed ones, and the number of valid messages before that. */
static const struct {
	const char *name;
	int messages;
	enum qmi_fault fault;
	size_t offset;
} malformed[] = {
	{"libqmi_parse_wrong_qmux", 0, QMI_FAULT_MARKER, 0},
	{"libqmi_parse_tiny", 0, QMI_FAULT_TRUNCATED, 3},
	{"libqmi_parse_short", 0, QMI_FAULT_TRUNCATED, 32},
	{"libqmi_parse_complete_and_short", 1, QMI_FAULT_TRUNCATED, 71},
	{"libqmi_parse_complete_and_complete", 2, QMI_FAULT_MAX, 0},
	{"libqmi_new_request_from_data_too_short_header", 0, QMI_FAULT_TRUNCATED, 5},
	{"libqmi_new_request_from_data_too_short_body", 0, QMI_FAULT_TLV_BLOCK, 5},
	{"libqmi_16bit_service_marker02", 0, QMI_FAULT_MARKER, 0},
	{"em7455_pin_status_resp_cut", 0, QMI_FAULT_TRUNCATED, 12},
	{"wwand_wrong_marker", 0, QMI_FAULT_MARKER, 0},
	{"wwand_short", 0, QMI_FAULT_TRUNCATED, 3},
	{"qmikit_qmux_len_zero", 0, QMI_FAULT_SHORT_LENGTH, 1},
	{"qmikit_qmux_len_short", 0, QMI_FAULT_TLV_BLOCK, 10},
	{"qmikit_truncated", 0, QMI_FAULT_TRUNCATED, 4},
};

static int load(void **state)
{
	FILE *f = fopen(VECTORS, "re");
	char *line = NULL;
	size_t size = 0, n = 0;

	if (!f)
		return -1;
	for (; getline(&line, &size, f) > 0; n++) {
		struct vector *v = &vectors[n];
		const char *hex;

		if (n == NVECTORS)
			return -1;
		v->o = json_tokener_parse(line);
		v->name = json_get_string(v->o, "name");
		v->framing = json_get_string(v->o, "framing");
		v->valid = json_get_bool(v->o, "expect_valid");
		hex = json_get_string(v->o, "hex");
		if (hex_parse(hex, strlen(hex), &v->bytes, &v->len, NULL) < 0)
			return -1;
	}
	free(line);
	fclose(f);
	return n == NVECTORS ? 0 : -1;
}

static int unload(void **state)
{
	for (size_t i = 0; i < NVECTORS; i++) {
		json_object_put(vectors[i].o);
		free(vectors[i].bytes);
	}
	return 0;
}

TEST_GROUP(load, unload);

static bool is(const struct vector *v, const char *framing)
{
	return !strcmp(v->framing, framing);
}

static uint8_t service_of(const struct vector *v)
{
	static const struct {
		const char *name;
		uint8_t service;
	} names[] = {
		{"CTL", QMI_CTL}, {"WDS", QMI_WDS}, {"DMS", QMI_DMS},
		{"NAS", QMI_NAS}, {"WDA", QMI_WDA}, {"PDS", 6},
	};
	const char *name = json_get_string(v->o, "service");

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, name))
			return names[i].service;
	return 0xff;
}

static enum qmi_type type_of(const struct vector *v)
{
	const char *type = json_get_string(v->o, "type");

	return !strcmp(type, "request")	   ? QMI_REQUEST
	       : !strcmp(type, "response") ? QMI_RESPONSE
					   : QMI_INDICATION;
}

/*
 * Parses @v by its framing. A vector without a header gets one from its record, so that the rest is
 * checked in the same way.
 */
static int parse(const struct vector *v, struct qmi_message *m, struct qmi_bad *bad)
{
	memset(m, 0, sizeof(*m));
	if (is(v, "qmux"))
		return qmi_message_parse(v->bytes, v->len, m, bad);
	m->service = service_of(v);
	if (is(v, "qmi-sdu"))
		return qmi_sdu_parse(v->bytes, v->len, m, bad);
	if (is(v, "tlv")) {
		m->tlvs = (struct qmi_tlvs){.data = v->bytes, .len = v->len};
		return 0;
	}
	assert_true(is(v, "qmi-msg"));
	m->type = type_of(v);
	m->id = qmi_get_le16(v->bytes);
	assert_int_equal(qmi_get_le16(v->bytes + 2), v->len - 4);
	m->tlvs = (struct qmi_tlvs){.data = v->bytes + 4, .len = v->len - 4};
	return 0;
}

static void check_tlvs(const struct vector *v, struct qmi_tlvs tlvs)
{
	struct json_object *want;
	struct qmi_tlv t;
	size_t i = 0;

	while (qmi_tlv_next(&tlvs, &t) > 0) {
		uint8_t *value = NULL;
		const char *hex;
		size_t len = 0;

		want = json_get_element(v->o, "tlvs", i++);
		assert_non_null(want);
		hex = json_get_string(want, "value");
		if (*hex)
			assert_int_equal(hex_parse(hex, strlen(hex), &value, &len, NULL), 0);
		assert_int_equal(t.type, json_get_int(want, "type"));
		assert_int_equal(t.len, json_get_int(want, "length"));
		assert_int_equal(t.len, len);
		assert_memory_equal(t.value, value, len);
		free(value);
	}
	assert_int_equal(tlvs.off, tlvs.len);
	assert_null(json_get_element(v->o, "tlvs", i));
}

static void check_fields(const struct vector *v, const struct qmi_message *m)
{
	assert_int_equal(m->service, service_of(v));
	assert_int_equal(m->type, type_of(v));
	assert_int_equal(m->id, json_get_int(v->o, "message_id"));
	if (is(v, "qmux"))
		assert_int_equal(m->client, json_get_int(v->o, "client_id"));
	if (is(v, "qmux") || is(v, "qmi-sdu"))
		assert_int_equal(m->transaction, json_get_int(v->o, "transaction_id"));
}

TEST(test_fields)
{
	for (size_t i = 0; i < NVECTORS; i++) {
		const struct vector *v = &vectors[i];
		struct qmi_message m;
		struct qmi_bad bad;
		int r;

		if (!v->valid)
			continue;
		r = parse(v, &m, &bad);
		if (r < 0)
			print_error("%s: %s at %zu\n", v->name, qmi_fault_name(bad.fault),
				    bad.offset);
		assert_true(r >= 0);
		if (is(v, "qmux"))
			assert_int_equal(r, v->len);
		if (!is(v, "tlv"))
			check_fields(v, &m);
		check_tlvs(v, m.tlvs);
	}
}

/* A parsed message written again, TLV by TLV, gives the same bytes. */
TEST(test_round_trip)
{
	for (size_t i = 0; i < NVECTORS; i++) {
		const struct vector *v = &vectors[i];
		uint8_t buf[QMI_MAX_MESSAGE];
		struct qmi_message m;
		struct qmi_bad bad;
		struct qmi_buf b;
		struct qmi_tlv t;
		size_t skip = is(v, "qmux") ? 0 : 6;
		int n;

		if (!v->valid || !(is(v, "qmux") || is(v, "qmi-sdu")))
			continue;
		assert_true(parse(v, &m, &bad) >= 0);
		qmi_buf_init(&b);
		qmi_tlv_foreach (&t, m.tlvs)
			qmi_put_tlv(&b, t.type, t.value, t.len);
		assert_false(b.overflow);
		m.tlvs = (struct qmi_tlvs){.data = b.data, .len = b.len};
		n = qmi_message_write(&m, buf, sizeof(buf));
		assert_int_equal(n, v->len + skip);
		assert_memory_equal(buf + skip, v->bytes, v->len);
	}
}

static const struct vector *find(const char *name)
{
	for (size_t i = 0; i < NVECTORS; i++)
		if (!strcmp(vectors[i].name, name))
			return &vectors[i];
	fail_msg("no vector %s", name);
	return NULL;
}

TEST(test_malformed)
{
	size_t n = 0;

	for (size_t i = 0; i < NVECTORS; i++)
		n += !vectors[i].valid;
	assert_int_equal(n, sizeof(malformed) / sizeof(malformed[0]));
	for (size_t i = 0; i < n; i++) {
		const struct vector *v = find(malformed[i].name);
		struct qmi_bad bad = {.fault = QMI_FAULT_MAX};
		struct qmi_message m;
		size_t at = 0;
		int messages = 0, r;

		while ((r = is(v, "qmux") ? qmi_message_parse(v->bytes + at, v->len - at, &m, &bad)
					  : parse(v, &m, &bad)) > 0) {
			at += r;
			messages++;
			if (at == v->len)
				break;
		}
		assert_int_equal(messages, malformed[i].messages);
		assert_int_equal(bad.fault, malformed[i].fault);
		if (malformed[i].fault != QMI_FAULT_MAX)
			assert_int_equal(at + bad.offset, malformed[i].offset);
	}
}

/* The decoder agrees with the codec, byte offsets included. */
TEST(test_decode_malformed)
{
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		const struct vector *v = find(malformed[i].name);
		bool breaks = malformed[i].fault != QMI_FAULT_MAX;
		struct json_object *out, *last, *bad;
		struct error err = {0};
		int r;

		if (!is(v, "qmux"))
			continue;
		r = qmi_decode(v->bytes, v->len, &out, &err);
		assert_int_equal(r, breaks ? -EBADMSG : 0);
		assert_int_equal(json_object_array_length(out), malformed[i].messages + breaks);
		last = json_object_array_get_idx(out, json_object_array_length(out) - 1);
		bad = json_get_object(last, "malformed");
		assert_int_equal(!!bad, breaks);
		if (breaks) {
			assert_int_equal(json_get_int(bad, "offset"), malformed[i].offset);
			assert_string_equal(json_get_string(bad, "reason"),
					    qmi_fault_name(malformed[i].fault));
		}
		json_object_put(out);
	}
}

/* A copy of exactly @len bytes, so that the address sanitizer detects reads beyond its end. */
static uint8_t *exact(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, p, len);
	return copy;
}

static int decode_silently(const uint8_t *p, size_t len)
{
	struct json_object *out;
	struct error err = {0};
	int r = qmi_decode(p, len, &out, &err);
	FILE *null = fopen("/dev/null", "we");

	assert_true(r == 0 || r == -EBADMSG);
	if (r)
		assert_true(err.err == r && *err.text);
	qmi_decode_print(null, out);
	fclose(null);
	json_object_put(out);
	return r;
}

TEST(test_truncation)
{
	for (size_t i = 0; i < NVECTORS; i++) {
		const struct vector *v = &vectors[i];

		for (size_t len = 0; len < v->len; len++) {
			uint8_t *copy = exact(v->bytes, len);
			struct vector cut = *v;
			struct qmi_message m;
			struct qmi_bad bad = {.offset = SIZE_MAX};
			int r;

			cut.bytes = copy;
			cut.len = len;
			if (is(v, "qmux") || is(v, "qmi-sdu")) {
				r = parse(&cut, &m, &bad);
				if (v->valid) {
					assert_int_equal(r, is(v, "qmux") ? -EAGAIN : -EBADMSG);
					assert_true(bad.offset <= len);
				}
			}
			decode_silently(copy, len);
			free(copy);
		}
	}
}

/*
 * Every TLV of every message with its value cut to every length, and all lengths adjusted: a parser
 * that trusts the sender about the size of strings and arrays reads beyond the end.
 */
static void cut_value(const struct qmi_message *m, size_t at, const struct qmi_tlv *t)
{
	for (size_t len = 0; len < t->len; len++) {
		size_t all = at + 3 + len;
		uint8_t *copy = exact(m->tlvs.data, all);
		struct qmi_message cut = *m;

		qmi_put_le16(copy + at + 1, len);
		cut.tlvs = (struct qmi_tlvs){.data = copy, .len = all};
		parse_all(&cut);
		free(copy);
	}
}

TEST(test_values_cut)
{
	for (size_t i = 0; i < NVECTORS; i++) {
		struct qmi_message m;
		struct qmi_bad bad;
		struct qmi_tlvs walk;
		struct qmi_tlv t;
		size_t at = 0;

		if (!vectors[i].valid)
			continue;
		assert_true(parse(&vectors[i], &m, &bad) >= 0);
		for (walk = m.tlvs; qmi_tlv_next(&walk, &t) > 0; at = walk.off)
			cut_value(&m, at, &t);
	}
}

/* Lengths inside a value claim more bytes than are left. */
TEST(test_lengths_lie)
{
	static const uint16_t lies[] = {1, 2, 255, 256, 0x7fff, 0xfffc, 0xffff};

	for (size_t i = 0; i < NVECTORS; i++) {
		struct qmi_message m;
		struct qmi_bad bad;
		struct qmi_tlvs walk;
		struct qmi_tlv t;
		size_t at = 0;

		if (!vectors[i].valid || parse(&vectors[i], &m, &bad) < 0)
			continue;
		for (walk = m.tlvs; qmi_tlv_next(&walk, &t) > 0; at = walk.off) {
			for (size_t k = 0; k < sizeof(lies) / sizeof(lies[0]); k++) {
				uint8_t *copy = exact(m.tlvs.data, m.tlvs.len);
				struct qmi_message lying = m;

				qmi_put_le16(copy + at + 1, t.len + lies[k]);
				lying.tlvs.data = copy;
				parse_all(&lying);
				free(copy);
			}
		}
	}
}

/*
 * libqmi, work items 133 and 134 of June 2026: a result of two bytes, and the header of a TLV that
 * ends with the message. As answers of every service they are no result, and nothing is read behind
 * them.
 */
TEST(test_published_in_2026)
{
	static const struct {
		uint8_t tlvs[8];
		size_t len;
		bool sound;
	} cases[] = {
		{{0x02, 0x02, 0x00, 0xff, 0xff}, 5, true},
		{{0x02, 0x02, 0x00, 0xff, 0xff, 0x64, 0x00}, 7, false},
		{{0x02, 0x04, 0x00, 0xff, 0xff}, 5, false},
		{{0x02, 0xff, 0xff, 0x00, 0x00}, 5, false},
		{{0x02, 0x00, 0x00}, 3, true},
		{{0x02}, 1, false},
	};
	static const uint8_t services[] = {QMI_CTL, QMI_WDS, QMI_DMS, QMI_NAS, QMI_UIM, QMI_WDA};
	static struct qmi_stream stream;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]) * sizeof(services); i++) {
		size_t which = i / sizeof(services), head, len, size;
		uint8_t service = services[i % sizeof(services)], b[32] = {QMI_MARKER}, *copy,
			*room;
		struct qmi_message m;
		struct qmi_result result;
		struct qmi_bad bad;

		head = service == QMI_CTL ? 12 : 13;
		len = head + cases[which].len;
		b[1] = len - 1;
		b[3] = QMI_FROM_MODEM;
		b[4] = service;
		b[6] = service == QMI_CTL ? 1 : 2;
		b[head - 2] = cases[which].len;
		memcpy(b + head, cases[which].tlvs, cases[which].len);
		copy = exact(b, len);
		assert_int_equal(qmi_message_parse(copy, len, &m, &bad),
				 cases[which].sound ? (int)len : -EBADMSG);
		if (cases[which].sound) {
			assert_int_equal(qmi_message_result(&m, &result), -ENOMSG);
			parse_all(&m);
		} else {
			assert_int_equal(bad.fault, QMI_FAULT_TLV);
		}
		decode_silently(copy, len);
		room = qmi_stream_room(&stream, &size);
		memcpy(room, copy, len);
		qmi_stream_filled(&stream, len);
		assert_int_equal(qmi_stream_next(&stream, &m), cases[which].sound);
		free(copy);
	}
	assert_int_equal(stream.faults[QMI_FAULT_TLV], 4 * sizeof(services));
}

/* A small generator of its own: the same mutations on every machine. */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static size_t mutate(uint8_t *p, size_t len, uint32_t *seed)
{
	for (unsigned int n = 1 + next_random(seed) % 4; n; n--) {
		size_t at = next_random(seed) % len;

		switch (next_random(seed) % 4) {
		case 0:
			p[at] ^= 1 << next_random(seed) % 8;
			break;
		case 1:
			p[at] = next_random(seed);
			break;
		case 2:
			p[at] = 0xff;
			break;
		default:
			memmove(p + at, p + at + 1, len - at - 1);
			p[len - 1] = next_random(seed);
		}
	}
	return 1 + next_random(seed) % len;
}

TEST(test_mutation)
{
	static struct qmi_stream stream;
	uint32_t seed = 20240229;
	unsigned int refused = 0;

	for (unsigned int i = 0; i < MUTATIONS; i++) {
		const struct vector *v = &vectors[i % NVECTORS];
		uint8_t *p = exact(v->bytes, v->len), *copy, *room;
		struct qmi_message m;
		size_t len = mutate(p, v->len, &seed), size;

		if (i % 2)
			len = v->len;
		copy = exact(p, len);
		refused += decode_silently(copy, len) != 0;
		room = qmi_stream_room(&stream, &size);
		assert_true(size >= QMI_MAX_MESSAGE);
		memcpy(room, copy, len);
		qmi_stream_filled(&stream, len);
		while (qmi_stream_next(&stream, &m))
			assert_true(m.tlvs.len <= QMI_MAX_MESSAGE);
		free(copy);
		free(p);
	}
	/* Most mutations are malformed, and those are counted by reason. */
	assert_true(refused > MUTATIONS / 2);
	for (int f = 0; f < QMI_FAULT_MAX; f++)
		assert_true(stream.faults[f] > 0);
	assert_true(stream.skipped > MUTATIONS);
}
