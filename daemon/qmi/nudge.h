/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gets messages out of a modem that would otherwise stay there.
 *
 * cdc-wdm fetches one message for each notification, and drops pending notifications when the
 * device is closed (kernel drivers/usb/class/cdc-wdm.c, wdm_release() sets resp_count to 0).
 * Messages that the last process with the device open had not fetched, because it was killed, stay
 * in the modem: from then on every notification fetches an older message than its own. Answers
 * arrive when the next request is answered, which may be never.
 *
 * So the channel sends a harmless request, a nudge (CTL Get Version Info), after a request that is
 * not answered for a while; the notification of the nudge fetches the answer. A nudge that is
 * itself answered at once, with no other request sent after it, shows that the modem holds nothing
 * back; it is the last one.
 */
#ifndef QMAP_QMI_NUDGE_H
#define QMAP_QMI_NUDGE_H

#include <stdbool.h>

struct qmi_channel;
struct qmi_message;
struct qmi_client;
struct qmi_nudge;

/* Nudges on @ch; qmi_channel_free() frees the client that they use. -ENOMEM. */
int qmi_nudge_new(struct qmi_nudge **out, struct qmi_channel *ch);
void qmi_nudge_free(struct qmi_nudge **n);

/* @c has sent a request; NULL: another program has. */
void qmi_nudge_sent(struct qmi_nudge *n, const struct qmi_client *c);
/* A message was received and handed out. */
void qmi_nudge_received(struct qmi_nudge *n);
/* Response @m arrived that no request waits for: it was fetched in place of another message. */
void qmi_nudge_stale(struct qmi_nudge *n, const struct qmi_message *m);
/* A request was not answered in time. */
void qmi_nudge_doubt(struct qmi_nudge *n);

#endif
