/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's end of the control socket (control.h).
 *
 * A client has a few seconds to complete a line and to take the reply; it can neither block nor
 * fill the daemon. uid 0 may use every command. Other users who may connect (mode 0660, group
 * CONTROL_GROUP if there is one) may use the commands that change nothing.
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
	 * @args: the request as received, an object, valid until the reply. Must lead to exactly
	 * one control_reply() or control_reply_error(), now or later.
	 */
	void (*fn)(struct control_request *req, struct json_object *args, void *arg);
};

/*
 * Listens on @path. Creates its directory if necessary, removes a socket of a dead process, and
 * takes the lock of the directory: -EADDRINUSE if another process has it. -EACCES if users other
 * than root and ours can write to the directory or replace it. Ignores SIGPIPE in the whole
 * process, because libevent writes to sockets with writev().
 */
int control_server_new(struct control_server **out, struct event_base *base, const char *path,
		       const struct control_command *commands, void *arg, struct error *err);

/* One more table of commands, with another @arg; two in all. */
void control_server_serve(struct control_server *s, const struct control_command *commands,
			  void *arg);

/* Closes all connections and removes the socket. Open requests must still be answered. */
void control_server_free(struct control_server **s);

/*
 * Sends the answer and ends the request; drops the answer if the client has left. Takes over the
 * reference to @result, which may be NULL (JSON null).
 */
void control_reply(struct control_request *req, struct json_object *result);
void control_reply_error(struct control_request *req, const struct error *e);

/*
 * Starts a reply without end: {"ok": true}, then one line after the other until either side closes.
 *
 * Ends the request. @closed is called, and the stream freed, when the client leaves or the server
 * ends. -EPIPE if the client has left already, -ENOMEM; then @closed is not called.
 */
struct control_stream;
int control_stream_open(struct control_stream **out, struct control_request *req,
			void (*closed)(void *arg), void *arg);

/*
 * Sends @line and takes over its reference. If the client reads too slowly, lines are dropped; once
 * it has caught up, the server sends their number as {"gap": N}.
 */
void control_stream_send(struct control_stream *s, struct json_object *line);

/* Returns argument @key if it is a string without zero bytes, else NULL. */
const char *control_args_string(struct json_object *args, const char *key);

#endif
