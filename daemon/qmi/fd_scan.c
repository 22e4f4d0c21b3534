// SPDX-License-Identifier: GPL-2.0-or-later
#include "fd_scan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * stat() of a descriptor on a network file system can hang for ever; reading the link cannot. So
 * only names under /dev/ are examined further.
 */
static bool is_device(int dir, const char *name, dev_t rdev)
{
	char target[64];
	struct stat st;
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	return !strncmp(target, "/dev/", 5) && !fstatat(dir, name, &st, 0) && S_ISCHR(st.st_mode) &&
	       st.st_rdev == rdev;
}

/* 1: the process has the device open; 0: it does not, or has ended. */
static int process_has(const char *pid, dev_t rdev)
{
	char path[64];
	struct dirent *e;
	DIR *d;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	d = opendir(path);
	if (!d)
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	while (!found && (e = readdir(d)))
		found = is_device(dirfd(d), e->d_name, rdev);
	closedir(d);
	return found;
}

int fd_scan_device(dev_t rdev, pid_t *first)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	int n = 0, r = 0;

	if (!proc)
		return -errno;
	while (r >= 0 && (e = readdir(proc))) {
		if (!isdigit((unsigned char)e->d_name[0]) || atoi(e->d_name) == getpid())
			continue;
		r = process_has(e->d_name, rdev);
		if (r > 0 && !n++ && first)
			*first = atoi(e->d_name);
	}
	closedir(proc);
	return r < 0 ? r : n;
}

void fd_scan_name(pid_t pid, char *name, size_t size)
{
	char path[32];
	FILE *f;

	*name = '\0';
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(name, size, f))
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
}
