/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink requests for the links of the kernel's rmnet. As in rtnl.h. */
#ifndef QMAP_RTNL_RMNET_H
#define QMAP_RTNL_RMNET_H

#include "rtnl.h"

/* 0 if the kernel has rmnet or can load it (the request does that); else -EOPNOTSUPP. */
int rtnl_rmnet_probe(struct rtnl *nl, struct error *err);

/*
 * Adds link @name for mux id @mux on netdev @lower, down, without IPv6 address generation. @flags:
 * RMNET_FLAGS_* of linux/if_link.h; those of the last link apply to all of @lower. -EINVAL if the
 * MTU of @lower is above RTNL_RMNET_MAX_MTU.
 */
#define RTNL_RMNET_MAX_MTU 16388 /* kernel rmnet_private.h: RMNET_MAX_PACKET_SIZE, and a header */
int rtnl_rmnet_add(struct rtnl *nl, const char *name, unsigned int lower, unsigned int mux,
		   uint32_t flags, struct error *err);

/* Reads RMNET_FLAGS_* of a link. -ENODEV; -EOPNOTSUPP if it is no rmnet link. */
int rtnl_rmnet_flags(struct rtnl *nl, const char *name, uint32_t *flags, struct error *err);

/* Deletes the links on @lower whose names begin with @prefix, except those in other namespaces. */
int rtnl_rmnet_del_all(struct rtnl *nl, unsigned int lower, const char *prefix, struct error *err);

#endif
