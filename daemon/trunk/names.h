/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our names for a port: its netdev until another process renames it, and its files always. */
#ifndef QMAP_TRUNK_NAMES_H
#define QMAP_TRUNK_NAMES_H

#include <net/if.h>
#include <stddef.h>

#include "config/config.h"

/* Name of PDN @number's netdev by the trunk's `port`, else by datapath_port_base(). */
void trunk_port_name(const struct config_trunk *c, unsigned int number, char name[IFNAMSIZ]);

/* "wwan0.1": trunk and PDN by the configuration, which no other program can change. */
void trunk_port_key(const struct config_trunk *c, unsigned int number, char *key, size_t size);

#endif
