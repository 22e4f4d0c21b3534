/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks in a guest's code for the cache model of QEMU's plugin cache.c, which finds them when it
 * translates: instructions of amd64 that no compiler emits.
 */
#ifndef BENCH_VM_MARK_H
#define BENCH_VM_MARK_H

/* nopl VALUE(%rax,%rax,1): begin and end of what is counted */
#define VM_MARK_BEGIN 0x0f, 0x1f, 0x84, 0x00, 0x51, 0x4d, 0x41, 0x01
#define VM_MARK_END   0x0f, 0x1f, 0x84, 0x00, 0x51, 0x4d, 0x41, 0x02
/* mov %cs:%cs:(%rdi),%al: the line at rdi has been written by DMA */
#define VM_MARK_DMA 0x2e, 0x2e, 0x8a, 0x07

#define VM_MARK_TEXT_(...) #__VA_ARGS__
#define VM_MARK_TEXT(...)  VM_MARK_TEXT_(__VA_ARGS__)
#ifdef __x86_64__
#define VM_MARK(code) __asm__ volatile(".byte " VM_MARK_TEXT(code)::: "memory")
#define VM_MARK_LINE(at)                                                                           \
	do {                                                                                       \
		const void *at_ = (at);                                                            \
		__asm__ volatile(".byte " VM_MARK_TEXT(VM_MARK_DMA) : "+D"(at_)::"rax", "memory"); \
	} while (0)
#else
#define VM_MARK(code)	 ((void)0)
#define VM_MARK_LINE(at) ((void)(at))
#endif

#endif
