// SPDX-License-Identifier: GPL-2.0-or-later
/* The socket of our qmi-proxy, access to it, and the list of modems. */
#include "internal.h"

#include <errno.h>
#include <event2/event.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/acceptor.h"
#include "util/log.h"
#include "util/seats.h"
#include "device.h"
#include "qmi/transport.h"

#define MAX_GROUPS 256

/* Pause while another program has the name. */
static const struct timeval name_pause = {.tv_sec = 5};
/* Longer than a trunk waits between two attempts. */
static const struct timeval aside_time = {.tv_sec = 60};

static struct proxy_server {
	struct event_base *base;
	char name[64];
	bool has_group;
	gid_t group;
	bool waiting; /* for the name; has been logged */
	struct acceptor *acceptor;
	struct event *retry, *tidy;
	TAILQ_HEAD(proxy_clients, proxy_client) clients, graves;
	struct seats seats;
	TAILQ_HEAD(proxy_modems, proxy_modem) modems;
} server = {
	.clients = TAILQ_HEAD_INITIALIZER(server.clients),
	.graves = TAILQ_HEAD_INITIALIZER(server.graves),
	.modems = TAILQ_HEAD_INITIALIZER(server.modems),
};

struct event_base *proxy_base(void)
{
	return server.base;
}

/* --- clients --- */

void proxy_each(struct proxy_modem *m, void (*fn)(struct proxy_client *c, void *arg), void *arg)
{
	struct proxy_client *c, *next;

	for (c = TAILQ_FIRST(&server.clients); c; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (c->modem == m)
			fn(c, arg);
	}
}

static void resume(struct proxy_client *c, void *arg)
{
	if (c->paused)
		event_active(c->resume_event, EV_TIMEOUT, 0);
}

void proxy_resume(struct proxy_modem *m)
{
	proxy_each(m, resume, NULL);
}

static void count(struct proxy_client *c, void *arg)
{
	++*(unsigned int *)arg;
}

unsigned int proxy_modem_clients(const struct proxy_modem *m)
{
	unsigned int n = 0;

	if (m)
		proxy_each((struct proxy_modem *)m, count, &n);
	return n;
}

/* Closed connections are freed from a timer, with none of their functions on the stack. */
static void tidy_later(void)
{
	if (server.tidy)
		event_active(server.tidy, EV_TIMEOUT, 0);
}

void proxy_bury(struct proxy_client *c)
{
	TAILQ_REMOVE(&server.clients, c, entry);
	TAILQ_INSERT_TAIL(&server.graves, c, entry);
	seats_leave(&server.seats, c->uid);
	tidy_later();
}

void proxy_modem_idle(struct proxy_modem *m)
{
	if (m->own)
		tidy_later();
}

static void free_graves(void)
{
	struct proxy_client *c;

	while ((c = TAILQ_FIRST(&server.graves))) {
		TAILQ_REMOVE(&server.graves, c, entry);
		proxy_client_free(c);
	}
}

/*
 * A modem that the server has opened itself is freed after its last client, once that client's ids
 * have been released.
 */
static void on_tidy(evutil_socket_t fd, short what, void *arg)
{
	struct proxy_modem *m, *next;

	free_graves();
	for (m = TAILQ_FIRST(&server.modems); m; m = next) {
		next = TAILQ_NEXT(m, entry);
		if (m->own && !proxy_modem_clients(m) && proxy_route_idle(m))
			proxy_modem_free(&m);
	}
}

/* --- modems --- */

static struct proxy_modem *modem_of(const char *path)
{
	struct proxy_modem *m;

	for (m = TAILQ_FIRST(&server.modems); m; m = TAILQ_NEXT(m, entry))
		if (proxy_device_same(m->device, path))
			return m;
	return NULL;
}

static struct proxy_modem *modem_new(const char *device)
{
	struct proxy_modem *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	proxy_route_init(m, device);
	TAILQ_INSERT_TAIL(&server.modems, m, entry);
	return m;
}

void proxy_changed(const struct proxy_modem *m)
{
	if (m->owner)
		m->owner->changed(m->arg);
}

struct proxy_modem *proxy_modem_new(const char *control, const struct proxy_owner *owner, void *arg)
{
	struct proxy_modem *m;

	if (qmi_proxy_path(control))
		return NULL; /* another proxy has the channel */
	m = modem_of(control);
	if (m && m->own)
		proxy_modem_free(&m);
	m = modem_new(control);
	if (!m)
		return NULL;
	m->owner = owner;
	m->arg = arg;
	return m;
}

void proxy_modem_free(struct proxy_modem **mp)
{
	struct proxy_modem *m = *mp;

	if (!m)
		return;
	*mp = NULL;
	proxy_route_clear(m);
	qmi_channel_free(&m->own);
	TAILQ_REMOVE(&server.modems, m, entry);
	free(m);
}

/* The tap was called before and has closed all connections. */
static void on_own_lost(void *arg, const char *why)
{
	tidy_later();
}

