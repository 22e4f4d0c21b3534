// SPDX-License-Identifier: GPL-2.0-or-later
/* UIM: the card and its PIN. */
#include "client.h"
#include "nas.h"
#include "pdn.h"
#include "service.h"
#include "sim.h"
#include "util.h"

#include <stdio.h>

#define CARD_ABSENT   0
#define CARD_PRESENT  1
#define APP_USIM      2
#define APP_READY     7
#define APP_DETECTED  1
#define APP_PIN_ASKED 2
#define APP_PUK_ASKED 3
#define PERSO_READY   2

enum pin_state sim_pin_state(const struct modem *m)
{
	if (!m->options.pin)
		return PIN_DISABLED;
	if (!m->pin_retries)
		return PIN_BLOCKED;
	return m->pin_verified ? PIN_VERIFIED : PIN_NOT_VERIFIED;
}

bool sim_ready(const struct modem *m)
{
	return !m->sim_absent && (!m->options.pin || m->pin_verified);
}

bool sim_verify(struct modem *m, const char *pin)
{
	if (!m->pin_retries)
		return false;
	if (strcmp(pin, m->options.pin)) {
		m->pin_retries--;
		return false;
	}
	m->pin_retries = SIM_PIN_RETRIES;
	m->pin_verified = true;
	return true;
}

static enum qmi_error reset(struct modem *m, struct client *c, const struct qmi_msg *req,
			    struct qmi_tlvs *out)
{
	client_reset(m, c);
	return QMI_OK;
}

void sim_serial(const struct modem *m, char iccid[21])
{
	snprintf(iccid, 21, "8900101000000000%04u", m->card % 10000);
}

static uint8_t app_state(const struct modem *m)
{
	if (m->card_lies.how == CARD_LOCKED)
		return APP_PIN_ASKED;
	if (m->card_lies.how == CARD_INACTIVE)
		return APP_DETECTED;
	switch (sim_pin_state(m)) {
	case PIN_NOT_VERIFIED:
		return APP_PIN_ASKED;
	case PIN_BLOCKED:
		return APP_PUK_ASKED;
	default:
		return APP_READY;
	}
}

/* One card with one USIM application. */
static void put_card_status(const struct modem *m, struct qmi_tlvs *out)
{
	static const uint8_t aid[7] = {0xa0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02};
	bool none = m->sim_absent || m->card_lies.how == CARD_EMPTY;
	bool locked = m->card_lies.how == CARD_LOCKED;
	uint8_t v[64];
	size_t n = 0;

	/* primary GW: slot 0, application 0 */
	put_le16(v,
		 m->card_lies.how == CARD_EMPTY || m->card_lies.how == CARD_INACTIVE ? 0xffff : 0);
	put_le16(v + 2, 0xffff);
	put_le16(v + 4, 0xffff);
	put_le16(v + 6, 0xffff);
	n = 8;
	v[n++] = 1; /* cards */
	v[n++] = m->sim_absent ? CARD_ABSENT : CARD_PRESENT;
	v[n++] = 0; /* UPIN: state, retries, unblock retries, error */
	v[n++] = 0;
	v[n++] = 0;
	v[n++] = 0;
	v[n++] = !none; /* applications */
	if (none) {
		qmi_put(out, 0x10, v, n);
		return;
	}
	v[n++] = APP_USIM;
	v[n++] = app_state(m);
	v[n++] = PERSO_READY;
	v[n++] = 0; /* personalisation: feature, retries, unblock retries */
	v[n++] = 0;
	v[n++] = 0;
	v[n++] = sizeof(aid);
	memcpy(v + n, aid, sizeof(aid));
	n += sizeof(aid);
	v[n++] = 0; /* UPIN does not replace PIN1 */
	v[n++] = locked ? PIN_NOT_VERIFIED : sim_pin_state(m);
	v[n++] = locked ? m->card_lies.retries : m->pin_retries;
	v[n++] = 10;
	v[n++] = PIN_NOT_VERIFIED; /* PIN2 */
	v[n++] = 3;
	v[n++] = 10;
	qmi_put(out, 0x10, v, n);
}

