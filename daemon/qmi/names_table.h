/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables behind names.h. Each list ends with a NULL name. */
#ifndef QMAP_QMI_NAMES_TABLE_H
#define QMAP_QMI_NAMES_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct qmi_name {
	uint32_t value;
	const char *name;
};

extern const struct qmi_name qmi_names_error[];

extern const struct qmi_name qmi_names_end_simple[];
extern const struct qmi_name qmi_names_end_type[];
extern const struct qmi_name qmi_names_end_mip[];
extern const struct qmi_name qmi_names_end_internal[];
extern const struct qmi_name qmi_names_end_call_manager[];
extern const struct qmi_name qmi_names_end_3gpp[];
extern const struct qmi_name qmi_names_end_ppp[];
extern const struct qmi_name qmi_names_end_ehrpd[];
extern const struct qmi_name qmi_names_end_ipv6[];

/* Message ids. */
extern const struct qmi_name qmi_names_ctl[];
extern const struct qmi_name qmi_names_wds[];
extern const struct qmi_name qmi_names_dms[];
extern const struct qmi_name qmi_names_nas[];
extern const struct qmi_name qmi_names_uim[];
extern const struct qmi_name qmi_names_wda[];

#endif
