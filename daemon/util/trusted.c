// SPDX-License-Identifier: GPL-2.0-or-later
#include "trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LINKS 40 /* the kernel's limit, path_resolution(7) */

/* State of a path walk: the part that has been resolved, without links, and the rest. */
struct walk {
	int fd;
	char *real; /* of PATH_MAX bytes; "" is the root directory */
	char rest[PATH_MAX];
	unsigned int links;
};

static bool is_ours(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

bool trusted_stat(const struct stat *st, bool sticky)
{
	return is_ours(st) && (!(st->st_mode & (S_IWGRP | S_IWOTH)) ||
			       (sticky && S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX));
}

static int distrust(const char *path, struct error *err)
{
	error_set(err, -EACCES, "%s can be changed by others than root", path);
	error_hint(err, "chown root, chmod go-w");
	return -EACCES;
}

/* Moves the walk to directory @fd and takes the descriptor over. */
static int enter(struct walk *w, int fd, struct error *err)
{
	struct stat st;

	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	return trusted_stat(&st, true) ? 0 : distrust(*w->real ? w->real : "/", err);
}

static int enter_root(struct walk *w, struct error *err)
{
	*w->real = '\0';
	return enter(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), err);
}

/* Puts the target of link @fd in front of the rest. */
static int follow(struct walk *w, int fd, struct error *err)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (++w->links > MAX_LINKS)
		return -ELOOP;
	if (snprintf(rest, sizeof(rest), "%s/%s", target, w->rest) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	memcpy(w->rest, rest, sizeof(rest));
	return *target == '/' ? enter_root(w, err) : 0;
}

/* @real has no links, so cutting its last part goes one directory up. */
static int up(struct walk *w, struct error *err)
{
	char *slash = strrchr(w->real, '/');

	if (slash)
		*slash = '\0';
	return enter(w, openat(w->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC), err);
}

static int down(struct walk *w, const char *name, struct error *err)
{
	int fd = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), ret;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return ret;
	}
	if (S_ISLNK(st.st_mode) && is_ours(&st)) {
		ret = follow(w, fd, err);
	} else {
		size_t len = strlen(w->real);

		ret = snprintf(w->real + len, PATH_MAX - len, "/%s", name) < (int)(PATH_MAX - len)
			      ? 0
			      : -ENAMETOOLONG;
		if (!ret && !S_ISLNK(st.st_mode))
			return enter(w, fd, err);
		ret = ret ?: distrust(w->real, err);
	}
	close(fd);
	return ret;
}

/* Takes the first part off the rest; false if the rest is empty. */
static bool next_part(struct walk *w, char name[NAME_MAX + 1], int *ret)
{
	const char *part = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(part, "/");

	if (!len)
		return false;
	*ret = len > NAME_MAX ? -ENAMETOOLONG : 0;
	if (*ret)
		return true;
	memcpy(name, part, len);
	name[len] = '\0';
	memmove(w->rest, part + len, strlen(part + len) + 1);
	return true;
}

static int all_parts(struct walk *w, struct error *err)
{
	char name[NAME_MAX + 1];
	int ret = 0;

	while (!ret && next_part(w, name, &ret)) {
		if (ret || !strcmp(name, "."))
			continue;
		ret = !strcmp(name, "..") ? up(w, err) : down(w, name, err);
	}
	return ret;
}

static int set_rest(struct walk *w, const char *path)
{
	char here[PATH_MAX] = "";

	if (*path != '/' && !getcwd(here, sizeof(here)))
		return -errno;
	return snprintf(w->rest, sizeof(w->rest), "%s/%s", here, path) < (int)sizeof(w->rest)
		       ? 0
		       : -ENAMETOOLONG;
}

int trusted_open(const char *path, char *real, struct error *err)
{
	struct walk w = {.fd = -1, .real = real};
	int ret = set_rest(&w, path) ?: enter_root(&w, err) ?: all_parts(&w, err);

	if (!ret && !*real)
		strcpy(real, "/");
	if (!ret)
		return w.fd;
	if (w.fd >= 0)
		close(w.fd);
	return error_set(err, ret, "cannot use %s: %s", path, strerror(-ret));
}

int trusted_directory(const char *path, struct error *err)
{
	int found, fd, ret = 0;
	char real[PATH_MAX];
	struct stat st;

	found = trusted_open(path, real, err);
	if (found < 0)
		return found;
	fd = openat(found, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		ret = error_set(err, -errno, "cannot use the directory %s: %s", path,
				strerror(errno));
	else if (!trusted_stat(&st, false))
		ret = distrust(real, err);
	close(found);
	if (ret && fd >= 0)
		close(fd);
	return ret ?: fd;
}
