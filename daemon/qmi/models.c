// SPDX-License-Identifier: GPL-2.0-or-later
#include "models.h"

#include <string.h>
#include <strings.h>

#define KB 1024

/* Sizes and interfaces: Quectel's driver qmi_wwan_q 1.5, its table of USB ids. */
static const struct qmi_model models[] = {
	{"EG20", true, 16 * KB, 4},  {"EM20", true, 16 * KB, 4},   {"EC2", false, 4 * KB, 4},
	{"EG2", false, 4 * KB, 4},   {"EG91", false, 4 * KB, 4},   {"EG95", false, 4 * KB, 4},
	{"EM05", false, 4 * KB, 4},  {"AG35", false, 4 * KB, 4},   {"BG96", false, 4 * KB, 4},
	{"BG95", false, 4 * KB, 3},  {"EP06", true, 16 * KB, 4},   {"EG06", true, 16 * KB, 4},
	{"EM06", true, 16 * KB, 4},  {"EG12", true, 16 * KB, 4},   {"EM12", true, 16 * KB, 4},
	{"EG16", true, 16 * KB, 4},  {"EM16", true, 16 * KB, 4},   {"EG18", true, 16 * KB, 4},
	{"AG551", true, 16 * KB, 2}, {"AG598", false, 16 * KB, 2}, {"RG255", true, 16 * KB, 3},
	{"RM255", true, 16 * KB, 3}, {"RG5", true, 31 * KB, 4},	   {"RM5", true, 31 * KB, 4},
	{"RG6", true, 31 * KB, 4},
};

static const struct qmi_model unknown = {NULL, false, 16 * KB, 4};

static const struct qmi_model *find(const char *name)
{
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		if (!strncasecmp(name, models[i].prefix, strlen(models[i].prefix)))
			return &models[i];
	return NULL;
}

const struct qmi_model *qmi_model_find(const char *model, const char *revision)
{
	const struct qmi_model *m = find(model);

	if (!m)
		m = find(revision);
	return m ? m : &unknown;
}
