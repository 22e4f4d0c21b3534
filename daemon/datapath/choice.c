// SPDX-License-Identifier: GPL-2.0-or-later
#include "choice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * Instructions from the aggregate to the socket per TCP packet of 1400 bytes, on Linux 6.1, in aggregates as
 * each data path asks for: of 21 packets, with xdp of 10. `KERNEL=6.1 bench/vm.sh tcp-socket-v5
 * tcp-socket-v1 tcp-socket-v5-10 tcp-socket-v1-10 usb-tcp-socket`, rmnet and qmimux with the observer.
 * v4 costs as much as v5: both bring the modem's checksums. Sorted by the highest version that a data path
 * carries. On arm64 (ARCH=arm64) the order is the same: shim 1613 with v1 and 976 with v5, rmnet 3901
 * and 3156, qmimux 6684, xdp 7536 and 7618 in aggregates of 21.
 */
static const struct {
	const struct datapath_ops *ops;
	unsigned int v1, v5;
	unsigned int large; /* more of them in larger aggregates than it asks for, of 21 packets */
} costs[] = {
	/* the shim's, because the transport of both is left out */
	{&datapath_usb, 1170, 869, 0},	     {&datapath_shim, 1170, 869, 0},
	{&datapath_rmnet, 3217, 2861, 0},    {&datapath_qmimux, 5433, 0, 0},
	{&datapath_xdp, 14605, 14659, 6490}, /* 6464 with v1 */
};

#define ROWS (sizeof(costs) / sizeof(costs[0]))

static const int versions[DATAPATH_VERSIONS] = {QMAP_V5, QMAP_V4, QMAP_V1};

double datapath_cost(const struct datapath_ops *ops, int version, unsigned int bytes)
{
	bool large = bytes > ops->limits.dl_max_bytes;

	for (size_t i = 0; i < ROWS; i++) {
		unsigned int cost = version == QMAP_V1 ? costs[i].v1 : costs[i].v5;

		if (costs[i].ops == ops)
			return (double)(cost + (large ? costs[i].large : 0)) / costs[0].v5;
	}
	return 0;
}

const struct datapath_ops *datapath_by_cost(unsigned int i)
{
	return i < ROWS ? costs[i].ops : NULL;
}

/* Appends the reason why one data path cannot be used. */
static void add_reason(struct error *why, const char *name, const struct error *one)
{
	size_t len = strlen(why->text);

	if (!len)
		error_set(why, -EOPNOTSUPP, "%s: %s", name, one->text);
	else
		snprintf(why->text + len, sizeof(why->text) - len, "; %s: %s", name, one->text);
}

const struct datapath_ops *datapath_granted(const struct datapath_choice *c, int version)
{
	for (unsigned int i = 0; i < c->n; i++)
		if (c->wish[i].version == version)
			return c->wish[i].ops;
	return NULL;
}

/* Adds the versions that no cheaper data path carries; returns why the last one was refused. */
static int add_versions(struct datapath_choice *c, const struct datapath_ops *ops, int version,
			struct error *why)
{
	unsigned int before = c->n;

	for (size_t i = 0; i < DATAPATH_VERSIONS; i++) {
		int v = versions[i];

		if ((version != DATAPATH_ANY && version != v) || datapath_granted(c, v))
			continue;
		*why = (struct error){0};
		if (!ops->carries || !ops->carries(v, why))
			c->wish[c->n++] = (struct datapath_wish){v, ops};
	}
	return c->n > before ? 0 : why->err;
}

int datapath_choose_only(struct datapath_choice *c, const struct datapath_ops *ops, int version,
			 struct error *err)
{
	struct error why = {0};

	*c = (struct datapath_choice){0};
	return add_versions(c, ops, version, &why) ? error_pass(err, &why) : 0;
}

int datapath_choose(struct datapath_choice *c, const char *trunk, int version,
		    const struct datapath_ops *without, struct error *err)
{
	*c = (struct datapath_choice){0};
	for (size_t i = 0; i < ROWS; i++) {
		const struct datapath_ops *ops = costs[i].ops;
		struct error why = {0};
		int ret;

		if (ops == without || (ops->fits && !ops->fits(trunk)))
			continue;
		ret = ops->probe(trunk, &why);
		if (!ret)
			ret = add_versions(c, ops, version, &why);
		if (c->n)
			continue;
		if (ret && ret != -EOPNOTSUPP)
			return error_pass(err, &why);
		if (ret)
			add_reason(&c->why, ops->name, &why);
	}
	if (c->n)
		return 0;
	error_hint(&c->why, "`qmapctl probe %s` says what each data path would need",
		   trunk ? trunk : "DEV");
	return error_pass(err, &c->why);
}
