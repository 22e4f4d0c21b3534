// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin of QEMU (TCG) that models the data caches of a router's CPU and counts the misses of a
 * guest, kernel and programs, between two marks (vm_mark.h).
 *
 * The model: L1D of 32 KB, 4 ways, and L2 of 512 KB, 16 ways (a Cortex-A53), lines of 64 bytes, LRU,
 * physical addresses, write-allocate, no prefetcher. Instructions do not take part. Only the CPU's
 * accesses are seen. The guest announces a buffer of DMA (tests/vm/bare/usb_dma.c) with a load of its
 * own encoding for each line, and the line leaves both caches: DMA is not coherent on most routers.
 *
 *   qemu-system-x86_64 -plugin build/cache.so,out=FILE
 *
 * Each pair of marks appends to FILE: accesses, misses of L1D, misses of L2.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/vm_mark.h"
#include "qemu.h"

#define LINE_BITS 6
#define WAYS_MAX  16

struct cache {
	unsigned int sets, ways;
	uint64_t *line; /* [set][way], the latest used first; 0: free */
	uint64_t misses;
};

static struct cache l1 = {.sets = 128, .ways = 4}, l2 = {.sets = 512, .ways = WAYS_MAX};
static uint64_t accesses;
static bool counts;
static FILE *out;

static uint64_t *set_of(const struct cache *c, uint64_t line)
{
	return c->line + line % c->sets * c->ways;
}

/* Way of @line, or the number of ways. */
static unsigned int find(const struct cache *c, const uint64_t *set, uint64_t line)
{
	unsigned int i;

	for (i = 0; i < c->ways && set[i] != line; i++)
		;
	return i;
}

/* True: a hit. Afterwards the line is there. */
static bool touch(struct cache *c, uint64_t line)
{
	uint64_t *set = set_of(c, line);
	unsigned int i = find(c, set, line), last = i < c->ways ? i : c->ways - 1;

	memmove(set + 1, set, last * sizeof(*set));
	set[0] = line;
	return i < c->ways;
}

static void forget(struct cache *c, uint64_t line)
{
	uint64_t *set = set_of(c, line);
	unsigned int i = find(c, set, line);

	if (i == c->ways)
		return;
	memmove(set + i, set + i + 1, (c->ways - 1 - i) * sizeof(*set));
	set[c->ways - 1] = 0;
}

static void access_line(uint64_t line)
{
	if (touch(&l1, line))
		return;
	l1.misses += counts;
	if (!touch(&l2, line))
		l2.misses += counts;
}

/* False: not memory. */
static bool physical(uint32_t info, uint64_t vaddr, uint64_t *at)
{
	struct hwaddr *hwaddr = qemu_plugin_get_hwaddr(info, vaddr);

	if (!hwaddr || qemu_plugin_hwaddr_is_io(hwaddr))
		return false;
	*at = qemu_plugin_hwaddr_phys_addr(hwaddr);
	return true;
}

static void on_access(unsigned int cpu, uint32_t info, uint64_t vaddr, void *data)
{
	uint64_t at, end, line;

	if (!physical(info, vaddr, &at))
		return;
	accesses += counts;
	end = at + (1U << qemu_plugin_mem_size_shift(info)) - 1;
	for (line = at >> LINE_BITS; line <= end >> LINE_BITS; line++)
		access_line(line);
}

static void on_dma(unsigned int cpu, uint32_t info, uint64_t vaddr, void *data)
{
	uint64_t at;

	if (!physical(info, vaddr, &at))
		return;
	forget(&l1, at >> LINE_BITS);
	forget(&l2, at >> LINE_BITS);
}

static void on_begin(unsigned int cpu, void *data)
{
	accesses = l1.misses = l2.misses = 0;
	counts = true;
}

static void on_end(unsigned int cpu, void *data)
{
	counts = false;
	fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", accesses, l1.misses, l2.misses);
	fflush(out);
}

static bool is(const struct insn *insn, const uint8_t *code, size_t len)
{
	return qemu_plugin_insn_size(insn) == len &&
	       !memcmp(qemu_plugin_insn_data(insn), code, len);
}

static void on_translate(plugin_id id, struct tb *tb)
{
	static const uint8_t begin[] = {VM_MARK_BEGIN}, end[] = {VM_MARK_END},
			     dma[] = {VM_MARK_DMA};
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (is(insn, begin, sizeof(begin)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin, CB_NO_REGS, NULL);
		else if (is(insn, end, sizeof(end)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, CB_NO_REGS, NULL);
		else if (is(insn, dma, sizeof(dma)))
			qemu_plugin_register_vcpu_mem_cb(insn, on_dma, CB_NO_REGS, MEM_RW, NULL);
		else
			qemu_plugin_register_vcpu_mem_cb(insn, on_access, CB_NO_REGS, MEM_RW, NULL);
	}
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4) != 0)
		return -1;
	out = fopen(argv[0] + 4, "w");
	l1.line = calloc(l1.sets * l1.ways, sizeof(*l1.line));
	l2.line = calloc(l2.sets * l2.ways, sizeof(*l2.line));
	if (!out || !l1.line || !l2.line)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
