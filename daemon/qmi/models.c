// SPDX-License-Identifier: GPL-2.0-or-later
#include "models.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/array.h"
#include "qmap/abi.h"

#define KB 1024

#define USB(v, p)  .vendor = (v), .product = (p)
#define PCIE(v, p) .vendor = (v), .product = (p), .pcie = true, .interface = 4
#define V1(bytes)  .qmap = QMAP_V1, .dl_max_bytes = (bytes)
#define V5(bytes)  .qmap = QMAP_V5, .dl_max_bytes = (bytes)
#define IF(n)	   .interface = (n)
#define FORCED	   .forces_qmap = true
#define NO_QMI(chip)                                                                               \
	.no_qmi = true, .dl_max_bytes = 16 * KB, IF(4),                                            \
	.note = "is " chip "'s, not Qualcomm's: no QMI, no QMAP"

/*
 * Ids, interfaces and sizes from the tables of Quectel's drivers qmi_wwan_q 1.5 and pcie_mhi 1.4,
 * and from the kernel's qmi_wwan. A new model is a new line.
 */
static const struct qmi_model models[] = {
	{"EC25 EG25 EC20", USB(0x2c7c, 0x0125), V1(4 * KB), IF(4),
	 .note = "accepts v5 and v4 without sending any, so it ends up with v1"},
	{"EC20", USB(0x05c6, 0x9215), V1(4 * KB), IF(4)},
	{"EC21 EG21", USB(0x2c7c, 0x0121), V1(4 * KB), IF(4)},
	{"EG91", USB(0x2c7c, 0x0191), V1(4 * KB), IF(4)},
	{"EG95", USB(0x2c7c, 0x0195), V1(4 * KB), IF(4)},
	{"EM05", USB(0x2c7c, 0x030e), V1(4 * KB), IF(4)},
	{"AG35", USB(0x2c7c, 0x0435), V1(4 * KB), IF(4)},
	{"BG96", USB(0x2c7c, 0x0296), V1(4 * KB), IF(4)},
	{"BG95", USB(0x2c7c, 0x0700), V1(4 * KB), IF(3)},
	{"EP06 EG06 EM06", USB(0x2c7c, 0x0306), V1(16 * KB), IF(4), FORCED},
	{"EM060K", USB(0x2c7c, 0x030b), V1(16 * KB), IF(4), FORCED},
	{"EG12 EM12 EG16 EG18", USB(0x2c7c, 0x0512), V1(16 * KB), IF(4), FORCED,
	 .note = "some EM12 have their data interface at 8"},
	{"EM160 EG20 EM20 EM16 EM120", USB(0x2c7c, 0x0620), V1(16 * KB), IF(4), FORCED},
	{"AG551", USB(0x2c7c, 0x0455), V1(16 * KB), IF(2), FORCED},
	{"AG598", USB(0x2c7c, 0x0457), V1(16 * KB), IF(2)},
	{"RG255 RM255", USB(0x2c7c, 0x0316), V1(16 * KB), IF(3), FORCED},
	{"RG500 RM500 RG501 RG502 RM502 RM505 RM510", USB(0x2c7c, 0x0800), V5(31 * KB), IF(4),
	 FORCED, .note = "RG502Q activates profile 2 by itself"},
	{"RG520 RM520 RM521 RG525 RG530 RM530", USB(0x2c7c, 0x0801), V5(31 * KB), IF(4), FORCED},
	{"RG650 RM551 RG651 RM550", USB(0x2c7c, 0x0122), V5(31 * KB), IF(4), FORCED,
	 .note = "RG650E refuses v4 at times"},
	{"RG500U RM500U RG200U", USB(0x2c7c, 0x0900), NO_QMI("Unisoc")},
	{"EC200U EG912U", USB(0x2c7c, 0x0901), NO_QMI("Unisoc")},
	{"EG912Y", USB(0x2c7c, 0x6001), NO_QMI("ASR")},
	{"EC200S", USB(0x2c7c, 0x6002), NO_QMI("ASR")},
	{"EC200A", USB(0x2c7c, 0x6005), NO_QMI("ASR")},
	{"EC200T", USB(0x2c7c, 0x6026), NO_QMI("ASR")},
	{"RM500K", USB(0x2c7c, 0x7001), NO_QMI("MediaTek")},
	{"SDX8x", USB(0x2c7c, 0x013d), V5(31 * KB), IF(4), FORCED},

	{"SDX20", PCIE(0x17cb, 0x0304), V1(15 * KB), FORCED},
	{"SDX24", PCIE(0x17cb, 0x0305), V1(15 * KB), FORCED},
	{"SDX55", PCIE(0x17cb, 0x0306), V5(15 * KB), FORCED},
	{"SDX65", PCIE(0x17cb, 0x0308), V5(15 * KB), FORCED},
	{"SDX7x", PCIE(0x17cb, 0x0309), V5(15 * KB), FORCED},
	{"EM120", PCIE(0x1eac, 0x1001), V1(15 * KB), FORCED},
	{"EM160", PCIE(0x1eac, 0x1002), V1(15 * KB), FORCED},
	{"RM520", PCIE(0x1eac, 0x1004), V5(15 * KB), FORCED},
	{"RM255", PCIE(0x1eac, 0x100b), V1(15 * KB), FORCED},

	/* whole families: longer names above come first */
	{"EC2 EG2", V1(4 * KB), IF(4)},
	{"RG5 RM5 RG6", V5(31 * KB), IF(4), FORCED},
};

