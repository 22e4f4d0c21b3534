// SPDX-License-Identifier: GPL-2.0-or-later
/* The history of the signal: means of steps, a bounded number of them. */
#include "test.h"
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "daemon/output/output.h"
#include "daemon/qmi/message.h"
#include "daemon/session/signals.h"
#include "virtual_time.h"

static void on_changed(void *arg)
{
}

static void on_report(void *arg, const char *from, const char *to, int dbm)
{
}

/* An indication of LTE with this RSRP. */
static void feed(struct signals *s, int rsrp)
{
	struct qmi_buf b;
	struct qmi_message m = {.service = QMI_NAS, .type = QMI_INDICATION, .id = 0x0051};
	uint8_t lte[] = {-60, -9, rsrp & 0xff, (uint16_t)rsrp >> 8, 100, 0};

	qmi_buf_init(&b);
	qmi_put_tlv(&b, 0x14, lte, sizeof(lte));
	m.tlvs = (struct qmi_tlvs){.data = b.data, .len = b.len};
	signals_indication(s, &m);
}

static int dbm_at(struct json_object *a, size_t i)
{
	return json_object_get_int(json_object_object_get(json_object_array_get_idx(a, i), "dbm"));
}

TEST(test_history)
{
	struct signals s = {.changed = on_changed, .report = on_report};
	struct json_object *a;

	a = signals_history(&s);
	assert_int_equal(json_object_array_length(a), 0);
	json_object_put(a);
	virtual_ms = 10 * SIGNALS_STEP_MS;
	feed(&s, -90);
	virtual_ms += SIGNALS_STEP_MS / 2;
	feed(&s, -100);
	virtual_ms += SIGNALS_STEP_MS;
	feed(&s, -110);
	a = signals_history(&s);
	assert_int_equal(json_object_array_length(a), 2);
	assert_int_equal(dbm_at(a, 0), -95);
	assert_int_equal(dbm_at(a, 1), -110);
	json_object_put(a);
	for (int i = 0; i < 100; i++) {
		virtual_ms += SIGNALS_STEP_MS;
		feed(&s, -80 - i % 7);
	}
	a = signals_history(&s);
	assert_int_equal(json_object_array_length(a), SIGNALS_STEPS);
	assert_int_equal(dbm_at(a, SIGNALS_STEPS - 1), -80 - 99 % 7);
	assert_int_equal(dbm_at(a, 0), -80 - 88 % 7);
	json_object_put(a);
}

TEST(test_line)
{
	struct json_object *trunks =
		json_tokener_parse("[{\"dev\":\"wwan0\",\"network\":{\"signal_history\":[{\"dbm\":-"
				   "95},{\"dbm\":-110}]}}]");
	struct output output = {0};
	char text[2048] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	output_show(&output, f, trunks);
	fclose(f);
	assert_non_null(strstr(text, "\nwwan0: signal in steps of 5 minutes: -95 -110 dBm\n"));
	json_object_put(trunks);
}
