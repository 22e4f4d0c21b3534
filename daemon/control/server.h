/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's end of the control socket (control.h).
 *
 * A client has a few seconds to complete a line and to take the reply; it can neither block nor
 * fill the daemon. Who may ask what: uid 0 everything, everybody else who gets past the socket's
 * mode (0660, group CONTROL_GROUP if there is one) what changes nothing.
 */
#ifndef QMAP_CONTROL_SERVER_H
#define QMAP_CONTROL_SERVER_H

#include <stdbool.h>

#include "util/error.h"

struct control_request;
struct control_server;
struct event_base;
struct json_object;

struct control_command {
	const char *name; /* NULL ends the table */
	bool changes;	  /* only for root */
	/*
	 * @args: the request as it came, an object, valid until the reply. Must lead to exactly one
	 * control_reply() or control_reply_error(), now or later.
	 */
	void (*fn)(struct control_request *req, struct json_object *args, void *arg);
};

/*
 * Listens on @path. Creates its directory if need be, removes a socket that nobody serves any
 * more, and takes the lock of the directory: -EADDRINUSE if another process has it. -EACCES if
 * users other than root and ours can write to the directory, or replace it. Ignores SIGPIPE for the
 * whole process, because libevent writes to sockets with writev().
 */
int control_server_new(struct control_server **out, struct event_base *base, const char *path,
		       const struct control_command *commands, void *arg, struct error *err);

/* One more table of commands, with another @arg; two in all. */
void control_server_serve(struct control_server *s, const struct control_command *commands,
			  void *arg);

/* Closes all connections and removes the socket. Requests not yet answered still must be. */
void control_server_free(struct control_server **s);

/*
 * The answer. Ends the request; it is thrown away if the client has left. @result may be NULL
 * (JSON null); its reference is taken over.
 */
void control_reply(struct control_request *req, struct json_object *result);
void control_reply_error(struct control_request *req, const struct error *e);

/*
 * A reply without end: after {"ok": true} one line after the other until either side closes.
 *
 * Ends the request. @closed is called when the client has left, or the server ends; the stream is
 * gone then. -EPIPE if the client has left already, -ENOMEM; @closed is not called then.
 */
struct control_stream;
int control_stream_open(struct control_stream **out, struct control_request *req,
			void (*closed)(void *arg), void *arg);

/*
 * Sends @line, whose reference is taken over. Who does not read fast enough misses some: as soon as
 * it has caught up it is told how many, by {"gap": N}.
 */
void control_stream_send(struct control_stream *s, struct json_object *line);

/* Argument @key if it is a string without zero bytes, else NULL. */
const char *control_args_string(struct json_object *args, const char *key);

#endif
