// SPDX-License-Identifier: GPL-2.0-or-later
/* NAS: the network, as set by the commands `network` and `signal`. */
#include "nas.h"
#include "client.h"
#include "pdn.h"
#include "service.h"
#include "util.h"

#include <stdlib.h>

#define ATTACHED       1
#define DETACHED       2
#define NETWORK_3GPP   2
#define CAPABILITY_LTE 11
#define ROAMING_ON     0
#define ROAMING_OFF    1
#define MCC	       1 /* 001 01: the test network */
#define MNC	       1
#define RSSI	       -61
#define RSRQ	       -9
#define SNR	       180 /* tenths of dB */

static bool on_air(const struct modem *m)
{
	struct call_end end;

	return pdn_on_air(m, &end);
}

static enum qmi_error reset(struct modem *m, struct client *c, const struct qmi_msg *req,
			    struct qmi_tlvs *out)
{
	client_reset(m, c);
	return QMI_OK;
}

/* The signal subscription of older modems; here only 0x0051 reports the signal. */
static enum qmi_error event_report(struct modem *m, struct client *c, const struct qmi_msg *req,
				   struct qmi_tlvs *out)
{
	return QMI_OK;
}

static enum qmi_error registration(struct modem *m, struct client *c, const struct qmi_msg *req,
				   struct qmi_tlvs *out)
{
	uint8_t wanted = c->events, signal = c->signal_events;
	enum qmi_error err = qmi_get_u8(req, 0x13, &wanted);
	enum qmi_error err2 = qmi_get_u8(req, 0x19, &signal);

	if (err && err != QMI_MISSING_ARG)
		return err;
	if (err2 && err2 != QMI_MISSING_ARG)
		return err2;
	c->events = wanted;
	c->signal_events = signal;
	c->signal_told = m->rsrp;
	return QMI_OK;
}

static enum qmi_error config_signal(struct modem *m, struct client *c, const struct qmi_msg *req,
				    struct qmi_tlvs *out)
{
	uint16_t len;
	const uint8_t *v = qmi_find(req, 0x16, &len);

	if (!v)
		return QMI_MISSING_ARG;
	if (!len || len != 1 + 2 * v[0] || v[0] > ARRAY_SIZE(c->signal_level))
		return QMI_MALFORMED;
	c->signal_delta = 0;
	c->signal_levels = v[0];
	for (unsigned int i = 0; i < v[0]; i++)
		c->signal_level[i] = (int16_t)get_le16(v + 1 + 2 * i);
	return QMI_OK;
}

static enum qmi_error config_signal_v2(struct modem *m, struct client *c, const struct qmi_msg *req,
				       struct qmi_tlvs *out)
{
	return qmi_get_u16(req, m->radio == RADIO_5GNR ? 0x36 : 0x29, &c->signal_delta);
}

static enum qmi_error signal_strength(struct modem *m, struct client *c, const struct qmi_msg *req,
				      struct qmi_tlvs *out)
{
	static const uint8_t strength[2] = {(uint8_t)RSSI, RADIO_LTE};
	static const uint8_t rsrq[2] = {(uint8_t)RSRQ, RADIO_LTE};

	qmi_put(out, 0x16, rsrq, sizeof(rsrq));
	qmi_put(out, 0x01, strength, sizeof(strength));
	qmi_put_u16(out, 0x18, (uint16_t)m->rsrp);
	qmi_put_u16(out, 0x17, SNR);
	return QMI_OK;
}

static void put_signal(const struct modem *m, struct qmi_tlvs *out)
{
	uint8_t lte[6] = {(uint8_t)RSSI, (uint8_t)RSRQ}, nr[4];

	put_le16(lte + 2, (uint16_t)m->rsrp);
	put_le16(lte + 4, SNR);
	put_le16(nr, (uint16_t)m->rsrp);
	put_le16(nr + 2, SNR);
	if (m->radio == RADIO_5GNR)
		qmi_put(out, 0x17, nr, sizeof(nr));
	else
		qmi_put(out, 0x14, lte, sizeof(lte));
}

static enum qmi_error signal_info(struct modem *m, struct client *c, const struct qmi_msg *req,
				  struct qmi_tlvs *out)
{
	put_signal(m, out);
	return QMI_OK;
}

/* A modem without levels reports every dB. */
static bool is_news(const struct client *c, int now)
{
	if (c->signal_delta)
		return 10 * abs(now - c->signal_told) >= c->signal_delta;
	for (unsigned int i = 0; i < c->signal_levels; i++)
		if ((now < c->signal_level[i]) != (c->signal_told < c->signal_level[i]))
			return true;
	return !c->signal_levels && now != c->signal_told;
}

