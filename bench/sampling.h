/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples many results of one level in turn, round by round, so that a disturbance affects all. */
#ifndef BENCH_SAMPLING_H
#define BENCH_SAMPLING_H

#include <stdint.h>

#include "record.h"

struct variant {
	struct result result; /* name is @name; samples, n, sent and lost are filled in */
	char name[64];
	/* Takes one sample. 0 or a negative errno. */
	int (*sample)(struct variant *v, double *value);
	void *env;	     /* belongs to the sampler */
	void *data;	     /* belongs to the sampler; sampling_free() frees it with @free_data */
	unsigned int frames; /* repeat a sample for so many frames */
	unsigned int repeat;
	int number;
	void (*free_data)(void *data);
};

struct sampling {
	struct variant *v;
	unsigned int n;
};

/* Adds a variant, valid until the next one is added; NULL without memory. */
struct variant *sampling_add(struct sampling *s, const struct variant *v, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Runs all rounds, then adds all results. 0 or a sampler's error, after a message on stderr. */
int sampling_run(struct sampling *s, const struct recorder *r);
void sampling_free(struct sampling *s);

#endif
