// SPDX-License-Identifier: GPL-2.0-or-later
#include "alias.h"

#include <string.h>

/* Returns the index of @addr, which is added to the @n addresses of @size bytes if it is new. */
static uint8_t index_of(uint8_t *known, unsigned int *n, const uint8_t *addr, size_t size)
{
	unsigned int i = 0;

	while (i < *n && memcmp(known + i * size, addr, size))
		i++;
	if (i < *n)
		return i;
	if (*n == RECORD_ALIASES)
		return RECORD_ALIASES - 1;
	memcpy(known + i * size, addr, size);
	++*n;
	return i;
}

void record_alias4(struct record_alias *a, uint8_t addr[4])
{
	static const uint8_t none[4];
	uint8_t stand_in[4] = {198, 18, 0, 1};

	if (!memcmp(addr, none, sizeof(none)))
		return;
	stand_in[2] = index_of(a->v4[0], &a->n4, addr, 4);
	memcpy(addr, stand_in, sizeof(stand_in));
}

void record_alias6(struct record_alias *a, uint8_t addr[16])
{
	static const uint8_t none[16];
	uint8_t stand_in[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

	if (!memcmp(addr, none, sizeof(none)))
		return;
	stand_in[7] = index_of(a->v6[0], &a->n6, addr, 16);
	memcpy(addr, stand_in, sizeof(stand_in));
}
