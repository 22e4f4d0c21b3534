// SPDX-License-Identifier: GPL-2.0-or-later
#include "acceptor.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

/* The kernel limits it further (net.core.somaxconn). SOMAXCONN of musl, 128, is too few for a flood. */
#define BACKLOG 4096

static const struct timeval pause_time = {.tv_sec = 1};

struct acceptor {
	int fd;
	const char *name;
	struct event *readable, *resume;
	void (*fn)(void *arg, int fd);
	void *arg;
};

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (client >= 0) {
		a->fn(a->arg, client);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		/* without a pause the pending connection would wake the loop again at once */
		log_limited(LOG_LEVEL_WARNING, 4, "%s: cannot accept a connection: %s", a->name,
			    strerror(errno));
		event_del(a->readable);
		event_add(a->resume, &pause_time);
	}
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;

	event_add(a->readable, NULL);
}

int acceptor_new(struct acceptor **out, struct event_base *base, int fd, const char *name,
		 void (*fn)(void *arg, int fd), void *arg, struct error *err)
{
	struct acceptor *a = malloc(sizeof(*a));
	int ret;

	*out = a;
	if (!a) {
		close(fd);
		return error_set(err, -ENOMEM, "out of memory");
	}
	*a = (struct acceptor){.fd = fd, .name = name, .fn = fn, .arg = arg};
	a->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, a);
	a->resume = event_new(base, -1, 0, on_resume, a);
	ret = listen(fd, BACKLOG) ? -errno : 0;
	if (!ret && (!a->readable || !a->resume || event_add(a->readable, NULL)))
		ret = -ENOMEM;
	if (!ret)
		return 0;
	acceptor_free(out);
	return error_set(err, ret, "%s: cannot listen: %s", name, strerror(-ret));
}

void acceptor_free(struct acceptor **ap)
{
	struct acceptor *a = *ap;

	if (!a)
		return;
	*ap = NULL;
	if (a->readable)
		event_free(a->readable);
	if (a->resume)
		event_free(a->resume);
	close(a->fd);
	free(a);
}
