// SPDX-License-Identifier: GPL-2.0-or-later
/* DMS: identity of the device, its operating mode, the SIM's PIN for older hosts. */
#include "dms.h"
#include "client.h"
#include "nas.h"
#include "pdn.h"
#include "sim.h"
#include "service.h"
#include "util.h"

#define DATA_ONLY     1 /* no circuit-switched services */
#define SIM_SUPPORTED 2
#define RADIO_LTE     8

static enum qmi_error reset(struct modem *m, struct client *c, const struct qmi_msg *req,
			    struct qmi_tlvs *out)
{
	client_reset(m, c);
	return QMI_OK;
}

static enum qmi_error event_report(struct modem *m, struct client *c, const struct qmi_msg *req,
				   struct qmi_tlvs *out)
{
	uint8_t mode = c->events;
	enum qmi_error err = qmi_get_u8(req, 0x14, &mode);

	if (err && err != QMI_MISSING_ARG)
		return err;
	c->events = mode;
	return QMI_OK;
}

void dms_set_mode(struct modem *m, uint8_t mode)
{
	struct qmi_tlvs tlvs = {0};

	m->operating_mode = mode;
	pdn_network_gone(m);
	qmi_put_u8(&tlvs, 0x14, mode);
	client_foreach(m, QMI_SERVICE_DMS, c)
	{
		if (c->events)
			service_indicate(m, QMI_SERVICE_DMS, c->id, 0x0001, &tlvs);
	}
	nas_changed(m);
}

/* Rates, services and radio interfaces; ModemManager derives the kind of modem from them. */
static enum qmi_error capabilities(struct modem *m, struct client *c, const struct qmi_msg *req,
				   struct qmi_tlvs *out)
{
	uint8_t v[12] = {0};

	put_le32(v, 50000000);
	put_le32(v + 4, 150000000);
	v[8] = DATA_ONLY;
	v[9] = SIM_SUPPORTED;
	v[10] = 1;
	v[11] = RADIO_LTE;
	qmi_put(out, 0x01, v, sizeof(v));
	return QMI_OK;
}

static enum qmi_error manufacturer(struct modem *m, struct client *c, const struct qmi_msg *req,
				   struct qmi_tlvs *out)
{
	qmi_put_string(out, 0x01, "Quectel");
	return QMI_OK;
}

static enum qmi_error model(struct modem *m, struct client *c, const struct qmi_msg *req,
			    struct qmi_tlvs *out)
{
	qmi_put_string(out, 0x01, m->model.full_name);
	return QMI_OK;
}

static enum qmi_error revision(struct modem *m, struct client *c, const struct qmi_msg *req,
			       struct qmi_tlvs *out)
{
	qmi_put_string(out, 0x01, m->model.revision);
	return QMI_OK;
}

static enum qmi_error ids(struct modem *m, struct client *c, const struct qmi_msg *req,
			  struct qmi_tlvs *out)
{
	qmi_put_string(out, 0x13, "01");
	qmi_put_string(out, 0x10, "0");
	qmi_put_string(out, 0x11, "001010123456789"); /* in the test range 00101 */
	return QMI_OK;
}

static enum qmi_error get_mode(struct modem *m, struct client *c, const struct qmi_msg *req,
			       struct qmi_tlvs *out)
{
	qmi_put_u8(out, 0x01, m->operating_mode);
	qmi_put_u8(out, 0x11, m->radio_switch);
	return QMI_OK;
}

static enum qmi_error set_mode(struct modem *m, struct client *c, const struct qmi_msg *req,
			       struct qmi_tlvs *out)
{
	uint8_t mode;
	enum qmi_error err = qmi_get_u8(req, 0x01, &mode);

	m->qmi.modes++;
	if (err)
		return err;
	if (m->radio_switch)
		return QMI_HARDWARE_RESTRICTED;
	if (mode != MODE_ONLINE && mode != MODE_LOW_POWER && mode != MODE_OFFLINE)
		return mode == MODE_RESET ? QMI_NOT_SUPPORTED : QMI_INVALID_ARG;
	dms_set_mode(m, mode);
	return QMI_OK;
}

static enum qmi_error pin_status(struct modem *m, struct client *c, const struct qmi_msg *req,
				 struct qmi_tlvs *out)
{
	uint8_t pin1[3] = {sim_pin_state(m), m->pin_retries, 10};
	static const uint8_t pin2[3] = {1, 3, 10};

	if (m->sim_absent)
		return QMI_UIM_UNINITIALIZED;
	qmi_put(out, 0x12, pin2, sizeof(pin2));
	qmi_put(out, 0x11, pin1, sizeof(pin1));
	return QMI_OK;
}

static enum qmi_error verify_pin(struct modem *m, struct client *c, const struct qmi_msg *req,
				 struct qmi_tlvs *out)
{
	uint16_t len;
	const uint8_t *info = qmi_find(req, 0x01, &len);

	return info ? sim_verify_message(m, info, len, out) : QMI_MISSING_ARG;
}

static enum qmi_error get_iccid(struct modem *m, struct client *c, const struct qmi_msg *req,
				struct qmi_tlvs *out)
{
	char iccid[21];

	if (m->sim_absent)
		return QMI_UIM_UNINITIALIZED;
	sim_serial(m, iccid);
	qmi_put_string(out, 0x01, iccid);
	return QMI_OK;
}

static const struct qmi_message messages[] = {
	{0x0000, "reset", reset},
	{0x0001, "event_report", event_report},
	{0x0020, "capabilities", capabilities},
	{0x0021, "manufacturer", manufacturer},
	{0x0022, "model", model},
	{0x0023, "revision", revision},
	{0x0025, "ids", ids},
	{0x0028, "verify_pin", verify_pin},
	{0x002b, "pin_status", pin_status},
	{0x002d, "get_operating_mode", get_mode},
	{0x002e, "set_operating_mode", set_mode},
	{0x003c, "iccid", get_iccid},
	{0},
};

const struct service dms_service = {QMI_SERVICE_DMS, 1, 14, messages};
