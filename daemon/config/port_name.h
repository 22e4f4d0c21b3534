/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our names for ports' netdevs, until another process renames them. */
#ifndef QMAP_CONFIG_PORT_NAME_H
#define QMAP_CONFIG_PORT_NAME_H

#include <net/if.h>

#include "config.h"

/* Name of PDN @number's netdev by the trunk's `port`, else by datapath_port_base(). */
void config_trunk_port(const struct config_trunk *c, unsigned int number, char name[IFNAMSIZ]);

/* -EEXIST if a port of one of two trunks needs a name that the other or one of its ports has. */
int config_ports_differ(const struct config_trunk *a, const struct config_trunk *b,
			struct error *err);

#endif
