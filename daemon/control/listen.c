// SPDX-License-Identifier: GPL-2.0-or-later
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "util/lock.h"
#include "util/log.h"
#include "util/trusted.h"

#define LOCK_NAME "control.lock"

static int open_directory(struct control_socket *s, struct error *err)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(s->addr.sun_path, '/');
	int ret;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash + 1 - s->addr.sun_path) : 0,
		 s->addr.sun_path);
	if (!*dir)
		strcpy(dir, ".");
	if (mkdir(dir, 0755) && errno != EEXIST) {
		ret = -errno;
		return error_set(err, ret, "cannot use the directory %s: %s", dir, strerror(-ret));
	}
	s->dir_fd = trusted_directory(dir, err);
	return s->dir_fd < 0 ? s->dir_fd : 0;
}

/*
 * Is the opened file still the one with this name? Its last owner may have removed it before it
 * released the lock.
 */
static bool is_current(const struct control_socket *s)
{
	struct stat opened, named;

	return !fstat(s->lock_fd, &opened) &&
	       !fstatat(s->dir_fd, LOCK_NAME, &named, AT_SYMLINK_NOFOLLOW) &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

static int try_lock(struct control_socket *s)
{
	int ret;

	s->lock_fd = openat(s->dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return -errno;
	ret = fchmod(s->lock_fd, 0600) ? -errno : lock_exclusive(s->lock_fd);
	if (ret == -EWOULDBLOCK)
		ret = -EADDRINUSE;
	else if (!ret && !is_current(s))
		ret = -EAGAIN;
	if (ret) {
		close(s->lock_fd);
		s->lock_fd = -1;
	}
	return ret;
}

/*
 * The owner of the lock may take any socket in the directory for a dead daemon's. The lock is a
 * file that other users cannot open. A lock on the directory would not do: every user can open a
 * directory, lock it and keep every qmapd from starting.
 */
static int lock_directory(struct control_socket *s, struct error *err)
{
	int ret;

	do
		ret = try_lock(s);
	while (ret == -EAGAIN);
	if (ret == -EADDRINUSE) {
		error_set(err, ret, "another qmapd serves %s", s->addr.sun_path);
		error_hint(err, "stop it, or choose another directory with --run-dir");
	} else if (ret) {
		error_set(err, ret, "cannot lock " LOCK_NAME " beside %s: %s", s->addr.sun_path,
			  strerror(-ret));
	}
	return ret;
}

static int remove_stale(const char *path, struct error *err)
{
	struct stat st;
	int ret;

	if (lstat(path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, -EEXIST, "%s is there and is no socket", path);
	if (unlink(path)) {
		ret = -errno;
		return error_set(err, ret, "cannot remove the old socket %s: %s", path,
				 strerror(-ret));
	}
	return 0;
}

static int bind_socket(struct control_socket *s, struct error *err)
{
	struct group *g;
	mode_t old;
	int ret;

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return error_set(err, -errno, "cannot create a socket");
	/* The mode must be right from the first moment; a chmod() afterwards would be too late. */
	old = umask(0117);
	ret = bind(s->fd, (struct sockaddr *)&s->addr, sizeof(s->addr)) ? -errno : 0;
	umask(old);
	if (ret)
		return error_set(err, ret, "cannot create the socket %s: %s", s->addr.sun_path,
				 strerror(-ret));
	g = getgrnam(CONTROL_GROUP);
	if (!g)
		log_debug("no group %s: %s is for root alone", CONTROL_GROUP, s->addr.sun_path);
	else if (chown(s->addr.sun_path, -1, g->gr_gid))
		log_warning("cannot give %s to group %s: %s", s->addr.sun_path, CONTROL_GROUP,
			    strerror(errno));
	return 0;
}

/* A process that opens the lock file before it is removed here notices that by is_current(). */
static void give_up(struct control_socket *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->lock_fd >= 0) {
		unlinkat(s->dir_fd, LOCK_NAME, 0);
		close(s->lock_fd);
	}
	if (s->dir_fd >= 0)
		close(s->dir_fd);
}

int control_socket_open(struct control_socket *s, const char *path, struct error *err)
{
	int ret;

	*s = (struct control_socket){
		.fd = -1, .lock_fd = -1, .dir_fd = -1, .addr.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(s->addr.sun_path))
		return error_set(err, -ENAMETOOLONG,
				 "the path of a socket has at most %zu bytes: %s",
				 sizeof(s->addr.sun_path) - 1, path);
	strcpy(s->addr.sun_path, path);
	signal(SIGPIPE, SIG_IGN);
	ret = open_directory(s, err) ?: lock_directory(s, err);
	if (!ret)
		ret = remove_stale(path, err);
	if (!ret)
		ret = bind_socket(s, err);
	if (!ret)
		return 0;
	give_up(s);
	return ret;
}

void control_socket_close(struct control_socket *s)
{
	unlink(s->addr.sun_path);
	give_up(s);
}
