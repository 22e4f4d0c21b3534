/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Did you mean ...? */
#ifndef QMAP_NEAREST_H
#define QMAP_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word;
	const char *best; /* NULL: nothing is similar enough */
	size_t distance;
};

void nearest_init(struct nearest *n, const char *word);
/* Considers one candidate; it must live as long as @n. */
void nearest_offer(struct nearest *n, const char *candidate);

#endif
