/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Malformed aggregates and malformed QMI messages in large numbers; the same seed gives the same
 * bytes.
 *
 * Malformed aggregates contain packets of their own, to a port without a listener, never copies of
 * live traffic: a damaged copy could be delivered a second time, or with a wrong byte that a v5
 * header declares good, and the test could not tell that from a fault of the host.
 */
#ifndef MODEM_NOISE_H
#define MODEM_NOISE_H

#include "modem.h"

#include <json-c/json.h>

/* UDP port of packets in malformed aggregates; their payload is pattern.h's, stream 0xffff. */
#define NOISE_PORT 7009

int noise_new(struct modem *m);
void noise_free(struct modem *m);

/*
 * Sends `count` malformed aggregates of one kind, or (NULL) of all kinds by turns, at once. Returns
 * 0; -EINVAL: no such kind; -ENOTCONN: no call is up; -EOPNOTSUPP: QMAP is off, or has another
 * version than the kind needs.
 */
int noise_aggregates(struct modem *m, const char *kind, uint64_t count, uint32_t seed);

/* Names separated by blanks, for error messages and --help. */
const char *noise_kinds(void);

/*
 * Sends `count` malformed QMI messages to all hosts, as fast as they read. With `framing`, QMUX
 * marker and length are valid, so that a reader keeps in step, and the rest is not.
 */
void noise_messages(struct modem *m, uint64_t count, uint32_t seed, bool framing);

/* Sends some more messages. True if there are more to send at once. */
bool noise_round(struct modem *m);

struct json_object *noise_json(const struct modem *m);

#endif
