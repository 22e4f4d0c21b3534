/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The receive side: aggregates wait per CPU, one NAPI runs the program over all their frames, and
 * only then packets are built, so that a chain can run across aggregates.
 */
#ifndef SHIM_RX_H
#define SHIM_RX_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>

#include "shim.h"

/*
 * What one modem can cost, per CPU. An aggregate of 64 KB can hold 13,000 frames, and a poll that
 * went through all of them would keep the CPU from everything else for milliseconds.
 */
#define RX_FRAMES  256 /* judged in one poll */
#define RX_REPLIES 16  /* sent back to the modem in one poll */

/*
 * Pages for payloads and heads, used again in turn once they are free: 512 KB per CPU with pages of
 * 4 KB, and the one that heads are being cut from.
 */
#define RX_LARGE_ORDER PAGE_ALLOC_COSTLY_ORDER
#define RX_LARGE       8
#define RX_SMALL       64

#define CHAIN_BITS 6  /* of the table of open chains */
#define TCP_FLAGS  13 /* offset of the byte with the flags in a TCP header */

/* flags of a frame, beside QMAP_SHIM_CSUM_OK and QMAP_SHIM_ALONE */
#define FRAME_COALESCE 0x100 /* its port coalesces */
#define FRAME_GRO      0x200 /* its port leaves that to GRO */

/* What frames of one chain have in common besides their headers, comparable in one go. */
union frame_kind {
	struct {
		u16 length;
		u16 flags;
	};
	u32 all;
};

/* One packet in an aggregate; or, as the head of a chain, all that is known of the chain. */
struct frame {
	u8 *data;
	struct port *port;
	struct frame *next; /* of the chain */
	union frame_kind kind;
	u32 payload;   /* head of a chain: payload bytes of all its segments */
	u16 headers;   /* head of a chain: bytes of IP and TCP header */
	u16 segments;  /* 1: alone, more: head of a chain, 0: in the chain of another */
	bool fixed_id; /* head: the IPv4 ids of the chain are all equal */
};

/* An open chain. `expect` is the headers that the next full segment ought to have. */
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
	struct frame *head; /* NULL: the slot is free */
	struct frame *last;
	struct port *port;
	union frame_kind kind;
	u32 next_seq;
	u32 generation;	      /* the slot is free if it is not the queue's */
	u32 room;	      /* bytes until the largest packet that there can be */
	u16 headers, payload; /* of a full segment */
	bool v6;
};

/* Packets of one port that are not in its counters yet. */
struct rx_count {
	struct port *port;
	unsigned int packets, bytes, chains, coalesced;
	bool csum_ok;
};

/* The port that a frame named, as it was when the first frame of the poll did. */
struct rx_port {
	struct port *port; /* NULL: there is none */
	u16 kept; /* flags of frames that the program may set */
	u16 set;  /* those that the port sets */
	u8 number;
	bool open; /* up, and with a carrier */
};

struct rx_queue {
	struct napi_struct napi;
	struct trunk *trunk;
	unsigned int index;	     /* among the trunk's queues */
	struct list_head done;	     /* aggregates that are judged; frames point into them */
	struct aggregate *aggregate; /* the one being walked, across polls; or NULL */
	u8 *cursor, *end;	     /* of it */
	struct xdp_rxq_info rxq;
	struct page_pool *pool; /* of redirected packets */
	struct page *large[RX_LARGE], *small[RX_SMALL];
	unsigned int next_large, next_small;
	struct page *head; /* the one of `small` that heads of packets are cut from, or NULL */
	void *head_start; /* its memory */
	unsigned int head_left;
	struct sk_buff *last;	  /* for the stack; NULL: nothing waits */
	struct list_head deliver; /* packets in front of it, to the same destination */
	struct rx_count count;
	struct chain *hot; /* the chain that grew last and is open, or NULL */
	u32 generation;	   /* of chains */
	bool started;	   /* there are chains of this generation */
	struct rx_port to; /* of the newest frame */
	struct frame *free; /* the first of `frames` that is not in use */
	/* of this poll: frames that were judged, redirected; answers sent to the modem */
	unsigned int walked, redirected, replies;
	bool cells; /* packets went to GRO cells, which take no more than a budget in their turn */
	struct chain chains[1 << CHAIN_BITS];
	struct frame frames[RX_FRAMES];
};

/* chain.c */
void chain_close_all(struct rx_queue *q);
void chain_frame(struct rx_queue *q, struct frame *f);

/* build.c */
void build_all(struct rx_queue *q);
void build_free_pages(struct rx_queue *q);

#endif
