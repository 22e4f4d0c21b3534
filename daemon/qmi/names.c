// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.h"

#include <stddef.h>
#include <string.h>

#include "util/array.h"
#include "names_table.h"

static const struct qmi_name services[] = {
	{0x00, "CTL"},	 {0x01, "WDS"},	  {0x02, "DMS"},   {0x03, "NAS"},     {0x04, "QOS"},
	{0x05, "WMS"},	 {0x06, "PDS"},	  {0x07, "AUTH"},  {0x08, "AT"},      {0x09, "VOICE"},
	{0x0a, "CAT2"},	 {0x0b, "UIM"},	  {0x0c, "PBM"},   {0x0d, "QCHAT"},   {0x0e, "RMTFS"},
	{0x0f, "TEST"},	 {0x10, "LOC"},	  {0x11, "SAR"},   {0x12, "IMS"},     {0x13, "ADC"},
	{0x14, "CSD"},	 {0x15, "MFS"},	  {0x16, "TIME"},  {0x17, "TS"},      {0x18, "TMD"},
	{0x19, "SAP"},	 {0x1a, "WDA"},	  {0x1b, "TSYNC"}, {0x1c, "RFSA"},    {0x1d, "CSVT"},
	{0x1e, "QCMAP"}, {0x1f, "IMSP"},  {0x20, "IMSVT"}, {0x21, "IMSA"},    {0x22, "COEX"},
	{0x24, "PDC"},	 {0x26, "STX"},	  {0x27, "BIT"},   {0x28, "IMSRTP"},  {0x29, "RFRPE"},
	{0x2a, "DSD"},	 {0x2b, "SSCTL"}, {0x2f, "DPM"},   {0x32, "UIM_RMT"}, {0x47, "UIM_HTTP"},
	{0xe0, "CAT"},	 {0xe1, "RMS"},	  {0xe2, "OMA"},   {0xe3, "FOX"},     {0xe6, "FOTA"},
	{0xe7, "GMS"},	 {0xe8, "GAS"},	  {0xed, "ATR"},   {0, NULL},
};

static const struct qmi_name types[] = {
	{QMI_REQUEST, "request"},
	{QMI_RESPONSE, "response"},
	{QMI_INDICATION, "indication"},
	{0, NULL},
};

static const struct qmi_name link_protocols[] = {
	{1, "802.3"},
	{2, "raw_ip"},
	{3, "ethernet_pdu"},
	{0, NULL},
};

static const struct qmi_name aggregations[] = {
	{0, "off"},	{1, "tlp"},	{2, "ncm"},	{3, "mbim"},
	{4, "rndis"},	{5, "qmap_v1"}, {6, "qmap_v2"}, {7, "qmap_v3"},
	{8, "qmap_v4"}, {9, "qmap_v5"}, {0, NULL},
};

static const struct qmi_name endpoints[] = {
	{1, "hsic"},	 {2, "hsusb"},	  {3, "pcie"}, {4, "embedded"},
	{5, "bam_dmux"}, {6, "ethernet"}, {0, NULL},
};

static const struct qmi_name families[] = {
	{4, "ipv4"}, {6, "ipv6"}, {8, "unspecified"}, {12, "ethernet"}, {0, NULL},
};

static const struct qmi_name statuses[] = {
	{1, "disconnected"}, {2, "connected"}, {3, "suspended"}, {4, "authenticating"}, {0, NULL},
};

static const struct qmi_name auths[] = {
	{0, "none"}, {1, "pap"}, {2, "chap"}, {3, "pap_or_chap"}, {0, NULL},
};

static const struct qmi_name pdp_types[] = {
	{0, "ipv4"}, {1, "ppp"}, {2, "ipv6"}, {3, "ipv4v6"}, {4, "non_ip"}, {0, NULL},
};

static const struct qmi_name technologies[] = {
	{0, "3gpp"},
	{1, "3gpp2"},
	{0, NULL},
};

static const struct qmi_name extended_technologies[] = {
	{0x8001, "cdma"},
	{0x8004, "umts"},
	{0x8880, "epc"},
	{0x8882, "embms"},
	{0x8888, "modem_link_local"},
	{0, NULL},
};

