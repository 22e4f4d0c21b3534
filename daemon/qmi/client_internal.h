/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a channel that nudge.c uses. */
#ifndef QMAP_QMI_CLIENT_INTERNAL_H
#define QMAP_QMI_CLIENT_INTERNAL_H

#include <stdbool.h>

struct event_base;
struct qmi_channel;
struct qmi_client;

struct event_base *qmi_channel_base(const struct qmi_channel *ch);
/* Is a request of any client but @except (may be NULL) open? */
bool qmi_channel_waits(const struct qmi_channel *ch, const struct qmi_client *except);

#endif
