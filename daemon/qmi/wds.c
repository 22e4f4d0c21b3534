// SPDX-License-Identifier: GPL-2.0-or-later
#include "wds.h"

#include <string.h>

/* Start Network. 0x15 requests an IPv4 address; some guides wrongly call it authentication. */
#define TLV_START_APN	     0x14
#define TLV_START_AUTH	     0x16
#define TLV_START_USER	     0x17
#define TLV_START_PASSWORD   0x18
#define TLV_START_FAMILY     0x19
#define TLV_START_TECHNOLOGY 0x30 /* u8: 0 3GPP, 1 3GPP2 */
#define TLV_START_PROFILE    0x31 /* u8: 3GPP profile */
#define TLV_START_HANDLE     0x01 /* response */

#define TLV_STOP_HANDLE		     0x01
#define TLV_STOP_DISABLE_AUTOCONNECT 0x10

#define TLV_STATUS	  0x01 /* u8 status; indication: u8 reconfigure */
#define TLV_END_REASON	  0x10
#define TLV_END_VERBOSE	  0x11 /* u16 type, u16 reason */
#define TLV_STATUS_FAMILY 0x12 /* u8, of an indication */

#define TLV_BIND_ENDPOINT    0x10
#define TLV_BIND_CLIENT_TYPE 0x13
#define CLIENT_TYPE_TETHERED 1

#define TLV_FAMILY 0x01

#define TLV_SETTINGS_MASK 0x10
#define TLV_V4_DNS1	  0x15
#define TLV_V4_DNS2	  0x16
#define TLV_V4_ADDRESS	  0x1e
#define TLV_V4_GATEWAY	  0x20
#define TLV_V4_NETMASK	  0x21
#define TLV_V6_ADDRESS	  0x25 /* address, u8 prefix length */
#define TLV_V6_GATEWAY	  0x26 /* as above */
#define TLV_V6_DNS1	  0x27 /* address without prefix */
#define TLV_V6_DNS2	  0x28
#define TLV_MTU		  0x29

/* Without these bits a modem omits the settings of bits 13 and up (MTU, IP family). */
#define SETTINGS_DNS	 (1 << 4)
#define SETTINGS_ADDRESS (1 << 8)
#define SETTINGS_GATEWAY (1 << 9)
#define SETTINGS_MTU	 (1 << 13)
#define SETTINGS_FAMILY	 (1 << 15)

void qmi_wds_bind_mux_data_port(struct qmi_request *r, const struct qmi_endpoint *ep, uint8_t mux)
{
	uint8_t endpoint[8];

	qmi_put_le32(endpoint, ep->type);
	qmi_put_le32(endpoint + 4, ep->interface);
	qmi_request_init(r, QMI_WDS_BIND_MUX_DATA_PORT);
	qmi_put_tlv(&r->tlvs, TLV_BIND_ENDPOINT, endpoint, sizeof(endpoint));
	qmi_put_tlv_u8(&r->tlvs, QMI_WDS_TLV_BIND_MUX, mux);
	qmi_put_tlv_le32(&r->tlvs, TLV_BIND_CLIENT_TYPE, CLIENT_TYPE_TETHERED);
}

void qmi_wds_set_ip_family(struct qmi_request *r, uint8_t family)
{
	qmi_request_init(r, QMI_WDS_SET_IP_FAMILY);
	qmi_put_tlv_u8(&r->tlvs, TLV_FAMILY, family);
}

void qmi_wds_start_network(struct qmi_request *r, const struct qmi_wds_call *call)
{
	qmi_request_init(r, QMI_WDS_START_NETWORK);
	qmi_put_tlv_u8(&r->tlvs, TLV_START_TECHNOLOGY, 0);
	if (*call->apn)
		qmi_put_tlv_string(&r->tlvs, TLV_START_APN, call->apn);
	if (call->auth != QMI_WDS_AUTH_PROFILE)
		qmi_put_tlv_u8(&r->tlvs, TLV_START_AUTH, call->auth);
	if (*call->user)
		qmi_put_tlv_string(&r->tlvs, TLV_START_USER, call->user);
	if (*call->password)
		qmi_put_tlv_string(&r->tlvs, TLV_START_PASSWORD, call->password);
	qmi_put_tlv_u8(&r->tlvs, TLV_START_FAMILY, call->family);
	if (call->profile)
		qmi_put_tlv_u8(&r->tlvs, TLV_START_PROFILE, call->profile);
}

void qmi_wds_stop_network(struct qmi_request *r, uint32_t handle)
{
	qmi_request_init(r, QMI_WDS_STOP_NETWORK);
	qmi_put_tlv_le32(&r->tlvs, TLV_STOP_HANDLE, handle);
	if (handle == QMI_WDS_ANY_HANDLE)
		qmi_put_tlv_u8(&r->tlvs, TLV_STOP_DISABLE_AUTOCONNECT, 1);
}

