// SPDX-License-Identifier: GPL-2.0-or-later
#include "uim.h"

#include <string.h>

#include "util/array.h"

#define TLV_EVENTS	   0x01 /* Register Events: u32 mask */
#define EVENT_CARD_STATUS  (1 << 0)
#define TLV_CARD_STATUS	   0x10
#define TLV_SESSION	   0x01 /* Verify PIN: type u8, length u8, application id */
#define TLV_PIN		   0x02 /* Verify PIN: PIN number u8, length u8, digits */
#define TLV_RETRIES	   0x10 /* Verify PIN's response: u8 PIN, u8 PUK */
#define TLV_FILE	   0x02 /* Read Transparent: id u16, path length u8, path */
#define TLV_READ	   0x03 /* Read Transparent: offset u16, length u16; 0: all */
#define TLV_CONTENT	   0x11 /* Read Transparent's response: length u16, bytes */
#define SESSION_PRIMARY_GW 0
#define PIN_1		   1
#define NO_INDEX	   0xffff
#define APPLICATION_SIM	   1
#define APPLICATION_USIM   2
#define PIN_PERM_BLOCKED   5

enum card_state {
	CARD_ABSENT = 0,
	CARD_PRESENT = 1,
};

enum application_state {
	APPLICATION_UNKNOWN = 0,
	APPLICATION_DETECTED = 1,
	APPLICATION_PIN = 2,
	APPLICATION_PUK = 3,
	APPLICATION_PERSONALISATION = 4,
	APPLICATION_BLOCKED = 5,
	APPLICATION_ILLEGAL = 6,
	APPLICATION_READY = 7,
};

void qmi_uim_register_events(struct qmi_request *r)
{
	qmi_request_init(r, QMI_UIM_REGISTER_EVENTS);
	qmi_put_tlv_le32(&r->tlvs, TLV_EVENTS, EVENT_CARD_STATUS);
}

void qmi_uim_verify_pin(struct qmi_request *r, const char *pin)
{
	static const uint8_t session[] = {SESSION_PRIMARY_GW, 0};
	uint8_t info[2 + UINT8_MAX] = {PIN_1};
	size_t len = strnlen(pin, UINT8_MAX);

	info[1] = len;
	memcpy(info + 2, pin, len);
	qmi_request_init(r, QMI_UIM_VERIFY_PIN);
	qmi_put_tlv(&r->tlvs, TLV_SESSION, session, sizeof(session));
	qmi_put_tlv(&r->tlvs, TLV_PIN, info, 2 + len);
	explicit_bzero(info, sizeof(info));
}

struct application {
	uint8_t type, state;
	bool upin; /* instead of PIN 1 */
	uint8_t pin, pin_retries, puk_retries;
};

struct card {
	uint8_t state, upin, upin_retries, upuk_retries, napplications;
};

static struct card read_card(struct qmi_cursor *c)
{
	struct card card = {.state = qmi_read_u8(c)};

	card.upin = qmi_read_u8(c);
	card.upin_retries = qmi_read_u8(c);
	card.upuk_retries = qmi_read_u8(c);
	qmi_read_u8(c); /* error */
	card.napplications = qmi_read_u8(c);
	return card;
}

static struct application read_application(struct qmi_cursor *c)
{
	struct application a = {.type = qmi_read_u8(c)};

	a.state = qmi_read_u8(c);
	qmi_read_bytes(c, 4);		   /* personalisation */
	qmi_read_bytes(c, qmi_read_u8(c)); /* application id */
	a.upin = qmi_read_u8(c);
	a.pin = qmi_read_u8(c);
	a.pin_retries = qmi_read_u8(c);
	a.puk_retries = qmi_read_u8(c);
	qmi_read_bytes(c, 3); /* PIN 2 */
	return a;
}

static enum qmi_sim_state state_of(const struct application *a, uint8_t pin)
{
	switch (a->state) {
	case APPLICATION_PIN:
		return QMI_SIM_PIN;
	case APPLICATION_PUK:
		return pin == PIN_PERM_BLOCKED ? QMI_SIM_BLOCKED : QMI_SIM_PUK;
	case APPLICATION_PERSONALISATION:
		return QMI_SIM_LOCKED;
	case APPLICATION_BLOCKED:
		return QMI_SIM_BLOCKED;
	case APPLICATION_ILLEGAL:
		return QMI_SIM_REFUSED;
	case APPLICATION_READY:
		return QMI_SIM_READY;
	}
	return QMI_SIM_INITIALISING;
}

/* If no application index is known, the first (U)SIM is used. */
static bool is_it(const struct application *a, uint16_t wanted, unsigned int slot, unsigned int i)
{
	if (wanted == NO_INDEX)
		return a->type == APPLICATION_SIM || a->type == APPLICATION_USIM;
	return wanted == (slot << 8 | i);
}

