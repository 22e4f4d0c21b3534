// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int proc_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

int proc_write_number(const char *path, long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", number);
	return proc_write(path, text);
}

int proc_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	n = n < 0 ? -errno : n;
	text[n < 0 ? 0 : n] = 0;
	close(fd);
	return n;
}

long meminfo(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "re");
	long kb = -1;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			kb = strtol(line + strlen(name) + 1, NULL, 10);
	if (f)
		fclose(f);
	return kb;
}

bool is_debug_kernel(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

/* Parses "Node 0, zone    DMA32   12  5 ...": free blocks by order. */
static long blocks_of_zone(const char *line, unsigned int order)
{
	unsigned int i = 0;
	int at = 0, n = 0;
	long kb = 0, blocks;

	sscanf(line, "Node %*d, zone %*s %n", &at);
	while (at && sscanf(line + at, "%ld %n", &blocks, &n) == 1) {
		if (i >= order)
			kb += blocks << i << 2;
		i++;
		at += n;
	}
	return kb;
}

long memory_in_blocks(unsigned int order)
{
	FILE *f = fopen("/proc/buddyinfo", "re");
	char line[512];
	long kb = 0;

	while (f && fgets(line, sizeof(line), f))
		kb += blocks_of_zone(line, order);
	if (f)
		fclose(f);
	return kb;
}

unsigned int slab_order(const char *name)
{
	char path[128], text[32] = "";
	unsigned long size;
	unsigned int order;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/slab_size", name);
	if (proc_read(path, text, sizeof(text)) < 0)
		return 0;
	size = strtoul(text, NULL, 10); /* size of an object with its debugging data */
	for (order = 0; size > 4096UL << order; order++)
		;
	return order;
}

/* KASAN keeps freed objects for a while, unless their cache is asked for its unused memory. */
static void shrink_slab(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", name);
	proc_write(path, "1");
}

long skb_heads(void)
{
	FILE *f = fopen("/proc/slabinfo", "re");
	long used = -1, n;
	char line[256], name[64];

	shrink_slab("skbuff_head_cache");
	shrink_slab("skbuff_fclone_cache");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld", name, &n) == 2 &&
		    (!strcmp(name, "skbuff_head_cache") || !strcmp(name, "skbuff_fclone_cache")))
			used = (used < 0 ? 0 : used) + n;
	if (f)
		fclose(f);
	return used;
}
