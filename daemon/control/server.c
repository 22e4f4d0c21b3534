// SPDX-License-Identifier: GPL-2.0-or-later
#include "server.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "listen.h"
#include "util/json_add.h"
#include "util/acceptor.h"
#include "util/error_json.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/nearest.h"
#include "util/printable.h"
#include "util/seats.h"

static const struct timeval line_deadline = {.tv_sec = SEATS_DEADLINE_S};
/* Interval in which a client has to read some of its reply, from the second one on. */
static const struct timeval reply_deadline = {.tv_sec = 5};

/*
 * Most bytes of one write: a write is one buffer of the kernel, and SIOCOUTQ counts it until its last
 * byte is read (kernel net/unix/af_unix.c, unix_stream_read_generic()).
 */
#define WRITE_STEP 1024

/*
 * Most bytes queued for the reader of a stream: all events that are kept, with the longest reasons
 * (events/events.h), and few enough for each of SEATS to have them.
 */
#define STREAM_BACKLOG 262144

/* With less to give back, a request would cost more than it gains. */
#define LARGE_REPLY 32768

/* A client with one request passes through the first three states. */
enum client_state {
	CLIENT_READING,
	CLIENT_BUSY,
	CLIENT_WRITING,
	CLIENT_STREAMING, /* until the client leaves */
};

struct control_stream {
	struct client *client;
	void (*closed)(void *arg);
	void *arg;
	uint64_t gap; /* number of lines dropped */
};

struct client {
	struct client *next, **self; /* list of all clients; @self: the pointer that points here */
	struct control_server *server;
	struct bufferevent *bev;
	struct event *deadline;
	struct control_request *request; /* CLIENT_BUSY only */
	struct control_stream *stream;	 /* CLIENT_STREAMING only */
	struct ucred peer;
	enum client_state state;
	size_t left; /* CLIENT_WRITING only: what unread() was at the last look */
	bool seated; /* counted as one of SEATS */
	bool last;   /* close once the input is answered */
	bool large;  /* it had a reply of LARGE_REPLY bytes */
};

struct control_request {
	struct client *client; /* NULL: the client has left */
	struct json_object *args;
};

/* A table of commands and the argument of its functions. */
struct served {
	const struct control_command *commands;
	void *arg;
};

#define MAX_SERVED 2

struct control_server {
	struct event_base *base;
	struct served served[MAX_SERVED];
	unsigned int nserved;
	struct control_socket socket;
	struct acceptor *acceptor;
	struct client *clients;
	struct seats seats;
};

/*
 * The objects and the text of a large reply are the most that the daemon ever allocates, 1 MB with 64 PDNs.
 * What was allocated meanwhile lies behind them, and so the C library would keep their pages.
 */
static void give_back_memory(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

static void client_free(struct client *c)
{
	*c->self = c->next;
	if (c->next)
		c->next->self = c->self;
	seats_leave(&c->server->seats, c->peer.uid);
	if (c->request)
		c->request->client = NULL;
	if (c->stream)
		c->stream->closed(c->stream->arg);
	free(c->stream);
	if (c->deadline)
		event_free(c->deadline);
	bufferevent_free(c->bev);
	if (c->large)
		give_back_memory();
	free(c);
}

/* @c->last: no event of the connection will show that the reader of a stream has left. */
static void set_state(struct client *c, enum client_state state)
{
	c->state = state;
	if (state == CLIENT_BUSY || (state == CLIENT_STREAMING && !c->last))
		event_del(c->deadline);
	else
		event_add(c->deadline, state == CLIENT_READING ? &line_deadline : &reply_deadline);
}

static void put_line(struct client *c, struct json_object *o)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t len;
	const char *text = printable_json_text(o, JSON_C_TO_STRING_PLAIN, &len);

	evbuffer_add(out, text, len);
	evbuffer_add(out, "\n", 1);
	json_object_put(o);
}

static void send_object(struct client *c, struct json_object *o)
{
	set_state(c, CLIENT_WRITING);
	put_line(c, o);
	c->large |= evbuffer_get_length(bufferevent_get_output(c->bev)) >= LARGE_REPLY;
	c->left = SIZE_MAX;
}

static struct json_object *failure(const struct error *e)
{
	struct json_object *o = error_to_json(e);

	json_add_bool(o, "ok", false);
	return o;
}

/* Answers a client that breaks the protocol once and closes the connection. */
static void reject(struct client *c, const struct error *e)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	c->last = true;
	bufferevent_disable(c->bev, EV_READ);
	evbuffer_drain(in, evbuffer_get_length(in));
	send_object(c, failure(e));
}

static struct client *request_end(struct control_request *req)
{
	struct client *c = req->client;

	assert(!c || c->request == req);
	if (c)
		c->request = NULL;
	json_object_put(req->args);
	free(req);
	return c;
}

static struct json_object *success(struct json_object *result)
{
	struct json_object *o = json_object_new_object();

	json_add_bool(o, "ok", true);
	json_object_object_add(o, "result", result);
	return o;
}

