// SPDX-License-Identifier: GPL-2.0-or-later
/* TLVs, messages, their stream, and the requests and responses of the services. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/hex.h"
#include "daemon/qmi/ctl.h"
#include "daemon/qmi/dms.h"
#include "daemon/qmi/models.h"
#include "daemon/qmi/names.h"
#include "daemon/qmi/nas.h"
#include "daemon/qmi/uim.h"
#include "daemon/qmi/wds.h"
#include "qmap/abi.h"

struct bytes {
	uint8_t data[2 * QMI_MAX_MESSAGE];
	size_t len;
};

static struct bytes unhex(const char *hex)
{
	struct bytes b = {.len = 0};
	uint8_t *p;

	assert_int_equal(hex_parse(hex, strlen(hex), &p, &b.len, NULL), 0);
	memcpy(b.data, p, b.len);
	free(p);
	return b;
}

/* Compares @r with the message that a client would send. */
static void check_request(const struct qmi_request *r, uint8_t service, uint8_t client,
			  uint16_t transaction, const char *hex)
{
	const struct qmi_message m = {
		.service = service,
		.client = client,
		.type = QMI_REQUEST,
		.transaction = transaction,
		.id = r->id,
		.tlvs = {.data = r->tlvs.data, .len = r->tlvs.len},
	};
	struct bytes want = unhex(hex);
	uint8_t buf[QMI_MAX_MESSAGE];
	int n = qmi_message_write(&m, buf, sizeof(buf));

	assert_false(r->tlvs.overflow);
	assert_int_equal(n, want.len);
	assert_memory_equal(buf, want.data, want.len);
}

static struct qmi_message parse(const struct bytes *b)
{
	struct qmi_message m;
	struct qmi_bad bad;

	assert_int_equal(qmi_message_parse(b->data, b->len, &m, &bad), b->len);
	return m;
}

/* Requests that qmicli 1.32 sends, too, have the same bytes. */
TEST(test_requests_as_qmicli)
{
	const struct qmi_endpoint ep = {QMI_ENDPOINT_HSUSB, 4};
	struct qmi_request r;

	qmi_request_init(&r, QMI_CTL_SYNC);
	check_request(&r, QMI_CTL, 0, 1, "010b00000000000127000000");
	qmi_ctl_allocate_cid(&r, QMI_WDA);
	check_request(&r, QMI_CTL, 0, 2, "010f000000000002220004000101001a");
	qmi_wds_set_ip_family(&r, 4);
	check_request(&r, QMI_WDS, 1, 1, "011000000101000100 4d000400 01010004");
	qmi_wds_stop_network(&r, 0x86e9a010);
	check_request(&r, QMI_WDS, 1, 1, "011300000101000100 21000700 01040010a0e986");
	qmi_wds_bind_mux_data_port(&r, &ep, 1);
	check_request(&r, QMI_WDS, 1, 1,
		      "012200000101000100 a2001600 1008000200000004000000 11010001 13040001000000");
}

TEST(test_nas_uim_requests_as_qmicli)
{
	struct qmi_request r;

	qmi_request_init(&r, QMI_UIM_GET_CARD_STATUS);
	check_request(&r, QMI_UIM, 1, 1, "010c00000b010001002f000000");
	qmi_request_init(&r, QMI_NAS_SERVING_SYSTEM);
	check_request(&r, QMI_NAS, 1, 1,
		      "010c000003010001002400"
		      "0000");
	qmi_request_init(&r, QMI_NAS_GET_SIGNAL_INFO);
	check_request(&r, QMI_NAS, 2, 1, "010c000003020001004f000000");
	qmi_request_init(&r, QMI_DMS_GET_PIN_STATUS);
	check_request(&r, QMI_DMS, 1, 1, "010c000002010001002b000000");
	qmi_dms_verify_pin(&r, "1234");
	check_request(&r, QMI_DMS, 2, 1, "0115000002020001002800 0900 010600 01 04 31323334");
	/*
	 * qmicli names the card in slot 1 (session 6), we name the SIM used for calls (0), and its
	 * TLVs have the other order
	 */
	qmi_uim_verify_pin(&r, "1234");
	check_request(&r, QMI_UIM, 2, 1,
		      "011a00000b020001002600 0e00 010200 0000 020600 01 04 31323334");
	/* from libqmi's data/qmi-service-nas.json and -uim.json */
	qmi_nas_register_indications(&r);
	check_request(&r, QMI_NAS, 2, 1, "0110000003020001000300 0400 13010001");
	qmi_nas_register_signal(&r);
	check_request(&r, QMI_NAS, 2, 1, "0110000003020001000300 0400 19010001");
	qmi_nas_config_signal_delta(&r, 5);
	check_request(&r, QMI_NAS, 2, 1,
		      "0120000003020001006c00 1400 1d02003200 1f02003200 2902003200 3602003200");
	qmi_nas_config_signal_levels(&r, 20);
	check_request(&r, QMI_NAS, 2, 1,
		      "011e000003020001005000 1200 100500 04 92a6bace 160700 03 83ff 97ff abff");
	qmi_uim_register_events(&r);
	check_request(&r, QMI_UIM, 2, 1, "011300000b020001002e00 0700 010400 01000000");
	qmi_uim_read_iccid(&r);
	check_request(&r, QMI_UIM, 1, 1,
		      "012000000b010001002000 1400 0102000000 020500e22f02003f 03040000000000");
	qmi_request_init(&r, QMI_DMS_GET_OPERATING_MODE);
	check_request(&r, QMI_DMS, 1, 1, "010c000002010001002d000000");
	qmi_dms_set_operating_mode(&r, QMI_DMS_ONLINE);
	check_request(&r, QMI_DMS, 1, 1, "0110000002010001002e00 0400 01010000");
	qmi_dms_register_mode(&r);
	check_request(&r, QMI_DMS, 1, 1, "0110000002010001000100 0400 14010001");
}

