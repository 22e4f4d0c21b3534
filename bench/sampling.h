/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many results of one level, sampled in turn round by round, so that a disturbance hits all. */
#ifndef BENCH_SAMPLING_H
#define BENCH_SAMPLING_H

#include <stdint.h>

#include "record.h"

struct variant {
	struct result result; /* name is @name; samples, n, sent and lost are filled in */
	char name[64];
	/* One sample. 0 or a negative errno. */
	int (*sample)(struct variant *v, double *value);
	void *env;	     /* of the sampler's */
	void *data;	     /* of the sampler's, freed by sampling_free() with @free_data */
	unsigned int frames; /* worth of one repetition */
	unsigned int repeat;
	int number;
	void (*free_data)(void *data);
};

struct sampling {
	struct variant *v;
	unsigned int n;
};

/* A new variant, or NULL without memory. Valid until the next one is added. */
struct variant *sampling_add(struct sampling *s, const struct variant *v, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* All rounds, then all results. 0 or what a sampler returned, said on stderr. */
int sampling_run(struct sampling *s, const struct recorder *r);
void sampling_free(struct sampling *s);

#endif
