// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QMI bytes through the decoder and, cut into reads of changing length, through the stream. What
 * parses must come out the same when it is written again.
 */
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/qmi/ctl.h"
#include "daemon/qmi/decode.h"
#include "daemon/qmi/dms.h"
#include "daemon/qmi/nas.h"
#include "daemon/qmi/uim.h"
#include "daemon/qmi/wds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool what)
{
	if (!what)
		abort();
}

static void check_round_trip(const struct qmi_message *m)
{
	uint8_t buf[QMI_MAX_MESSAGE];
	struct qmi_message again;
	struct qmi_bad bad;
	int n = qmi_message_write(m, buf, sizeof(buf));

	must(n > 0 && qmi_message_parse(buf, n, &again, &bad) == n);
	must(again.service == m->service && again.client == m->client && again.type == m->type &&
	     again.transaction == m->transaction && again.id == m->id);
	must(again.tlvs.len == m->tlvs.len);
	must(!m->tlvs.len || !memcmp(again.tlvs.data, m->tlvs.data, m->tlvs.len));
}

/* Every parser must stand every message, not only its own. */
static void parse_all(const struct qmi_message *m)
{
	struct qmi_wds_packet_status st;
	struct qmi_wds_settings settings;
	struct qmi_wda_format format;
	struct qmi_nas_signal signals[QMI_NAS_MAX_SIGNALS];
	struct qmi_nas_serving serving = {0};
	struct qmi_sim sim;
	uint8_t service, id;
	uint32_t handle;
	char text[16];

	qmi_ctl_allocated(m, &service, &id);
	qmi_ctl_services(m, &(uint64_t){0});
	qmi_dms_string(m, text, sizeof(text));
	qmi_wda_data_format(m, &format);
	qmi_nas_serving_system(m, &serving);
	must(qmi_nas_signals(m, signals) <= QMI_NAS_MAX_SIGNALS);
	qmi_uim_card_status(m, &sim);
	qmi_uim_retries(m, &sim.pin_retries, &sim.puk_retries);
	qmi_dms_pin_status(m, &sim);
	qmi_wds_handle(m, &handle);
	qmi_wds_packet_status(m, &st);
	for (int family = 4; family <= 6; family += 2) {
		qmi_wds_settings(m, family, &settings);
		must(settings.prefix <= 128 && settings.ndns <= 2);
	}
}

static void run_stream(const uint8_t *data, size_t size)
{
	static struct qmi_stream s;
	struct qmi_message m;

	memset(&s, 0, sizeof(s));
	for (size_t at = 0; at < size;) {
		size_t room_size, n = 1 + data[at] % 97;
		uint8_t *room = qmi_stream_room(&s, &room_size);

		must(room_size >= QMI_MAX_MESSAGE);
		n = n < size - at ? n : size - at;
		memcpy(room, data + at, n);
		qmi_stream_filled(&s, n);
		at += n;
		while (qmi_stream_next(&s, &m)) {
			check_round_trip(&m);
			parse_all(&m);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	struct json_object *out;
	struct error err = {0};

	if (!null)
		null = fopen("/dev/null", "we");
	must(qmi_decode(data, size, &out, &err) == err.err);
	qmi_decode_print(null, out);
	json_object_put(out);
	run_stream(data, size);
	return 0;
}
