// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin of QEMU (TCG) that counts how often each instruction of a guest runs between two marks
 * (vm_mark.h).
 *
 *   qemu-system-x86_64 -plugin build/profile.so,out=FILE
 *
 * Each pair of marks appends to FILE a line "ADDRESS COUNT" for each instruction, and an empty line.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bench/vm_mark.h"
#include "qemu.h"

/* Open hash table by address; a guest runs some hundred thousand different instructions. */
#define BITS  22
#define SLOTS (1U << BITS)

static struct {
	uint64_t address, count;
} slots[SLOTS];
static bool counts;
static FILE *out;

static uint64_t *count_of(uint64_t address)
{
	unsigned int i = address * 0x9e3779b97f4a7c15ULL >> (64 - BITS);

	while (slots[i].address && slots[i].address != address)
		i = (i + 1) % SLOTS;
	slots[i].address = address;
	return &slots[i].count;
}

static void on_instruction(unsigned int cpu, void *data)
{
	*(uint64_t *)data += counts;
}

static void on_begin(unsigned int cpu, void *data)
{
	counts = true;
}

static void on_end(unsigned int cpu, void *data)
{
	counts = false;
	for (unsigned int i = 0; i < SLOTS; i++) {
		if (slots[i].count)
			fprintf(out, "%" PRIx64 " %" PRIu64 "\n", slots[i].address, slots[i].count);
		slots[i].count = 0;
	}
	fputc('\n', out);
	fflush(out);
}

static bool is(const struct insn *insn, const uint8_t *code, size_t len)
{
	return qemu_plugin_insn_size(insn) == len &&
	       !memcmp(qemu_plugin_insn_data(insn), code, len);
}

static void on_translate(plugin_id id, struct tb *tb)
{
	static const uint8_t begin[] = {VM_MARK_BEGIN}, end[] = {VM_MARK_END};
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (is(insn, begin, sizeof(begin)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin, CB_NO_REGS, NULL);
		else if (is(insn, end, sizeof(end)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, CB_NO_REGS, NULL);
		else
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_instruction, CB_NO_REGS,
				count_of(qemu_plugin_insn_vaddr(insn)));
	}
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4) != 0)
		return -1;
	out = fopen(argv[0] + 4, "w");
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
