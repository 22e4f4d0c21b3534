// SPDX-License-Identifier: GPL-2.0-or-later
#include "count.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_INSNS 100000

struct machine {
	uint64_t reg[11];
	uint8_t stack[512] __attribute__((aligned(16)));
	struct __sk_buff skb;
	struct count_packet *packet;
	const uint8_t *rodata;
	uint32_t l2_len;
	uint64_t value[64]; /* of any map */
	struct count_result *result;
};

static void stop(const char *what, unsigned int code)
{
	fprintf(stderr, "count: %s 0x%x is not known\n", what, code);
	abort();
}

/* bpf_skb_change_proto(): 20 bytes more or less behind the link header. */
static uint64_t change_proto(struct machine *m, uint16_t proto)
{
	struct count_packet *p = m->packet;
	uint8_t *ip = p->bytes + m->l2_len;
	uint32_t rest = p->len - m->l2_len;

	if (proto == 0xdd86) {
		memmove(ip + 20, ip, rest);
		p->len += 20;
	} else {
		memmove(ip, ip + 20, rest - 20);
		p->len -= 20;
	}
	p->protocol = proto;
	m->skb.protocol = proto;
	m->skb.len = p->len;
	return 0;
}

static uint64_t call(struct machine *m, int helper)
{
	uint64_t *r = m->reg;
	bool fits = r[2] + r[4] <= m->packet->len;

	switch (helper) {
	case BPF_FUNC_skb_load_bytes:
		if (fits)
			memcpy((void *)(uintptr_t)r[3], m->packet->bytes + r[2], r[4]);
		return fits ? 0 : -14;
	case BPF_FUNC_skb_store_bytes:
		if (fits)
			memcpy(m->packet->bytes + r[2], (void *)(uintptr_t)r[3], r[4]);
		return fits ? 0 : -14;
	case BPF_FUNC_skb_change_proto:
		return change_proto(m, (uint16_t)r[2]);
	case BPF_FUNC_map_lookup_elem:
		return (uintptr_t)m->value;
	case BPF_FUNC_get_prandom_u32:
		return 4;
	}
	stop("helper", (unsigned int)helper);
	return 0;
}

/* The context holds pointers to the packet in 32 bits, which the kernel replaces by its own. */
static uint64_t load(const struct machine *m, uint64_t address, int size)
{
	const void *p = (const void *)(uintptr_t)address;
	uint64_t v = 0;

	if (p == &m->skb.data)
		return (uintptr_t)m->packet->bytes;
	if (p == &m->skb.data_end)
		return (uintptr_t)m->packet->bytes + m->packet->len;
	memcpy(&v, p, size == BPF_DW ? 8 : size == BPF_W ? 4 : size == BPF_H ? 2 : 1);
	return v;
}

static void store(uint64_t address, int size, uint64_t v)
{
	memcpy((void *)(uintptr_t)address, &v,
	       size == BPF_DW  ? 8
	       : size == BPF_W ? 4
	       : size == BPF_H ? 2
			       : 1);
}

static uint64_t swap(uint64_t v, int bits)
{
	return bits == 16   ? __builtin_bswap16(v)
	       : bits == 32 ? __builtin_bswap32(v)
			    : __builtin_bswap64(v);
}

static uint64_t alu(const struct bpf_insn *i, uint64_t a, uint64_t b, bool is_64)
{
	uint64_t v;

	switch (BPF_OP(i->code)) {
	case BPF_ADD:
		v = a + b;
		break;
	case BPF_SUB:
		v = a - b;
		break;
	case BPF_MUL:
		v = a * b;
		break;
	case BPF_OR:
		v = a | b;
		break;
	case BPF_AND:
		v = a & b;
		break;
	case BPF_XOR:
		v = a ^ b;
		break;
	case BPF_MOV:
		v = b;
		break;
	case BPF_NEG:
		v = -a;
		break;
	case BPF_LSH:
		v = is_64 ? a << (b & 63) : (uint32_t)a << (b & 31);
		break;
	case BPF_RSH:
		v = is_64 ? a >> (b & 63) : (uint32_t)a >> (b & 31);
		break;
	case BPF_ARSH:
		v = is_64 ? (uint64_t)((int64_t)a >> (b & 63)) : (uint64_t)((int32_t)a >> (b & 31));
		break;
	/* on a machine of little endian, TO_LE only cuts off */
	case BPF_END:
		return BPF_SRC(i->code) == BPF_TO_BE ? swap(a, i->imm)
		       : i->imm == 64		     ? a
						     : a & ((1ull << i->imm) - 1);
	default:
		stop("operation", i->code);
		return 0;
	}
	return is_64 ? v : (uint32_t)v;
}