void control_reply(struct control_request *req, struct json_object *result)
{
	struct client *c = request_end(req);

	if (c)
		send_object(c, success(result));
	else
		json_object_put(result);
}

void control_reply_error(struct control_request *req, const struct error *e)
{
	struct client *c = request_end(req);

	if (c)
		send_object(c, failure(e));
}

/* --- streams --- */

int control_stream_open(struct control_stream **out, struct control_request *req,
			void (*closed)(void *arg), void *arg)
{
	struct client *c = request_end(req);

	if (!c)
		return -EPIPE;
	c->stream = malloc(sizeof(*c->stream));
	if (!c->stream) {
		client_free(c);
		return -ENOMEM;
	}
	*c->stream = (struct control_stream){.client = c, .closed = closed, .arg = arg};
	set_state(c, CLIENT_STREAMING);
	put_line(c, success(NULL));
	*out = c->stream;
	return 0;
}

void control_stream_send(struct control_stream *s, struct json_object *line)
{
	struct evbuffer *out = bufferevent_get_output(s->client->bev);

	if (!s->gap && evbuffer_get_length(out) < STREAM_BACKLOG) {
		put_line(s->client, line);
		return;
	}
	s->gap++;
	json_object_put(line);
}

/* The queue is empty again: reports the dropped lines. */
static void tell_gap(struct control_stream *s)
{
	struct json_object *o;

	if (!s->gap)
		return;
	o = json_object_new_object();
	json_add_int(o, "gap", s->gap);
	s->gap = 0;
	put_line(s->client, o);
}

const char *control_args_string(struct json_object *args, const char *key)
{
	struct json_object *v;
	const char *text;

	if (!json_object_object_get_ex(args, key, &v) || !json_object_is_type(v, json_type_string))
		return NULL;
	text = json_object_get_string(v);
	return strlen(text) == (size_t)json_object_get_string_len(v) ? text : NULL;
}

/* @arg: argument of its function. */
static const struct control_command *find_command(const struct control_server *s, const char *name,
						  void **arg, struct error *err)
{
	const struct control_command *cmd;
	struct nearest near;

	nearest_init(&near, name);
	for (unsigned int i = 0; i < s->nserved; i++) {
		*arg = s->served[i].arg;
		for (cmd = s->served[i].commands; cmd->name; cmd++) {
			if (!strcmp(cmd->name, name))
				return cmd;
			nearest_offer(&near, cmd->name);
		}
	}
	error_set(err, -EINVAL, "unknown command \"%.40s\"", name);
	if (near.best)
		error_hint(err, "did you mean \"%s\"?", near.best);
	return NULL;
}

static const struct control_command *allowed_command(struct client *c, struct json_object *args,
						     void **arg, struct error *err)
{
	const char *name = control_args_string(args, "command");
	const struct control_command *cmd;

	if (!name) {
		error_set(err, -EINVAL, "a request needs a \"command\"");
		return NULL;
	}
	cmd = find_command(c->server, name, arg, err);
	if (!cmd || !cmd->changes || seats_is_root(c->peer.uid))
		return cmd;
	error_set(err, -EPERM, "only root may %s", cmd->name);
	error_hint(err, "sudo qmapctl %s ...", cmd->name);
	return NULL;
}

static void run(struct client *c, const struct control_command *cmd, struct json_object *args,
		void *arg)
{
	struct control_request *req = calloc(1, sizeof(*req));

	if (!req) {
		json_object_put(args);
		client_free(c);
		return;
	}
	log_debug("%s asked for by process %d of user %d", cmd->name, (int)c->peer.pid,
		  (int)c->peer.uid);
	req->client = c;
	req->args = args;
	c->request = req;
	set_state(c, CLIENT_BUSY);
	cmd->fn(req, args, arg);
}

static void handle_line(struct client *c, const char *line, size_t len)
{
	const struct control_command *cmd;
	struct error err = {0};
	const char *why;
	struct json_object *args = control_parse(line, len, &why);
	void *arg;

	if (!json_object_is_type(args, json_type_object)) {
		error_set(&err, -EBADMSG, "the request is not a JSON object%s%s", args ? "" : ": ",
			  args ? "" : why);
		json_object_put(args);
		reject(c, &err);
		return;
	}
	cmd = allowed_command(c, args, &arg, &err);
	if (cmd) {
		run(c, cmd, args, arg);
		return;
	}
	json_object_put(args);
	send_object(c, failure(&err));
}

/* Returns the next line, or NULL. The end of the input ends a line, too. */
static char *cut_line(struct client *c, size_t *len)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	char *line = evbuffer_readln(in, len, EVBUFFER_EOL_LF);

	*len = line ? *len : evbuffer_get_length(in);
	if (line || !c->last || !*len)
		return line;
	line = malloc(*len);
	if (line)
		evbuffer_remove(in, line, *len);
	return line;
}

