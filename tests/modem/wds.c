// SPDX-License-Identifier: GPL-2.0-or-later
/* WDS: data calls. */
#include "client.h"
#include "faults.h"
#include "pdn.h"
#include "service.h"
#include "util.h"
#include "wda.h"

#define ALL_HANDLES	   0xffffffff
#define END_CALL_MANAGER   3
#define CM_CLIENT_END	   2000
#define REASON_CLIENT_END  2
#define RATE_UP		   900000000u
#define RATE_DOWN	   2500000000u
#define PDP_IPV4V6	   3
#define PDP_IPV4	   0
#define PDP_IPV6	   2
#define SETTINGS_DEFAULT   0x1fff /* bits 0 to 12: sent if the request has no mask */
#define SETTING_PROFILE	   (1u << 0)
#define SETTING_PDP_TYPE   (1u << 2)
#define SETTING_APN	   (1u << 3)
#define SETTING_DNS	   (1u << 4)
#define SETTING_ADDRESS	   (1u << 8)
#define SETTING_GATEWAY	   (1u << 9)
#define SETTING_MTU	   (1u << 13)
#define SETTING_DOMAINS	   (1u << 14)
#define SETTING_FAMILY	   (1u << 15)
#define SETTING_TECHNOLOGY (1u << 17)

static enum qmi_error reset(struct modem *m, struct client *c, const struct qmi_msg *req,
			    struct qmi_tlvs *out)
{
	client_reset(m, c);
	return QMI_OK;
}

static enum qmi_error event_report(struct modem *m, struct client *c, const struct qmi_msg *req,
				   struct qmi_tlvs *out)
{
	return QMI_OK;
}

static enum qmi_error ip_family(struct modem *m, struct client *c, const struct qmi_msg *req,
				struct qmi_tlvs *out)
{
	uint8_t v;
	enum qmi_error err = qmi_get_u8(req, 0x01, &v);

	if (err)
		return err;
	if (v != 4 && v != 6 && v != 8)
		return QMI_INVALID_ARG;
	if (c->ip_family == v)
		return QMI_NO_EFFECT;
	c->ip_family = v;
	return QMI_OK;
}

static enum qmi_error bind_mux(struct modem *m, struct client *c, const struct qmi_msg *req,
			       struct qmi_tlvs *out)
{
	uint8_t mux;
	enum qmi_error err = wda_check_endpoint(m, req, 0x10);

	if (!err)
		err = qmi_get_u8(req, 0x11, &mux);
	if (err)
		return err;
	if (mux == 0xff)
		return QMI_INVALID_ARG;
	if (c->pdn)
		return QMI_INCOMPATIBLE_STATE;
	c->bound = true;
	c->mux = mux;
	return QMI_OK;
}

/* Copies a text TLV into `text`, cut at a zero byte that some hosts include. Absent: empty. */
static enum qmi_error read_text(const struct qmi_msg *req, uint8_t type, char *text, size_t size)
{
	uint16_t len;
	const uint8_t *p = qmi_find(req, type, &len);

	text[0] = '\0';
	if (!p)
		return QMI_OK;
	if (len >= size)
		return QMI_INVALID_ARG;
	memcpy(text, p, len);
	text[len] = '\0';
	return QMI_OK;
}

static enum qmi_error read_family(const struct client *c, const struct qmi_msg *req,
				  enum family *family)
{
	uint8_t v = c->ip_family;
	enum qmi_error err = qmi_get_u8(req, 0x19, &v);

	if (err && err != QMI_MISSING_ARG)
		return err;
	if (v && v != 4 && v != 6 && v != 8)
		return QMI_INVALID_ARG;
	*family = v == 6 ? FAMILY_V6 : FAMILY_V4;
	return QMI_OK;
}

static void put_end(struct qmi_tlvs *out, const struct call_end *end)
{
	uint8_t verbose[4];

	put_le16(verbose, end->type);
	put_le16(verbose + 2, end->verbose);
	qmi_put_u16(out, 0x10, end->reason);
	qmi_put(out, 0x11, verbose, sizeof(verbose));
}

static enum qmi_error start_call(struct modem *m, struct client *c, const char *apn,
				 uint8_t profile, enum family family, struct call_end *end)
{
	struct pdn *pdn;

	if (!pdn_on_air(m, end))
		return QMI_CALL_FAILED;
	pdn = pdn_choose(m, c, apn, profile, end);
	if (!pdn)
		return QMI_CALL_FAILED;
	if (faults_refuse(m, pdn, apn, family, end))
		return QMI_CALL_FAILED;
	return pdn_connect(m, c, pdn, family, end);
}

static enum qmi_error start(struct modem *m, struct client *c, const struct qmi_msg *req,
			    struct qmi_tlvs *out)
{
	struct call_end end = {0};
	char apn[MAX_APN + 1];
	uint8_t profile = 0;
	enum family family;
	enum qmi_error err = read_text(req, 0x14, apn, sizeof(apn));

