// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts where the memory of a process holds a text:
 *
 *   memory-tool PID TEXT...
 *
 * prints one number a TEXT. Memory that cannot be read, as that of devices, is left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range {
	unsigned long start, end;
	char readable;
};

static size_t count(const char *p, size_t len, const char *text)
{
	const char *end = p + len, *at = p;
	size_t n = 0;

	while ((at = memmem(at, end - at, text, strlen(text)))) {
		n++;
		at++;
	}
	return n;
}

static void count_all(FILE *mem, const struct range *r, char **texts, size_t *n)
{
	size_t len = r->end - r->start;
	char *copy = malloc(len);

	if (!copy)
		exit(1);
	if (!fseek(mem, (long)r->start, SEEK_SET) && fread(copy, 1, len, mem) == len)
		for (size_t i = 0; texts[i]; i++)
			n[i] += count(copy, len, texts[i]);
	free(copy);
}

static FILE *open_of(const char *pid, const char *name)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	f = fopen(path, "r");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

int main(int argc, char **argv)
{
	size_t n[16] = {0};
	struct range r;
	FILE *maps, *mem;
	char line[512];

	if (argc < 3 || argc > 18)
		return 1;
	maps = open_of(argv[1], "maps");
	mem = open_of(argv[1], "mem");
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %c", &r.start, &r.end, &r.readable) == 3 &&
		    r.readable == 'r' && !strstr(line, "[v"))
			count_all(mem, &r, argv + 2, n);
	for (int i = 2; i < argc; i++)
		printf("%zu%c", n[i - 2], i + 1 < argc ? ' ' : '\n');
	fclose(maps);
	fclose(mem);
	return 0;
}
