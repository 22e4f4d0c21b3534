/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes files in /proc and /sys. */
#ifndef VM_PROC_H
#define VM_PROC_H

#include <stdbool.h>
#include <stddef.h>

/* 0 or a negative errno. */
int proc_write(const char *path, const char *text);
int proc_write_number(const char *path, long number);
/*
 * Reads the beginning of a file as a string, cut at @size. Returns its length or a negative
 * errno.
 */
int proc_read(const char *path, char *text, size_t size);

/* KB of a line of /proc/meminfo, as "MemFree:"; -1 without such a line. */
long meminfo(const char *name);
/* True with KASAN and kmemleak (tests/vm/debug). */
bool is_debug_kernel(void);
/* KB free in blocks of at least 2^@order pages, by /proc/buddyinfo. */
long memory_in_blocks(unsigned int order);
/* The order of the smallest blocks that the slab cache @name can be made of; 0 if the kernel does not
 * tell. */
unsigned int slab_order(const char *name);
/* Objects in use in the caches of skb heads; -1 if the kernel does not report them. */
long skb_heads(void);

#endif
