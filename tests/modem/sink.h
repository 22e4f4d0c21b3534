/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes uplink datagrams with the test pattern, compares and counts them. */
#ifndef MODEM_SINK_H
#define MODEM_SINK_H

#include "modem.h"

struct sink_counters {
	uint64_t ok;	  /* all bytes correct */
	uint64_t bad;	  /* a byte differs */
	uint64_t missing; /* gaps in the sequence that are still open */
	uint64_t late;	  /* after a later one, or twice */
};

int sink_new(struct modem *m);
void sink_free(struct modem *m);

/* Handles a good uplink packet. True if the sink took it; it does not go to the network then. */
bool sink_take(struct modem *m, const struct pdn *pdn, const uint8_t *packet, size_t len);

struct sink_counters sink_counters(const struct modem *m, const struct pdn *pdn);
void sink_reset(struct modem *m);

#endif
