/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a port is called by us: its netdev as long as nobody renames it, and its files always. */
#ifndef QMAP_TRUNK_NAMES_H
#define QMAP_TRUNK_NAMES_H

#include <net/if.h>
#include <stddef.h>

#include "config/config.h"

/* The netdev of PDN @number by the trunk's `port`, or else by datapath_port_base(). */
void trunk_port_name(const struct config_trunk *c, unsigned int number, char name[IFNAMSIZ]);

/* "wwan0.1": trunk and PDN as the configuration names them, which nobody else can change. */
void trunk_port_key(const struct config_trunk *c, unsigned int number, char *key, size_t size);

#endif
