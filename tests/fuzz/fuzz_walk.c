// SPDX-License-Identifier: GPL-2.0-or-later
/* The frame walker over arbitrary bytes. The first byte selects the QMAP version. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bpf/walk_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};
	const char *wrong;
	uint8_t *copy;

	if (size < 2)
		return 0;
	copy = malloc(size - 1);
	if (!copy)
		abort();
	memcpy(copy, data + 1, size - 1);
	wrong = walk_check(copy, size - 1, versions[data[0] % 3]);
	free(copy);
	if (!wrong)
		return 0;
	fprintf(stderr, "%s\n", wrong);
	abort();
}
