// SPDX-License-Identifier: GPL-2.0-or-later
#include "nas.h"

#include <string.h>

#include "util/array.h"

/* Register Indications: u8 */
#define TLV_SERVING_EVENTS 0x13
#define TLV_SIGNAL_EVENTS  0x19

/* Config Signal Info: count u8, levels; i8, but i16 for RSRP. */
#define TLV_RSSI_LEVELS 0x10
#define TLV_RSRP_LEVELS 0x16

/* Config Signal Info v2: u16, tenths of dB. */
#define TLV_GSM_RSSI_DELTA   0x1d
#define TLV_WCDMA_RSSI_DELTA 0x1f
#define TLV_LTE_RSRP_DELTA   0x29
#define TLV_5G_RSRP_DELTA    0x36

/* Levels from no service to the best signal, dBm. */
#define RSSI_LEAST -110
#define RSSI_MOST  -50
#define RSRP_LEAST -125
#define RSRP_MOST  -70

#define TLV_SERVING 0x01 /* u8 registration, CS, PS, network; count u8, radios u8[] */
#define TLV_ROAMING 0x10 /* u8: 0 roaming, 1 not, higher values: roaming indicator blinks */
#define TLV_PLMN    0x12 /* u16 MCC, u16 MNC, count u8, name */
#define ROAMING	    0

/* Get Signal Info has one TLV for each radio interface; 16 bit values are signed. */
#define TLV_GSM	  0x12 /* i8 RSSI */
#define TLV_WCDMA 0x13 /* i8 RSSI, i16 Ec/Io */
#define TLV_LTE	  0x14 /* i8 RSSI, i8 RSRQ, i16 RSRP, i16 SNR */
#define TLV_5G	  0x17 /* i16 RSRP, i16 SNR */
#define TLV_5G_Q  0x18 /* i16 RSRQ */

/* Get Signal Strength. */
#define TLV_STRENGTH 0x01 /* i8 strength, u8 radio */
#define TLV_RSRQ     0x16 /* i8, u8 radio */
#define TLV_SNR	     0x17 /* i16 */
#define TLV_RSRP     0x18 /* i16 */

void qmi_nas_register_indications(struct qmi_request *r)
{
	qmi_request_init(r, QMI_NAS_REGISTER_INDICATIONS);
	qmi_put_tlv_u8(&r->tlvs, TLV_SERVING_EVENTS, 1);
}

void qmi_nas_register_signal(struct qmi_request *r)
{
	qmi_request_init(r, QMI_NAS_REGISTER_INDICATIONS);
	qmi_put_tlv_u8(&r->tlvs, TLV_SIGNAL_EVENTS, 1);
}

void qmi_nas_config_signal_delta(struct qmi_request *r, unsigned int db)
{
	qmi_request_init(r, QMI_NAS_CONFIG_SIGNAL_V2);
	qmi_put_tlv_le16(&r->tlvs, TLV_GSM_RSSI_DELTA, 10 * db);
	qmi_put_tlv_le16(&r->tlvs, TLV_WCDMA_RSSI_DELTA, 10 * db);
	qmi_put_tlv_le16(&r->tlvs, TLV_LTE_RSRP_DELTA, 10 * db);
	qmi_put_tlv_le16(&r->tlvs, TLV_5G_RSRP_DELTA, 10 * db);
}

/* @size: bytes of each level. */
static void put_levels(struct qmi_request *r, uint8_t type, int least, int most, unsigned int db,
		       unsigned int size)
{
	uint8_t v[1 + 2 * 32] = {0};
	unsigned int len = 1;

	for (int level = least; level <= most && v[0] < 32; level += db, v[0]++)
		for (unsigned int i = 0; i < size; i++)
			v[len++] = (unsigned int)level >> 8 * i;
	qmi_put_tlv(&r->tlvs, type, v, len);
}