	m->qmi.starts++;
	if (!err)
		err = read_family(c, req, &family);
	if (err)
		return err;
	err = qmi_get_u8(req, 0x31, &profile);
	if (err && err != QMI_MISSING_ARG)
		return err;
	if (m->stale.left) {
		m->stale.left--;
		c->stale = true;
	}
	if (c->pdn || c->stale)
		return QMI_NO_EFFECT;
	err = start_call(m, c, apn, profile, family, &end);
	if (err == QMI_CALL_FAILED)
		put_end(out, &end);
	if (err)
		return err;
	qmi_put_u32(out, 0x01, c->handle);
	pdn_indicate(m, c, family, true, false, NULL);
	return QMI_OK;
}

static enum qmi_error stop(struct modem *m, struct client *c, const struct qmi_msg *req,
			   struct qmi_tlvs *out)
{
	static const struct call_end end = {REASON_CLIENT_END, END_CALL_MANAGER, CM_CLIENT_END};
	uint32_t handle;
	enum qmi_error err = qmi_get_u32(req, 0x01, &handle);
	enum family family = c->family;

	m->qmi.stops++;
	if (err)
		return err;
	if (c->stale && m->stale.until_stop) {
		c->stale = false;
		return QMI_OK;
	}
	if (!c->pdn)
		return QMI_NO_EFFECT;
	if (handle != c->handle && handle != ALL_HANDLES)
		return QMI_INVALID_HANDLE;
	pdn_leave(m, c);
	pdn_indicate(m, c, family, false, false, &end);
	return QMI_OK;
}

static enum qmi_error status(struct modem *m, struct client *c, const struct qmi_msg *req,
			     struct qmi_tlvs *out)
{
	qmi_put_u8(out, 0x01, c->pdn ? 2 : 1);
	return QMI_OK;
}

static enum qmi_error channel_rates(struct modem *m, struct client *c, const struct qmi_msg *req,
				    struct qmi_tlvs *out)
{
	uint8_t rates[16];

	if (!c->pdn)
		return QMI_OUT_OF_CALL;
	put_le32(rates, RATE_UP);
	put_le32(rates + 4, RATE_DOWN);
	put_le32(rates + 8, RATE_UP);
	put_le32(rates + 12, RATE_DOWN);
	qmi_put(out, 0x01, rates, sizeof(rates));
	return QMI_OK;
}

/* Without a call, real modems still send the last call's bytes along with the error. */
static enum qmi_error statistics(struct modem *m, struct client *c, const struct qmi_msg *req,
				 struct qmi_tlvs *out)
{
	const struct pdn_counters *n;
	uint32_t mask;
	enum qmi_error err = qmi_get_u32(req, 0x01, &mask);

	if (err)
		return err;
	if (!c->pdn) {
		qmi_put_u64(out, 0x1c, c->rx_bytes);
		qmi_put_u64(out, 0x1b, c->tx_bytes);
		return QMI_OUT_OF_CALL;
	}
	n = &c->pdn->count;
	qmi_put_u32(out, 0x10, n->ul_packets);
	qmi_put_u32(out, 0x11, n->dl_packets);
	qmi_put_u64(out, 0x19, n->ul_bytes);
	qmi_put_u64(out, 0x1a, n->dl_bytes);
	qmi_put_u32(out, 0x1d, n->ul_lost);
	qmi_put_u32(out, 0x1e, n->dl_oversize);
	return QMI_OK;
}

static void put_settings4(const struct pdn *p, uint32_t mask, struct qmi_tlvs *out)
{
	const struct pdn_lies *l = &p->lies;
	struct in_addr host = l->host4.s_addr ? l->host4 : p->host4;
	uint32_t netmask = l->mask_told ? ntohl(l->mask4.s_addr) : 0xfffffffc;

	if (mask & SETTING_DNS) {
		qmi_put_u32(out, 0x15, ntohl(p->dns4[0].s_addr));
		qmi_put_u32(out, 0x16, ntohl(p->dns4[1].s_addr));
	}
	if (mask & SETTING_ADDRESS)
		qmi_put_u32(out, 0x1e, ntohl(host.s_addr));
	if (mask & SETTING_GATEWAY) {
		qmi_put_u32(out, 0x21, netmask);
		qmi_put_u32(out, 0x20, ntohl(p->gateway4.s_addr));
	}
}

static void put_address6(struct qmi_tlvs *out, uint8_t type, const struct in6_addr *a,
			 uint8_t prefix)
{
	uint8_t value[17];

	memcpy(value, a, 16);
	value[16] = prefix;
	qmi_put(out, type, value, sizeof(value));
}

