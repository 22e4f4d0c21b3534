/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identifies the modem behind a channel, and its data interface that belongs to the channel. */
#ifndef QMAP_SESSION_ENDPOINT_H
#define QMAP_SESSION_ENDPOINT_H

#include "qmi/models.h"
#include "qmi/wda.h"

struct qmi_channel;

/* By the device's id, or else by the modem's strings; never NULL. */
const struct qmi_model *endpoint_model(const struct qmi_channel *ch, const char *model,
				       const char *revision);
struct qmi_endpoint endpoint_find(const struct qmi_channel *ch, const struct qmi_model *model);

#endif
