/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The receive side: aggregates wait per CPU, one NAPI runs the program over all their frames, and
 * only then builds packets, so that a chain can span aggregates.
 */
#ifndef SHIM_RX_H
#define SHIM_RX_H

#include <linux/skbuff.h>

#include "chain.h"
#include "shim.h"

/*
 * Limits of one modem's cost, per CPU. An aggregate of 64 KB can hold 13,000 frames; a poll that
 * handled all of them would keep the CPU from everything else for milliseconds.
 */
#define RX_FRAMES  256 /* judged in one poll */
#define RX_REPLIES 16  /* sent back to the modem in one poll */

/*
 * Pages for payloads and heads, used in turn again once they are free: as many as the packets of one poll fill,
 * 640 KB per CPU with pages of 4 KB, and the page that heads are being cut from.
 */
#define RX_LARGE_ORDER PAGE_ALLOC_COSTLY_ORDER
#define RX_LARGE       12
#define RX_SMALL       64

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
	/*
	 * Of this poll: frames judged, and aggregates; of these frames those that joined a chain, and
	 * those redirected; answers sent to the modem.
	 */
	unsigned int walked, joined, redirected, replies;
	bool cells; /* packets went to GRO cells, which only accept a budget's worth */
	struct chain chains[1 << CHAIN_BITS];
	struct frame frames[RX_FRAMES];
};

/* build.c */
void build_all(struct rx_queue *q);
void build_free_pages(struct rx_queue *q);

#endif
