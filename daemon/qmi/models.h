/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known about modems before asking them. */
#ifndef QMAP_QMI_MODELS_H
#define QMAP_QMI_MODELS_H

#include <stdbool.h>

struct qmi_model {
	const char *prefix;	   /* of model or revision; NULL: any other modem */
	bool forces_qmap;	   /* sends QMAP whatever it was told */
	unsigned int dl_max_bytes; /* aggregate that it likes to send */
	unsigned int interface;	   /* USB interface of its data endpoint */
};

/*
 * By what DMS says of itself. Quectel modems tend to give "QUECTEL Mobile Broadband Module" as
 * model and the real one as the beginning of the revision, so both are looked at. Never NULL.
 */
const struct qmi_model *qmi_model_find(const char *model, const char *revision);

#endif