static const struct qmi_name client_types[] = {
	{1, "tethered"},
	{0, NULL},
};

static const struct qmi_name operating_modes[] = {
	{0, "online"},
	{1, "low_power"},
	{2, "factory_test"},
	{3, "offline"},
	{4, "reset"},
	{5, "shutting_down"},
	{6, "persistent_low_power"},
	{7, "mode_only_low_power"},
	{0, NULL},
};

static const struct qmi_name registrations[] = {
	{0, "not_registered"}, {1, "registered"}, {2, "searching"},
	{3, "denied"},	       {4, "unknown"},	  {0, NULL},
};

static const struct qmi_name attachments[] = {
	{0, "unknown"},
	{1, "attached"},
	{2, "detached"},
	{0, NULL},
};

static const struct qmi_name radios[] = {
	{0, "none"}, {1, "cdma_1x"}, {2, "cdma_1xevdo"}, {3, "amps"},  {4, "gsm"},
	{5, "umts"}, {8, "lte"},     {9, "td_scdma"},	 {12, "5gnr"}, {0, NULL},
};

static const struct qmi_name results[] = {
	{0, "success"},
	{1, "failure"},
	{0, NULL},
};

static const struct {
	const char *name;
	const struct qmi_name *values;
} enums[] = {
	{"service", services},
	{"link", link_protocols},
	{"aggregation", aggregations},
	{"endpoint", endpoints},
	{"family", families},
	{"status", statuses},
	{"auth", auths},
	{"pdp", pdp_types},
	{"technology", technologies},
	{"extended_technology", extended_technologies},
	{"client_type", client_types},
	{"operating_mode", operating_modes},
	{"registration", registrations},
	{"attachment", attachments},
	{"radio", radios},
	{"result", results},
	{"error", qmi_names_error},
	{"end", qmi_names_end_simple},
	{"end_type", qmi_names_end_type},
};

static const char *find(const struct qmi_name *n, uint32_t value)
{
	for (; n->name; n++)
		if (n->value == value)
			return n->name;
	return NULL;
}

const char *qmi_enum_name(const char *enumeration, uint32_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(enums); i++)
		if (!strcmp(enums[i].name, enumeration))
			return find(enums[i].values, value);
	return NULL;
}

const char *qmi_service_name(uint8_t service)
{
	return find(services, service);
}

const char *qmi_type_name(enum qmi_type type)
{
	return find(types, type);
}

const char *qmi_message_name(uint8_t service, uint16_t id)
{
	switch (service) {
	case QMI_CTL:
		return find(qmi_names_ctl, id);
	case QMI_WDS:
		return find(qmi_names_wds, id);
	case QMI_DMS:
		return find(qmi_names_dms, id);
	case QMI_NAS:
		return find(qmi_names_nas, id);
	case QMI_UIM:
		return find(qmi_names_uim, id);
	case QMI_WDA:
		return find(qmi_names_wda, id);
	default:
		return NULL;
	}
}

const char *qmi_error_name(uint16_t error)
{
	return find(qmi_names_error, error);
}

const char *qmi_end_name(uint16_t reason)
{
	return find(qmi_names_end_simple, reason);
}

const char *qmi_end_type_name(uint16_t type)
{
	return find(qmi_names_end_type, type);
}

const char *qmi_end_verbose_name(uint16_t type, uint16_t reason)
{
	static const struct {
		uint16_t type;
		const struct qmi_name *reasons;
	} by_type[] = {
		{1, qmi_names_end_mip},		 {2, qmi_names_end_internal},
		{3, qmi_names_end_call_manager}, {6, qmi_names_end_3gpp},
		{7, qmi_names_end_ppp},		 {8, qmi_names_end_ehrpd},
		{9, qmi_names_end_ipv6},
	};

	for (size_t i = 0; i < ARRAY_SIZE(by_type); i++)
		if (by_type[i].type == type)
			return find(by_type[i].reasons, reason);
	return NULL;
}
