// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory.h"

#include <sys/mman.h>

#include "proc.h"
#include "shim_test.h"

#define PAGE	4096UL
#define STEP	(512UL << 10)
#define MIN_KB	2048
#define SHIFTS	8
#define KEEP_KB 24576 /* below this, the kernel kills processes */

static char *reserve(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

static void touch(char *p, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE)
		p[at] = 1;
}

/*
 * Takes blocks of two mappings in turn, which are usually neighbours. Without swap they stay in
 * memory.
 */
static void take(char *a, char *b, size_t size, size_t block)
{
	size_t at, step;

	for (at = 0; at < size && meminfo("MemFree:") > KEEP_KB; at += STEP) {
		for (step = at; step < at + STEP; step += block) {
			touch(a + step, block);
			touch(b + step, block);
		}
	}
}

/* Takes all memory and frees every other block: whether the kernel can go on with the rest. */
static bool leave_blocks(struct memory *m, char *given, unsigned int order)
{
	take(m->kept, given, m->size, PAGE << order);
	madvise(given, m->size, MADV_DONTNEED);
	return memory_in_blocks(order) > meminfo("MemFree:") / 4;
}

/*
 * The kernel needs single pages to go on: a stock kernel's slabs of objects of up to a page consist
 * of them. A kernel that surrounds objects with debugging data asks for larger blocks, and kills
 * processes when it finds none.
 *
 * The kernel gives out memory page by page in ascending order. If the first page is the second half
 * of an aligned block, so are the others, and two freed neighbours never are one block: another page
 * taken before them shifts them all.
 */
int memory_fragment(struct memory *m)
{
	unsigned int order = slab_order("kmalloc-4k"), shifts = 0;
	char *given;
	bool left;

	if (order >= MEMORY_LARGE)
		return FAIL("this kernel's slabs want blocks of %u pages", 1U << order);

	m->size = (meminfo("MemTotal:") << 10) / 2 / STEP * STEP;
	m->kept = reserve(m->size);
	m->spare = reserve(SHIFTS * PAGE);
	given = reserve(m->size);
	if (!m->kept || !m->spare || !given)
		return FAIL("mmap");
	/* The kernel compacts memory only for allocations that can wait. */
	proc_write("/proc/sys/vm/compaction_proactiveness", "0");
	proc_write_number("/proc/sys/vm/min_free_kbytes", MIN_KB);
	while (!(left = leave_blocks(m, given, order)) && shifts < SHIFTS) {
		madvise(m->kept, m->size, MADV_DONTNEED);
		touch(m->spare + PAGE * shifts++, PAGE);
	}
	munmap(given, m->size);
	printf("  %ld KB free, %ld in blocks of %u pages, %ld of %u and more; shifts: %u\n",
	       meminfo("MemFree:"), memory_in_blocks(order), 1U << order,
	       memory_in_blocks(MEMORY_LARGE), 1U << MEMORY_LARGE, shifts);
	if (left)
		return 0;
	memory_release(m);
	return FAIL("the kernel needs free blocks of %u pages", 1U << order);
}

void memory_release(struct memory *m)
{
	munmap(m->kept, m->size);
	munmap(m->spare, SHIFTS * PAGE);
}
