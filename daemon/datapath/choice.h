/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which data path carries which QMAP version, and in which order they are tried: by measured cost. */
#ifndef QMAP_DATAPATH_CHOICE_H
#define QMAP_DATAPATH_CHOICE_H

#include "datapath.h"

#define DATAPATH_VERSIONS 3    /* QMAP v5, v4, v1 */
#define DATAPATH_ANY	  (-1) /* any version */

/* A QMAP version to ask the modem for, and the data path to build if it grants it. */
struct datapath_wish {
	int version; /* enum qmap_version */
	const struct datapath_ops *ops;
};

struct datapath_choice {
	unsigned int n; /* at least 1 after success */
	/* In the order to ask in: by data path, the cheapest first, then the highest version first. */
	struct datapath_wish wish[DATAPATH_VERSIONS];
	/* Why data paths before that of wish[0] cannot be used; err 0: there is none before it. */
	struct error why;
};

/*
 * Chooses among all data paths for @trunk (NULL: any) and QMAP @version, or DATAPATH_ANY. A version stands with
 * the cheapest data path that works here and carries it, other than @without (NULL: any). -EOPNOTSUPP and all reasons if none does;
 * another error of a probe (-EPERM) ends the search.
 */
int datapath_choose(struct datapath_choice *c, const char *trunk, int version,
		    const struct datapath_ops *without, struct error *err);

/* The same with one data path, which is not probed. -EOPNOTSUPP if it does not carry @version. */
int datapath_choose_only(struct datapath_choice *c, const struct datapath_ops *ops, int version,
			 struct error *err);

/* Finds the data path for the version that the modem has granted; NULL: none was wished for it. */
const struct datapath_ops *datapath_granted(const struct datapath_choice *c, int version);

/*
 * Instructions of a received packet with @ops and QMAP @version, in aggregates of at most @bytes (0: as
 * @ops asks for), as a multiple of those with the cheapest data path there is; 0 if they were not
 * measured (raw).
 */
double datapath_cost(const struct datapath_ops *ops, int version, unsigned int bytes);

/* The @i-th cheapest data path of all that carry QMAP; NULL behind the last. */
const struct datapath_ops *datapath_by_cost(unsigned int i);

#endif
