/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory as on a router that has run for weeks: free memory consists of single pages, or of the
 * smallest blocks that the kernel can go on with.
 */
#ifndef VM_MEMORY_H
#define VM_MEMORY_H

#include <stddef.h>

#define MEMORY_LARGE 3 /* order of the blocks that drivers prefer and that are rare */

struct memory {
	char *kept, *spare;
	size_t size; /* bytes */
};

/* Takes all memory and frees every other block. 0, or -1 with a message and nothing taken. */
int memory_fragment(struct memory *m);
void memory_release(struct memory *m);

#endif
