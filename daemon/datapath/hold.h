/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow control of the data paths whose ports are drivers of the kernel's: while the modem has stopped
 * the uplink of a PDN (map `ports`), rtnl/ifb.h keeps what its port sends.
 */
#ifndef QMAP_DATAPATH_HOLD_H
#define QMAP_DATAPATH_HOLD_H

#include "common.h"

/*
 * Makes what is held agree with the map. Returns the milliseconds after which to call it again, or -1:
 * after the next command.
 */
int hold_look(struct datapath *dp);
/* Finds out whether an earlier process has left the port of @mux held. */
void hold_adopt(struct datapath *dp, unsigned int mux);
/* Ends the hold of a port that is about to go, or has gone. */
void hold_end(struct datapath *dp, unsigned int mux);
/* Packets dropped beyond the room that a hold has. */
uint64_t hold_dropped(struct datapath *dp, unsigned int mux);

#endif
