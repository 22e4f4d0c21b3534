/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs every parser of every service on one message: each must accept any message, not only its
 * own.
 */
#ifndef QMAP_TEST_PARSE_ALL_H
#define QMAP_TEST_PARSE_ALL_H

#include <stdlib.h>

#include "daemon/qmi/ctl.h"
#include "daemon/qmi/dms.h"
#include "daemon/qmi/nas.h"
#include "daemon/qmi/uim.h"
#include "daemon/qmi/wda.h"
#include "daemon/qmi/wds.h"

static inline void parse_all(const struct qmi_message *m)
{
	struct qmi_wds_packet_status st;
	struct qmi_wds_settings settings;
	struct qmi_wda_format format;
	struct qmi_nas_signal signals[QMI_NAS_MAX_SIGNALS];
	struct qmi_nas_serving serving = {0};
	struct qmi_result result;
	struct qmi_sim sim;
	uint8_t service, id;
	uint32_t handle;
	char text[16];

	qmi_message_result(m, &result);
	qmi_ctl_allocated(m, &service, &id);
	qmi_ctl_asked_service(m, &service);
	qmi_ctl_services(m, &(uint64_t){0});
	qmi_dms_string(m, text, sizeof(text));
	qmi_wda_data_format(m, &format);
	qmi_nas_serving_system(m, &serving);
	if (qmi_nas_signals(m, signals) > QMI_NAS_MAX_SIGNALS)
		abort();
	qmi_uim_card_status(m, &sim);
	qmi_uim_retries(m, &sim.pin_retries, &sim.puk_retries);
	qmi_dms_pin_status(m, &sim);
	qmi_wds_handle(m, &handle);
	qmi_wds_packet_status(m, &st);
	for (int family = 4; family <= 6; family += 2) {
		qmi_wds_settings(m, family, &settings);
		if (settings.prefix > 128 || settings.ndns > 2)
			abort();
	}
}

#endif