void qmi_nas_config_signal_levels(struct qmi_request *r, unsigned int db)
{
	qmi_request_init(r, QMI_NAS_CONFIG_SIGNAL_INFO);
	put_levels(r, TLV_RSSI_LEVELS, RSSI_LEAST, RSSI_MOST, db, 1);
	put_levels(r, TLV_RSRP_LEVELS, RSRP_LEAST, RSRP_MOST, db, 2);
}

static void take_network(const struct qmi_tlv *t, struct qmi_nas_serving *s)
{
	struct qmi_cursor c = qmi_cursor_of(t);
	uint16_t mcc = qmi_read_le16(&c), mnc = qmi_read_le16(&c);
	uint8_t len = qmi_read_u8(&c);
	const uint8_t *name = qmi_read_bytes(&c, len);

	if (c.bad)
		return;
	s->mcc = mcc;
	s->mnc = mnc;
	if (len >= sizeof(s->network))
		len = sizeof(s->network) - 1;
	/* Some modems send UCS-2 here: drop bytes that are not printable ASCII. */
	for (unsigned int i = 0; i < len; i++)
		if (name[i] < ' ' || name[i] > '~')
			len = 0;
	memcpy(s->network, name, len);
	s->network[len] = '\0';
}

bool qmi_nas_serving_system(const struct qmi_message *m, struct qmi_nas_serving *s)
{
	struct qmi_cursor c;
	struct qmi_tlv t;
	uint8_t roaming;

	if (!qmi_tlv_find(m->tlvs, TLV_SERVING, &t) || t.len < 4)
		return false;
	c = qmi_cursor_of(&t);
	s->registration = qmi_read_u8(&c);
	qmi_read_u8(&c);
	s->packet_attach = qmi_read_u8(&c);
	qmi_read_u8(&c);
	s->radio = QMI_NAS_RADIO_NONE;
	for (uint8_t n = qmi_read_u8(&c); n && !c.bad && !s->radio; n--)
		s->radio = qmi_read_u8(&c);
	if (qmi_tlv_u8(m->tlvs, TLV_ROAMING, &roaming)) {
		s->roaming_reported = true;
		s->roaming = roaming == ROAMING;
	}
	if (qmi_tlv_find(m->tlvs, TLV_PLMN, &t))
		take_network(&t, s);
	return true;
}

static struct qmi_nas_signal nothing(uint8_t radio)
{
	return (struct qmi_nas_signal){
		.radio = radio,
		.rssi = QMI_NAS_NOT_REPORTED,
		.rsrp = QMI_NAS_NOT_REPORTED,
		.rsrq = QMI_NAS_NOT_REPORTED,
		.snr = QMI_NAS_NOT_REPORTED,
	};
}

/* The least value of each type means "none". */
static int read_i8(struct qmi_cursor *c)
{
	int v = (int8_t)qmi_read_u8(c);

	return c->bad || v == INT8_MIN ? QMI_NAS_NOT_REPORTED : v;
}

static int read_i16(struct qmi_cursor *c)
{
	int v = (int16_t)qmi_read_le16(c);

	return c->bad ? QMI_NAS_NOT_REPORTED : v;
}

static bool signal_5g(const struct qmi_message *m, struct qmi_nas_signal *s)
{
	struct qmi_cursor c;
	struct qmi_tlv t;

	*s = nothing(QMI_NAS_RADIO_5GNR);
	if (!qmi_tlv_find(m->tlvs, TLV_5G, &t))
		return false;
	c = qmi_cursor_of(&t);
	s->rsrp = read_i16(&c);
	s->snr = read_i16(&c);
	if (qmi_tlv_find(m->tlvs, TLV_5G_Q, &t)) {
		c = qmi_cursor_of(&t);
		s->rsrq = read_i16(&c);
	}
	return s->rsrp != QMI_NAS_NOT_REPORTED;
}

