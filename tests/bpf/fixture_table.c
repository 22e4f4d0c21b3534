// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of fixtures. Ports 0x01, 0x81, 0x82, 0x83 and 0xfe are up, 0x84 is down, no other
 * exists (fixture_port()).
 */
#include <stdbool.h>

#include "bpf/walk.h"
#include "fixture_table.h"
#include "fixtures.h"

/*
 * Complete packets with good checksums, from documentation addresses: UDP "qmap", and an ICMPv6
 * echo request "ping!".
 */
#define UDP4 "45000020000100004011f6c8c0000201c00002020fa01388000c85cc716d6170"
#define ICMP6                                                                                      \
	"60000000000d3a4020010db800000000000000000000000120010db80000000000000000000000028000246f" \
	"0001000270696e6721"

/* name, type, reserved, transaction; then IP family, reserved, sequence, QoS id */
#define FLOW_DISABLE                                                                               \
	"0100000000000007"                                                                         \
	"0300000000000000"
#define FLOW_ENABLE                                                                                \
	"0200000000000008"                                                                         \
	"0300000100000000"

#define PIECES(...)                                                                                \
	.pieces = (const struct piece[]){__VA_ARGS__},                                             \
	.npieces = sizeof((const struct piece[]){__VA_ARGS__}) / sizeof(struct piece)

#define GOOD(m, n)                                                                                 \
	{                                                                                          \
		.mux = (m), .len = (n)                                                             \
	}

