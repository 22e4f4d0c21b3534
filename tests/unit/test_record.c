// SPDX-License-Identifier: GPL-2.0-or-later
/* Recordings hold no identities, and still hold all that a test needs. */
#include "test.h"
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/qmi/message.h"
#include "daemon/record/mask.h"
#include "daemon/util/array.h"
#include "daemon/util/hex.h"
#include "daemon/util/json_get.h"
#include "qmap/abi.h"

static bool has(const uint8_t *buf, size_t len, const void *what, size_t n)
{
	return memmem(buf, len, what, n);
}

/* Writes a message with one TLV. Returns its length. */
static size_t message(uint8_t *buf, uint8_t service, enum qmi_type type, uint16_t id, uint8_t tlv,
		      const void *value, size_t len)
{
	struct qmi_buf b;
	struct qmi_message m = {.service = service, .client = 1, .type = type, .id = id};
	int n;

	qmi_buf_init(&b);
	qmi_put_tlv(&b, tlv, value, len);
	m.transaction = 1;
	m.tlvs = (struct qmi_tlvs){.data = b.data, .len = b.len};
	n = qmi_message_write(&m, buf, QMI_MAX_MESSAGE);
	assert_true(n > 0);
	return n;
}

/* Strings that identify, wherever they may stand: no four bytes of them stay. */
TEST(test_identities)
{
#define BYTES(text) text, sizeof(text) - 1
	static const struct {
		uint8_t service;
		enum qmi_type type;
		uint16_t id;
		uint8_t tlv;
		const char *value;
		size_t len, skip; /* @skip: bytes in front that do not identify */
	} cases[] = {
		{QMI_DMS, QMI_RESPONSE, 0x0025, 0x11, BYTES("359072061234567"), 0}, /* IMEI */
		{QMI_DMS, QMI_RESPONSE, 0x0025, 0x10, BYTES("8012ABCD"), 0},	    /* ESN */
		{QMI_DMS, QMI_RESPONSE, 0x0025, 0x12, BYTES("A1234512345678"), 0},  /* MEID */
		{QMI_DMS, QMI_RESPONSE, 0x0024, 0x01, BYTES("+491701234567"), 0},   /* MSISDN */
		{QMI_DMS, QMI_RESPONSE, 0x0024, 0x11, BYTES("262011234567890"),
		 0}, /* without a name */
		{QMI_DMS, QMI_RESPONSE, 0x0043, 0x01, BYTES("262011234567890"), 0},	/* IMSI */
		{QMI_DMS, QMI_RESPONSE, 0x003c, 0x01, BYTES("8949012345678901234"), 0}, /* ICCID */
		{QMI_UIM, QMI_RESPONSE, 0x0020, 0x11,
		 BYTES("\x0a\0\x98\x94\x10\x32\x54\x76\x98\x10\x32\xf4"), 2},
		{QMI_UIM, QMI_REQUEST, 0x0026, 0x02,
		 BYTES("\1\4"
		       "4711"),
		 2}, /* PIN */
		{QMI_DMS, QMI_REQUEST, 0x0028, 0x01,
		 BYTES("\1\4"
		       "4711"),
		 2},
		{QMI_WDS, QMI_REQUEST, 0x0020, 0x17, BYTES("customer-4711"), 0},
		{QMI_WDS, QMI_REQUEST, 0x0020, 0x18, BYTES("hunter22"), 0},
		{QMI_WDS, QMI_RESPONSE, 0x002d, 0x2a, BYTES("\1\x0d\0home.example1"), 3},
		{QMI_NAS, QMI_RESPONSE, 0x0024, 0x1d, BYTES("\x12\x34\x56\x78"), 0}, /* cell */
		{5, QMI_RESPONSE, 0x0022, 0x01, BYTES("+491701234567"),
		 0}, /* WMS, which has no names */
		/* a number in a string that stays */
		{QMI_DMS, QMI_RESPONSE, 0x0023, 0x01, BYTES("359072061234567"), 0},
	};
#undef BYTES

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t buf[QMI_MAX_MESSAGE];
		struct record_mask k = {0};
		struct qmi_message m;
		struct qmi_bad bad;
		size_t n = message(buf, cases[i].service, cases[i].type, cases[i].id, cases[i].tlv,
				   cases[i].value, cases[i].len);

		assert_true(has(buf, n, cases[i].value, cases[i].len));
		record_mask_qmi(&k, buf, n);
		assert_int_equal(qmi_message_parse(buf, n, &m, &bad), n);
		for (size_t at = cases[i].skip; at + 4 <= cases[i].len; at++)
			if (has(buf, n, cases[i].value + at, 4))
				fail_msg("case %zu: bytes %zu to %zu stay", i, at, at + 3);
	}
}

