/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wireless data administration service: the format of the data interface. */
#ifndef QMAP_QMI_WDA_H
#define QMAP_QMI_WDA_H

#include "client.h"

#define QMI_WDA_SET_DATA_FORMAT 0x0020
#define QMI_WDA_SET_LOOPBACK	0x002f /* libqmi: Loopback Configuration */

enum qmi_endpoint_type {
	QMI_ENDPOINT_HSUSB = 2,
	QMI_ENDPOINT_PCIE = 3,
};

/* Identifies one of the modem's data interfaces. */
struct qmi_endpoint {
	uint32_t type;	    /* enum qmi_endpoint_type */
	uint32_t interface; /* USB: bInterfaceNumber */
};

enum qmi_link_protocol {
	QMI_LINK_802_3 = 1,
	QMI_LINK_RAW_IP = 2,
};

enum qmi_aggregation {
	QMI_AGGREGATION_OFF = 0,
	QMI_AGGREGATION_QMAP_V1 = 5,
	QMI_AGGREGATION_QMAP_V4 = 8,
	QMI_AGGREGATION_QMAP_V5 = 9,
};

/* Request and response of Set Data Format. Values missing in a response are UINT32_MAX. */
struct qmi_wda_format {
	uint32_t link_protocol;
	uint32_t ul_aggregation, dl_aggregation;
	uint32_t dl_max_datagrams, dl_max_bytes;
	uint32_t ul_max_datagrams, ul_max_bytes;
	uint32_t dl_min_padding; /* response only */
};

#define QMI_WDA_NOT_TOLD UINT32_MAX

/* Includes sizes only if aggregation is on. */
void qmi_wda_set_data_format(struct qmi_request *r, const struct qmi_wda_format *f,
			     const struct qmi_endpoint *ep);
void qmi_wda_data_format(const struct qmi_message *m, struct qmi_wda_format *f);

/*
 * Makes the modem send uplink packets back @factor times each, for measurements without a network;
 * 0: switches that off.
 */
void qmi_wda_set_loopback(struct qmi_request *r, uint32_t factor);

#endif
