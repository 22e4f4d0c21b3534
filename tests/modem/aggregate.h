/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Downlink: builds aggregates from packets.
 *
 * An aggregate is sent when the next frame would exceed the negotiated bytes or datagrams, and when
 * no PDN has more packets to read; with --hold, at the latest that many microseconds after its
 * first frame instead.
 */
#ifndef MODEM_AGGREGATE_H
#define MODEM_AGGREGATE_H

#include "modem.h"

int aggregator_new(struct modem *m);
void aggregator_free(struct modem *m);

/* Sends one IP packet to the host on this PDN. With QMAP off it leaves at once and unframed. */
void aggregate_add(struct modem *m, struct pdn *pdn, const uint8_t *packet, size_t len);

/*
 * Frames `packet` into `buf` (MAX_TRANSFER bytes). Returns the frame's length; 0 if it does not
 * fit.
 */
size_t aggregate_frame(const struct modem *m, uint8_t mux, const uint8_t *packet, size_t len,
		       uint8_t *buf, size_t room);

/* Sends a QMAP command in an aggregate of its own. `body` follows the command header. */
void aggregate_command(struct modem *m, uint8_t mux, uint8_t name, uint32_t transaction,
		       const uint8_t *body, size_t len);

/* The network side has no more packets at the moment. */
void aggregate_idle(struct modem *m);

void aggregate_flush(struct modem *m);

/* Sets how later frames get the checksum-valid bit (v5) or trailer (v4): as computed, or never. */
void aggregate_set_checksums(struct modem *m, bool on);

#endif
