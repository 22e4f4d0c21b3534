/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Downlink: packets into aggregates.
 *
 * An aggregate is sent when the next frame would go beyond the negotiated bytes or datagrams, when
 * all PDNs have nothing more to read, or, with --hold, that many microseconds after its first
 * frame at the latest instead.
 */
#ifndef MODEM_AGGREGATE_H
#define MODEM_AGGREGATE_H

#include "modem.h"

int aggregator_new(struct modem *m);
void aggregator_free(struct modem *m);

/* One IP packet for the host on this PDN. With QMAP off it is sent at once as it is. */
void aggregate_add(struct modem *m, struct pdn *pdn, const uint8_t *packet, size_t len);

/* Frame `packet` into `buf` (MAX_TRANSFER bytes). Returns its length; 0 if it does not fit. */
size_t aggregate_frame(const struct modem *m, uint8_t mux, const uint8_t *packet, size_t len,
		       uint8_t *buf, size_t room);

/* Send a QMAP command on its own. `body` follows the command header. */
void aggregate_command(struct modem *m, uint8_t mux, uint8_t name, uint32_t transaction,
		       const uint8_t *body, size_t len);

/* The network side has nothing more just now. */
void aggregate_idle(struct modem *m);

void aggregate_flush(struct modem *m);

/* The checksum-valid bit (v5) or trailer (v4) of what follows: as computed, or never set. */
void aggregate_set_checksums(struct modem *m, bool on);

#endif