/* Settings that a replay needs stay, and one address has one stand-in, in QMI and in packets. */
TEST(test_addresses)
{
	static const uint8_t address[] = {7, 0, 96, 10}, mask[] = {0xfc, 0xff, 0xff, 0xff},
			     masked[] = {1, 0, 18, 198},
			     v6[] = {0x20, 0x01, 0x04, 0xd8, 0x12, 0, 0, 0, 0,
				     0,	   0,	 0,    0,    0,	   0, 9, 64};
	uint8_t buf[QMI_MAX_MESSAGE];
	struct record_mask k = {0};
	size_t n = message(buf, QMI_WDS, QMI_RESPONSE, 0x002d, 0x1e, address, sizeof(address));
	/* v5: a header of 4 + 4 bytes, an IPv4 packet of 28 bytes, no pad; then a command */
	uint8_t data[] = {0x40, 0x81, 0,  28, 4, 0x80, 0,    0,	   0x45, 0,    0,  28, 0x12, 0x34,
			  0,	0,    64, 17, 0, 0,    8,    8,	   8,	 8,    10, 96, 0,    7,
			  0x30, 0x39, 0,  53, 0, 8,    0xde, 0xad, 0x80, 0x81, 0,  16, 1,    0,
			  0,	0,    0,  0,  0, 9,    0,    0,	   0,	 0,    0,  0,  0,    0};

	record_mask_qmi(&k, buf, n);
	assert_true(has(buf, n, masked, sizeof(masked)));
	n = message(buf, QMI_WDS, QMI_RESPONSE, 0x002d, 0x21, mask, sizeof(mask));
	record_mask_qmi(&k, buf, n);
	assert_true(has(buf, n, mask, sizeof(mask)));
	n = message(buf, QMI_WDS, QMI_RESPONSE, 0x002d, 0x25, v6, sizeof(v6));
	record_mask_qmi(&k, buf, n);
	assert_false(has(buf, n, v6, 6));
	assert_int_equal(buf[n - 1], 64);

	assert_int_equal(record_mask_qmap(&k, data, sizeof(data), QMAP_V5, 1000), sizeof(data));
	assert_memory_equal(data + 24, ((uint8_t[]){198, 18, 0, 1}), 4);
	assert_memory_equal(data + 20, ((uint8_t[]){198, 18, 1, 1}), 4);
	assert_memory_equal(data + 28, ((uint8_t[8]){0}), 8);
	assert_int_equal(data[5], 0x80);
	assert_int_equal(data[36 + 11], 9);
	/* its header's sum is right: a host drops the packet else */
	for (uint32_t i = 0, sum = 0; i <= 20; i += 2) {
		if (i == 20)
			assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
		sum += data[8 + i] << 8 | data[9 + i];
	}
	assert_int_equal(record_mask_qmap(&k, data, sizeof(data), QMAP_V5, 40), 36);
	assert_int_equal(record_mask_qmap(&k, data, sizeof(data), QMAP_V5, 30), 30);
}

TEST(test_apn)
{
	uint8_t buf[QMI_MAX_MESSAGE];
	struct record_mask k = {0};
	size_t n = message(buf, QMI_WDS, QMI_REQUEST, 0x0020, 0x14, "m2m.example", 11);

	record_mask_qmi(&k, buf, n);
	assert_true(has(buf, n, "m2m.example", 11));
	k.hide_apn = true;
	record_mask_qmi(&k, buf, n);
	assert_true(has(buf, n, "x0xxxxxxxxx", 11));
}

/* A message that a modem sends keeps its length, and becomes no other message. */
TEST(test_vectors)
{
	FILE *f = fopen("tests/unit/data/qmi-vectors.jsonl", "r");
	unsigned int masked = 0;
	char line[65536];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct json_object *o = json_tokener_parse(line);
		const char *hex = json_get_string(o, "hex");
		struct record_mask k = {0};
		struct qmi_message m, was;
		struct qmi_bad bad;
		uint8_t *p;
		size_t len;
		int n;

		assert_int_equal(hex_parse(hex, strlen(hex), &p, &len, NULL), 0);
		n = qmi_message_parse(p, len, &was, &bad);
		record_mask_qmi(&k, p, len);
		assert_int_equal(n > 0 ? n : -1,
				 len && *p ? qmi_message_parse(p, len, &m, &bad) : -1);
		masked += n > 0;
		free(p);
		json_object_put(o);
	}
	fclose(f);
	assert_true(masked > 20);
}
