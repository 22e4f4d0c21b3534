// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `qmapctl decode qmap`: bytes in, JSON and text out; hexadecimal in the forms that people
 * paste.
 */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "daemon/util/hex.h"
#include "daemon/output/packet.h"
#include "daemon/output/qmap_decode.h"
#include "qmap/abi.h"

/* UDP 10.0.0.1:53 > 10.0.0.2:4242, "hello"; all checksums are right. */
#define UDP4 "45000021000100004011 66c9 0a000001 0a000002 0035 1092 000d 9738 68656c6c6f"
/* The same with its last byte changed. */
#define UDP4_BAD "45000021000100004011 66c9 0a000001 0a000002 0035 1092 000d 9738 68656c6c6e"

static uint8_t *bytes(const char *hex, size_t *len)
{
	uint8_t *out = NULL;

	assert_int_equal(hex_parse(hex, strlen(hex), &out, len, NULL), 0);
	return out;
}

static void expect(const char *hex, int version, int ret, const char *json)
{
	struct json_object *o = NULL;
	struct error err = {0};
	size_t len;
	uint8_t *data = bytes(hex, &len);

	assert_int_equal(qmap_decode(data, len, version, &o, &err), ret);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), json);
	json_object_put(o);
	free(data);
}

static void expect_text(const char *hex, int version, const char *text)
{
	struct json_object *o = NULL;
	size_t len, size;
	uint8_t *data = bytes(hex, &len);
	char *printed = NULL;
	FILE *f = open_memstream(&printed, &size);

	qmap_decode(data, len, version, &o, NULL);
	qmap_decode_print(f, o);
	fclose(f);
	assert_string_equal(printed, text);
	json_object_put(o);
	free(printed);
	free(data);
}

#define PACKET                                                                                     \
	"\"packet\":{\"version\":4,\"protocol\":\"udp\",\"src\":\"10.0.0.1\",\"dst\":\"10.0.0."    \
	"2\","                                                                                     \
	"\"src_port\":53,\"dst_port\":4242,\"length\":33}"

TEST(v1)
{
	expect("03810024" UDP4 "000000", QMAP_V1, 0,
	       "[{\"offset\":0,\"mux_id\":129,\"length\":36,\"pad\":3,\"next_header\":false,"
	       "\"header\":\"03 81 00 24\",\"payload_length\":33," PACKET
	       ",\"command\":null,\"checksum\":\"absent\",\"drop\":null,\"reason\":null}]");
}

TEST(v5_checksums)
{
	expect_text("43820024 04800000" UDP4 "000000"
		    "43820024 04800000" UDP4_BAD "000000"
		    "43820024 04000000" UDP4_BAD "000000",
		    QMAP_V5,
		    "     0  mux 0x82  length    36  pad  3  IPv4 udp 10.0.0.1:53 > 10.0.0.2:4242, "
		    "33 bytes, checksum ok\n"
		    "    44  mux 0x82  length    36  pad  3  IPv4 udp 10.0.0.1:53 > 10.0.0.2:4242, "
		    "33 bytes, checksum bad\n"
		    "    88  mux 0x82  length    36  pad  3  IPv4 udp 10.0.0.1:53 > 10.0.0.2:4242, "
		    "33 bytes, checksum absent\n");
}

/* Appends the v4 trailer that a modem would send for @packet, with @error added to its sum. */
static void trailer(char *hex, size_t size, const char *packet, unsigned int flags, uint16_t start,
		    uint16_t error)
{
	size_t len, n = strlen(hex);
	uint8_t *data = bytes(packet, &len);
	uint16_t sum = ~packet_sum(0, data, len);

	snprintf(hex + n, size - n, "00%02x %04x %04zx %04x", flags, start, len, sum + error);
	free(data);
}

static const char *checksum_of(const char *hex, int version)
{
	static char state[16];
	struct json_object *o = NULL, *v;
	size_t len;
	uint8_t *data = bytes(hex, &len);

	assert_int_equal(qmap_decode(data, len, version, &o, NULL), 0);
	assert_true(json_object_object_get_ex(json_object_array_get_idx(o, 0), "checksum", &v));
	snprintf(state, sizeof(state), "%s", json_object_get_string(v));
	json_object_put(o);
	free(data);
	return state;
}