void qmi_wds_get_current_settings(struct qmi_request *r)
{
	qmi_request_init(r, QMI_WDS_GET_CURRENT_SETTINGS);
	qmi_put_tlv_le32(&r->tlvs, TLV_SETTINGS_MASK,
			 SETTINGS_DNS | SETTINGS_ADDRESS | SETTINGS_GATEWAY | SETTINGS_MTU |
				 SETTINGS_FAMILY);
}

bool qmi_wds_handle(const struct qmi_message *m, uint32_t *handle)
{
	return qmi_tlv_le32(m->tlvs, TLV_START_HANDLE, handle);
}

void qmi_wds_end(const struct qmi_message *m, struct qmi_wds_end *end)
{
	struct qmi_tlv t;

	memset(end, 0, sizeof(*end));
	qmi_tlv_le16(m->tlvs, TLV_END_REASON, &end->reason);
	if (qmi_tlv_find(m->tlvs, TLV_END_VERBOSE, &t) && t.len >= 4) {
		end->verbose_type = qmi_get_le16(t.value);
		end->verbose_reason = qmi_get_le16(t.value + 2);
	}
}

void qmi_wds_packet_status(const struct qmi_message *m, struct qmi_wds_packet_status *s)
{
	struct qmi_tlv t;

	memset(s, 0, sizeof(*s));
	if (qmi_tlv_find(m->tlvs, TLV_STATUS, &t)) {
		s->status = t.len >= 1 ? t.value[0] : 0;
		s->reconfigure = t.len >= 2 && t.value[1];
	}
	if (!qmi_tlv_u8(m->tlvs, TLV_STATUS_FAMILY, &s->family) ||
	    (s->family != 4 && s->family != 6))
		s->family = 0;
	qmi_wds_end(m, &s->end);
}

static bool all_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* IPv4 addresses are sent as little-endian integers. */
static bool v4_address(const struct qmi_message *m, uint8_t type, uint8_t *out)
{
	uint32_t v;

	if (!qmi_tlv_le32(m->tlvs, type, &v) || !v)
		return false;
	for (int i = 0; i < 4; i++)
		out[i] = v >> (24 - 8 * i);
	return true;
}

/* IPv6 addresses are sent in network byte order. */
static bool v6_address(const struct qmi_message *m, uint8_t type, uint8_t *out)
{
	struct qmi_tlv t;

	if (!qmi_tlv_find(m->tlvs, type, &t) || t.len < 16 || all_zero(t.value, 16))
		return false;
	memcpy(out, t.value, 16);
	return true;
}

/* Prefix length of a netmask; an invalid or zero netmask makes a host address. */
static unsigned int prefix_of(uint32_t mask)
{
	unsigned int n = mask && ~mask ? __builtin_clz(~mask) : 32;

	return n < 32 && mask << n ? 32 : n;
}

static void v4_settings(const struct qmi_message *m, struct qmi_wds_settings *s)
{
	uint32_t mask = 0;

	if (v4_address(m, TLV_V4_ADDRESS, s->address))
		s->has |= QMI_WDS_HAS_ADDRESS;
	if (v4_address(m, TLV_V4_GATEWAY, s->gateway))
		s->has |= QMI_WDS_HAS_GATEWAY;
	s->ndns += v4_address(m, TLV_V4_DNS1, s->dns[s->ndns]);
	s->ndns += v4_address(m, TLV_V4_DNS2, s->dns[s->ndns]);
	qmi_tlv_le32(m->tlvs, TLV_V4_NETMASK, &mask);
	s->prefix = prefix_of(mask);
}

static void v6_settings(const struct qmi_message *m, struct qmi_wds_settings *s)
{
	struct qmi_tlv t;

	s->prefix = 64;
	if (v6_address(m, TLV_V6_ADDRESS, s->address)) {
		s->has |= QMI_WDS_HAS_ADDRESS;
		if (qmi_tlv_find(m->tlvs, TLV_V6_ADDRESS, &t) && t.len > 16 && t.value[16] <= 128)
			s->prefix = t.value[16];
	}
	if (v6_address(m, TLV_V6_GATEWAY, s->gateway))
		s->has |= QMI_WDS_HAS_GATEWAY;
	s->ndns += v6_address(m, TLV_V6_DNS1, s->dns[s->ndns]);
	s->ndns += v6_address(m, TLV_V6_DNS2, s->dns[s->ndns]);
}

void qmi_wds_settings(const struct qmi_message *m, int family, struct qmi_wds_settings *s)
{
	memset(s, 0, sizeof(*s));
	qmi_tlv_le32(m->tlvs, TLV_MTU, &s->mtu);
	if (family == 4)
		v4_settings(m, s);
	else
		v6_settings(m, s);
}
