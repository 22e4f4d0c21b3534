/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network access service: registration and signal. */
#ifndef QMAP_QMI_NAS_H
#define QMAP_QMI_NAS_H

#include "client.h"

#define QMI_NAS_REGISTER_INDICATIONS 0x0003
#define QMI_NAS_GET_SIGNAL_STRENGTH  0x0020 /* for modems without 0x004f */
#define QMI_NAS_SERVING_SYSTEM	     0x0024 /* also an indication */
#define QMI_NAS_GET_SIGNAL_INFO	     0x004f
#define QMI_NAS_CONFIG_SIGNAL_INFO   0x0050
#define QMI_NAS_SIGNAL_INFO	     0x0051 /* indication */
#define QMI_NAS_CONFIG_SIGNAL_V2     0x006c

enum qmi_nas_registration {
	QMI_NAS_NOT_REGISTERED = 0,
	QMI_NAS_REGISTERED = 1,
	QMI_NAS_SEARCHING = 2,
	QMI_NAS_DENIED = 3,
	QMI_NAS_UNKNOWN = 4,
};

/* Attachment to the circuit or packet switched service. */
enum qmi_nas_attach {
	QMI_NAS_ATTACH_UNKNOWN = 0,
	QMI_NAS_ATTACHED = 1,
	QMI_NAS_DETACHED = 2,
};

enum qmi_nas_radio {
	QMI_NAS_RADIO_NONE = 0,
	QMI_NAS_RADIO_CDMA_1X = 1,
	QMI_NAS_RADIO_EVDO = 2,
	QMI_NAS_RADIO_AMPS = 3,
	QMI_NAS_RADIO_GSM = 4,
	QMI_NAS_RADIO_UMTS = 5,
	QMI_NAS_RADIO_LTE = 8,
	QMI_NAS_RADIO_TD_SCDMA = 9,
	QMI_NAS_RADIO_5GNR = 12,
};

struct qmi_nas_serving {
	uint8_t registration;  /* enum qmi_nas_registration */
	uint8_t packet_attach; /* enum qmi_nas_attach */
	uint8_t radio;	       /* enum qmi_nas_radio: first in the modem's list */
	bool roaming_reported, roaming;
	uint16_t mcc, mnc; /* 0: unknown */
	char network[48];  /* the network's name; empty: unknown */
};

#define QMI_NAS_NOT_REPORTED INT16_MIN

/* Signal of one radio interface; QMI_NAS_NOT_REPORTED for values that the modem does not report. */
struct qmi_nas_signal {
	uint8_t radio; /* enum qmi_nas_radio */
	int rssi;      /* dBm */
	int rsrp;      /* dBm */
	int rsrq;      /* dB */
	int snr;       /* tenths of dB */
};

#define QMI_NAS_MAX_SIGNALS 4

/* Subscribes to indications of the serving system. */
void qmi_nas_register_indications(struct qmi_request *r);
/*
 * Subscribes to signal indications. The modem sends one when the signal changes by the amount set
 * with one of the two functions below; other subscriptions do not change.
 */
void qmi_nas_register_signal(struct qmi_request *r);
/* Report changes of @db or more; supported by modems with 5G. */
void qmi_nas_config_signal_delta(struct qmi_request *r, unsigned int db);
/* Report changes across one of a row of levels @db apart: GSM, UMTS and LTE. */
void qmi_nas_config_signal_levels(struct qmi_request *r, unsigned int db);

/*
 * Reads a response or indication. Members of @s that @m does not contain stay unchanged. False: @m
 * has no serving system.
 */
bool qmi_nas_serving_system(const struct qmi_message *m, struct qmi_nas_serving *s);

/* Reads any of the signal messages. Returns the number of @signals filled in, best radio first. */
unsigned int qmi_nas_signals(const struct qmi_message *m,
			     struct qmi_nas_signal signals[QMI_NAS_MAX_SIGNALS]);

/* Return "searching", "lte"; "unknown" for a value without a name. */
const char *qmi_nas_registration_name(uint8_t registration);
const char *qmi_nas_radio_name(uint8_t radio);

#endif
