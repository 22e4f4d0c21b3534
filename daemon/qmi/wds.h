/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wireless data service: data calls. One client holds one call of one IP family. */
#ifndef QMAP_QMI_WDS_H
#define QMAP_QMI_WDS_H

#include "client.h"
#include "wda.h"

#define QMI_WDS_START_NETWORK	     0x0020
#define QMI_WDS_STOP_NETWORK	     0x0021
#define QMI_WDS_PACKET_STATUS	     0x0022 /* also an indication */
#define QMI_WDS_GET_CURRENT_SETTINGS 0x002d
#define QMI_WDS_SET_IP_FAMILY	     0x004d
#define QMI_WDS_BIND_MUX_DATA_PORT   0x00a2
#define QMI_WDS_TLV_BIND_MUX	     0x11 /* in that request: u8 mux id */

/* Means the call of this client, for a call whose handle is unknown. */
#define QMI_WDS_ANY_HANDLE 0xffffffff

/*
 * Arguments of Start Network; empty strings and an @auth of 255 leave the choice to the modem's
 * profile.
 */
struct qmi_wds_call {
	const char *apn, *user, *password;
	uint8_t auth;	 /* bits: 1 PAP, 2 CHAP */
	uint8_t family;	 /* 4 or 6 */
	uint8_t profile; /* number of a 3GPP profile; 0: the modem's default */
};

#define QMI_WDS_AUTH_PROFILE 255

enum qmi_wds_status {
	QMI_WDS_DISCONNECTED = 1,
	QMI_WDS_CONNECTED = 2,
	QMI_WDS_SUSPENDED = 3,
	QMI_WDS_AUTHENTICATING = 4,
};

/* Type of a verbose call end reason. */
enum qmi_wds_end_type {
	QMI_WDS_END_MIP = 1,
	QMI_WDS_END_INTERNAL = 2,
	QMI_WDS_END_CALL_MANAGER = 3,
	QMI_WDS_END_3GPP = 6,
	QMI_WDS_END_PPP = 7,
	QMI_WDS_END_EHRPD = 8,
	QMI_WDS_END_IPV6 = 9,
};

/* Why a call ended; zero for values that the modem does not report. */
struct qmi_wds_end {
	uint16_t reason;
	uint16_t verbose_type; /* enum qmi_wds_end_type */
	uint16_t verbose_reason;
};

struct qmi_wds_packet_status {
	uint8_t status;	  /* enum qmi_wds_status; 0 if missing */
	bool reconfigure; /* indication: settings have changed, read them again */
	uint8_t family;	  /* indication: 4 or 6, the call's family; 0: missing */
	struct qmi_wds_end end;
};

#define QMI_WDS_HAS_ADDRESS 0x01
#define QMI_WDS_HAS_GATEWAY 0x02

/* One family of Get Current Settings, addresses in network byte order. */
struct qmi_wds_settings {
	unsigned int has; /* QMI_WDS_HAS_* */
	uint8_t address[16], gateway[16];
	unsigned int prefix;
	unsigned int ndns;
	uint8_t dns[2][16];
	uint32_t mtu; /* 0: missing */
};

/* @mux: mux id of the PDN of this client's call. Must be sent before Start Network. */
void qmi_wds_bind_mux_data_port(struct qmi_request *r, const struct qmi_endpoint *ep, uint8_t mux);
void qmi_wds_set_ip_family(struct qmi_request *r, uint8_t family);
void qmi_wds_start_network(struct qmi_request *r, const struct qmi_wds_call *call);
void qmi_wds_stop_network(struct qmi_request *r, uint32_t handle);
void qmi_wds_get_current_settings(struct qmi_request *r);

bool qmi_wds_handle(const struct qmi_message *m, uint32_t *handle);
/* Reads the two TLVs that a refusal of Start Network and the packet status indication share. */
void qmi_wds_end(const struct qmi_message *m, struct qmi_wds_end *end);
/* Reads a response or indication. */
void qmi_wds_packet_status(const struct qmi_message *m, struct qmi_wds_packet_status *s);
/* Reads settings. s->has lacks those that are missing or invalid (an address of zero). */
void qmi_wds_settings(const struct qmi_message *m, int family, struct qmi_wds_settings *s);

#endif