/* 0x27 and 0x28 are addresses without a prefix length, which only 0x25 and 0x26 have. */
static void put_settings6(const struct pdn *p, uint32_t mask, struct qmi_tlvs *out)
{
	const struct pdn_lies *l = &p->lies;
	const struct in6_addr *host = l->host6_told ? &l->host6 : &p->host6;
	uint8_t prefix = l->prefix6_told ? l->prefix6 : 64;

	if (mask & SETTING_ADDRESS)
		put_address6(out, 0x25, host, prefix);
	if (mask & SETTING_GATEWAY)
		put_address6(out, 0x26, &p->gateway6, prefix);
	if (mask & SETTING_DNS) {
		qmi_put(out, 0x27, &p->dns6[0], 16);
		qmi_put(out, 0x28, &p->dns6[1], 16);
	}
}

static enum qmi_error settings(struct modem *m, struct client *c, const struct qmi_msg *req,
			       struct qmi_tlvs *out)
{
	uint32_t mask = SETTINGS_DEFAULT;
	enum qmi_error err = qmi_get_u32(req, 0x10, &mask);
	uint8_t profile[2] = {0, 0};

	m->qmi.settings++;
	if (err && err != QMI_MISSING_ARG)
		return err;
	if (!c->pdn)
		return QMI_OUT_OF_CALL;
	profile[1] = c->pdn->number;
	if (mask & SETTING_PROFILE)
		qmi_put(out, 0x1f, profile, sizeof(profile));
	if (mask & SETTING_PDP_TYPE)
		qmi_put_u8(out, 0x11, c->family == FAMILY_V4 ? PDP_IPV4 : PDP_IPV6);
	if (mask & SETTING_FAMILY)
		qmi_put_u8(out, 0x2b, c->family == FAMILY_V4 ? 4 : 6);
	if (c->family == FAMILY_V4)
		put_settings4(c->pdn, mask, out);
	else
		put_settings6(c->pdn, mask, out);
	if (mask & SETTING_MTU)
		qmi_put_u32(out, 0x29, c->pdn->lies.mtu_told ? c->pdn->lies.mtu : c->pdn->mtu);
	if (mask & SETTING_DOMAINS)
		qmi_put_u8(out, 0x2a, 0);
	if (mask & SETTING_TECHNOLOGY)
		qmi_put_u16(out, 0x2d, 0x8880);
	return QMI_OK;
}

/* Finds the PDN of the 3GPP profile in TLV 0x01. */
static enum qmi_error find_profile(struct modem *m, const struct qmi_msg *req, struct pdn **pdn)
{
	uint16_t len;
	const uint8_t *p = qmi_find(req, 0x01, &len);

	if (!p)
		return QMI_MISSING_ARG;
	if (len != 2)
		return QMI_MALFORMED;
	if (p[0] || !p[1] || p[1] > m->options.pdns)
		return QMI_INVALID_PROFILE;
	*pdn = &m->pdns[p[1] - 1];
	return QMI_OK;
}

static enum qmi_error profile_settings(struct modem *m, struct client *c, const struct qmi_msg *req,
				       struct qmi_tlvs *out)
{
	char name[] = "profile00";
	struct pdn *pdn;
	enum qmi_error err = find_profile(m, req, &pdn);

	if (err)
		return err;
	name[7] += pdn->number / 10;
	name[8] += pdn->number % 10;
	qmi_put_string(out, 0x10, name);
	qmi_put_u8(out, 0x11, PDP_IPV4V6);
	qmi_put_string(out, 0x14, pdn->apn);
	qmi_put_string(out, 0x1b, "");
	qmi_put_string(out, 0x1c, "");
	qmi_put_u8(out, 0x1d, 0);
	return QMI_OK;
}

static enum qmi_error modify_profile(struct modem *m, struct client *c, const struct qmi_msg *req,
				     struct qmi_tlvs *out)
{
	char apn[MAX_APN + 1];
	struct pdn *pdn;
	enum qmi_error err = find_profile(m, req, &pdn);

	if (!err)
		err = read_text(req, 0x14, apn, sizeof(apn));
	if (!err && qmi_find(req, 0x14, &(uint16_t){0}))
		strcpy(pdn->apn, apn);
	return err;
}

/* clang-format off: one message a line */
static const struct qmi_message messages[] = {
	{0x0000, "reset", reset},
	{0x0001, "event_report", event_report},
	{0x0020, "start", start},
	{0x0021, "stop", stop},
	{0x0022, "status", status},
	{0x0023, "channel_rates", channel_rates},
	{0x0024, "statistics", statistics},
	{0x0028, "modify_profile", modify_profile},
	{0x002b, "profile_settings", profile_settings},
	{0x002d, "settings", settings},
	{0x004d, "ip_family", ip_family},
	{0x00a2, "bind_mux", bind_mux},
	{0},
};
/* clang-format on */

const struct service wds_service = {QMI_SERVICE_WDS, 1, 36, messages};
