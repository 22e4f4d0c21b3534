// SPDX-License-Identifier: GPL-2.0-or-later
/* The faults socket's connections, and commands that wait for a state. */
#include "command.h"
#include "listener.h"
#include "stats.h"
#include "util.h"
#include "waitfor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_LINE (2 * MAX_TRANSFER + 64) /* `inject` of the largest transfer, in hex */
/* interval for checking a state that a command waits for */
#define POLL_US 2000

struct commander {
	struct event ev;
	struct modem *modem;
	struct commander *next;
	struct timer timer;
	struct waitfor *wait; /* the command being waited for; no other is read meanwhile */
	size_t len;
	char line[MAX_LINE];
};

struct commands {
	struct listener *listeners;
	struct commander *commanders;
};

static void commander_free(struct event *ev)
{
	free(container_of(ev, struct commander, ev));
}

static void commander_close(struct commander *c)
{
	struct commander **pp = &c->modem->commands->commanders;

	if (c->ev.dead)
		return;
	while (*pp != c)
		pp = &(*pp)->next;
	*pp = c->next;
	loop_disarm(&c->modem->loop, &c->timer);
	waitfor_free(&c->wait);
	loop_kill(&c->modem->loop, &c->ev);
}

/* Blocking write: answers are short, and the sender must read them. A second is plenty. */
static void answer(struct commander *c, struct json_object *json)
{
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_SPACED);
	struct timeval limit = {.tv_sec = 1};
	struct iovec iov[2] = {{(void *)text, strlen(text)}, {(void *)"\n", 1}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	size_t len = iov[0].iov_len + 1;

	setsockopt(c->ev.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (sendmsg(c->ev.fd, &msg, MSG_NOSIGNAL) != (ssize_t)len)
		commander_close(c);
	json_object_put(json);
}

static void run_lines(struct commander *c);

static void look(struct commander *c)
{
	struct json_object *result = waitfor_result(c->modem, c->wait);

	if (!result) {
		loop_arm(&c->modem->loop, &c->timer, now_us() + POLL_US);
		return;
	}
	waitfor_free(&c->wait);
	answer(c, result);
}

static void look_again(struct timer *timer)
{
	struct commander *c = container_of(timer, struct commander, timer);

	look(c);
	run_lines(c);
}

static void run_line(struct commander *c, char *line)
{
	struct args a;
	const struct command *cmd = command_parse(line, &a);

	if (!cmd || a.error[0]) {
		answer(c, command_failed(&a));
		return;
	}
	if (cmd->run) {
		answer(c, command_execute(c->modem, cmd, &a));
		return;
	}
	c->wait = waitfor_new(&a);
	if (c->wait)
		look(c);
	else
		answer(c, command_failed(&a));
}

static void run_lines(struct commander *c)
{
	while (!c->ev.dead && !c->wait) {
		char *end = memchr(c->line, '\n', c->len);
		size_t used;

		if (!end)
			break;
		*end = '\0';
		used = end + 1 - c->line;
		run_line(c, c->line);
		memmove(c->line, c->line + used, c->len - used);
		c->len -= used;
	}
	if (c->len == sizeof(c->line) && !c->wait)
		commander_close(c);
}

static void commander_ready(struct event *ev, uint32_t events)
{
	struct commander *c = container_of(ev, struct commander, ev);
	ssize_t n;

	if (c->len == sizeof(c->line)) {
		commander_close(c);
		return;
	}
	n = recv(ev->fd, c->line + c->len, sizeof(c->line) - c->len, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		commander_close(c);
		return;
	}
	c->len += n;
	run_lines(c);
}

static void accept_commander(void *modem, int fd)
{
	struct modem *m = modem;
	struct commander *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->modem = m;
	c->timer.fire = look_again;
	c->ev = (struct event){.fd = fd, .ready = commander_ready, .free = commander_free};
	if (loop_add(&m->loop, &c->ev, EPOLLIN)) {
		close(fd);
		free(c);
		return;
	}
	c->next = m->commands->commanders;
	m->commands->commanders = c;
}

int commands_new(struct modem *m)
{
	m->commands = calloc(1, sizeof(*m->commands));
	return m->commands ? 0 : -ENOMEM;
}

int commands_listen(struct modem *m, const char *path)
{
	return listener_new(m, path, accept_commander, &m->commands->listeners);
}

void commands_free(struct modem *m)
{
	if (!m->commands)
		return;
	while (m->commands->commanders)
		commander_close(m->commands->commanders);
	listeners_free(m, &m->commands->listeners);
	free(m->commands);
	m->commands = NULL;
}