static const struct qmi_channel_ops own_ops = {.lost = on_own_lost};

/* Opens a modem that no session has. */
static struct proxy_modem *open_own(const char *device)
{
	struct proxy_modem *m = modem_new(device);
	struct error err = {0};

	if (!m)
		return NULL;
	if (qmi_channel_open(&m->own, server.base, device, &own_ops, m, &err) < 0) {
		log_limited(LOG_LEVEL_INFO, 4, "qmi-proxy: %s", err.text);
		proxy_modem_free(&m);
		return NULL;
	}
	log_limited(LOG_LEVEL_INFO, 4, "qmi-proxy: %s opened for other programs", device);
	proxy_modem_open(m, m->own);
	return m;
}

struct proxy_modem *proxy_find(const char *device)
{
	struct proxy_modem *m = modem_of(device);
	char path[PROXY_PATH_SIZE];

	if (m)
		return m;
	return proxy_device_is_modem(device, path, sizeof(path)) ? open_own(path) : NULL;
}

void proxy_let_in(struct proxy_modem *m)
{
	struct proxy_client *c, *next;

	for (c = TAILQ_FIRST(&server.clients); c; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (*c->device && !c->modem && proxy_device_same(m->device, c->device))
			proxy_client_opened(c, m);
	}
}

/* --- the socket --- */

static bool in_group(int fd, gid_t gid, gid_t primary)
{
	gid_t groups[MAX_GROUPS];
	socklen_t len = sizeof(groups);

	if (primary == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* An abstract socket has no mode, so the credentials of each peer are checked. */
static bool may_connect(int fd, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) < 0)
		return false;
	if (seats_is_root(peer->uid))
		return true;
	if (server.has_group && in_group(fd, server.group, peer->gid))
		return true;
	log_limited(LOG_LEVEL_INFO, 4, "qmi-proxy: process %d of user %u is refused",
		    (int)peer->pid, (unsigned int)peer->uid);
	return false;
}

static void on_accept(void *arg, int fd)
{
	struct proxy_client *c;
	struct ucred peer;

	if (!may_connect(fd, &peer)) {
		close(fd);
		return;
	}
	c = proxy_client_new(fd, &peer);
	if (!c)
		return;
	TAILQ_INSERT_TAIL(&server.clients, c, entry);
	if (!seats_take(&server.seats, c->uid))
		proxy_client_close(c, "there are too many connections");
}

/* Returns 0 or a negative errno. */
static int listen_on_name(void)
{
	struct sockaddr_un sa;
	unsigned int len = qmi_proxy_address(&sa, server.name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sa, len)) {
		r = -errno;
		close(fd);
		return r;
	}
	r = acceptor_new(&server.acceptor, server.base, fd, "qmi-proxy", on_accept, NULL, NULL);
	if (!r)
		log_debug("qmi-proxy: serving, socket @%s", server.name);
	return r;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	int r = listen_on_name();

	if (!r)
		return;
	if (!server.waiting)
		log_info("qmi-proxy: not serving until the name @%s is free: %s", server.name,
			 strerror(-r));
	server.waiting = true;
	event_add(server.retry, &name_pause);
}

void proxy_stand_aside(const char *control)
{
	if (!qmi_proxy_path(control) || strcmp(server.name, QMI_PROXY_PREFIX) || !server.retry)
		return;
	acceptor_free(&server.acceptor);
	event_add(server.retry, &aside_time);
}

int proxy_server_start(struct event_base *base, const char *name, const char *group,
		       struct error *err)
{
	const struct group *g = group ? getgrnam(group) : NULL;

	if (group && !g)
		return error_set(err, -EINVAL, "there is no group %s", group);
	server.has_group = g;
	if (g)
		server.group = g->gr_gid;
	if (!*name || strlen(name) >= sizeof(server.name))
		return error_set(err, -EINVAL, "a name of 1 to %zu characters is needed",
				 sizeof(server.name) - 1);
	server.base = base;
	server.waiting = false;
	strcpy(server.name, name);
	server.retry = event_new(base, -1, 0, on_retry, NULL);
	server.tidy = event_new(base, -1, 0, on_tidy, NULL);
	if (!server.retry || !server.tidy) {
		proxy_server_stop();
		return error_set(err, -ENOMEM, "out of memory");
	}
	on_retry(-1, 0, NULL);
	return 0;
}

void proxy_server_stop(void)
{
	struct proxy_modem *m, *next;
	struct proxy_client *c;

	acceptor_free(&server.acceptor);
	while ((c = TAILQ_FIRST(&server.clients)))
		proxy_client_close(c, "qmapd ends");
	free_graves();
	for (m = TAILQ_FIRST(&server.modems); m; m = next) {
		next = TAILQ_NEXT(m, entry);
		if (m->own)
			proxy_modem_free(&m);
	}
	if (server.retry)
		event_free(server.retry);
	if (server.tidy)
		event_free(server.tidy);
	server.retry = server.tidy = NULL;
	server.seats = (struct seats){0};
}
