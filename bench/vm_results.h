/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was measured, round by round, and its lines of JSON. */
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
	double latency[ROUNDS_MAX]; /* median of a round's, ns */
};

/* Takes what belongs to @s. */
void outcome_add(struct outcome *o, unsigned int round, struct sample *s);

/*
 * "DATA {json}" lines of one path of @c: raw, for `qmap-bench add`. @unit: "insns" or "ns", of
 * costs.
 * @base, @rmnet: what is subtracted, and compared with; by round, so that what disturbs one path
 * of a round disturbs the others.
 */
void results_print(const struct bench_case *c, enum path p, const struct outcome *o,
		   const struct outcome *base, const struct outcome *rmnet,
		   const struct outcome *rmnet_base, unsigned int rounds, const char *unit);

#endif
