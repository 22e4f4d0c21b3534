/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The receive side: aggregates wait per CPU, one NAPI runs the program over all their frames, and
 * only then builds packets, so that a chain can span aggregates.
 */
#ifndef SHIM_RX_H
#define SHIM_RX_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>

#include "shim.h"

/*
 * Limits of one modem's cost, per CPU. An aggregate of 64 KB can hold 13,000 frames; a poll that
 * handled all of them would keep the CPU from everything else for milliseconds.
 */
#define RX_FRAMES  256 /* judged in one poll */
#define RX_REPLIES 16  /* sent back to the modem in one poll */

/*
 * Pages for payloads and heads, used in turn again once they are free: 512 KB per CPU with pages of
 * 4 KB, and the page that heads are being cut from.
 */
#define RX_LARGE_ORDER PAGE_ALLOC_COSTLY_ORDER
#define RX_LARGE       8
#define RX_SMALL       64

#define CHAIN_BITS 6  /* of the table of open chains */
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

/* Packets of one port that are not counted yet. */
struct rx_count {
	struct port *port;
	unsigned int packets, bytes, chains, coalesced, csum_ok;
};

/* The port named by a frame, in its state at the first frame of the poll. */
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
	struct page *head; /* the page of `small` that heads of packets are cut from, or NULL */
	void *head_start; /* its memory */
	unsigned int head_left, head_refs; /* bytes of it, and references to it, for further heads */
	struct sk_buff *first, *last; /* list for the stack, to one destination; last NULL: empty */
	struct rx_count count;
	struct chain *hot; /* the chain that grew last and is open, or NULL */
	u32 generation;	   /* of chains */
	bool started;	   /* there are chains of this generation */
	struct rx_port to; /* of the newest frame */
	struct frame *free; /* the first of `frames` that is not in use */
	/* of this poll: frames that were judged, redirected; answers sent to the modem */
	unsigned int walked, redirected, replies;
	bool cells; /* packets went to GRO cells, which only accept a budget's worth */
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
