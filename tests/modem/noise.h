/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Malformed aggregates and malformed QMI messages, in numbers; the same seed gives the same bytes.
 *
 * Malformed aggregates are made of packets of their own, to a port where nobody listens, never of
 * live traffic: a damaged copy of that could be delivered a second time, or with a wrong byte that
 * a v5 header vouches for, and the test could not tell harm from noise.
 */
#ifndef MODEM_NOISE_H
#define MODEM_NOISE_H

#include "modem.h"

#include <json-c/json.h>

/* UDP port of malformed aggregates' packets; their payload is pattern.h's, stream 0xffff. */
#define NOISE_PORT 7009

int noise_new(struct modem *m);
void noise_free(struct modem *m);

/*
 * `count` malformed aggregates of one kind, or (NULL) of all kinds by turns. Sent at once. Returns
 * 0; -EINVAL: no such kind; -ENOTCONN: no call is up; -EOPNOTSUPP: QMAP is off, or not in the
 * version that the kind belongs to.
 */
int noise_aggregates(struct modem *m, const char *kind, uint64_t count, uint32_t seed);

/* Blank-separated, for error messages and --help. */
const char *noise_kinds(void);

/*
 * `count` malformed QMI messages to all hosts, as fast as they read. Where `framing`, the QMUX
 * marker and length are right, so that a stream's reader stays in step, and the rest is not.
 */
void noise_messages(struct modem *m, uint64_t count, uint32_t seed, bool framing);

/* Some more messages. True if there is more to do at once. */
bool noise_round(struct modem *m);

struct json_object *noise_json(const struct modem *m);

#endif
