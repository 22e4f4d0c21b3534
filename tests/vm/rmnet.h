/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports of kernel rmnet, configured to do the same as the shim's. */
#ifndef VM_RMNET_H
#define VM_RMNET_H

#include <stdbool.h>

/*
 * Creates "<@prefix>1", ... with mux ids from 1 on on the TUN @lower, up; from v4 on with checksums
 * left to the modem both ways. 0 or a negative errno; -EOPNOTSUPP: the kernel has no rmnet.
 */
int rmnet_up(const char *lower, const char *prefix, unsigned int ports, int version);
/* One port, "<@prefix>1", of a link whose transfers are one frame each: rmnet does not split them. */
int rmnet_up_unsplit(const char *lower, const char *prefix, int version);
/*
 * As qmapd makes them, without QMAP commands: the observer stands in front. Unless @split, one port
 * that takes a transfer for one frame.
 */
int rmnet_up_observed(const char *lower, const char *prefix, unsigned int ports, int version,
		      bool split);
void rmnet_down(const char *prefix, unsigned int ports);

#endif
