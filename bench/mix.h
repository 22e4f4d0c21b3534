/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aggregates as modems send them, for measurements. */
#ifndef BENCH_MIX_H
#define BENCH_MIX_H

#include "tests/vm/packets.h"

#define MIX_MUX 0x81 /* of the first PDN */

struct mix {
	const char *name;
	unsigned int frames, len; /* bytes of an IP packet; 0: IMIX */
	unsigned int pdns;	  /* that take turns */
};

/*
 * UDP over IPv4 with good checksums that the modem has verified. The caller frees it; NULL without
 * memory.
 */
struct aggregate *mix_make(const struct mix *m, int version);

/* Bytes of IP packet in frame @i. */
unsigned int mix_packet_len(const struct mix *m, unsigned int i);

/* Offset of frame @i in an aggregate from mix_make(). */
size_t mix_frame_at(const struct mix *m, int version, unsigned int i);

#endif
