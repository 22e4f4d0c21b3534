/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results, round by round, and their lines of JSON. */
#ifndef VM_RESULTS_H
#define VM_RESULTS_H

#include "vm_bench.h"

#define ROUNDS_MAX 15

struct outcome {
	bool measured;
	double cost[ROUNDS_MAX];
	unsigned long long sent, lost;
	struct json_object *drops;
	struct seen seen;	    /* of all rounds */
	double latency[ROUNDS_MAX]; /* median of each round, ns */
};

/* Takes over the members of @s. */
void outcome_add(struct outcome *o, unsigned int round, struct sample *s);

/*
 * Prints "DATA {json}" lines of one path of @c: raw, for `qmap-bench add`. @unit: "insns" or "ns",
 * of costs.
 *
 * @base is subtracted and @rmnet compared with round by round, so that a disturbance of a round
 * affects all paths.
 */
void results_print(const struct bench_case *c, enum path p, const struct outcome *o,
		   const struct outcome *base, const struct outcome *rmnet,
		   const struct outcome *rmnet_base, unsigned int rounds, const char *unit);

#endif
