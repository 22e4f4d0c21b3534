// SPDX-License-Identifier: GPL-2.0-or-later
/* The decoder's output, character by character, and the JSON behind it. */
#include "test.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/hex.h"
#include "daemon/util/json_get.h"
#include "daemon/qmi/decode.h"

static struct json_object *decode(const char *hex, int want)
{
	struct json_object *out;
	struct error err = {0};
	uint8_t *p;
	size_t len;

	assert_int_equal(hex_parse(hex, strlen(hex), &p, &len, NULL), 0);
	assert_int_equal(qmi_decode(p, len, &out, &err), want);
	assert_int_equal(err.err, want);
	free(p);
	return out;
}

static void check_text(const char *hex, int want, const char *text)
{
	struct json_object *out = decode(hex, want);
	char *got = NULL;
	size_t size;
	FILE *f = open_memstream(&got, &size);

	qmi_decode_print(f, out);
	fclose(f);
	assert_string_equal(got, text);
	free(got);
	json_object_put(out);
}

/* Signed numbers, of 8 and of 16 bits. */
TEST(test_signal)
{
	check_text("01210080030704010051001500 140600c3f7a6ffb400 1704009cff6400 180200f5ff", 0,
		   "     0  NAS signal_info (0x0051) indication, client 7, transaction 1\n"
		   "    0x14 lte                         6  rssi -61, rsrq -9, rsrp -90, snr 180\n"
		   "    0x17 5gnr                        4  rsrp -100, snr 100\n"
		   "    0x18 5gnr_rsrq                   2  -11\n");
}

TEST(test_request)
{
	check_text("013100000103000100200025003001000014080069 6e7465726e6574 16010002"
		   "1702006d65 180600736563726574 19010004",
		   0,
		   "     0  WDS start_network (0x0020) request, client 3, transaction 1\n"
		   "    0x30 technology                  1  3gpp (0)\n"
		   "    0x14 apn                         8  \"internet\"\n"
		   "    0x16 authentication              1  chap (2)\n"
		   "    0x17 user                        2  \"me\"\n"
		   "    0x18 password                    6  \"secret\"\n"
		   "    0x19 family                      1  ipv4 (4)\n");
}

TEST(test_refusal)
{
	check_text(
		"011f008001490202002000130002040001000e00100200ed0311040006001a00", 0,
		"     0  WDS start_network (0x0020) response, client 73, transaction 2: failure, "
		"call_failed (14)\n"
		"    0x02 result                      4  status failure (1), error call_failed "
		"(14)\n"
		"    0x10 call_end_reason             2  insufficient_resources (1005)\n"
		"    0x11 verbose_call_end_reason     4  type 3gpp (6), reason "
		"insufficient_resources (26)\n");
}

TEST(test_settings)
{
	check_text("013700800101020100 2d00 2b00 1e04006368880a 210400f8ffffff"
		   "25110020010db8006400010000000000000002 40 2a0600 01 0300 6c616e",
		   0,
		   "     0  WDS get_current_settings (0x002d) response, client 1, transaction 1\n"
		   "    0x1e address                     4  \"10.136.104.99\"\n"
		   "    0x21 netmask                     4  \"255.255.255.248\"\n"
		   "    0x25 ipv6_address               17  address \"2001:db8:64:1::2\", prefix "
		   "64\n"
		   "    0x2a domain_names                6  name \"lan\"\n");
}

/* Unknown TLVs are shown as received. */
TEST(test_unknown)
{
	check_text("0110 00 80 99 05 04 0000 7777 0400 55 0100 ab", 0,
		   "     0  service 0x99 (0x7777) indication, client 5, transaction 0\n"
		   "    0x55 ?                           1  ab\n");
}

TEST(test_short_value)
{
	check_text("0111008001 0302 0100 2000 0500 0102000100", 0,
		   "     0  WDS start_network (0x0020) response, client 3, transaction 1\n"
		   "    0x01 packet_data_handle          2  0100  MALFORMED: value is shorter than "
		   "what it should hold\n");
}

TEST(test_malformed)
{
	check_text("010b00800000010127000000 0110 00 80 01 05 04 0000 2200 0400 01 0900 02",
		   -EBADMSG,
		   "     0  CTL sync (0x0027) response, client 0, transaction 1\n"
		   "    12  WDS packet_service_status (0x0022) indication, client 5, transaction "
		   "0\n"
		   "        MALFORMED at byte 25: TLV is cut short\n");
}

TEST(test_json)
{
	struct json_object *out = decode("011400800105040100220008000102000201 110000", 0), *m, *t;

	m = json_object_array_get_idx(out, 0);
	assert_int_equal(json_get_int(m, "length"), 21);
	assert_string_equal(json_get_string(m, "service"), "WDS");
	assert_int_equal(json_get_int(m, "service_id"), 1);
	assert_int_equal(json_get_int(m, "client_id"), 5);
	assert_string_equal(json_get_string(m, "type"), "indication");
	assert_int_equal(json_get_int(m, "transaction"), 1);
	assert_string_equal(json_get_string(m, "message"), "packet_service_status");
	assert_int_equal(json_get_int(m, "message_id"), 0x22);
	assert_null(json_get_string(m, "result"));
	t = json_get_element(m, "tlvs", 0);
	assert_int_equal(json_get_int(t, "offset"), 13);
	assert_int_equal(json_get_int(t, "type"), 1);
	assert_string_equal(json_get_string(t, "name"), "status");
	assert_int_equal(json_get_int(t, "length"), 2);
	assert_string_equal(json_get_string(t, "value"), "0201");
	assert_string_equal(json_get_string(json_get_object(t, "fields"), "status_name"),
			    "connected");
	assert_int_equal(json_get_int(json_get_object(t, "fields"), "reconfigure"), 1);
	json_object_put(out);
	assert_int_equal(qmi_decode((const uint8_t *)"", 0, &out, NULL), 0);
	assert_int_equal(json_object_array_length(out), 0);
	json_object_put(out);
}
