/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ABI between the BPF programs, the daemon and the tests: map values, counters, drop reasons.
 *
 * Every struct has fixed-width members and no hidden padding, and lives in pinned maps that outlive
 * the daemon. A change to any struct raises QMAP_ABI_VERSION; the daemon refuses to adopt pins of
 * another version. Integers are in host byte order unless their type says otherwise.
 */
#ifndef QMAP_ABI_H
#define QMAP_ABI_H

#include <linux/types.h>

#define QMAP_ABI_VERSION 1

#define QMAP_MAX_MUX	256 /* size of every map indexed by mux id */
#define QMAP_MAX_FRAMES 64  /* frames of one aggregate that the xdp data path can deliver */
/*
 * Bytes of an aggregate that the programs look at. Modems stay below 32 KB; the BPF verifier lets
 * packet offsets grow to 65535 with all constants added (kernel/bpf/verifier.c, MAX_PACKET_OFF).
 */
#define QMAP_MAX_AGGREGATE 65280

/* QMAP versions, numbered as in the name. */
enum qmap_version {
	QMAP_OFF = 0, /* raw IP, no QMAP header */
	QMAP_V1 = 1,
	QMAP_V4 = 4,
	QMAP_V5 = 5,
};

/*
 * Why a frame was not delivered: X(symbol, name, meaning).
 *
 * `qmapctl stats`, JSON and the tests use the name. A bad length (the first four) ends the
 * aggregate, because the start of the next frame is no longer known; any other reason skips one
 * frame.
 */
#define QMAP_DROP_REASONS(X)                                                                       \
	X(TRUNCATED_HEADER, "truncated_header", "aggregate ends inside a QMAP header")             \
	X(LENGTH_BEYOND, "length_beyond_aggregate", "frame is longer than what is left")           \
	X(ZERO_LENGTH, "zero_length", "frame of length zero")                                      \
	X(TRUNCATED_TRAILER, "truncated_trailer", "aggregate ends inside a v4 checksum trailer")   \
	X(PAD_LENGTH, "pad_too_long", "pad as long as the frame or longer")                        \
	X(NEXT_HEADER, "unknown_next_header", "v5 header of a type that carries no packet")        \
	X(UNKNOWN_MUX, "unknown_mux", "no PDN has this mux id")                                    \
	X(NOT_IP, "not_ip", "packet is neither IPv4 nor IPv6")                                     \
	X(PORT_DOWN, "port_down", "PDN is not connected")                                          \
	X(TOO_MANY_FRAMES, "too_many_frames", "aggregate holds more frames than can be split")     \
	X(SHORT_COMMAND, "short_command", "QMAP command shorter than its header")                  \
	X(COMMAND_REFUSED, "command_refused", "QMAP command that is not understood")               \
	X(FLOW_DISABLED, "flow_disabled", "modem has stopped the uplink of this PDN")              \
	X(OVERSIZE, "oversize", "uplink packet larger than a frame may be")                        \
	X(NO_MEMORY, "no_memory", "kernel had no memory or no room in the packet")                 \
	X(REDIRECT, "redirect_failed", "kernel could not hand the packet on")                      \
	X(NOT_QMAP, "not_qmap", "packet on the trunk that is not QMAP")                            \
	X(QUEUE_FULL, "queue_full", "queue was full")                                              \
	X(BAD_VERDICT, "bad_verdict", "data path program missing, or not made for the shim")

enum qmap_drop {
#define X(sym, name, text) QMAP_DROP_##sym,
	QMAP_DROP_REASONS(X)
#undef X
	QMAP_DROP_MAX,
	QMAP_DROP_NONE = 255, /* not dropped */
};

/* Constants of the programs (rodata), set before they are loaded. */
struct qmap_config {
	__u32 trunk_ifindex;
	__u8 dl_version;     /* enum qmap_version: v4 means that trailers follow frames */
	__u8 ul_version;     /* enum qmap_version: selects the header of uplink frames */
	__u16 ul_max_packet; /* largest IP packet that fits one uplink aggregate, in bytes */
};

#define QMAP_PORT_UP   0x01 /* data call connected: traffic may pass */
#define QMAP_PORT_SHUT 0x02 /* the port's netdev is down: it receives nothing (xdp) */

/* One PDN, by mux id. The daemon writes it; BPF programs write flow_off_until, too. */
struct qmap_port {
	__u32 ifindex; /* device that the deliver program redirects to; 0: no such PDN */
	__u32 flags;   /* QMAP_PORT_* */
	__u8 mac[6];   /* of the port: destination address of delivered packets */
	__u8 reserved[2];
	/* uplink waits until then (CLOCK_MONOTONIC, ns); 0: go */
	__u64 flow_off_until;
};

/*
 * How long a flow-disable command holds without an enable. A modem repeats the command while it
 * lasts; an enable lost on the way must not wedge the PDN (kernel rmnet has no such limit).
 */
#define QMAP_FLOW_OFF_MAX_NS 5000000000ULL

/* Counters of one PDN and CPU, by mux id. Bytes count IP packets without headers and pad. */
struct qmap_port_stats {
	__u64 rx_packets;
	__u64 rx_bytes;
	__u64 tx_packets;
	__u64 tx_bytes;
	__u64 rx_csum_ok;   /* delivered packets whose checksum the modem has verified */
	__u64 rx_csum_none; /* delivered packets that the modem has not verified */
	__u64 rx_dropped;   /* frames with this mux id dropped for any reason */
	__u64 tx_dropped;
	__u64 commands;	   /* QMAP commands for this PDN */
	__u64 reserved[7]; /* a power of two keeps neighbours off one cache line */
};

/* Counters of one trunk and CPU. */
struct qmap_trunk_stats {
	__u64 aggregates;
	__u64 bytes;  /* of aggregates */
	__u64 frames; /* good frames handed on to delivery */
	__u64 commands;
	__u64 drops[QMAP_DROP_MAX]; /* by enum qmap_drop, both directions */
};

#define QMAP_EVENT_BYTES 64

/* A QMAP command as received; BPF programs write it to the ring buffer. */
struct qmap_event {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u8 mux_id;
	__u8 reserved;
	__u16 len; /* bytes of the command on the wire; data holds the first QMAP_EVENT_BYTES */
	__u8 data[QMAP_EVENT_BYTES]; /* starts with qmap_cmd */
	__u32 reserved2;
};

/* The state of 64 dual-stack PDNs takes about 100 KB. */
#define QMAP_META_STATE (192 * 1024)

/*
 * Describes the pins; the map has one entry. `state` is the daemon's session state as JSON text. A
 * process that adopts the pins, or detaches without a daemon, needs nothing else.
 */
struct qmap_meta {
	__u32 abi_version; /* QMAP_ABI_VERSION */
	__u32 trunk_ifindex;
	char trunk[16];	   /* name at attach time */
	char datapath[16]; /* "xdp", "raw", ... */
	__u32 state_len;
	__u32 reserved;
	char state[QMAP_META_STATE]; /* not NUL-terminated */
};

_Static_assert(sizeof(struct qmap_config) == 8, "qmap_config");
_Static_assert(sizeof(struct qmap_port) == 24, "qmap_port");
_Static_assert(sizeof(struct qmap_port_stats) == 128, "qmap_port_stats");
_Static_assert(sizeof(struct qmap_trunk_stats) == (4 + QMAP_DROP_MAX) * 8, "qmap_trunk_stats");
_Static_assert(sizeof(struct qmap_event) == 80, "qmap_event");
_Static_assert(sizeof(struct qmap_meta) == 48 + QMAP_META_STATE, "qmap_meta");

#endif