static bool signal_lte(const struct qmi_message *m, struct qmi_nas_signal *s)
{
	struct qmi_cursor c;
	struct qmi_tlv t;

	*s = nothing(QMI_NAS_RADIO_LTE);
	if (!qmi_tlv_find(m->tlvs, TLV_LTE, &t))
		return false;
	c = qmi_cursor_of(&t);
	s->rssi = read_i8(&c);
	s->rsrq = read_i8(&c);
	s->rsrp = read_i16(&c);
	s->snr = read_i16(&c);
	return s->rssi != QMI_NAS_NOT_REPORTED || s->rsrp != QMI_NAS_NOT_REPORTED;
}

static bool signal_rssi(const struct qmi_message *m, uint8_t type, uint8_t radio,
			struct qmi_nas_signal *s)
{
	struct qmi_cursor c;
	struct qmi_tlv t;

	*s = nothing(radio);
	if (!qmi_tlv_find(m->tlvs, type, &t))
		return false;
	c = qmi_cursor_of(&t);
	s->rssi = read_i8(&c);
	return s->rssi != QMI_NAS_NOT_REPORTED;
}

static unsigned int signal_info(const struct qmi_message *m, struct qmi_nas_signal *s)
{
	unsigned int n = 0;

	n += signal_5g(m, &s[n]);
	n += signal_lte(m, &s[n]);
	n += signal_rssi(m, TLV_WCDMA, QMI_NAS_RADIO_UMTS, &s[n]);
	n += signal_rssi(m, TLV_GSM, QMI_NAS_RADIO_GSM, &s[n]);
	return n;
}

static unsigned int signal_strength(const struct qmi_message *m, struct qmi_nas_signal *s)
{
	struct qmi_cursor c;
	struct qmi_tlv t;
	uint16_t v;

	if (!qmi_tlv_find(m->tlvs, TLV_STRENGTH, &t) || t.len < 2)
		return 0;
	*s = nothing(t.value[1]);
	c = qmi_cursor_of(&t);
	s->rssi = read_i8(&c);
	if (qmi_tlv_find(m->tlvs, TLV_RSRQ, &t)) {
		c = qmi_cursor_of(&t);
		s->rsrq = read_i8(&c);
	}
	if (qmi_tlv_le16(m->tlvs, TLV_SNR, &v))
		s->snr = (int16_t)v;
	if (qmi_tlv_le16(m->tlvs, TLV_RSRP, &v))
		s->rsrp = (int16_t)v;
	return 1;
}

unsigned int qmi_nas_signals(const struct qmi_message *m,
			     struct qmi_nas_signal signals[QMI_NAS_MAX_SIGNALS])
{
	return m->id == QMI_NAS_GET_SIGNAL_STRENGTH ? signal_strength(m, signals)
						    : signal_info(m, signals);
}

const char *qmi_nas_registration_name(uint8_t registration)
{
	static const char *const names[QMI_NAS_UNKNOWN + 1] = {
		[QMI_NAS_NOT_REGISTERED] = "not-registered",
		[QMI_NAS_REGISTERED] = "registered",
		[QMI_NAS_SEARCHING] = "searching",
		[QMI_NAS_DENIED] = "denied",
		[QMI_NAS_UNKNOWN] = "unknown",
	};

	return names[registration < QMI_NAS_UNKNOWN ? registration : QMI_NAS_UNKNOWN];
}

const char *qmi_nas_radio_name(uint8_t radio)
{
	static const char *const names[QMI_NAS_RADIO_5GNR + 1] = {
		[QMI_NAS_RADIO_NONE] = "none", [QMI_NAS_RADIO_CDMA_1X] = "cdma-1x",
		[QMI_NAS_RADIO_EVDO] = "evdo", [QMI_NAS_RADIO_AMPS] = "amps",
		[QMI_NAS_RADIO_GSM] = "gsm",   [QMI_NAS_RADIO_UMTS] = "umts",
		[QMI_NAS_RADIO_LTE] = "lte",   [QMI_NAS_RADIO_TD_SCDMA] = "td-scdma",
		[QMI_NAS_RADIO_5GNR] = "5gnr",
	};

	return radio < ARRAY_SIZE(names) && names[radio] ? names[radio] : "unknown";
}
