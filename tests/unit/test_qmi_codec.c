// SPDX-License-Identifier: GPL-2.0-or-later
/* TLVs, messages, the stream they come in, and the requests and responses of the services. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/hex.h"
#include "daemon/qmi/ctl.h"
#include "daemon/qmi/dms.h"
#include "daemon/qmi/models.h"
#include "daemon/qmi/names.h"
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

/* @r as the message a client would send. */
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

/* Where qmicli 1.32 sends a request that we send too, the bytes are the same. */
static void test_requests_as_qmicli(void **state)
{
	const struct qmi_endpoint ep = {QMI_ENDPOINT_HSUSB, 4};
	struct qmi_request r;

	(void)state;
	qmi_ctl_sync(&r);
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

static void test_requests(void **state)
{
	const struct qmi_wds_call profile = {"", "", "", QMI_WDS_AUTH_PROFILE, 6};
	const struct qmi_wds_call full = {"internet", "me", "secret", 2, 4};
	const struct qmi_endpoint ep = {QMI_ENDPOINT_PCIE, 4};
	const struct qmi_wda_format qmap = {QMI_LINK_RAW_IP, 9, 9, 32, 16384, 11, 8192, 0};
	const struct qmi_wda_format off = {QMI_LINK_RAW_IP, 0, 0, 32, 16384, 11, 8192, 0};
	struct qmi_request r;

	(void)state;
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
}

static void test_tlv_walk(void **state)
{
	static const uint8_t data[] = {0x11, 2, 0, 'h', 'i', 0x10, 0, 0, 0x12, 5, 0, 1, 2};
	struct qmi_tlvs w = {.data = data, .len = sizeof(data)};
	struct qmi_tlv t;

	(void)state;
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

static void test_tlv_values(void **state)
{
	struct qmi_tlvs w;
	struct qmi_buf b;
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	char s[6];

	(void)state;
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
	assert_true(qmi_tlv_u8(w, 3, &v8) && v8 == 0x98); /* longer is fine, shorter is not */
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

static void test_builder_overflow(void **state)
{
	static const uint8_t value[QMI_MAX_MESSAGE];
	struct qmi_buf b;

	(void)state;
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
static void test_message_too_long(void **state)
{
	static uint8_t buf[2 * QMI_MAX_MESSAGE];
	static const uint8_t tlvs[QMI_MAX_MESSAGE];
	struct qmi_message m = {.service = QMI_WDS, .tlvs = {.data = tlvs, .len = 4096 - 13}};

	(void)state;
	assert_int_equal(qmi_message_write(&m, buf, sizeof(buf)), 4096);
	m.tlvs.len++;
	assert_int_equal(qmi_message_write(&m, buf, sizeof(buf)), -EMSGSIZE);
	m.tlvs.len = 20;
	assert_int_equal(qmi_message_write(&m, buf, 32), -EMSGSIZE);
}

static void test_type_flags(void **state)
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

	(void)state;
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

static void test_ctl_responses(void **state)
{
	struct bytes b = unhex("01170080000001 01 2200 0c00 02040000000000 010200 0111");
	struct qmi_message m = parse(&b);
	uint8_t service, id;

	(void)state;
	assert_true(qmi_ctl_allocated(&m, &service, &id));
	assert_int_equal(service, QMI_WDS);
	assert_int_equal(id, 17);
	b.data[b.len - 1] = 0xff; /* the broadcast id belongs to nobody */
	assert_false(qmi_ctl_allocated(&m, &service, &id));
	b = unhex("01200080000001 01 2100 1500 02040000000000 010b00 02 0101004300 1a01001000");
	m = parse(&b);
	assert_int_equal(qmi_ctl_has_service(&m, QMI_WDA), 1);
	assert_int_equal(qmi_ctl_has_service(&m, QMI_DMS), 0);
	b.data[22] = 3; /* one more than there are */
	assert_int_equal(qmi_ctl_has_service(&m, QMI_DMS), -EBADMSG);
}

static void test_data_format(void **state)
{
	struct bytes b =
		unhex("015a00801a01020100 2000 4e00 02040000000000 10010000 11040002000000"
		      "12040005000000 13040005000000 15040020000000 160400007c0000"
		      "17 04000b000000 18040000200000 1a040000000000 1b010000 1904002a000000");
	struct qmi_message m = parse(&b);
	struct qmi_wda_format f;

	(void)state;
	qmi_wda_data_format(&m, &f);
	assert_int_equal(f.link_protocol, QMI_LINK_RAW_IP);
	assert_int_equal(f.ul_aggregation, QMI_AGGREGATION_QMAP_V1);
	assert_int_equal(f.dl_aggregation, QMI_AGGREGATION_QMAP_V1);
	assert_int_equal(f.dl_max_datagrams, 32);
	assert_int_equal(f.dl_max_bytes, 31744);
	assert_int_equal(f.ul_max_datagrams, 11); /* numbered as the request's endpoint is */
	assert_int_equal(f.ul_max_bytes, 8192);
	assert_int_equal(f.dl_min_padding, 0);
	b = unhex("011300801a01020100200007000204000000 0000");
	m = parse(&b);
	qmi_wda_data_format(&m, &f);
	assert_int_equal(f.dl_aggregation, QMI_WDA_NOT_TOLD);
}

static void test_settings_v4(void **state)
{
	struct bytes b = unhex("014400800101020100 2d00 3800 02040000000000 15040008080808"
			       "16040004040808 1e04006368880a 20040064 68880a 210400f8ffffff"
			       "290400780500 00 2b010004");
	struct qmi_message m;
	struct qmi_wds_settings s;

	(void)state;
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

static void test_netmasks(void **state)
{
	static const struct {
		const char *mask;
		unsigned int prefix;
	} cases[] = {
		{"ffffffff", 32}, {"fcffffff", 30}, {"00ffffff", 24}, {"000000ff", 8},
		{"00000080", 1},  {"00000000", 32}, {"ff00ff00", 32}, {"ffffff00", 32},
	};

	(void)state;
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

static void test_settings_v6(void **state)
{
	struct bytes b = unhex("010000800101020100 2d00 0000 02040000000000"
			       "25110020010db8006400010000000000000002 40"
			       "26110020010db8006400010000000000000001 40"
			       "27100020010db8006400010000000000000053"
			       "28100000000000000000000000000000000000 290400dc050000");
	struct qmi_wds_settings s;
	struct qmi_message m;

	(void)state;
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
	assert_int_equal(s.ndns, 1); /* an address of zero is none */
	assert_int_equal(s.dns[0][15], 0x53);
	assert_int_equal(s.mtu, 1500);
}

static void test_call_end(void **state)
{
	/* A refusal as a modem has sent it: out of resources. */
	struct bytes b = unhex("011f008001490202002000130002040001000e00100200ed03"
			       "11040006001a00");
	struct qmi_message m = parse(&b);
	struct qmi_wds_packet_status st;
	struct qmi_wds_end end;
	struct qmi_result res;
	uint32_t handle;

	(void)state;
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

static void test_names(void **state)
{
	(void)state;
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

/* The same number means another thing in the response. */
static void test_tlv_names(void **state)
{
	(void)state;
	assert_string_equal(qmi_tlv_name(QMI_WDA, 0x20, QMI_REQUEST, 0x17)->name, "endpoint");
	assert_string_equal(qmi_tlv_name(QMI_WDA, 0x20, QMI_RESPONSE, 0x17)->name,
			    "ul_max_datagrams");
	assert_string_equal(qmi_tlv_name(QMI_WDS, 0x20, QMI_REQUEST, 0x16)->name, "authentication");
	assert_string_equal(qmi_tlv_name(QMI_WDS, 0x20, QMI_RESPONSE, 2)->name, "result");
	assert_null(qmi_tlv_name(QMI_WDS, 0x20, QMI_REQUEST, 2));
	assert_null(qmi_tlv_name(QMI_WDS, 0x20, QMI_RESPONSE, 0x77));
}

static void test_models(void **state)
{
	(void)state;
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

static void test_model_overrides(void **state)
{
	const struct qmi_model *before = qmi_model_find("RG500Q", "");
	struct qmi_model m;

	(void)state;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_as_qmicli), cmocka_unit_test(test_requests),
		cmocka_unit_test(test_tlv_walk),	   cmocka_unit_test(test_tlv_values),
		cmocka_unit_test(test_builder_overflow),   cmocka_unit_test(test_message_too_long),
		cmocka_unit_test(test_type_flags),	   cmocka_unit_test(test_ctl_responses),
		cmocka_unit_test(test_data_format),	   cmocka_unit_test(test_settings_v4),
		cmocka_unit_test(test_netmasks),	   cmocka_unit_test(test_settings_v6),
		cmocka_unit_test(test_call_end),	   cmocka_unit_test(test_names),
		cmocka_unit_test(test_tlv_names),	   cmocka_unit_test(test_models),
		cmocka_unit_test(test_model_overrides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
