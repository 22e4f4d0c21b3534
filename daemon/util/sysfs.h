/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes /sys. A file or directory that does not exist is a result, not an error. */
#ifndef QMAP_SYSFS_H
#define QMAP_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

#define SYSFS_PATH 512

/* First line of a file, passed through printable(); false and "" if there is none. */
bool sysfs_text(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A number in @base 10 or 16 (with or without 0x); -1 if there is none. */
long sysfs_number(int base, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Last component of a symbolic link's target: the name of a driver or a subsystem. */
bool sysfs_link(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

bool sysfs_exists(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Does the file hold this line? */
bool sysfs_has_line(const char *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes @text in one go. Negative errno. */
int sysfs_write(const char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Calls @fn for each entry of a directory in the order of their names until @fn returns false. */
void sysfs_each(bool (*fn)(const char *name, void *arg), void *arg, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* First entry of a directory whose name begins with @prefix. */
bool sysfs_first(char *buf, size_t size, const char *prefix, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