static bool jumps(const struct bpf_insn *i, uint64_t a, uint64_t b, bool is_64)
{
	int64_t sa = is_64 ? (int64_t)a : (int32_t)a, sb = is_64 ? (int64_t)b : (int32_t)b;

	if (!is_64) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (BPF_OP(i->code)) {
	case BPF_JA:
		return true;
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSET:
		return a & b;
	case BPF_JSGT:
		return sa > sb;
	case BPF_JSGE:
		return sa >= sb;
	case BPF_JSLT:
		return sa < sb;
	case BPF_JSLE:
		return sa <= sb;
	}
	stop("jump", i->code);
	return false;
}

/* A 64-bit constant: the address of the program's constants, or of a map, which nobody looks into. */
static uint64_t constant(const struct machine *m, const struct bpf_insn *i)
{
	if (i->src_reg == BPF_PSEUDO_MAP_VALUE)
		return (uintptr_t)m->rodata + (uint32_t)i[1].imm;
	return (uint32_t)i->imm | (uint64_t)(uint32_t)i[1].imm << 32;
}

/* Returns how many instructions further to go on; 0: the end. */
static int step(struct machine *m, const struct bpf_insn *i)
{
	uint64_t *dst = &m->reg[i->dst_reg], src = m->reg[i->src_reg];
	uint64_t operand = BPF_SRC(i->code) == BPF_X ? src : (uint64_t)(int64_t)i->imm;

	switch (BPF_CLASS(i->code)) {
	case BPF_ALU64:
	case BPF_ALU:
		*dst = alu(i, *dst, operand, BPF_CLASS(i->code) == BPF_ALU64);
		return 1;
	case BPF_LD:
		*dst = constant(m, i);
		return 2;
	case BPF_LDX:
		*dst = load(m, src + i->off, BPF_SIZE(i->code));
		return 1;
	case BPF_ST:
		store(*dst + i->off, BPF_SIZE(i->code), (uint64_t)(int64_t)i->imm);
		return 1;
	case BPF_STX:
		store(*dst + i->off, BPF_SIZE(i->code), src);
		return 1;
	}
	if (BPF_OP(i->code) == BPF_EXIT)
		return 0;
	if (BPF_OP(i->code) == BPF_CALL) {
		m->reg[0] = call(m, i->imm);
		m->result->calls++;
		return 1;
	}
	return jumps(i, *dst, operand, BPF_CLASS(i->code) == BPF_JMP) ? i->off + 1 : 1;
}

void count_run(const struct bpf_program *prog, const void *rodata, uint32_t l2_len,
	       struct count_packet *packet, struct count_result *result)
{
	const struct bpf_insn *insns = bpf_program__insns(prog);
	struct machine m = {.packet = packet, .rodata = rodata, .l2_len = l2_len, .result = result};
	int at = 0, next = 1;

	*result = (struct count_result){.instructions = 0};
	m.skb.protocol = packet->protocol;
	m.skb.len = packet->len;
	m.reg[1] = (uintptr_t)&m.skb;
	m.reg[10] = (uintptr_t)(m.stack + sizeof(m.stack));
	while (next && result->instructions++ < MOST_INSNS) {
		next = step(&m, &insns[at]);
		at += next;
	}
	result->verdict = (int)m.reg[0];
}
