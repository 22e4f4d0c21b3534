/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds the packets that a netdev sends, and gives them back in order; the netdev's queue stays. */
#ifndef QMAP_RTNL_IFB_H
#define QMAP_RTNL_IFB_H

#include "rtnl.h"

struct rtnl_hold {
	unsigned int packets; /* held now */
	uint64_t dropped;     /* beyond the limit */
};

/*
 * Makes the ifb @name in @nl's namespace and holds what netdev @ifindex sends, up to @limit bytes.
 * -EOPNOTSUPP, -ENOENT, ...: the kernel lacks ifb, sch_plug, cls_matchall or act_mirred; undone then.
 * A filter of a user's that ends classification takes its packets past the hold.
 */
int rtnl_hold_begin(struct rtnl *nl, const char *name, unsigned int ifindex, unsigned int limit,
		    struct error *err);
/* Holds again, or releases: packets that come then still go through the ifb, behind the held ones. */
int rtnl_hold_set(struct rtnl *nl, const char *name, bool on, struct error *err);
int rtnl_hold_look(struct rtnl *nl, const char *name, struct rtnl_hold *out, struct error *err);
/* Removes filter (@ifindex 0: the netdev is gone) and ifb; what is still held is lost. */
int rtnl_hold_end(struct rtnl *nl, const char *name, unsigned int ifindex, struct error *err);

#endif