TEST(v4_trailer)
{
	static const struct {
		const char *packet;
		unsigned int flags;
		uint16_t start, error;
		const char *checksum;
	} table[] =
		{
			{UDP4, 1, 0, 0, "ok"},	   {UDP4, 1, 0, 1, "bad"},
			{UDP4, 0, 0, 0, "absent"}, {UDP4_BAD, 1, 0, 0, "bad"},
			{UDP4, 1, 1, 0, "bad"}, /* sum reaches beyond the packet */
		};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char hex[400];

		snprintf(hex, sizeof(hex), "03810024 %s 000000 ", table[i].packet);
		trailer(hex, sizeof(hex), table[i].packet, table[i].flags, table[i].start,
			table[i].error);
		assert_string_equal(checksum_of(hex, QMAP_V4), table[i].checksum);
	}
}

TEST(commands)
{
	expect("80810010 01000000 00000007 03000002 00000009"
	       "80820008 02010000 00000008"
	       "80820008 09020000 ffffffff",
	       QMAP_V5, 0,
	       "[{\"offset\":0,\"mux_id\":129,\"length\":16,\"pad\":0,\"next_header\":false,"
	       "\"header\":\"80 81 00 10\",\"payload_length\":16,\"packet\":null,"
	       "\"command\":{\"name\":\"flow_disable\",\"type\":\"request\",\"transaction\":7,"
	       "\"ip_family\":3,\"sequence\":2,\"qos_id\":9},\"checksum\":\"absent\",\"drop\":null,"
	       "\"reason\":null},"
	       "{\"offset\":20,\"mux_id\":130,\"length\":8,\"pad\":0,\"next_header\":false,"
	       "\"header\":\"80 82 00 08\",\"payload_length\":8,\"packet\":null,"
	       "\"command\":{\"name\":\"flow_enable\",\"type\":\"ack\",\"transaction\":8},"
	       "\"checksum\":\"absent\",\"drop\":null,\"reason\":null},"
	       "{\"offset\":32,\"mux_id\":130,\"length\":8,\"pad\":0,\"next_header\":false,"
	       "\"header\":\"80 82 00 08\",\"payload_length\":8,\"packet\":null,"
	       "\"command\":{\"name\":\"9\",\"type\":\"unsupported\",\"transaction\":4294967295},"
	       "\"checksum\":\"absent\",\"drop\":null,\"reason\":null}]");
}

/* The position of the fault, and the walk beyond it where that is possible. */
TEST(malformed)
{
	static const struct {
		const char *hex;
		int version, ret;
		size_t frames;
		const char *drop, *text;
	} table[] = {
		{"00", QMAP_V5, -EBADMSG, 1, "truncated_header", "malformed at offset 0: "},
		{"03810024" UDP4 "000000 0081", QMAP_V5, -EBADMSG, 2, "truncated_header",
		 "malformed at offset 40: "},
		{"03810024" UDP4 "000000 00810000", QMAP_V5, -EBADMSG, 2, "zero_length",
		 "malformed at offset 40: "},
		{"00810005 45000000", QMAP_V5, -EBADMSG, 1, "length_beyond_aggregate",
		 "malformed at offset 0: "},
		{"00810004 45000000 000000", QMAP_V4, -EBADMSG, 1, "truncated_trailer",
		 "malformed at offset 0: "},
		{"04810004 45000000", QMAP_V5, 0, 1, "pad_too_long", ""},
		{"00810004 45000000", QMAP_V5, 0, 1, "not_ip", ""},
		{"80810004 01000000", QMAP_V5, 0, 1, "short_command", ""},
		{"40810004 06000000 45000000", QMAP_V5, 0, 1, "unknown_next_header", ""},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct json_object *o = NULL, *v;
		struct error err = {0};
		size_t len, n = table[i].frames;
		uint8_t *data = bytes(table[i].hex, &len);

		assert_int_equal(qmap_decode(data, len, table[i].version, &o, &err), table[i].ret);
		assert_int_equal(strncmp(err.text, table[i].text, strlen(table[i].text)), 0);
		assert_int_equal(json_object_array_length(o), n);
		v = json_object_object_get(json_object_array_get_idx(o, n - 1), "drop");
		assert_string_equal(json_object_get_string(v), table[i].drop);
		json_object_put(o);
		free(data);
	}
}

