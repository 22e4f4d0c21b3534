// SPDX-License-Identifier: GPL-2.0-or-later
#include "sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "printable.h"

#define FORMAT_PATH(path, fmt)                                                                     \
	do {                                                                                       \
		va_list ap;                                                                        \
		va_start(ap, fmt);                                                                 \
		vsnprintf(path, sizeof(path), fmt, ap);                                            \
		va_end(ap);                                                                        \
	} while (0)

static bool first_line(char *buf, size_t size, const char *path)
{
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(buf, size, f);

	if (f)
		fclose(f);
	if (!ok)
		buf[0] = 0;
	buf[strcspn(buf, "\n")] = 0;
	printable(buf); /* the device chose these strings */
	for (size_t n = strlen(buf); n && buf[n - 1] == ' '; n--)
		buf[n - 1] = 0;
	return ok;
}

bool sysfs_text(char *buf, size_t size, const char *fmt, ...)
{
	char path[SYSFS_PATH];

	FORMAT_PATH(path, fmt);
	return first_line(buf, size, path);
}

long sysfs_number(int base, const char *fmt, ...)
{
	char path[SYSFS_PATH], text[32], *end;
	long n;

	FORMAT_PATH(path, fmt);
	if (!first_line(text, sizeof(text), path))
		return -1;
	n = strtol(text, &end, base);
	return end == text || *end || n < 0 ? -1 : n;
}

bool sysfs_link(char *buf, size_t size, const char *fmt, ...)
{
	char path[SYSFS_PATH], target[SYSFS_PATH], *base;
	ssize_t n;

	FORMAT_PATH(path, fmt);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = 0;
	base = strrchr(target, '/');
	snprintf(buf, size, "%s", base ? base + 1 : target);
	return n > 0;
}

int sysfs_write(const char *text, const char *fmt, ...)
{
	char path[SYSFS_PATH];
	int fd, ret = 0;

	FORMAT_PATH(path, fmt);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

bool sysfs_exists(const char *fmt, ...)
{
	char path[SYSFS_PATH];

	FORMAT_PATH(path, fmt);
	return !access(path, F_OK);
}

bool sysfs_has_line(const char *line, const char *fmt, ...)
{
	char path[SYSFS_PATH], text[256];
	bool found = false;
	FILE *f;

	FORMAT_PATH(path, fmt);
	f = fopen(path, "re");
	while (f && !found && fgets(text, sizeof(text), f)) {
		text[strcspn(text, "\n")] = 0;
		found = !strcmp(text, line);
	}
	if (f)
		fclose(f);
	return found;
}

static int no_dots(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int by_version(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

static void each(bool (*fn)(const char *name, void *arg), void *arg, const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, no_dots, by_version);
	bool go_on = true;

	if (n < 0)
		return;
	for (int i = 0; i < n; i++) {
		go_on = go_on && fn(entries[i]->d_name, arg);
		free(entries[i]);
	}
	free(entries);
}

void sysfs_each(bool (*fn)(const char *name, void *arg), void *arg, const char *fmt, ...)
{
	char path[SYSFS_PATH];

	FORMAT_PATH(path, fmt);
	each(fn, arg, path);
}

struct first {
	const char *prefix;
	char *buf;
	size_t size;
};

static bool take_first(const char *name, void *arg)
{
	const struct first *f = arg;

	if (strncmp(name, f->prefix, strlen(f->prefix)))
		return true;
	snprintf(f->buf, f->size, "%s", name);
	return false;
}

bool sysfs_first(char *buf, size_t size, const char *prefix, const char *fmt, ...)
{
	struct first f = {prefix, buf, size};
	char path[SYSFS_PATH];

	FORMAT_PATH(path, fmt);
	buf[0] = 0;
	each(take_first, &f, path);
	return buf[0];
}