/* Takes the next request if its line is complete. */
static void next_line(struct client *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct error err = {0};
	size_t len;
	char *line = cut_line(c, &len);

	if (line) {
		handle_line(c, line, len);
		free(line);
	} else if (evbuffer_get_length(in) >= CONTROL_MAX_REQUEST) {
		error_set(&err, -EMSGSIZE, "the request is longer than %d bytes",
			  CONTROL_MAX_REQUEST);
		reject(c, &err);
	}
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	if (c->state == CLIENT_READING)
		next_line(c);
	else if (c->state == CLIENT_STREAMING) /* a streaming client sends no further requests */
		evbuffer_drain(bufferevent_get_input(bev),
			       evbuffer_get_length(bufferevent_get_input(bev)));
}

/* The whole reply is written. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	if (c->state == CLIENT_STREAMING)
		tell_gap(c->stream);
	if (c->state != CLIENT_WRITING)
		return;
	if (c->last && !evbuffer_get_length(bufferevent_get_input(c->bev))) {
		client_free(c);
		return;
	}
	set_state(c, CLIENT_READING);
	next_line(c);
}

/* Has it closed both sides, or ended? */
static bool has_left(const struct client *c)
{
	struct pollfd p = {.fd = bufferevent_getfd(c->bev)};

	return poll(&p, 1, 0) > 0;
}

/*
 * The client may have closed only its sending side and wait for its answers (`socat`): the server
 * closes the connection after the last of them.
 */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	size_t left = evbuffer_get_length(bufferevent_get_input(bev));
	struct client *c = arg;

	if (!(what & BEV_EVENT_EOF) || (c->state == CLIENT_READING && !left) ||
	    (c->state == CLIENT_STREAMING && has_left(c))) {
		client_free(c);
		return;
	}
	c->last = true;
	if (c->state == CLIENT_READING)
		next_line(c);
	else
		set_state(c, c->state);
}

/*
 * Bytes of the reply that the client has not read: ours, and the kernel's with their overhead. A socket
 * becomes writable only when three quarters of its buffer are read (kernel net/unix/af_unix.c,
 * unix_writable()).
 */
static size_t unread(const struct client *c)
{
	int kernel = 0;

	ioctl(bufferevent_getfd(c->bev), SIOCOUTQ, &kernel);
	return evbuffer_get_length(bufferevent_get_output(c->bev)) + kernel;
}

static bool reads_on(struct client *c)
{
	size_t before = c->left;

	c->left = unread(c);
	return c->left < before;
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	if (c->state == CLIENT_STREAMING ? !has_left(c)
					 : c->state == CLIENT_WRITING && reads_on(c)) {
		set_state(c, c->state);
		return;
	}
	log_debug("control client cut off: %s", c->state == CLIENT_READING
							? "no complete request in time"
							: "does not take its reply");
	client_free(c);
}

static struct client *client_new(struct control_server *s, int fd)
{
	socklen_t len = sizeof(struct ucred);
	struct client *c = calloc(1, sizeof(*c));

	if (!c || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &len))
		goto fail;
	c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev)
		goto fail;
	if (!seats_is_root(c->peer.uid))
		bufferevent_priority_set(c->bev, LOOP_OTHERS);
	c->server = s;
	c->next = s->clients;
	c->self = &s->clients;
	if (c->next)
		c->next->self = &c->next;
	s->clients = c;
	c->seated = seats_take(&s->seats, c->peer.uid);
	c->deadline = evtimer_new(s->base, on_deadline, c);
	if (!c->deadline) {
		client_free(c);
		return NULL;
	}
	return c;
fail:
	free(c);
	close(fd);
	return NULL;
}

static void on_accept(void *arg, int fd)
{
	struct control_server *s = arg;
	struct client *c = client_new(s, fd);
	struct error err = {0};

	if (!c)
		return;
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, CONTROL_MAX_REQUEST);
	bufferevent_set_max_single_write(c->bev, WRITE_STEP);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	if (!c->seated) {
		error_set(&err, -EAGAIN, "too many connections to qmapd");
		reject(c, &err);
		return;
	}
	set_state(c, CLIENT_READING);
}

void control_server_serve(struct control_server *s, const struct control_command *commands,
			  void *arg)
{
	if (s->nserved < MAX_SERVED)
		s->served[s->nserved++] = (struct served){.commands = commands, .arg = arg};
}

int control_server_new(struct control_server **out, struct event_base *base, const char *path,
		       const struct control_command *commands, void *arg, struct error *err)
{
	struct control_server *s = calloc(1, sizeof(*s));
	int ret, fd;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->base = base;
	control_server_serve(s, commands, arg);
	ret = control_socket_open(&s->socket, path, err);
	if (ret) {
		free(s);
		return ret;
	}
	fd = s->socket.fd;
	s->socket.fd = -1; /* the acceptor owns it now */
	ret = acceptor_new(&s->acceptor, base, fd, "control socket", on_accept, s, err);
	if (ret) {
		control_server_free(&s);
		return ret;
	}
	*out = s;
	return 0;
}

void control_server_free(struct control_server **sp)
{
	struct control_server *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	while (s->clients)
		client_free(s->clients);
	acceptor_free(&s->acceptor);
	control_socket_close(&s->socket);
	free(s);
}
