// SPDX-License-Identifier: GPL-2.0-or-later
#include "sampling.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct variant *sampling_add(struct sampling *s, const struct variant *v, const char *format, ...)
{
	struct variant *grown = reallocarray(s->v, s->n + 1, sizeof(*grown)), *added;
	va_list args;

	if (!grown)
		return NULL;
	s->v = grown;
	added = &s->v[s->n++];
	*added = *v;
	va_start(args, format);
	vsnprintf(added->name, sizeof(added->name), format, args);
	va_end(args);
	return added;
}

static int prepare(struct sampling *s, unsigned int rounds)
{
	for (unsigned int i = 0; i < s->n; i++) {
		struct variant *v = &s->v[i];

		v->result.name = v->name;
		v->result.n = rounds;
		v->result.samples = calloc(rounds, sizeof(double));
		if (!v->result.samples)
			return -ENOMEM;
	}
	return 0;
}

int sampling_run(struct sampling *s, const struct recorder *r)
{
	int ret = prepare(s, r->rounds);

	for (unsigned int round = 0; round < r->rounds && !ret; round++) {
		for (unsigned int i = 0; i < s->n && !ret; i++) {
			struct variant *v = &s->v[i];

			ret = v->sample(v, &v->result.samples[round]);
			if (ret)
				fprintf(stderr, "%s: %s\n", v->name, strerror(-ret));
		}
	}
	for (unsigned int i = 0; i < s->n && !ret; i++)
		record_add(r, &s->v[i].result);
	return ret;
}

void sampling_free(struct sampling *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->v[i].free_data)
			s->v[i].free_data(s->v[i].data);
		free(s->v[i].result.samples);
	}
	free(s->v);
	*s = (struct sampling){0};
}
