/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types of the table's rows: how aggregates are put together. For fixtures.c alone. */
#ifndef TESTS_FIXTURE_TABLE_H
#define TESTS_FIXTURE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "qmap/abi.h"

enum piece_kind {
	PIECE_PACKET,  /* header, the version's further headers or trailer, packet, pad */
	PIECE_COMMAND, /* the same around .hex */
	PIECE_RAW,     /* .hex is the whole frame, headers included */
	PIECE_FILL,    /* .len zeroes that belong to no frame, because the walk has ended */
};

/* For .drop: reason for which the walker drops the frame; zero is a good frame. */
#define DROPS(reason) (QMAP_DROP_##reason + 1)

/* .v5: no v5 header, although the version is 5. */
#define NO_V5 0xff

/* Zero in a member means its default. */
struct piece {
	enum piece_kind kind;
	uint8_t mux;
	uint8_t first; /* first byte of the packet; default 0x45 */
	uint8_t flags; /* or-ed into the first byte of the QMAP header */
	uint8_t pad;   /* bytes of pad */
	/* first byte of the v5 header; default 0x04: checksum header, the last one */
	uint8_t v5;
	uint8_t csum;	/* enum qmap_csum that the modem reports */
	uint8_t hlen;	/* PIECE_RAW: bytes of header; default 4 */
	uint8_t drop;	/* DROPS() */
	uint8_t flow;	/* enum fixture_flow */
	bool refused;	/* a command that the program does not understand */
	uint16_t len;	/* bytes of packet */
	uint16_t step;	/* length difference between the frames of .times */
	uint16_t times; /* 1 */
	const char *hex;
};

#define V1  (1u << QMAP_V1)
#define V4  (1u << QMAP_V4)
#define V5  (1u << QMAP_V5)
#define ALL (V1 | V4 | V5)

enum row_every {
	ROW_ONCE,
	ROW_EVERY_BYTE,	 /* cut to every length, one fixture each */
	ROW_EVERY_COUNT, /* its one piece repeated 1 to 65 times, one fixture each */
};

struct row {
	const char *name;
	unsigned int versions; /* V1, V4, V5: one fixture each */
	enum row_every every;
	const struct piece *pieces;
	unsigned int npieces;
};

extern const struct row fixture_table[];
extern const unsigned int fixture_table_rows;

#endif
