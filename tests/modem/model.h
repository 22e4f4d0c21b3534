/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties that differ between modems. */
#ifndef MODEM_MODEL_H
#define MODEM_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* Aggregation protocols with WDA's numbers. */
enum wda_aggregation {
	WDA_OFF = 0,
	WDA_QMAP_V1 = 5,
	WDA_QMAP_V4 = 8,
	WDA_QMAP_V5 = 9,
};

/* Answer of WDA Set Data Format to a protocol that the modem lacks. */
enum refusal {
	REFUSE_ERROR, /* QMI error */
	REFUSE_OFF,   /* SUCCESS, the echoed protocol says off */
	REFUSE_LOWER, /* SUCCESS, the echoed protocol is the best that the modem has */
};

struct model {
	const char *name;
	const char *full_name;
	const char *revision;
	uint32_t protocols; /* bit 1 << enum wda_aggregation for each protocol supported */
	enum refusal refusal;
	bool forced;	      /* always QMAP: a request for none leads to v1 */
	uint32_t dl_max_size; /* bytes */
	uint32_t dl_max_datagrams;
	uint32_t ul_max_size;
	uint32_t ul_max_datagrams;
	uint16_t wda_minor;
};

/* NULL if there is no model of this name. */
const struct model *model_find(const char *name);

/* The n-th model, NULL after the last. */
const struct model *model_at(unsigned int n);

/* Parses "v5,v4,v1" into a bit mask of protocols; 0 if it is not such a list. */
uint32_t model_protocols(const char *text);

/* "off", "v1", "v4", "v5", or "?". */
const char *aggregation_name(uint32_t protocol);

#endif