void nas_signal_changed(struct modem *m)
{
	struct qmi_tlvs tlvs = {0};

	put_signal(m, &tlvs);
	client_foreach(m, QMI_SERVICE_NAS, c)
	{
		if (!c->signal_events || !is_news(c, m->rsrp))
			continue;
		c->signal_told = m->rsrp;
		service_indicate(m, QMI_SERVICE_NAS, c->id, 0x0051, &tlvs);
	}
}

static void put_plmn(const struct modem *m, struct qmi_tlvs *out)
{
	static const char name[] = "qmap test";
	uint8_t plmn[5 + sizeof(name) - 1];

	put_le16(plmn, MCC);
	put_le16(plmn + 2, m->mnc);
	plmn[4] = sizeof(name) - 1;
	memcpy(plmn + 5, name, sizeof(name) - 1);
	qmi_put(out, 0x12, plmn, sizeof(plmn));
}

static void put_serving(const struct modem *m, struct qmi_tlvs *out)
{
	bool on = on_air(m);
	uint8_t attach = on ? ATTACHED : DETACHED;
	uint8_t state = !on && m->registration == REGISTERED ? NOT_REGISTERED : m->registration;
	uint8_t v[6] = {state, attach, attach, NETWORK_3GPP, 1, on ? m->radio : 0};

	put_plmn(m, out);
	qmi_put_u8(out, 0x10, m->roaming ? ROAMING_ON : ROAMING_OFF);
	qmi_put(out, 0x01, v, sizeof(v));
}

static enum qmi_error serving_system(struct modem *m, struct client *c, const struct qmi_msg *req,
				     struct qmi_tlvs *out)
{
	static const uint8_t capability[2] = {1, CAPABILITY_LTE};

	qmi_put_u16(out, 0x24, 1); /* tracking area */
	qmi_put_u32(out, 0x1d, 0x101);
	if (on_air(m))
		qmi_put(out, 0x11, capability, sizeof(capability));
	put_serving(m, out);
	return QMI_OK;
}

void nas_changed(struct modem *m)
{
	struct qmi_tlvs tlvs = {0};

	put_serving(m, &tlvs);
	client_foreach(m, QMI_SERVICE_NAS, c)
	{
		if (c->events)
			service_indicate(m, QMI_SERVICE_NAS, c->id, 0x0024, &tlvs);
	}
}

/* Pairs of a validity byte and a value; then the PLMN as digits, and the tracking area. */
static enum qmi_error system_info(struct modem *m, struct client *c, const struct qmi_msg *req,
				  struct qmi_tlvs *out)
{
	uint8_t service[3] = {on_air(m) ? 2 : 0, on_air(m) ? 2 : 0, 0};
	uint8_t lte[29] = {
		1,   3,			 /* domain: CS and PS */
		1,   3,			 /* capability: the same */
		1,   0,			 /* not roaming */
		1,   0,			 /* not forbidden */
		0,   0xff, 0xff,	 /* no location area */
		1,   1,	   1,	 0,   0, /* cell */
		0,   0,	   0,		 /* not rejected */
		1,   '0',  '0',	 '1',	 /* MCC */
		'0', '1',  0xff,	 /* MNC */
		1,   1,	   0,		 /* tracking area */
	};

	qmi_put(out, 0x14, service, sizeof(service));
	if (on_air(m))
		qmi_put(out, 0x19, lte, sizeof(lte));
	return QMI_OK;
}

static enum qmi_error home_network(struct modem *m, struct client *c, const struct qmi_msg *req,
				   struct qmi_tlvs *out)
{
	static const uint8_t home[] = {MCC, 0, MNC, 0, 4, 'q', 'm', 'a', 'p'};

	qmi_put(out, 0x01, home, sizeof(home));
	return QMI_OK;
}

static const struct qmi_message messages[] = {
	{0x0000, "reset", reset},
	{0x0002, "event_report", event_report},
	{0x0003, "register_indications", registration},
	{0x0020, "signal_strength", signal_strength},
	{0x0024, "serving_system", serving_system},
	{0x0025, "home_network", home_network},
	{0x004d, "system_info", system_info},
	{0x004f, "signal_info", signal_info},
	{0x0050, "config_signal", config_signal},
	{0x006c, "config_signal_v2", config_signal_v2},
	{0},
};

const struct service nas_service = {QMI_SERVICE_NAS, 1, 25, messages};