/* No truncated input may be read beyond its end (checked by ASan). */
TEST(cut_everywhere)
{
	static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};
	size_t len;
	uint8_t *data = bytes("43820024 04800000" UDP4 "000000"
			      "80810010 01000000 00000007 03000002 00000009"
			      "00830030 60000000 00081140 20010db8000000000000000000000001"
			      "20010db8000000000000000000000002 0035109200080000",
			      &len);

	for (size_t cut = 1; cut <= len; cut++) {
		for (size_t v = 0; v < 3; v++) {
			uint8_t *copy = malloc(cut);
			struct json_object *o = NULL;
			char *text = NULL;
			size_t size;
			FILE *f = open_memstream(&text, &size);

			memcpy(copy, data, cut);
			qmap_decode(copy, cut, versions[v], &o, NULL);
			assert_non_null(o);
			qmap_decode_print(f, o);
			fclose(f);
			assert_true(size);
			free(text);
			free(copy);
			json_object_put(o);
		}
	}
	free(data);
}

TEST(ipv6)
{
	expect_text("00830030 60000000 00081140 20010db8000000000000000000000001"
		    "20010db8000000000000000000000002 0035109200080000",
		    QMAP_V1,
		    "     0  mux 0x83  length    48  pad  0  IPv6 udp [2001:db8::1]:53 > "
		    "[2001:db8::2]:4242, 48 bytes, checksum absent\n");
}

TEST(too_large)
{
	size_t len = QMAP_MAX_AGGREGATE + 200, frames;
	uint8_t *data = calloc(1, len);
	struct json_object *o = NULL;
	struct error err = {0};

	for (size_t off = 0; off + 68 <= len; off += 68) {
		memcpy(data + off, "\x80\x81\x00\x40\x01\x00", 6);
	}
	assert_int_equal(qmap_decode(data, len, QMAP_V1, &o, &err), -EBADMSG);
	frames = json_object_array_length(o);
	assert_in_range(frames, QMAP_MAX_AGGREGATE / 68, QMAP_MAX_AGGREGATE / 68 + 1);
	json_object_put(o);
	free(data);
}

/* ---- packets ---- */

TEST(checksums)
{
	static const struct {
		const char *hex;
		enum packet_csum want;
	} table[] = {
		{UDP4, PACKET_CSUM_OK},
		{UDP4_BAD, PACKET_CSUM_BAD},
		/* header checksum wrong */
		{"45000021000100004011 66ca 0a000001 0a000002 0035 1092 000d 9738 68656c6c6f",
		 PACKET_CSUM_BAD},
		/* UDP without a checksum */
		{"45000021000100004011 66c9 0a000001 0a000002 0035 1092 000d 0000 68656c6c6f",
		 PACKET_CSUM_NONE},
		/* first fragment */
		{"45000021000120004011 46c9 0a000001 0a000002 0035 1092 000d 9738 68656c6c6f",
		 PACKET_CSUM_NONE},
		/* cut short */
		{"45000021000100004011 66c9 0a000001 0a000002 0035 1092 000d 9738 6865",
		 PACKET_CSUM_NONE},
		/* ICMP echo request */
		{"4500001c0000400040012 6df 0a000001 0a000002 0800 f7fe 0001 0000", PACKET_CSUM_OK},
		{"4500001c0000400040012 6df 0a000001 0a000002 0800 f7fe 0001 0001",
		 PACKET_CSUM_BAD},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct packet p;
		char hex[256];
		size_t len, n = 0;
		uint8_t *data;

		for (const char *s = table[i].hex; *s; s++) {
			if (*s != ' ')
				hex[n++] = *s;
		}
		hex[n] = '\0';
		data = bytes(hex, &len);
		assert_true(packet_parse(data, len, &p));
		assert_int_equal(packet_checksum(data, len, &p), table[i].want);
		free(data);
	}
}

/* ---- hexadecimal ---- */

TEST(hex)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: refused */
	} table[] = {
		{"010c", "01 0c"},
		{"01 0C\n00", "01 0c 00"},
		{"01:0c:00", "01 0c 00"},
		{"0x01, 0x0c", "01 0c"},
		{"0x010c", "01 0c"},
		{" \t01\r\n", "01"},
		{"01-0c", "01 0c"},
		{"0", NULL},
		{"0g", NULL},
		{"0 1", NULL},
		{"", NULL},
		{"  ", NULL},
		{"0x", NULL},
		{"01 0", NULL},
		{"00", "00"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t *out = NULL;
		struct error err = {0};
		char text[64];
		size_t len = 0;
		int ret = hex_parse(table[i].text, strlen(table[i].text), &out, &len, &err);

		assert_int_equal(ret, table[i].want ? 0 : -EINVAL);
		if (table[i].want)
			assert_string_equal(hex_format(out, len, text, sizeof(text)),
					    table[i].want);
		else
			assert_int_equal(err.exit, EXIT_USAGE);
		free(out);
	}
}
