/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Suggestions for a mistyped word ("did you mean ...?"). */
#ifndef QMAP_NEAREST_H
#define QMAP_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word;
	const char *best; /* NULL: no candidate is similar enough */
	size_t distance;
};

void nearest_init(struct nearest *n, const char *word);
/* Considers one candidate, which must live as long as @n. */
void nearest_offer(struct nearest *n, const char *candidate);

#endif
