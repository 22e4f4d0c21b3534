// SPDX-License-Identifier: GPL-2.0-or-later
#include "dms.h"

#include <string.h>

#include "util/array.h"

#define TLV_STRING     0x01
#define TLV_PIN	       0x01 /* Verify PIN: PIN number u8, length u8, digits */
#define TLV_PIN_STATUS 0x11 /* Get PIN Status: u8 status, u8 PIN and u8 PUK retries left */
#define PIN_1	       1

#define TLV_MODE 0x01 /* u8 */
/* Get Operating Mode's response: u8, a hardware switch forces the mode */
#define TLV_MODE_HARDWARE 0x11
#define TLV_MODE_EVENT	  0x14 /* Set Event Report: u8, on; Event Report: u8, the mode */

bool qmi_dms_string(const struct qmi_message *m, char *s, size_t size)
{
	return qmi_tlv_string(m->tlvs, TLV_STRING, s, size) && *s;
}

void qmi_dms_verify_pin(struct qmi_request *r, const char *pin)
{
	uint8_t info[2 + UINT8_MAX] = {PIN_1};
	size_t len = strnlen(pin, UINT8_MAX);

	info[1] = len;
	memcpy(info + 2, pin, len);
	qmi_request_init(r, QMI_DMS_VERIFY_PIN);
	qmi_put_tlv(&r->tlvs, TLV_PIN, info, 2 + len);
	explicit_bzero(info, sizeof(info));
}

bool qmi_dms_pin_status(const struct qmi_message *m, struct qmi_sim *sim)
{
	static const enum qmi_sim_state states[] = {
		QMI_SIM_INITIALISING, QMI_SIM_PIN,     QMI_SIM_READY, QMI_SIM_READY,
		QMI_SIM_PUK,	      QMI_SIM_BLOCKED, QMI_SIM_READY, QMI_SIM_READY,
	};
	struct qmi_tlv t;

	if (!qmi_tlv_find(m->tlvs, TLV_PIN_STATUS, &t) || t.len < 3)
		return false;
	sim->state = t.value[0] < ARRAY_SIZE(states) ? states[t.value[0]] : QMI_SIM_UNKNOWN;
	sim->pin_retries = t.value[1];
	sim->puk_retries = t.value[2];
	return true;
}

void qmi_dms_register_mode(struct qmi_request *r)
{
	qmi_request_init(r, QMI_DMS_EVENT_REPORT);
	qmi_put_tlv_u8(&r->tlvs, TLV_MODE_EVENT, 1);
}

void qmi_dms_set_operating_mode(struct qmi_request *r, enum qmi_dms_mode mode)
{
	qmi_request_init(r, QMI_DMS_SET_OPERATING_MODE);
	qmi_put_tlv_u8(&r->tlvs, TLV_MODE, mode);
}

bool qmi_dms_operating_mode(const struct qmi_message *m, uint8_t *mode, bool *hardware)
{
	uint8_t v;

	if (m->id == QMI_DMS_EVENT_REPORT)
		return qmi_tlv_u8(m->tlvs, TLV_MODE_EVENT, mode);
	if (qmi_tlv_u8(m->tlvs, TLV_MODE_HARDWARE, &v))
		*hardware = v;
	return qmi_tlv_u8(m->tlvs, TLV_MODE, mode);
}
