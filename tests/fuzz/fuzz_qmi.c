// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QMI bytes through the decoder and, cut into reads of changing length, through the stream. A
 * parsed message must be equal when it is written again.
 */
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/qmi/decode.h"
#include "daemon/qmi/message.h"
#include "tests/unit/parse_all.h"

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