/* Parses the applications of one card; true if the wanted one is among them. */
static bool read_applications(struct qmi_cursor *c, const struct card *card, uint16_t wanted,
			      unsigned int slot, struct qmi_sim *sim)
{
	bool found = false;

	for (unsigned int i = 0; i < card->napplications && !c->bad; i++) {
		struct application a = read_application(c);

		if (c->bad || found || !is_it(&a, wanted, slot, i))
			continue;
		sim->state = state_of(&a, a.upin ? card->upin : a.pin);
		sim->pin_retries = a.upin ? card->upin_retries : a.pin_retries;
		sim->puk_retries = a.upin ? card->upuk_retries : a.puk_retries;
		found = true;
	}
	return found;
}

bool qmi_uim_card_status(const struct qmi_message *m, struct qmi_sim *sim)
{
	bool found = false, present = false, error = false, empty = true;
	struct qmi_cursor c;
	struct qmi_tlv t;
	uint16_t wanted;
	uint8_t ncards;

	if (!qmi_tlv_find(m->tlvs, TLV_CARD_STATUS, &t))
		return false;
	memset(sim, 0, sizeof(*sim));
	c = qmi_cursor_of(&t);
	wanted = qmi_read_le16(&c);
	qmi_read_bytes(&c, 6); /* indices of other sessions */
	ncards = qmi_read_u8(&c);
	for (unsigned int slot = 0; slot < ncards && !c.bad; slot++) {
		struct card card = read_card(&c);

		present |= card.state == CARD_PRESENT;
		empty &= card.state != CARD_PRESENT || !card.napplications;
		error |= card.state > CARD_PRESENT;
		if (read_applications(&c, &card, wanted, slot, sim) && card.state == CARD_PRESENT)
			found = true;
		if (found && wanted == NO_INDEX && sim->state == QMI_SIM_INITIALISING)
			sim->lacks = QMI_SIM_LACKS_SESSION;
		if (found)
			return true;
	}
	if (c.bad)
		return false;
	sim->state = present ? QMI_SIM_INITIALISING : error ? QMI_SIM_ERROR : QMI_SIM_ABSENT;
	if (present && empty)
		sim->lacks = QMI_SIM_LACKS_APPLICATION;
	return true;
}

bool qmi_uim_retries(const struct qmi_message *m, unsigned int *pin, unsigned int *puk)
{
	struct qmi_tlv t;

	if (!qmi_tlv_find(m->tlvs, TLV_RETRIES, &t) || t.len < 2)
		return false;
	*pin = t.value[0];
	*puk = t.value[1];
	return true;
}

/* Reads EF ICCID (3GPP TS 31.102) in the root (3f00), which is sent as a little-endian number. */
void qmi_uim_read_iccid(struct qmi_request *r)
{
	static const uint8_t session[] = {SESSION_PRIMARY_GW, 0}, file[] = {0xe2, 0x2f, 2, 0, 0x3f};
	static const uint8_t all[4];

	qmi_request_init(r, QMI_UIM_READ_TRANSPARENT);
	qmi_put_tlv(&r->tlvs, TLV_SESSION, session, sizeof(session));
	qmi_put_tlv(&r->tlvs, TLV_FILE, file, sizeof(file));
	qmi_put_tlv(&r->tlvs, TLV_READ, all, sizeof(all));
}

/* Two digits a byte, the first in the low half; other values are padding. */
bool qmi_uim_iccid(const struct qmi_message *m, char iccid[QMI_ICCID_SIZE])
{
	struct qmi_cursor c;
	const uint8_t *v;
	unsigned int n = 0;
	struct qmi_tlv t;
	uint16_t len;

	if (!qmi_tlv_find(m->tlvs, TLV_CONTENT, &t))
		return false;
	c = qmi_cursor_of(&t);
	len = qmi_read_le16(&c);
	v = qmi_read_bytes(&c, len);
	if (c.bad)
		return false;
	for (unsigned int i = 0; i < 2u * len && n < QMI_ICCID_SIZE - 1; i++) {
		uint8_t digit = i & 1 ? v[i / 2] >> 4 : v[i / 2] & 0xf;

		if (digit < 10)
			iccid[n++] = '0' + digit;
	}
	iccid[n] = '\0';
	return n;
}

const char *qmi_sim_name(enum qmi_sim_state state)
{
	static const char *const names[] = {
		[QMI_SIM_UNKNOWN] = "unknown",	[QMI_SIM_ABSENT] = "absent",
		[QMI_SIM_ERROR] = "error",	[QMI_SIM_INITIALISING] = "initialising",
		[QMI_SIM_PIN] = "pin-required", [QMI_SIM_PUK] = "puk-required",
		[QMI_SIM_BLOCKED] = "blocked",	[QMI_SIM_LOCKED] = "network-locked",
		[QMI_SIM_REFUSED] = "refused",	[QMI_SIM_READY] = "ready",
	};
	TABLE_COMPLETE(names, QMI_SIM_STATES);

	return names[state];
}
