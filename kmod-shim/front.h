/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Front ends: the source of a trunk's aggregates and the destination of those that it sends.
 *
 * There are two, the rx handler on another netdev (handler.c) and the USB driver. Each embeds the
 * struct trunk, which is the private data of the trunk's netdev, in a struct of its own.
 */
#ifndef SHIM_FRONT_H
#define SHIM_FRONT_H

#include <linux/ethtool.h>
#include <linux/list.h>
#include <linux/types.h>

struct sk_buff;
struct trunk;

#define FRONT_ROOM 8 /* bytes in front of an aggregate that the receive side writes to */

/* A received aggregate, embedded in the object that owns its bytes. */
struct aggregate {
	struct list_head list;
	u8 *data; /* contiguous, and not shared; NULL: no memory to make it so */
	unsigned int len;
	/*
	 * The compound page that `data` is in, if packets may refer to it: the front end writes to it
	 * again only when it has the one reference that is left. Otherwise NULL.
	 */
	struct page *page;
};

struct front_ops {
	/* As ndo_init and ndo_uninit of the trunk's netdev; may be NULL. */
	int (*init)(struct trunk *trunk);
	void (*uninit)(struct trunk *trunk);
	/* As ndo_open, before the NAPIs run, and as ndo_stop, after they have been stopped. */
	int (*open)(struct trunk *trunk);
	void (*stop)(struct trunk *trunk);
	/*
	 * Returns the oldest aggregate of @queue that has not been fetched yet, or NULL. Called by
	 * the queue's NAPI, which gives all of them back.
	 */
	struct aggregate *(*fetch)(struct trunk *trunk, unsigned int queue);
	/* Is there an aggregate to fetch? May be wrong while more are coming in. */
	bool (*waiting)(struct trunk *trunk, unsigned int queue);
	/*
	 * Takes an aggregate back. @used: its packets have been delivered; otherwise it is dropped
	 * and counted. Called by the queue's NAPI, or after that has been stopped.
	 */
	void (*release)(struct trunk *trunk, struct aggregate *aggregate, bool used);
	/*
	 * Sends @skb, an aggregate, and takes it over. It counts as on its way until it is freed.
	 * False: it was dropped at once. Called with bottom halves off, and no lock of ours held;
	 * may call anything, even a port's ndo_start_xmit.
	 */
	bool (*transmit)(struct trunk *trunk, struct sk_buff *skb);
	/* Makes room for aggregates of @bytes; NULL: it has no buffers of its own. Under rtnl. */
	int (*set_rx_bytes)(struct trunk *trunk, u32 bytes);
	/*
	 * Aggregates that the kernel has dropped on their way from the driver to the front end;
	 * NULL: there is no such way. Under rtnl.
	 */
	u64 (*lost)(struct trunk *trunk);
	/* Its counters in ethtool -S, behind the trunk's; n_counters 0: none. */
	void (*counters)(struct trunk *trunk, u64 *n);
	const char (*counter_names)[ETH_GSTRING_LEN];
	unsigned int n_counters;
};

/*
 * For front ends in modules of their own, whose device is the trunk's parent: kind "qmap_usb".
 *
 * A trunk with @size bytes of private data, which begin with the struct trunk, not registered. NULL:
 * no memory. The caller that has allocated it frees its netdev.
 */
struct trunk *qmap_trunk_alloc(size_t size, const char *name, const struct front_ops *front,
			       unsigned int queues);
/* Unregisters the trunk and its ports. Takes rtnl. The front end is called no more after this. */
void qmap_trunk_unregister(struct trunk *trunk);
/* There is something to fetch from @queue. From any context. */
void qmap_trunk_schedule(struct trunk *trunk, unsigned int queue);

#endif
