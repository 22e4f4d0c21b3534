// SPDX-License-Identifier: GPL-2.0-or-later
#include "datapath.h"

#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "qmap/wire.h"

static const struct datapath_ops *const datapaths[] = {&datapath_usb,	 &datapath_shim,
						       &datapath_xdp,	 &datapath_rmnet,
						       &datapath_qmimux, &datapath_raw};

const struct datapath_ops *datapath_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(datapaths); i++)
		if (!strcmp(datapaths[i]->name, name))
			return datapaths[i];
	return NULL;
}

/* v4 and v5 put eight bytes in front of a packet, and a pad behind it. */
#define FRAME_EXTRA (8 + QMAP_ALIGN - 1)
#define MAX_FRAME   65535
#define MIN_MTU_V6  1280 /* RFC 8200 */

unsigned int datapath_max_packet(unsigned int ul_max_bytes)
{
	if (ul_max_bytes < MIN_MTU_V6 + FRAME_EXTRA || ul_max_bytes > MAX_FRAME)
		ul_max_bytes = MAX_FRAME;
	return ul_max_bytes - FRAME_EXTRA;
}

/* FNV-1a, folded to 24 bits: six digits, so the base has ten letters at most. */
static unsigned int hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return (h >> 24 ^ h) & 0xffffff;
}

void datapath_port_base(const char *trunk, char base[IFNAMSIZ])
{
	if (strlen(trunk) + strlen(".254q") < IFNAMSIZ)
		snprintf(base, IFNAMSIZ, "%s", trunk);
	else
		snprintf(base, IFNAMSIZ, "qmap%06x", hash(trunk));
}

bool datapath_inner_name(const struct datapath_ops *ops, const char *trunk, unsigned int i,
			 char name[IFNAMSIZ])
{
	char base[IFNAMSIZ];

	if (!ops->inner || !ops->inner[i])
		return false;
	datapath_port_base(trunk, base);
	snprintf(name, IFNAMSIZ, "%.10s.%s", base, ops->inner[i]);
	return true;
}
