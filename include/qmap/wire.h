/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMAP on the wire: the bytes between modem and host.
 *
 * An aggregate is the payload of one USB transfer: frames back to back, nothing between them.
 *
 *   QMAP v1   | qmap_hdr | IP packet | pad |
 *   QMAP v4   | qmap_hdr | IP packet | pad | qmap_v4_trailer |        downlink
 *             | qmap_hdr | qmap_v4_ul_hdr | IP packet | pad |         uplink
 *   QMAP v5   | qmap_hdr | qmap_v5_hdr | IP packet | pad |            both ways
 *   command   | qmap_hdr (C bit set) | qmap_cmd | ... | pad |         (v4: trailer too)
 *
 * qmap_hdr.len counts the packet (or command) and its pad, but no header and no trailer.
 *
 * Sources: Quectel QMAP guide, "QMAP Header and Data Packet"; kernel include/linux/if_rmnet.h;
 * kernel Documentation/networking/device_drivers/cellular/qualcomm/rmnet.rst.
 */
#ifndef QMAP_WIRE_H
#define QMAP_WIRE_H

#include <linux/types.h>

/* EtherType under which netdevs deliver and accept QMAP (kernel: ETH_P_MAP). */
#define QMAP_ETHERTYPE 0x00f9

#define QMAP_FLAG_COMMAND     0x80 /* the payload is a qmap_cmd, not an IP packet */
#define QMAP_FLAG_NEXT_HEADER 0x40 /* v5: a qmap_v5_hdr follows; reserved, ignored, before v5 */
#define QMAP_PAD_MASK	      0x3f

#define QMAP_MAX_LEN 65535 /* packet and pad of one frame: the length field has 16 bits */
#define QMAP_ALIGN   4	   /* uplink packets are padded to a multiple of this */

struct qmap_hdr {
	__u8 flags; /* QMAP_FLAG_*, and the number of pad bytes in QMAP_PAD_MASK */
	__u8 mux_id;
	__be16 len;
} __attribute__((packed));

/* v5: follows the QMAP header. */
struct qmap_v5_hdr {
	__u8 type_next; /* type in bits 7..1; bit 0: one more header follows */
	__u8 flags;	/* QMAP_V5_CSUM; the rest reserved */
	__be16 reserved;
} __attribute__((packed));

#define QMAP_V5_ANOTHER 0x01
#define QMAP_V5_TYPE(h) ((h) >> 1)

#define QMAP_V5_TYPE_COALESCING 1
#define QMAP_V5_TYPE_CSUM	2
#define QMAP_V5_TYPE_TSO	3
#define QMAP_V5_TYPE_ERROR	4

/*
 * Downlink: the modem has verified the packet's checksums. Uplink: the host asks the modem to fill
 * them in.
 */
#define QMAP_V5_CSUM 0x80

/* v4, downlink: follows the packet and its pad. */
struct qmap_v4_trailer {
	__u8 reserved;
	__u8 flags;	   /* QMAP_V4_CSUM_VALID: the fields below are valid */
	__be16 csum_start; /* first byte summed, counted from the IP header */
	__be16 csum_len;   /* bytes summed */
	__be16 csum;	   /* Internet checksum of these bytes: the complement of their sum */
} __attribute__((packed));

#define QMAP_V4_CSUM_VALID 0x01

/* v4, uplink: stands between the QMAP header and the packet. All zero requests nothing. */
struct qmap_v4_ul_hdr {
	__be16 csum_start; /* where to start summing, counted from the IP header */
	__be16 csum_info;  /* QMAP_V4_UL_*; the low 14 bits hold the offset of the result */
} __attribute__((packed));

#define QMAP_V4_UL_ENABLE      0x8000
#define QMAP_V4_UL_UDP	       0x4000
#define QMAP_V4_UL_OFFSET_MASK 0x3fff

/* The payload of a frame with QMAP_FLAG_COMMAND. */
struct qmap_cmd {
	__u8 name; /* QMAP_CMD_FLOW_* */
	__u8 type; /* QMAP_CMD_TYPE_* in the low two bits */
	__be16 reserved;
	__be32 transaction; /* an answer carries the same number */
} __attribute__((packed));

#define QMAP_CMD_TYPE_MASK 0x03

#define QMAP_CMD_TYPE_REQUEST	  0
#define QMAP_CMD_TYPE_ACK	  1
#define QMAP_CMD_TYPE_UNSUPPORTED 2
#define QMAP_CMD_TYPE_INVALID	  3

#define QMAP_CMD_FLOW_DISABLE 1
#define QMAP_CMD_FLOW_ENABLE  2

/* Follows qmap_cmd in QMAP_CMD_FLOW_DISABLE and QMAP_CMD_FLOW_ENABLE. */
struct qmap_cmd_flow {
	__u8 ip_family; /* low two bits */
	__u8 reserved;
	__be16 sequence;
	__be32 qos_id;
} __attribute__((packed));

_Static_assert(sizeof(struct qmap_hdr) == 4, "QMAP header");
_Static_assert(sizeof(struct qmap_v5_hdr) == 4, "QMAP v5 header");
_Static_assert(sizeof(struct qmap_v4_trailer) == 8, "QMAP v4 trailer");
_Static_assert(sizeof(struct qmap_v4_ul_hdr) == 4, "QMAP v4 uplink header");
_Static_assert(sizeof(struct qmap_cmd) == 8, "QMAP command");
_Static_assert(sizeof(struct qmap_cmd_flow) == 8, "QMAP flow control");

#endif
