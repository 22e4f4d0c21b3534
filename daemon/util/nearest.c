// SPDX-License-Identifier: GPL-2.0-or-later
#include "nearest.h"

#include <stdint.h>
#include <string.h>

#define MAX_WORD 32

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/*
 * Number of typing errors between two words: one letter too many, too few, wrong, or two exchanged
 * (optimal string alignment distance).
 */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	uint8_t d[MAX_WORD + 1][MAX_WORD + 1];

	if (la > MAX_WORD || lb > MAX_WORD)
		return MAX_WORD;
	for (size_t i = 0; i <= la; i++) {
		for (size_t j = 0; j <= lb; j++) {
			if (!i || !j) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min3(d[i][j], d[i - 2][j - 2] + 1, MAX_WORD);
		}
	}
	return d[la][lb];
}

void nearest_init(struct nearest *n, const char *word)
{
	size_t len = strlen(word);

	n->word = word;
	n->best = NULL;
	/*
	 * One error in a short word, a third of the letters of a long one: a farther guess
	 * misleads.
	 */
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