const struct row fixture_table[] = {
	{"one frame", ALL, PIECES(GOOD(0x81, 40))},
	{"1 to 65 frames", ALL, .every = ROW_EVERY_COUNT, PIECES(GOOD(0x81, 40))},
	{"pads 0 to 3 and 63", ALL,
	 PIECES(GOOD(0x81, 40), {.mux = 0x81, .len = 43, .pad = 1},
		{.mux = 0x81, .len = 42, .pad = 2}, {.mux = 0x81, .len = 41, .pad = 3},
		{.mux = 0x81, .len = 41, .pad = 63}, GOOD(0x81, 40))},
	{"40 to 103 bytes", ALL, PIECES({.mux = 0x81, .len = 40, .step = 1, .times = 64})},
	{"60 to 1500 bytes", ALL, PIECES({.mux = 0x82, .len = 60, .step = 24, .times = 61})},
	{"1461 to 1500 bytes", ALL, PIECES({.mux = 0x83, .len = 1461, .step = 1, .times = 40})},
	{"21 full frames", ALL, PIECES({.mux = 0x81, .len = 1400, .times = 21})},
	{"IPv6", ALL,
	 PIECES({.mux = 0x81, .first = 0x60, .len = 40},
		{.mux = 0x81, .first = 0x6f, .len = 41, .pad = 3},
		{.mux = 0x82, .first = 0x60, .len = 1280},
		{.mux = 0x83, .first = 0x60, .len = 1500})},
	{"five PDNs in turn", ALL,
	 PIECES(GOOD(0x81, 52), GOOD(0x82, 1000), GOOD(0x83, 40), GOOD(0xfe, 44), GOOD(0x01, 48),
		GOOD(0x81, 60), GOOD(0x01, 20))},

	{"UDP and ICMPv6 packets, v1", V1,
	 PIECES({PIECE_RAW, 0x81, .hex = "00810020" UDP4},
		{PIECE_RAW, 0x82, .pad = 3, .hex = "03820038" ICMP6 "000000"})},
	{"UDP and ICMPv6 packets, v4", V4,
	 PIECES({PIECE_RAW, 0x81, .csum = QMAP_CSUM_SUM, .hex = "00810020" UDP4 "00010014000cffff"},
		{PIECE_RAW, 0x82, .pad = 3,
		 .hex = "03820038" ICMP6 "000000"
			"0000000000000000"})},
	{"UDP and ICMPv6 packets, v5", V5,
	 PIECES({PIECE_RAW, 0x81, .hlen = 8, .csum = QMAP_CSUM_VERIFIED,
		 .hex = "40810020"
			"04800000" UDP4},
		{PIECE_RAW, 0x82, .hlen = 8, .pad = 3,
		 .hex = "43820038"
			"04000000" ICMP6 "000000"})},

	{"cut at every byte", ALL, .every = ROW_EVERY_BYTE,
	 PIECES({.mux = 0x81, .len = 23, .pad = 1},
		{PIECE_COMMAND, 0x82, .flow = FIXTURE_FLOW_OFF, .hex = FLOW_DISABLE},
		{.mux = 0x82, .first = 0x60, .len = 40}, {.mux = 0x83, .len = 21, .pad = 3})},
	{"length one byte beyond", ALL,
	 PIECES(GOOD(0x81, 40), {PIECE_RAW, 0x81, .drop = DROPS(LENGTH_BEYOND),
				 .hex = "00810019"
					"45000000"
					"0000000000000000000000000000000000000000"})},
	{"length far beyond", ALL,
	 PIECES(GOOD(0x81, 40),
		{PIECE_RAW, 0x81, .drop = DROPS(LENGTH_BEYOND), .hex = "0081ffff4500000000"},
		GOOD(0x82, 40))},
	{"zero length", ALL,
	 PIECES(GOOD(0x81, 40), {PIECE_RAW, 0x81, .drop = DROPS(ZERO_LENGTH), .hex = "00810000"},
		GOOD(0x82, 40))},
	{"zero length with pad and next header", ALL,
	 PIECES(GOOD(0x81, 40), {PIECE_RAW, 0x81, .drop = DROPS(ZERO_LENGTH), .hex = "7f810000"},
		GOOD(0x82, 40))},
	{"zero length command", ALL,
	 PIECES(GOOD(0x81, 40), {PIECE_RAW, 0x81, .drop = DROPS(ZERO_LENGTH), .hex = "80810000"},
		GOOD(0x82, 40))},
	{"zeroes behind the last frame", ALL,
	 PIECES(GOOD(0x81, 40), {PIECE_RAW, 0x00, .drop = DROPS(ZERO_LENGTH), .hex = "00000000"},
		{PIECE_FILL, .len = 508})},
	{"v4 trailer one byte short", V4,
	 PIECES(GOOD(0x81, 40), {PIECE_RAW, 0x81, .drop = DROPS(TRUNCATED_TRAILER),
				 .hex = "00810020" UDP4 "00010014000cff"})},
	{"v4 without trailers", V4,
	 PIECES(GOOD(0x81, 40),
		{PIECE_RAW, 0x81, .drop = DROPS(TRUNCATED_TRAILER), .hex = "00810020" UDP4})},
	{"v5 header cut off by the end", V5,
	 PIECES(GOOD(0x81, 40),
		{PIECE_RAW, 0x81, .drop = DROPS(TRUNCATED_HEADER), .hex = "40810020048000"})},

	{"pad as long as the frame", ALL,
	 PIECES(GOOD(0x81, 40), {.mux = 0x81, .pad = 4, .drop = DROPS(PAD_LENGTH)},
		{.mux = 0x81, .pad = 63, .drop = DROPS(PAD_LENGTH)}, GOOD(0x82, 44))},
	{"pad longer than the frame, v1", V1,
	 PIECES({PIECE_RAW, 0x81, .drop = DROPS(PAD_LENGTH), .hex = "0881000445000000"},
		GOOD(0x82, 40), {PIECE_RAW, 0x81, .drop = DROPS(PAD_LENGTH), .hex = "3f81000145"})},
	{"pad longer than the frame, v4", V4,
	 PIECES({PIECE_RAW, 0x81, .drop = DROPS(PAD_LENGTH),
		 .hex = "08810004450000000000000000000000"},
		GOOD(0x82, 40))},
	{"pad longer than the frame, v5", V5,
	 PIECES({PIECE_RAW, 0x81, .drop = DROPS(PAD_LENGTH), .hex = "488100040480000045000000"},
		GOOD(0x82, 40))},
	{"pad that leaves less than an IP header", ALL,
	 PIECES({.mux = 0x81, .len = 19, .pad = 21, .drop = DROPS(NOT_IP)},
		{.mux = 0x81, .len = 20, .pad = 20}, GOOD(0x82, 40))},

	{"unknown mux ids", ALL,
	 PIECES(GOOD(0x81, 40), GOOD(0x00, 40), GOOD(0x82, 60), GOOD(0x99, 41), GOOD(0xff, 42),
		GOOD(0x83, 43))},
	{"nothing but unknown mux ids", ALL, PIECES({.mux = 0x99, .len = 40, .times = 10})},
	{"port down", ALL,
	 PIECES(GOOD(0x81, 40), GOOD(0x84, 40), GOOD(0x81, 44), GOOD(0x84, 1400))},
	{"not IP", ALL,
	 PIECES(GOOD(0x81, 40), {.mux = 0x81, .first = 0x50, .len = 40, .drop = DROPS(NOT_IP)},
		{.mux = 0x81, .first = 0x0f, .len = 40, .drop = DROPS(NOT_IP)},
		{.mux = 0x81, .first = 0xff, .len = 1500, .drop = DROPS(NOT_IP)},
		{.mux = 0x81, .len = 19, .drop = DROPS(NOT_IP)},
		{.mux = 0x81, .len = 1, .drop = DROPS(NOT_IP)},
		{.mux = 0x81, .first = 0x60, .len = 39, .drop = DROPS(NOT_IP)},
		{.mux = 0x81, .len = 20}, {.mux = 0x81, .first = 0x60, .len = 40})},
	{"not IP and unknown mux: the packet is looked at first", ALL,
	 PIECES({.mux = 0x99, .first = 0x50, .len = 40, .drop = DROPS(NOT_IP)}, GOOD(0x81, 40))},

	{"commands among data", ALL,
	 PIECES(GOOD(0x81, 40),
		{PIECE_COMMAND, 0x81, .flow = FIXTURE_FLOW_OFF, .hex = FLOW_DISABLE},
		GOOD(0x81, 44), {PIECE_COMMAND, 0x82, .flow = FIXTURE_FLOW_ON, .hex = FLOW_ENABLE},
		GOOD(0x82, 48))},
	{"a command alone", ALL,
	 PIECES({PIECE_COMMAND, 0x81, .flow = FIXTURE_FLOW_OFF, .hex = "0100000000000007"})},
	{"disable, then enable", ALL,
	 PIECES({PIECE_COMMAND, 0x81, .flow = FIXTURE_FLOW_OFF, .hex = FLOW_DISABLE},
		GOOD(0x81, 40),
		{PIECE_COMMAND, 0x81, .flow = FIXTURE_FLOW_ON, .hex = FLOW_ENABLE})},
	{"command with pad", ALL,
	 PIECES({PIECE_COMMAND, 0x83, .pad = 5, .flow = FIXTURE_FLOW_OFF, .hex = FLOW_DISABLE},
		GOOD(0x83, 40))},
	{"command with the next header bit", ALL,
	 PIECES({PIECE_COMMAND, 0x81, .flags = 0x40, .flow = FIXTURE_FLOW_OFF, .hex = FLOW_DISABLE},
		GOOD(0x81, 40))},
	{"unknown commands are refused", ALL,
	 PIECES({PIECE_COMMAND, 0x81, .refused = true, .hex = "0000000000000001"},
		{PIECE_COMMAND, 0x81, .refused = true, .hex = "03000000000000020a0b0c0d"},
		{PIECE_COMMAND, 0x82, .refused = true, .hex = "ff00000000000003"}, GOOD(0x81, 40))},
	{"answers are no requests", ALL,
	 PIECES({PIECE_COMMAND, 0x81, .hex = "0101000000000007"},
		{PIECE_COMMAND, 0x81, .hex = "0202000000000008"},
		{PIECE_COMMAND, 0x81, .hex = "0103000000000009"},
		{PIECE_COMMAND, 0x81, .hex = "7701000000000009"}, GOOD(0x81, 40))},
	{"the type is in two bits", ALL,
	 PIECES({PIECE_COMMAND, 0x81, .flow = FIXTURE_FLOW_OFF, .hex = "01fc000000000007"})},
	{"short commands", ALL,
	 PIECES({PIECE_COMMAND, 0x81, .drop = DROPS(SHORT_COMMAND), .hex = "01000000000000"},
		{PIECE_COMMAND, 0x81, .drop = DROPS(SHORT_COMMAND), .hex = "01"},
		{PIECE_COMMAND, 0x81, .pad = 8, .drop = DROPS(SHORT_COMMAND), .hex = "01000000"},
		{PIECE_COMMAND, 0x81, .pad = 8, .drop = DROPS(PAD_LENGTH), .hex = ""},
		GOOD(0x81, 40))},
	{"command to a PDN that is down", ALL,
	 PIECES({PIECE_COMMAND, 0x84, .flow = FIXTURE_FLOW_OFF, .hex = FLOW_DISABLE},
		GOOD(0x84, 40))},
	{"commands to no PDN", ALL,
	 PIECES({PIECE_COMMAND, 0x00, .hex = FLOW_DISABLE},
		{PIECE_COMMAND, 0x99, .hex = FLOW_ENABLE},
		{PIECE_COMMAND, 0xff, .hex = "7700000000000000"}, GOOD(0x81, 40))},
	{"command longer than an event", ALL,
	 PIECES({PIECE_COMMAND, 0x82, .flow = FIXTURE_FLOW_OFF,
		 .hex = FLOW_DISABLE
		 "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
		 "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f"},
		GOOD(0x82, 40))},
	{"command behind 64 frames", ALL,
	 PIECES({.mux = 0x81, .len = 40, .times = 64},
		{PIECE_COMMAND, 0x81, .flow = FIXTURE_FLOW_OFF, .hex = FLOW_DISABLE},
		GOOD(0x81, 40))},

	{"bit 6 means nothing before v5", V1 | V4,
	 PIECES({.mux = 0x81, .flags = 0x40, .len = 40},
		{.mux = 0x82, .flags = 0x40, .len = 41, .pad = 3})},
	{"v4 sums, valid and not", V4,
	 PIECES({.mux = 0x81, .len = 40, .csum = QMAP_CSUM_SUM}, GOOD(0x81, 40),
		{.mux = 0x82, .len = 41, .pad = 3, .csum = QMAP_CSUM_SUM})},
	{"v5 checksums, verified and not", V5,
	 PIECES({.mux = 0x81, .len = 40, .csum = QMAP_CSUM_VERIFIED}, GOOD(0x81, 40),
		{.mux = 0x82, .len = 41, .pad = 3, .csum = QMAP_CSUM_VERIFIED})},
	{"v5 without a next header", V5,
	 PIECES({.mux = 0x81, .v5 = NO_V5, .len = 40},
		{.mux = 0x81, .v5 = NO_V5, .len = 41, .pad = 3},
		{.mux = 0x82, .len = 40, .csum = QMAP_CSUM_VERIFIED},
		{.mux = 0x82, .v5 = NO_V5, .len = 20})},
	{"v5 headers that carry no plain packet", V5,
	 PIECES({.mux = 0x81, .v5 = 0x02, .len = 60, .drop = DROPS(NEXT_HEADER)}, GOOD(0x81, 40),
		{.mux = 0x81, .v5 = 0x06, .len = 60, .drop = DROPS(NEXT_HEADER)}, GOOD(0x81, 44),
		{.mux = 0x81, .v5 = 0x08, .len = 60, .drop = DROPS(NEXT_HEADER)}, GOOD(0x81, 48),
		{.mux = 0x81, .v5 = 0xfe, .len = 60, .drop = DROPS(NEXT_HEADER)}, GOOD(0x81, 52))},
	{"v5 header of type 0", V5,
	 PIECES({PIECE_RAW, 0x81, .drop = DROPS(NEXT_HEADER),
		 .hex = "40810020"
			"00800000" UDP4},
		GOOD(0x81, 40))},
	{"v5 header of no use and a bad pad: the header is looked at first", V5,
	 PIECES({.mux = 0x81, .v5 = 0x06, .pad = 4, .drop = DROPS(NEXT_HEADER)}, GOOD(0x81, 40))},
	{"v5 headers in a chain", V5,
	 PIECES({.mux = 0x81, .v5 = 0x05, .len = 60, .drop = DROPS(NEXT_HEADER)}, GOOD(0x81, 40),
		{.mux = 0x81, .v5 = 0x03, .len = 60, .drop = DROPS(NEXT_HEADER)}, GOOD(0x81, 44))},
	{"v5 coalescing header cut off by the end", V5,
	 PIECES(GOOD(0x81, 40), {PIECE_RAW, 0x81, .drop = DROPS(LENGTH_BEYOND),
				 .hex = "40810020"
					"02000000" UDP4})},

	/* 65280 / 5, the walk's limit in the BPF program */
	{"13056 smallest frames", V1,
	 PIECES({.mux = 0x81, .len = 1, .times = 13056, .drop = DROPS(NOT_IP)})},
	{"as many bytes as are looked at", V1,
	 PIECES({.mux = 0x81, .len = 1500, .times = 43}, GOOD(0x81, 604))},
	{"a frame behind what is looked at", V1,
	 PIECES({.mux = 0x81, .len = 1500, .times = 43}, GOOD(0x81, 604),
		{PIECE_RAW, 0x81, .drop = DROPS(LENGTH_BEYOND), .hex = "00810020" UDP4})},
	{"a frame that ends behind what is looked at", V1,
	 PIECES({.mux = 0x81, .len = 1500, .times = 43}, GOOD(0x81, 40),
		{.mux = 0x81, .len = 561, .drop = DROPS(LENGTH_BEYOND)})},

	/* Aggregates from other projects' unit tests. */
	{"published: two frames, pad and filler", V1,
	 PIECES({PIECE_RAW, 0x81, .pad = 3, .drop = DROPS(NOT_IP),
		 .hex = "038100084501020304000000"},
		{PIECE_RAW, 0x82, .drop = DROPS(NOT_IP), .hex = "0082000460090909"},
		{PIECE_RAW, 0x00, .drop = DROPS(ZERO_LENGTH), .hex = "00000000"},
		{PIECE_FILL, .len = 2})},
	{"published: command", V1,
	 PIECES({PIECE_COMMAND, 0x81, .flow = FIXTURE_FLOW_OFF, .hex = "0100000000000007"})},
	{"published: truncated", V1,
	 PIECES({PIECE_RAW, 0x81, .drop = DROPS(LENGTH_BEYOND), .hex = "008100104500"})},
	{"published: bad pad", V1,
	 PIECES({PIECE_RAW, 0x81, .drop = DROPS(PAD_LENGTH), .hex = "0881000445000000"})},
	{"published: header alone", V1,
	 PIECES({PIECE_RAW, 0x82, .drop = DROPS(LENGTH_BEYOND), .hex = "0382057c"})},
};

const unsigned int fixture_table_rows = sizeof(fixture_table) / sizeof(fixture_table[0]);