static const struct qmi_model any = {.dl_max_bytes = 16 * KB, .interface = 4};

static const struct {
	uint16_t vendor;
	const char *name;
} makers[] = {
	{0x2c7c, "Quectel"}, {0x1eac, "Quectel"}, {0x1199, "Sierra Wireless"},
	{0x1bc7, "Telit"},   {0x2cb7, "Fibocom"}, {0x1e0e, "SIMCom"},
	{0x2dee, "MeiG"},
};

/*
 * Entries outlive the configuration that added them, because a session may point at them; a later
 * configuration with the same values uses them again.
 */
struct override {
	struct override *next;
	struct qmi_model model;
	bool active;
};

static struct override *overrides;

static struct override *overriding(uint16_t vendor, uint16_t product)
{
	for (struct override *o = overrides; o; o = o->next)
		if (o->active && o->model.vendor == vendor && o->model.product == product)
			return o;
	return NULL;
}

static const struct qmi_model *builtin(uint16_t vendor, uint16_t product)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (models[i].vendor == vendor && models[i].product == product)
			return &models[i];
	return NULL;
}

const struct qmi_model *qmi_model_find_id(uint16_t vendor, uint16_t product)
{
	const struct override *o = overriding(vendor, product);

	if (o)
		return &o->model;
	return vendor ? builtin(vendor, product) : NULL;
}

/*
 * Length of the longest of @names that is a prefix of @text; @where gets its position. 0 and the
 * first name if none is.
 */
static size_t match(const char *names, const char *text, const char **where)
{
	size_t best = 0, len;

	*where = names;
	for (; names && *names; names += len) {
		names += strspn(names, " ");
		len = strcspn(names, " ");
		if (len > best && !strncasecmp(text, names, len)) {
			best = len;
			*where = names;
		}
	}
	return best;
}

void qmi_model_name(const struct qmi_model *m, const char *text, char *buf, size_t size)
{
	const char *name;

	match(m->names, text, &name);
	snprintf(buf, size, "%.*s", name ? (int)strcspn(name, " ") : 0, name ? name : "");
}

static void better(const struct qmi_model **best, size_t *length, const struct qmi_model *m,
		   const char *text)
{
	const char *where;
	size_t n = m->pcie ? 0 : match(m->names, text, &where);

	if (n > *length) {
		*length = n;
		*best = m;
	}
}

static const struct qmi_model *find(const char *text)
{
	const struct qmi_model *best = NULL;
	size_t length = 0;

	for (const struct override *o = overrides; o; o = o->next)
		if (o->active)
			better(&best, &length, &o->model, text);
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (!models[i].vendor || !overriding(models[i].vendor, models[i].product))
			better(&best, &length, &models[i], text);
	return best;
}

const struct qmi_model *qmi_model_find(const char *model, const char *revision)
{
	const struct qmi_model *m = find(model);

	if (!m)
		m = find(revision);
	return m ? m : &any;
}

const char *qmi_model_maker(uint16_t vendor)
{
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (makers[i].vendor == vendor)
			return makers[i].name;
	return NULL;
}

void qmi_model_builtin(struct qmi_model *m, uint16_t vendor, uint16_t product)
{
	const struct qmi_model *model = builtin(vendor, product);

	*m = model ? *model : any;
	m->vendor = vendor;
	m->product = product;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static bool same(const struct qmi_model *a, const struct qmi_model *b)
{
	return a->vendor == b->vendor && a->product == b->product && a->pcie == b->pcie &&
	       a->forces_qmap == b->forces_qmap && a->no_qmi == b->no_qmi && a->qmap == b->qmap &&
	       a->limits_qmap == b->limits_qmap && a->dl_max_bytes == b->dl_max_bytes &&
	       a->interface == b->interface && same_text(a->names, b->names) &&
	       same_text(a->note, b->note);
}

static char *copy(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

static struct override *add(const struct qmi_model *m)
{
	struct override *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->model = *m;
	o->model.names = copy(m->names);
	o->model.note = copy(m->note);
	o->next = overrides;
	overrides = o;
	return o;
}

int qmi_model_override(const struct qmi_model *m)
{
	struct override *old = overriding(m->vendor, m->product), *o = overrides;

	while (o && !same(&o->model, m))
		o = o->next;
	if (!o)
		o = add(m);
	if (!o)
		return -ENOMEM;
	if (old)
		old->active = false;
	o->active = true;
	return 0;
}

void qmi_model_forget_overrides(void)
{
	for (struct override *o = overrides; o; o = o->next)
		o->active = false;
}
