// SPDX-License-Identifier: GPL-2.0-or-later
#include "model.h"
#include "util.h"

#include <stdio.h>
#include <strings.h>

#define HAS(p) (1u << (p))

static const struct model models[] = {
	{
		.name = "RG500Q",
		.full_name = "RG500Q-EA",
		.revision = "RG500QEAAAR11A06M4G",
		.protocols = HAS(WDA_QMAP_V1) | HAS(WDA_QMAP_V4) | HAS(WDA_QMAP_V5),
		.refusal = REFUSE_ERROR,
		.forced = true,
		.dl_max_size = 31744,
		.dl_max_datagrams = 62,
		.ul_max_size = 8192,
		.ul_max_datagrams = 11,
		.wda_minor = 27,
	},
	{
		.name = "EM12",
		.full_name = "EM12-G",
		.revision = "EM12GPAR01A20M4G",
		.protocols = HAS(WDA_QMAP_V1),
		.refusal = REFUSE_ERROR,
		.forced = true,
		.dl_max_size = 16384,
		.dl_max_datagrams = 32,
		.ul_max_size = 8192,
		.ul_max_datagrams = 11,
		.wda_minor = 16,
	},
	{
		.name = "EC25",
		.full_name = "EC25",
		.revision = "EC25EFAR06A06M4G",
		.protocols = HAS(WDA_QMAP_V1),
		.refusal = REFUSE_OFF,
		.forced = false,
		.dl_max_size = 4096,
		.dl_max_datagrams = 8,
		.ul_max_size = 4096,
		.ul_max_datagrams = 11,
		.wda_minor = 16,
	},
	{
		.name = "SDX20",
		.full_name = "EM120R-GL",
		.revision = "EM120RGLAPR02A07M4G",
		.protocols = HAS(WDA_QMAP_V1) | HAS(WDA_QMAP_V4),
		.refusal = REFUSE_ERROR,
		.forced = true,
		.dl_max_size = 16384,
		.dl_max_datagrams = 32,
		.ul_max_size = 8192,
		.ul_max_datagrams = 11,
		.wda_minor = 17,
	},
};

static const struct {
	const char *name;
	uint32_t protocol;
} protocol_names[] = {
	{"off", WDA_OFF},
	{"v1", WDA_QMAP_V1},
	{"v4", WDA_QMAP_V4},
	{"v5", WDA_QMAP_V5},
};

const struct model *model_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (!strcasecmp(models[i].name, name))
			return &models[i];
	return NULL;
}

const struct model *model_at(unsigned int n)
{
	return n < ARRAY_SIZE(models) ? &models[n] : NULL;
}

static uint32_t protocol_bit(const char *name, size_t len)
{
	for (size_t i = 1; i < ARRAY_SIZE(protocol_names); i++)
		if (strlen(protocol_names[i].name) == len &&
		    !strncmp(protocol_names[i].name, name, len))
			return HAS(protocol_names[i].protocol);
	return 0;
}

uint32_t model_protocols(const char *text)
{
	uint32_t mask = 0;

	for (;;) {
		size_t len = strcspn(text, ",");
		uint32_t bit = protocol_bit(text, len);

		if (!bit)
			return 0;
		mask |= bit;
		if (!text[len])
			return mask;
		text += len + 1;
	}
}

const char *aggregation_name(uint32_t protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocol_names); i++)
		if (protocol_names[i].protocol == protocol)
			return protocol_names[i].name;
	return "?";
}
