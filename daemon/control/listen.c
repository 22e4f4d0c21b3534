// SPDX-License-Identifier: GPL-2.0-or-later
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "util/log.h"

/*
 * The lock is the directory itself: it vanishes with its process, however that ends, and leaves no
 * file behind. Who has it may take any socket in there for a dead daemon's.
 */
static int lock_directory(struct control_socket *s, struct error *err)
{
	char copy[sizeof(s->addr.sun_path)], *dir;
	int ret;

	memcpy(copy, s->addr.sun_path, sizeof(copy));
	dir = dirname(copy);
	if (mkdir(dir, 0755) && errno != EEXIST)
		goto fail;
	s->lock_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->lock_fd < 0)
		goto fail;
	if (!flock(s->lock_fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno == EWOULDBLOCK) {
		error_set(err, -EADDRINUSE, "another qmapd serves %s", s->addr.sun_path);
		error_hint(err, "stop it, or choose another directory with --run-dir");
		return -EADDRINUSE;
	}
fail:
	ret = -errno;
	return error_set(err, ret, "cannot use the directory %s: %s", dir, strerror(-ret));
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

static void give_to_group(const char *path)
{
	struct group *g = getgrnam(CONTROL_GROUP);

	if (!g)
		log_debug("no group %s: %s is for root alone", CONTROL_GROUP, path);
	else if (chown(path, -1, g->gr_gid))
		log_warning("cannot give %s to group %s: %s", path, CONTROL_GROUP, strerror(errno));
}

static int bind_socket(struct control_socket *s, struct error *err)
{
	mode_t old;
	int ret;

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return error_set(err, -errno, "cannot create a socket");
	/* The mode must be right from the first moment, so chmod() afterwards would be too late. */
	old = umask(0117);
	ret = bind(s->fd, (struct sockaddr *)&s->addr, sizeof(s->addr)) ? -errno : 0;
	umask(old);
	if (ret)
		return error_set(err, ret, "cannot create the socket %s: %s", s->addr.sun_path,
				 strerror(-ret));
	give_to_group(s->addr.sun_path);
	return 0;
}

int control_socket_open(struct control_socket *s, const char *path, struct error *err)
{
	int ret;

	*s = (struct control_socket){.fd = -1, .lock_fd = -1, .addr.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(s->addr.sun_path))
		return error_set(err, -ENAMETOOLONG,
				 "the path of a socket has at most %zu bytes: %s",
				 sizeof(s->addr.sun_path) - 1, path);
	strcpy(s->addr.sun_path, path);
	signal(SIGPIPE, SIG_IGN);
	ret = lock_directory(s, err);
	if (!ret)
		ret = remove_stale(path, err);
	if (!ret)
		ret = bind_socket(s, err);
	if (!ret)
		return 0;
	if (s->fd >= 0)
		close(s->fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	return ret;
}

void control_socket_close(struct control_socket *s)
{
	unlink(s->addr.sun_path);
	if (s->fd >= 0)
		close(s->fd);
	close(s->lock_fd);
}
