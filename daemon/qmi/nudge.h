/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that stay in a modem until something else pushes them out.
 *
 * cdc-wdm fetches one message for each notification, and forgets the notifications that it has not
 * got round to when the device is closed (kernel drivers/usb/class/cdc-wdm.c, wdm_release() sets
 * resp_count to 0). What whoever had it open last had not yet been given, because it was killed,
 * stays in the modem: from then on every notification fetches an older message than the one it
 * stands for. Answers come when the next request is answered, which may be never.
 *
 * So a request that is not answered for a while is followed by one of no consequence, a nudge (CTL
 * Get Version Info), whose notification fetches the answer. A nudge that is itself answered at
 * once, with nothing sent after it, shows that the modem holds nothing back, and was the last.
 */
#ifndef QMAP_QMI_NUDGE_H
#define QMAP_QMI_NUDGE_H

#include <stdbool.h>

struct qmi_channel;
struct qmi_client;
struct qmi_nudge;

/* Of @ch, whose qmi_channel_free() frees the client behind it. -ENOMEM. */
int qmi_nudge_new(struct qmi_nudge **out, struct qmi_channel *ch);
void qmi_nudge_free(struct qmi_nudge **n);

/* A request of @c has left; of NULL: somebody else's. */
void qmi_nudge_sent(struct qmi_nudge *n, const struct qmi_client *c);
/* A message has come, and was handed out. */
void qmi_nudge_received(struct qmi_nudge *n);
/* A response has come that nobody waits for: it was fetched in place of another message. */
void qmi_nudge_stale(struct qmi_nudge *n);
/* A request was not answered in time. */
void qmi_nudge_doubt(struct qmi_nudge *n);

#endif