/* The file as stored on the card: 19 or 20 digits, low half first. */
TEST(test_iccid)
{
	static const struct {
		const char *hex, *iccid;
	} cases[] = {
		{"012700800b010201002000 1b00 02040000000000 110c000a0098000101000000000070 "
		 "10020090"
		 "00",
		 "89001010000000000007"},
		{"012700800b010201002000 1b00 02040000000000 110c000a00980001010000000000f7 "
		 "10020090"
		 "00",
		 "8900101000000000007"},
		/* a length beyond the TLV, no digit, nothing at all */
		{"012700800b010201002000 1b00 02040000000000 110c000b0098000101000000000070 "
		 "10020090"
		 "00",
		 NULL},
		{"012700800b010201002000 1b00 02040000000000 110c000a00ffffffffffffffffffff "
		 "10020090"
		 "00",
		 NULL},
		{"011800800b010201002000 0c00 02040000000000 1002009000", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = unhex(cases[i].hex);
		struct qmi_message m = parse(&b);
		char iccid[QMI_ICCID_SIZE] = "";

		assert_int_equal(qmi_uim_iccid(&m, iccid), cases[i].iccid != NULL);
		if (cases[i].iccid)
			assert_string_equal(iccid, cases[i].iccid);
	}
}

TEST(test_operating_mode)
{
	struct bytes b = unhex("011b008002010201002d00 0f00 02040000000000 01010001 11010001");
	struct qmi_message m = parse(&b);
	bool hardware = false;
	uint8_t mode = 77;

	assert_true(qmi_dms_operating_mode(&m, &mode, &hardware));
	assert_int_equal(mode, QMI_DMS_LOW_POWER);
	assert_true(hardware);
	b = unhex("0110008002010400000100 0400 14010000");
	m = parse(&b);
	assert_true(qmi_dms_operating_mode(&m, &mode, &hardware));
	assert_int_equal(mode, QMI_DMS_ONLINE);
	b = unhex("010f008002010400000100 0300 140000");
	m = parse(&b);
	assert_false(qmi_dms_operating_mode(&m, &mode, &hardware));
}

TEST(test_requests)
{
	const struct qmi_wds_call profile = {"", "", "", QMI_WDS_AUTH_PROFILE, 6, 0};
	const struct qmi_wds_call full = {"internet", "me", "secret", 2, 4, 0};
	const struct qmi_endpoint ep = {QMI_ENDPOINT_PCIE, 4};
	const struct qmi_wda_format qmap = {QMI_LINK_RAW_IP, 9, 9, 32, 16384, 11, 8192, 0};
	const struct qmi_wda_format off = {QMI_LINK_RAW_IP, 0, 0, 32, 16384, 11, 8192, 0};
	struct qmi_request r;

	qmi_ctl_release_cid(&r, QMI_WDS, 17);
	check_request(&r, QMI_CTL, 0, 255, "0110000000 0000ff 2300 0500 0102000111");
	qmi_wds_start_network(&r, &profile);
	check_request(&r, QMI_WDS, 3, 0x0102, "0114000001030002012000 0800 30010000 19010006");
	qmi_wds_start_network(&r, &full);
	check_request(&r, QMI_WDS, 3, 1,
		      "0131000001030001002000 2500 30010000 140800696e7465726e6574 16010002"
		      "1702006d65 180600736563726574 19010004");
	qmi_wds_stop_network(&r, QMI_WDS_ANY_HANDLE);
	check_request(&r, QMI_WDS, 1, 1, "011700000101000100 2100 0b00 010400ffffffff 10010001");
	qmi_wds_get_current_settings(&r);
	check_request(&r, QMI_WDS, 1, 1, "011300000101000100 2d00 0700 10040010a30000");
	qmi_wda_set_data_format(&r, &qmap, &ep);
	check_request(&r, QMI_WDA, 1, 1,
		      "014c00001a01000100 2000 4000 10010000 11040002000000 12040009000000"
		      "13040009000000 15040020000000 16040000400000 1708000300000004000000"
		      "1b04000b000000 1c040000200000");
	qmi_wda_set_data_format(&r, &off, &ep);
	check_request(&r, QMI_WDA, 1, 1,
		      "013000001a01000100 2000 2400 10010000 11040002000000 12040000000000"
		      "13040000000000 1708000300000004000000");
	qmi_wda_set_loopback(&r, 4);
	check_request(&r, QMI_WDA, 1, 1, "011700001a01000100 2f00 0b00 01010001 10040004000000");
	qmi_wda_set_loopback(&r, 0);
	check_request(&r, QMI_WDA, 1, 1, "011000001a01000100 2f00 0400 01010000");
}

TEST(test_tlv_walk)
{
	static const uint8_t data[] = {0x11, 2, 0, 'h', 'i', 0x10, 0, 0, 0x12, 5, 0, 1, 2};
	struct qmi_tlvs w = {.data = data, .len = sizeof(data)};
	struct qmi_tlv t;

	assert_int_equal(qmi_tlv_next(&w, &t), 1);
	assert_int_equal(t.type, 0x11);
	assert_memory_equal(t.value, "hi", 2);
	assert_int_equal(qmi_tlv_next(&w, &t), 1);
	assert_int_equal(t.len, 0);
	assert_int_equal(qmi_tlv_next(&w, &t), -EBADMSG);
	assert_int_equal(w.off, 8);
	w = (struct qmi_tlvs){.data = data, .len = 8};
	assert_true(qmi_tlv_find(w, 0x10, &t));
	assert_false(qmi_tlv_find(w, 0x12, &t));
	w.len = 7;
	assert_false(qmi_tlv_find(w, 0x10, &t));
}

TEST(test_tlv_values)
{
	struct qmi_tlvs w;
	struct qmi_buf b;
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	char s[6];

	qmi_buf_init(&b);
	qmi_put_tlv_u8(&b, 1, 0xfe);
	qmi_put_tlv_le16(&b, 2, 0xfedc);
	qmi_put_tlv_le32(&b, 3, 0xfedcba98);
	qmi_put_tlv(&b, 4, "a\tb\0\0", 5);
	qmi_put_tlv_string(&b, 5, "longer than room");
	qmi_put_tlv_string(&b, 6, "");
	w = (struct qmi_tlvs){.data = b.data, .len = b.len};
	assert_true(qmi_tlv_u8(w, 1, &v8) && v8 == 0xfe);
	assert_true(qmi_tlv_le16(w, 2, &v16) && v16 == 0xfedc);
	assert_true(qmi_tlv_le32(w, 3, &v32) && v32 == 0xfedcba98);
	assert_true(qmi_tlv_u8(w, 3, &v8) && v8 == 0x98); /* longer is accepted, shorter is not */
	assert_false(qmi_tlv_le32(w, 2, &v32));
	assert_false(qmi_tlv_le16(w, 1, &v16));
	assert_false(qmi_tlv_u8(w, 6, &v8));
	assert_true(qmi_tlv_string(w, 4, s, sizeof(s)));
	assert_string_equal(s, "a b");
	assert_true(qmi_tlv_string(w, 5, s, sizeof(s)));
	assert_string_equal(s, "longe");
	assert_true(qmi_tlv_string(w, 6, s, sizeof(s)));
	assert_string_equal(s, "");
	assert_false(qmi_tlv_string(w, 7, s, sizeof(s)));
}

TEST(test_builder_overflow)
{
	static const uint8_t value[QMI_MAX_MESSAGE];
	struct qmi_buf b;

	qmi_buf_init(&b);
	qmi_put_tlv(&b, 1, value, QMI_MAX_MESSAGE - 3);
	assert_false(b.overflow);
	assert_int_equal(b.len, QMI_MAX_MESSAGE);
	qmi_put_tlv_u8(&b, 2, 0);
	assert_true(b.overflow);
	assert_int_equal(b.len, QMI_MAX_MESSAGE);
	qmi_buf_init(&b);
	qmi_put_tlv(&b, 1, value, QMI_MAX_MESSAGE - 2);
	assert_true(b.overflow);
	assert_int_equal(b.len, 0);
}

/* TLVs alone may fill a buffer; with headers they are too long for a message. */
TEST(test_message_too_long)
{
	static uint8_t buf[2 * QMI_MAX_MESSAGE];
	static const uint8_t tlvs[QMI_MAX_MESSAGE];
	struct qmi_message m = {.service = QMI_WDS, .tlvs = {.data = tlvs, .len = 4096 - 13}};

	assert_int_equal(qmi_message_write(&m, buf, sizeof(buf)), 4096);
	m.tlvs.len++;
	assert_int_equal(qmi_message_write(&m, buf, sizeof(buf)), -EMSGSIZE);
	m.tlvs.len = 20;
	assert_int_equal(qmi_message_write(&m, buf, 32), -EMSGSIZE);
}

TEST(test_type_flags)
{
	static const struct {
		uint8_t service, flags;
		int type;
	} cases[] = {
		{QMI_CTL, 0, QMI_REQUEST},
		{QMI_CTL, 1, QMI_RESPONSE},
		{QMI_CTL, 2, QMI_INDICATION},
		{QMI_CTL, 3, -1},
		{QMI_WDS, 0, QMI_REQUEST},
		{QMI_WDS, 2, QMI_RESPONSE},
		{QMI_WDS, 4, QMI_INDICATION},
		{QMI_WDS, 1, -1},
		{QMI_WDS, 6, -1},
		{QMI_WDS, 0xff, -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b =
			unhex(cases[i].service == QMI_CTL ? "010b00800000 0001 2700 0000"
							  : "010c00800101 000100 2200 0000");
		struct qmi_message m;
		struct qmi_bad bad;
		int r;

		b.data[6] = cases[i].flags;
		r = qmi_message_parse(b.data, b.len, &m, &bad);
		if (cases[i].type < 0) {
			assert_int_equal(r, -EBADMSG);
			assert_int_equal(bad.fault, QMI_FAULT_TYPE);
			assert_int_equal(bad.offset, 6);
		} else {
			assert_int_equal(r, b.len);
			assert_int_equal(m.type, cases[i].type);
		}
	}
}

TEST(test_ctl_responses)
{
	struct bytes b = unhex("01170080000001 01 2200 0c00 02040000000000 010200 0111");
	struct qmi_message m = parse(&b);
	uint8_t service, id;
	uint64_t services;

	assert_true(qmi_ctl_allocated(&m, &service, &id));
	assert_int_equal(service, QMI_WDS);
	assert_int_equal(id, 17);
	b.data[b.len - 1] = 0xff; /* the broadcast id belongs to no client */
	assert_false(qmi_ctl_allocated(&m, &service, &id));
	b = unhex("01200080000001 01 2100 1500 02040000000000 010b00 02 0101004300 1a01001000");
	m = parse(&b);
	assert_int_equal(qmi_ctl_services(&m, &services), 0);
	assert_true(services == (1ull << QMI_WDS | 1ull << QMI_WDA));
	b.data[22] = 3; /* one more than there are */
	assert_int_equal(qmi_ctl_services(&m, &services), -EBADMSG);
}

/*
 * From a modem of T-Mobile USA; TLV 0x15, which the parser ignores, is one byte too long for its
 * list.
 */
TEST(test_serving_system)
{
	struct bytes b =
		unhex("014f0080 03 03 02 0100 2400 4300 02040000000000 2104000203 0000 1d04"
		      "000000 0000 1c020000 00 150300010501 120e00 3601 0401 09 20542d4d6f62"
		      "696c65 11020001 05 10010001 010600 01 01 01 02 01 05");
	struct qmi_nas_serving s = {.registration = 9};
	struct qmi_message m = parse(&b);

	assert_true(qmi_nas_serving_system(&m, &s));
	assert_int_equal(s.registration, QMI_NAS_REGISTERED);
	assert_int_equal(s.packet_attach, QMI_NAS_ATTACHED);
	assert_int_equal(s.radio, QMI_NAS_RADIO_UMTS);
	assert_true(s.roaming_reported);
	assert_false(s.roaming);
	assert_int_equal(s.mcc, 310);
	assert_int_equal(s.mnc, 260);
	assert_string_equal(s.network, " T-Mobile");
	/* an indication may omit unchanged values */
	b = unhex("01190080 03 03 04 0000 2400 0d00 010600 02 02 02 02 01 00 10010000");
	m = parse(&b);
	assert_true(qmi_nas_serving_system(&m, &s));
	assert_int_equal(s.registration, QMI_NAS_SEARCHING);
	assert_int_equal(s.packet_attach, QMI_NAS_DETACHED);
	assert_int_equal(s.radio, QMI_NAS_RADIO_NONE);
	assert_true(s.roaming);
	assert_int_equal(s.mcc, 310);
	b = unhex("01110080 03 03 04 0000 2400 0500 120200 3601");
	m = parse(&b);
	assert_false(qmi_nas_serving_system(&m, &s));
	b = unhex("01130080 03 03 04 0000 2400 0700 010400 01 01 01 02");
	m = parse(&b);
	assert_true(qmi_nas_serving_system(&m, &s));
	assert_int_equal(s.radio, QMI_NAS_RADIO_NONE);
}

TEST(test_signals)
{
	struct qmi_nas_signal s[QMI_NAS_MAX_SIGNALS];
	struct qmi_message m;
	struct bytes b;

	/* published by libqmi: -101 dBm, UMTS */
	b = unhex("01260080 03 01 02 0100 2000 1a00 02040000000000 010200 9b05 110400 0100 6605"
		  "120400 0100 1105");
	m = parse(&b);
	assert_int_equal(qmi_nas_signals(&m, s), 1);
	assert_int_equal(s[0].radio, QMI_NAS_RADIO_UMTS);
	assert_int_equal(s[0].rssi, -101);
	assert_int_equal(s[0].rsrp, QMI_NAS_NOT_REPORTED);
	/* LTE with a 5G cell beside it, as in non-standalone 5G; no WCDMA (-128) */
	b = unhex("012e0080 03 01 02 0100 4f00 2200 02040000000000 140600 c3 f7 a6ff b400"
		  "170400 9bff 3200 180200 f5ff 130300 80 0000");
	m = parse(&b);
	assert_int_equal(qmi_nas_signals(&m, s), 2);
	assert_int_equal(s[0].radio, QMI_NAS_RADIO_5GNR);
	assert_int_equal(s[0].rsrp, -101);
	assert_int_equal(s[0].snr, 50);
	assert_int_equal(s[0].rsrq, -11);
	assert_int_equal(s[0].rssi, QMI_NAS_NOT_REPORTED);
	assert_int_equal(s[1].radio, QMI_NAS_RADIO_LTE);
	assert_int_equal(s[1].rssi, -61);
	assert_int_equal(s[1].rsrq, -9);
	assert_int_equal(s[1].rsrp, -90);
	assert_int_equal(s[1].snr, 180);
	/* the indication has the same TLVs, and no result */
	b = unhex("01150080 03 01 04 0100 5100 0900 140600 c3 f7 9bff b400");
	m = parse(&b);
	assert_int_equal(qmi_nas_signals(&m, s), 1);
	assert_int_equal(s[0].radio, QMI_NAS_RADIO_LTE);
	assert_int_equal(s[0].rsrp, -101);
}

/* A card: state, UPIN state and retries, error, applications. An application: type, state,
 * personalisation, id, UPIN instead of PIN 1, PIN 1, PIN 2. */
#define CARD(state, n)                                                                             \
	state "000300"                                                                             \
	      "00" n
#define USIM(state, pin, left)                                                                     \
	"02" state "0200"                                                                          \
	"0000"                                                                                     \
	"02a000"                                                                                   \
	"00" pin left "0a"                                                                         \
	"01030a"

static struct qmi_message card_status(struct bytes *b, const char *value)
{
	char hex[512];
	size_t len = 0;

	for (const char *p = value; *p; p++)
		len += *p != ' ';
	len /= 2;
	snprintf(hex, sizeof(hex),
		 "01%02zx00800b01020100"
		 "2f00%02zx00"
		 "02040000000000"
		 "10%02zx00%s",
		 22 + len, 10 + len, len, value);
	*b = unhex(hex);
	return parse(b);
}

TEST(test_card_status)
{
	static const struct {
		const char *value;
		enum qmi_sim_state state;
		unsigned int pin, puk;
	} cases[] = {
		{"0000 ffff ffff ffff 01" CARD("01", "01") USIM("07", "02", "03"), QMI_SIM_READY, 3,
		 10},
		{"0000 ffff ffff ffff 01" CARD("01", "01") USIM("02", "01", "02"), QMI_SIM_PIN, 2,
		 10},
		{"0000 ffff ffff ffff 01" CARD("01", "01") USIM("03", "04", "00"), QMI_SIM_PUK, 0,
		 10},
		{"0000 ffff ffff ffff 01" CARD("01", "01") USIM("03", "05", "00"), QMI_SIM_BLOCKED,
		 0, 10},
		{"0000 ffff ffff ffff 01" CARD("01", "01") USIM("04", "03", "03"), QMI_SIM_LOCKED,
		 3, 10},
		{"0000 ffff ffff ffff 01" CARD("01", "01") USIM("06", "03", "03"), QMI_SIM_REFUSED,
		 3, 10},
		{"0000 ffff ffff ffff 01" CARD("01", "01") USIM("01", "00", "00"),
		 QMI_SIM_INITIALISING, 0, 10},
		{"ffff ffff ffff ffff 01" CARD("01", "00"), QMI_SIM_INITIALISING, 0, 0},
		{"ffff ffff ffff ffff 01" CARD("00", "00"), QMI_SIM_ABSENT, 0, 0},
		{"ffff ffff ffff ffff 01" CARD("02", "00"), QMI_SIM_ERROR, 0, 0},
		{"ffff ffff ffff ffff 00", QMI_SIM_ABSENT, 0, 0},
		/* the second slot has the SIM */
		{"0001 ffff ffff ffff 02" CARD("00", "00") CARD("01", "01") USIM("07", "03", "03"),
		 QMI_SIM_READY, 3, 10},
		/* the second application of the card has the session */
		{"0100 ffff ffff ffff 01" CARD("01", "02") USIM("07", "03", "03")
			 USIM("02", "01", "02"),
		 QMI_SIM_PIN, 2, 10},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct qmi_sim sim = {.pin_retries = 77};
		struct bytes b;
		struct qmi_message m = card_status(&b, cases[i].value);

		assert_true(qmi_uim_card_status(&m, &sim));
		assert_int_equal(sim.state, cases[i].state);
		assert_int_equal(sim.pin_retries, cases[i].pin);
		assert_int_equal(sim.puk_retries, cases[i].puk);
	}
}

/* Truncated at any byte it is no status, and nothing is read beyond its end. */
TEST(test_card_status_cut)
{
	static const char whole[] = "0000ffffffffffff01" CARD("01", "01") USIM("07", "02", "03");

	for (size_t n = 0; n < sizeof(whole) - 1; n += 2) {
		struct bytes b;
		char cut[sizeof(whole)];
		struct qmi_sim sim;
		struct qmi_message m;

		snprintf(cut, sizeof(cut), "%.*s", (int)n, whole);
		m = card_status(&b, cut);
		assert_false(qmi_uim_card_status(&m, &sim));
	}
}

TEST(test_pin_status)
{
	/* attempts left after a wrong PIN; DMS: PIN 1 not verified, one attempt left */
	struct bytes b = unhex("01180080 0b 02 02 0100 2600 0c00 02040001000c00 100200 020a");
	unsigned int pin = 9, puk = 9;
	struct qmi_sim sim = {0};
	struct qmi_message m = parse(&b);

	assert_true(qmi_uim_retries(&m, &pin, &puk));
	assert_int_equal(pin, 2);
	assert_int_equal(puk, 10);
	b = unhex("011f0080 02 02 02 0100 2b00 1300 02040000000000 120300 03030a 110300 01010a");
	m = parse(&b);
	assert_true(qmi_dms_pin_status(&m, &sim));
	assert_int_equal(sim.state, QMI_SIM_PIN);
	assert_int_equal(sim.pin_retries, 1);
	b = unhex("01160080 02 02 02 0100 2b00 0a00 02040000000000 110000");
	m = parse(&b);
	assert_false(qmi_dms_pin_status(&m, &sim));
}

TEST(test_data_format)
{
	struct bytes b =
		unhex("015a00801a01020100 2000 4e00 02040000000000 10010000 11040002000000"
		      "12040005000000 13040005000000 15040020000000 160400007c0000"
		      "17 04000b000000 18040000200000 1a040000000000 1b010000 1904002a000000");
	struct qmi_message m = parse(&b);
	struct qmi_wda_format f;

	qmi_wda_data_format(&m, &f);
	assert_int_equal(f.link_protocol, QMI_LINK_RAW_IP);
	assert_int_equal(f.ul_aggregation, QMI_AGGREGATION_QMAP_V1);
	assert_int_equal(f.dl_aggregation, QMI_AGGREGATION_QMAP_V1);
	assert_int_equal(f.dl_max_datagrams, 32);
	assert_int_equal(f.dl_max_bytes, 31744);
	/* its number in the response is that of the request's endpoint */
	assert_int_equal(f.ul_max_datagrams, 11);
	assert_int_equal(f.ul_max_bytes, 8192);
	assert_int_equal(f.dl_min_padding, 0);
	b = unhex("011300801a01020100200007000204000000 0000");
	m = parse(&b);
	qmi_wda_data_format(&m, &f);
	assert_int_equal(f.dl_aggregation, QMI_WDA_NOT_TOLD);
}

TEST(test_settings_v4)
{
	struct bytes b = unhex("014400800101020100 2d00 3800 02040000000000 15040008080808"
			       "16040004040808 1e04006368880a 20040064 68880a 210400f8ffffff"
			       "290400780500 00 2b010004");
	struct qmi_message m;
	struct qmi_wds_settings s;

	b.data[1] = b.len - 1;
	b.data[11] = b.len - 13;
	m = parse(&b);
	qmi_wds_settings(&m, 4, &s);
	assert_int_equal(s.has, QMI_WDS_HAS_ADDRESS | QMI_WDS_HAS_GATEWAY);
	assert_memory_equal(s.address, ((uint8_t[]){10, 136, 104, 99}), 4);
	assert_memory_equal(s.gateway, ((uint8_t[]){10, 136, 104, 100}), 4);
	assert_int_equal(s.prefix, 29);
	assert_int_equal(s.ndns, 2);
	assert_memory_equal(s.dns[0], ((uint8_t[]){8, 8, 8, 8}), 4);
	assert_memory_equal(s.dns[1], ((uint8_t[]){8, 8, 4, 4}), 4);
	assert_int_equal(s.mtu, 1400);
	qmi_wds_settings(&m, 6, &s);
	assert_int_equal(s.has, 0);
	assert_int_equal(s.ndns, 0);
}

TEST(test_netmasks)
{
	static const struct {
		const char *mask;
		unsigned int prefix;
	} cases[] = {
		{"ffffffff", 32}, {"fcffffff", 30}, {"00ffffff", 24}, {"000000ff", 8},
		{"00000080", 1},  {"00000000", 32}, {"ff00ff00", 32}, {"ffffff00", 32},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b =
			unhex("011a00800101020100 2d00 0e00 1e04006368880a 21040000000000");
		struct bytes mask = unhex(cases[i].mask);
		struct qmi_wds_settings s;
		struct qmi_message m;

		memcpy(b.data + b.len - 4, mask.data, 4);
		m = parse(&b);
		qmi_wds_settings(&m, 4, &s);
		assert_int_equal(s.prefix, cases[i].prefix);
	}
}

TEST(test_settings_v6)
{
	struct bytes b = unhex("010000800101020100 2d00 0000 02040000000000"
			       "25110020010db8006400010000000000000002 40"
			       "26110020010db8006400010000000000000001 40"
			       "27100020010db8006400010000000000000053"
			       "28100000000000000000000000000000000000 290400dc050000");
	struct qmi_wds_settings s;
	struct qmi_message m;

	b.data[1] = b.len - 1;
	b.data[11] = b.len - 13;
	m = parse(&b);
	qmi_wds_settings(&m, 6, &s);
	assert_int_equal(s.has, QMI_WDS_HAS_ADDRESS | QMI_WDS_HAS_GATEWAY);
	assert_memory_equal(
		s.address, ((uint8_t[]){0x20, 1, 0xd, 0xb8, 0, 0x64, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2}),
		16);
	assert_int_equal(s.gateway[15], 1);
	assert_int_equal(s.prefix, 64);
	assert_int_equal(s.ndns, 1); /* an address of zero counts as none */
	assert_int_equal(s.dns[0][15], 0x53);
	assert_int_equal(s.mtu, 1500);
}

TEST(test_call_end)
{
	/* A refusal recorded from a modem: out of resources. */
	struct bytes b = unhex("011f008001490202002000130002040001000e00100200ed03"
			       "11040006001a00");
	struct qmi_message m = parse(&b);
	struct qmi_wds_packet_status st;
	struct qmi_wds_end end;
	struct qmi_result res;
	uint32_t handle;

	assert_int_equal(qmi_message_result(&m, &res), 0);
	assert_int_equal(res.status, 1);
	assert_int_equal(res.error, 14);
	qmi_wds_end(&m, &end);
	assert_int_equal(end.reason, 1005);
	assert_int_equal(end.verbose_type, QMI_WDS_END_3GPP);
	assert_int_equal(end.verbose_reason, 26);
	assert_false(qmi_wds_handle(&m, &handle));
	b = unhex("011d00800105040000 2200 1100 0102000201 100200f003 1104000600 2400");
	m = parse(&b);
	qmi_wds_packet_status(&m, &st);
	assert_int_equal(st.status, QMI_WDS_CONNECTED);
	assert_true(st.reconfigure);
	assert_int_equal(st.end.verbose_reason, 36);
}

TEST(test_names)
{
	assert_string_equal(qmi_service_name(QMI_WDA), "WDA");
	assert_null(qmi_service_name(0x77));
	assert_string_equal(qmi_message_name(QMI_WDS, 0x00a2), "bind_mux_data_port");
	assert_null(qmi_message_name(QMI_WDS, 0x7777));
	assert_null(qmi_message_name(0x77, 0x20));
	assert_string_equal(qmi_error_name(26), "no_effect");
	assert_null(qmi_error_name(999));
	assert_string_equal(qmi_end_name(1013), "unknown_apn");
	assert_string_equal(qmi_end_verbose_name(6, 27), "unknown_apn");
	assert_string_equal(qmi_end_verbose_name(6, 50), "ipv4_only_allowed");
	assert_string_equal(qmi_end_verbose_name(2, 206), "network_initiated_termination");
	assert_null(qmi_end_verbose_name(5, 27));
	assert_string_equal(qmi_enum_name("aggregation", 9), "qmap_v5");
	assert_null(qmi_enum_name("no such", 9));
}

/* The same number has another meaning in the response. */
TEST(test_tlv_names)
{
	assert_string_equal(qmi_tlv_name(QMI_WDA, 0x20, QMI_REQUEST, 0x17)->name, "endpoint");
	assert_string_equal(qmi_tlv_name(QMI_WDA, 0x20, QMI_RESPONSE, 0x17)->name,
			    "ul_max_datagrams");
	assert_string_equal(qmi_tlv_name(QMI_WDS, 0x20, QMI_REQUEST, 0x16)->name, "authentication");
	assert_string_equal(qmi_tlv_name(QMI_WDS, 0x20, QMI_RESPONSE, 2)->name, "result");
	assert_null(qmi_tlv_name(QMI_WDS, 0x20, QMI_REQUEST, 2));
	assert_null(qmi_tlv_name(QMI_WDS, 0x20, QMI_RESPONSE, 0x77));
}

TEST(test_models)
{
	assert_int_equal(qmi_model_find("RG500Q-EA", "")->dl_max_bytes, 31744);
	assert_true(qmi_model_find("RG500Q-EA", "")->forces_qmap);
	assert_int_equal(qmi_model_find("EC25", "")->dl_max_bytes, 4096);
	assert_false(qmi_model_find("EC25", "")->forces_qmap);
	assert_true(qmi_model_find("EG20", "")->forces_qmap);
	assert_false(qmi_model_find("EG25-G", "")->forces_qmap);
	assert_int_equal(
		qmi_model_find("QUECTEL Mobile Broadband Module", "EM12GPAR01A20M4G")->dl_max_bytes,
		16384);
	assert_int_equal(qmi_model_find("BG95", "")->interface, 3);
	assert_null(qmi_model_find("Other", "1.0")->names);
	assert_false(qmi_model_find("", "")->forces_qmap);
	assert_int_equal(qmi_model_find("RM502Q-AE", "")->product, 0x0800);
	assert_int_equal(qmi_model_find("em060k-gl", "")->product, 0x030b);
	assert_int_equal(qmi_model_find("EM160R-GL", "")->dl_max_bytes, 16384);
	assert_int_equal(qmi_model_find_id(0x2c7c, 0x0455)->interface, 2);
	assert_int_equal(qmi_model_find_id(0x1eac, 0x1002)->dl_max_bytes, 15360);
	assert_null(qmi_model_find_id(0x2c7c, 0xffff));
	assert_null(qmi_model_find_id(0, 0));
	assert_string_equal(qmi_model_maker(0x1bc7), "Telit");
	assert_null(qmi_model_maker(0x8086));
}

TEST(test_model_overrides)
{
	const struct qmi_model *before = qmi_model_find("RG500Q", "");
	struct qmi_model m;

	qmi_model_builtin(&m, 0x2c7c, 0x0800);
	m.dl_max_bytes = 8192;
	assert_int_equal(qmi_model_override(&m), 0);
	assert_int_equal(qmi_model_find("RG500Q", "")->dl_max_bytes, 8192);
	assert_int_equal(qmi_model_find_id(0x2c7c, 0x0800)->dl_max_bytes, 8192);
	assert_true(qmi_model_find("RG500Q", "")->forces_qmap);
	assert_int_equal(before->dl_max_bytes, 31744);

	qmi_model_builtin(&m, 0x1234, 0x5678);
	assert_int_equal(m.interface, 4);
	m.names = "XY1";
	assert_int_equal(qmi_model_override(&m), 0);
	assert_string_equal(qmi_model_find("", "XY100")->names, "XY1");
	m.names = "XY2";
	assert_int_equal(qmi_model_override(&m), 0);
	assert_null(qmi_model_find("", "XY100")->names);

	qmi_model_forget_overrides();
	assert_ptr_equal(qmi_model_find("RG500Q", ""), before);
	assert_null(qmi_model_find_id(0x1234, 0x5678));
}
