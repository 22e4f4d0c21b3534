// SPDX-License-Identifier: GPL-2.0-or-later
#include "dms.h"

#define TLV_STRING 0x01

bool qmi_dms_string(const struct qmi_message *m, char *s, size_t size)
{
	return qmi_tlv_string(m->tlvs, TLV_STRING, s, size) && *s;
}
