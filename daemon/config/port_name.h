/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our name for a port's netdev, until another process renames it. */
#ifndef QMAP_CONFIG_PORT_NAME_H
#define QMAP_CONFIG_PORT_NAME_H

#include <net/if.h>

#include "config.h"

/* Name of PDN @number's netdev by the trunk's `port`, else by datapath_port_base(). */
void config_trunk_port(const struct config_trunk *c, unsigned int number, char name[IFNAMSIZ]);

#endif
