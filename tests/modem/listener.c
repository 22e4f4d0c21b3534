// SPDX-License-Identifier: GPL-2.0-or-later
#include "listener.h"
#include "util.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

struct listener {
	struct event ev;
	struct modem *modem;
	struct listener *next;
	void (*accepted)(void *modem, int fd);
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* Returns the address's length or negative errno. */
static int make_address(const char *path, struct sockaddr_un *sun)
{
	size_t len = strlen(path);

	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!len || len >= sizeof(sun->sun_path))
		return -ENAMETOOLONG;
	memcpy(sun->sun_path, path, len);
	if (path[0] == '@')
		sun->sun_path[0] = '\0';
	/* The length delimits an abstract name: no terminating zero. */
	return offsetof(struct sockaddr_un, sun_path) + len + (path[0] != '@');
}

int listener_connect(const char *path)
{
	struct sockaddr_un sun;
	int len = make_address(path, &sun);
	int fd, err;

	if (len < 0)
		return len;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&sun, len))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void remove_stale(const char *path)
{
	int fd = listener_connect(path);

	if (fd == -ECONNREFUSED)
		unlink(path);
	if (fd >= 0)
		close(fd);
}

static void listener_ready(struct event *ev, uint32_t events)
{
	struct listener *l = container_of(ev, struct listener, ev);
	int fd = accept4(ev->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		l->accepted(l->modem, fd);
}

static void listener_free(struct event *ev)
{
	free(container_of(ev, struct listener, ev));
}

static int bind_socket(const char *path)
{
	struct sockaddr_un sun;
	int len = make_address(path, &sun);
	int fd, err;

	if (len < 0)
		return len;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (path[0] != '@')
		remove_stale(path);
	if (!bind(fd, (struct sockaddr *)&sun, len) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int listener_new(struct modem *m, const char *path, void (*accepted)(void *modem, int fd),
		 struct listener **list)
{
	int err, fd = bind_socket(path);
	struct listener *l;

	if (fd < 0)
		return fd;
	l = calloc(1, sizeof(*l));
	if (!l) {
		close(fd);
		return -ENOMEM;
	}
	l->modem = m;
	l->accepted = accepted;
	strncpy(l->path, path, sizeof(l->path) - 1);
	l->ev = (struct event){.fd = fd, .ready = listener_ready, .free = listener_free};
	err = loop_add(&m->loop, &l->ev, EPOLLIN);
	if (err) {
		close(fd);
		free(l);
		return err;
	}
	l->next = *list;
	*list = l;
	return 0;
}

void listeners_free(struct modem *m, struct listener **list)
{
	while (*list) {
		struct listener *l = *list;

		*list = l->next;
		if (l->path[0] != '@')
			unlink(l->path);
		loop_kill(&m->loop, &l->ev);
	}
}