static enum qmi_error card_status(struct modem *m, struct client *c, const struct qmi_msg *req,
				  struct qmi_tlvs *out)
{
	m->qmi.cards++;
	put_card_status(m, out);
	return QMI_OK;
}

static void card_changed(struct modem *m)
{
	struct qmi_tlvs tlvs = {0};

	put_card_status(m, &tlvs);
	client_foreach(m, QMI_SERVICE_UIM, c)
	{
		if (c->events)
			service_indicate(m, QMI_SERVICE_UIM, c->id, 0x0032, &tlvs);
	}
	nas_changed(m);
}

static enum qmi_error register_events(struct modem *m, struct client *c, const struct qmi_msg *req,
				      struct qmi_tlvs *out)
{
	uint32_t mask;
	enum qmi_error err = qmi_get_u32(req, 0x01, &mask);

	if (err)
		return err;
	c->events = mask & 1; /* the only event supported is the card's status */
	qmi_put_u32(out, 0x10, c->events);
	return QMI_OK;
}

enum qmi_error sim_verify_message(struct modem *m, const uint8_t *info, uint16_t len,
				  struct qmi_tlvs *out)
{
	uint8_t retries[2];
	char pin[16];
	bool good;

	if (len < 2 || info[1] != len - 2 || info[1] >= sizeof(pin))
		return QMI_MALFORMED;
	if (info[0] != 1 || !m->options.pin || m->sim_absent)
		return QMI_INVALID_ARG;
	memcpy(pin, info + 2, info[1]);
	pin[info[1]] = '\0';
	m->qmi.pins++;
	good = sim_verify(m, pin);
	retries[0] = m->pin_retries;
	retries[1] = 10;
	card_changed(m);
	if (good)
		return QMI_OK;
	qmi_put(out, 0x10, retries, sizeof(retries));
	return m->pin_retries ? QMI_INCORRECT_PIN : QMI_PIN_BLOCKED;
}

/* EF ICCID of 3GPP TS 31.102: two digits a byte, low half first. */
static enum qmi_error read_transparent(struct modem *m, struct client *c, const struct qmi_msg *req,
				       struct qmi_tlvs *out)
{
	static const uint8_t iccid_file[] = {0xe2, 0x2f, 2, 0x00, 0x3f}, done[] = {0x90, 0x00};
	uint8_t content[2 + 10] = {10, 0};
	uint16_t len;
	const uint8_t *file = qmi_find(req, 0x02, &len);
	char digits[21];

	if (!file || !qmi_find(req, 0x01, &(uint16_t){0}) || !qmi_find(req, 0x03, &(uint16_t){0}))
		return QMI_MISSING_ARG;
	if (m->sim_absent)
		return QMI_UIM_UNINITIALIZED;
	if (len != sizeof(iccid_file) || memcmp(file, iccid_file, len))
		return QMI_SIM_FILE_NOT_FOUND;
	sim_serial(m, digits);
	for (int i = 0; i < 10; i++)
		content[2 + i] = (digits[2 * i] - '0') | (digits[2 * i + 1] - '0') << 4;
	qmi_put(out, 0x10, done, sizeof(done));
	qmi_put(out, 0x11, content, sizeof(content));
	return QMI_OK;
}

void sim_tell(struct modem *m)
{
	card_changed(m);
}

void sim_insert(struct modem *m, bool in)
{
	m->sim_absent = !in;
	m->pin_verified = false;
	pdn_network_gone(m);
	card_changed(m);
}

static enum qmi_error verify_pin(struct modem *m, struct client *c, const struct qmi_msg *req,
				 struct qmi_tlvs *out)
{
	uint16_t len;
	const uint8_t *info = qmi_find(req, 0x02, &len);

	if (!info || !qmi_find(req, 0x01, &(uint16_t){0}))
		return QMI_MISSING_ARG;
	return sim_verify_message(m, info, len, out);
}

static const struct qmi_message messages[] = {
	{0x0000, "reset", reset},
	{0x0020, "read_transparent", read_transparent},
	{0x0026, "verify_pin", verify_pin},
	{0x002e, "register_events", register_events},
	{0x002f, "card_status", card_status},
	{0},
};

const struct service uim_service = {QMI_SERVICE_UIM, 1, 46, messages};
