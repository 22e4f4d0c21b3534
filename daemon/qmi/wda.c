// SPDX-License-Identifier: GPL-2.0-or-later
#include "wda.h"

/* Same numbers in request and response. */
#define TLV_QOS_HEADER	     0x10 /* u8: 0, no QoS header before packets */
#define TLV_LINK_PROTOCOL    0x11
#define TLV_UL_AGGREGATION   0x12
#define TLV_DL_AGGREGATION   0x13
#define TLV_DL_MAX_DATAGRAMS 0x15
#define TLV_DL_MAX_BYTES     0x16
/* Numbers in the request. */
#define TLV_REQ_ENDPOINT	 0x17
#define TLV_REQ_UL_MAX_DATAGRAMS 0x1b
#define TLV_REQ_UL_MAX_BYTES	 0x1c
/* Numbers in the response, where the same numbers have other meanings. */
#define TLV_RESP_UL_MAX_DATAGRAMS 0x17
#define TLV_RESP_UL_MAX_BYTES	  0x18
#define TLV_RESP_DL_MIN_PADDING	  0x1a

/* Loopback Configuration. */
#define TLV_LOOPBACK		 0x01 /* u8: 1 on */
#define TLV_LOOPBACK_REPLICATION 0x10

void qmi_wda_set_data_format(struct qmi_request *r, const struct qmi_wda_format *f,
			     const struct qmi_endpoint *ep)
{
	uint8_t endpoint[8];

	qmi_request_init(r, QMI_WDA_SET_DATA_FORMAT);
	qmi_put_tlv_u8(&r->tlvs, TLV_QOS_HEADER, 0);
	qmi_put_tlv_le32(&r->tlvs, TLV_LINK_PROTOCOL, f->link_protocol);
	qmi_put_tlv_le32(&r->tlvs, TLV_UL_AGGREGATION, f->ul_aggregation);
	qmi_put_tlv_le32(&r->tlvs, TLV_DL_AGGREGATION, f->dl_aggregation);
	if (f->dl_aggregation != QMI_AGGREGATION_OFF) {
		qmi_put_tlv_le32(&r->tlvs, TLV_DL_MAX_DATAGRAMS, f->dl_max_datagrams);
		qmi_put_tlv_le32(&r->tlvs, TLV_DL_MAX_BYTES, f->dl_max_bytes);
	}
	qmi_put_le32(endpoint, ep->type);
	qmi_put_le32(endpoint + 4, ep->interface);
	qmi_put_tlv(&r->tlvs, TLV_REQ_ENDPOINT, endpoint, sizeof(endpoint));
	if (f->ul_aggregation != QMI_AGGREGATION_OFF) {
		qmi_put_tlv_le32(&r->tlvs, TLV_REQ_UL_MAX_DATAGRAMS, f->ul_max_datagrams);
		qmi_put_tlv_le32(&r->tlvs, TLV_REQ_UL_MAX_BYTES, f->ul_max_bytes);
	}
}

static uint32_t reported(const struct qmi_message *m, uint8_t type)
{
	uint32_t v;

	return qmi_tlv_le32(m->tlvs, type, &v) ? v : QMI_WDA_NOT_TOLD;
}

void qmi_wda_data_format(const struct qmi_message *m, struct qmi_wda_format *f)
{
	f->link_protocol = reported(m, TLV_LINK_PROTOCOL);
	f->ul_aggregation = reported(m, TLV_UL_AGGREGATION);
	f->dl_aggregation = reported(m, TLV_DL_AGGREGATION);
	f->dl_max_datagrams = reported(m, TLV_DL_MAX_DATAGRAMS);
	f->dl_max_bytes = reported(m, TLV_DL_MAX_BYTES);
	f->ul_max_datagrams = reported(m, TLV_RESP_UL_MAX_DATAGRAMS);
	f->ul_max_bytes = reported(m, TLV_RESP_UL_MAX_BYTES);
	f->dl_min_padding = reported(m, TLV_RESP_DL_MIN_PADDING);
}

void qmi_wda_set_loopback(struct qmi_request *r, uint32_t factor)
{
	qmi_request_init(r, QMI_WDA_SET_LOOPBACK);
	qmi_put_tlv_u8(&r->tlvs, TLV_LOOPBACK, factor != 0);
	if (factor)
		qmi_put_tlv_le32(&r->tlvs, TLV_LOOPBACK_REPLICATION, factor);
}
