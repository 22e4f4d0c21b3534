/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nudge.c needs to know of a channel. */
#ifndef QMAP_QMI_CLIENT_INTERNAL_H
#define QMAP_QMI_CLIENT_INTERNAL_H

#include <stdbool.h>

struct event_base;
struct qmi_channel;
struct qmi_client;

struct event_base *qmi_channel_base(const struct qmi_channel *ch);
/* Does a request of any client but @except (may be NULL) wait for its answer? */
bool qmi_channel_waits(const struct qmi_channel *ch, const struct qmi_client *except);

#endif
