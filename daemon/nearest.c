// SPDX-License-Identifier: GPL-2.0-or-later
#include "nearest.h"

#include <string.h>

#define MAX_WORD 32

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance, one row of the matrix at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), row[MAX_WORD + 1];

	if (la > MAX_WORD || lb > MAX_WORD)
		return MAX_WORD;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t up = row[j];

			row[j] = min3(up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = up;
		}
	}
	return row[lb];
}

void nearest_init(struct nearest *n, const char *word)
{
	size_t len = strlen(word);

	n->word = word;
	n->best = NULL;
	/* One slip in a short word, a third of a long one: beyond that a guess only misleads. */
	n->distance = (len < 4 ? 1 : len / 3) + 1;
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	size_t d = distance(n->word, candidate);

	if (d >= n->distance)
		return;
	n->distance = d;
	n->best = candidate;
}
