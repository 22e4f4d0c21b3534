/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames and the chains that they form. User space compiles chain.c, too (bench/user/kernel.h, with a
 * struct rx_queue of its own): nothing here is the kernel's alone.
 */
#ifndef SHIM_CHAIN_H
#define SHIM_CHAIN_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

struct aggregate;
struct port;
struct rx_queue;

#define CHAIN_BITS 8  /* of the table of open chains */
#define TCP_FLAGS  13 /* offset of the byte with the flags in a TCP header */

/* flags of a frame, beside QMAP_SHIM_CSUM_OK and QMAP_SHIM_ALONE */
#define FRAME_COALESCE 0x100 /* its port coalesces */
#define FRAME_GRO      0x200 /* its port leaves that to GRO */

/* Properties that the frames of one chain share besides their headers, comparable in one go. */
union frame_kind {
	struct {
		u16 length;
		u16 flags;
	};
	u32 all;
};

/* One packet in an aggregate; as the head of a chain, it also describes the chain. */
struct frame {
	u8 *data;
	struct port *port;
	struct aggregate *from;
	struct frame *next; /* of the chain */
	union frame_kind kind;
	u32 payload;   /* head of a chain: payload bytes of all its segments */
	u16 headers;   /* head of a chain: bytes of IP and TCP header */
	u16 segments;  /* 1: alone, more: head of a chain, 0: part of another's chain */
	bool fixed_id; /* head: the IPv4 ids of the chain are all equal */
};

/* An open chain. `expect` has the predicted headers of the next full segment. */
struct chain {
	union {
		u64 words[8];
		struct {
			struct iphdr ip;
			struct tcphdr tcp;
		} __packed v4;
		struct {
			struct ipv6hdr ip;
			struct tcphdr tcp;
		} __packed v6;
	} expect;
	u64 key;	    /* of the flow that has the slot, or had it last */
	struct frame *head; /* NULL: the slot is free */
	struct frame *last;
	struct port *port;
	union frame_kind kind;
	u32 next_seq;
	u32 generation;	      /* the slot is free if it differs from the queue's */
	u32 room;	      /* bytes up to the largest possible packet */
	u16 headers, payload; /* of a full segment */
	bool v6;
};

void chain_close_all(struct rx_queue *q);
void chain_frame(struct rx_queue *q, struct frame *f);

#endif
