/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers as a recorded modem did (qmapctl record). A request gets the answer that the same request
 * got then, each recorded one once, the last one for ever; indications follow the answers that they
 * followed. A request that was not recorded is not supported.
 */
#ifndef MODEM_REPLAY_H
#define MODEM_REPLAY_H

#include "modem.h"
#include "qmux.h"

struct conn;

/* Reads the recording. -EINVAL: no recording, or without a request; errors of open(2). */
int replay_new(struct modem *m, const char *path);
void replay_free(struct modem *m);

/* Answers a request; false: there is no such request in the recording. */
bool replay_answer(struct modem *m, struct conn *conn, const struct qmi_msg *req);

/* Sends the recorded aggregates from the modem to the host. Returns their number. */
unsigned int replay_aggregates(struct modem *m);

#endif
