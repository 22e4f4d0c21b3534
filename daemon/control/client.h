/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other end of the control socket (control.h): blocking, with deadlines. */
#ifndef QMAP_CONTROL_CLIENT_H
#define QMAP_CONTROL_CLIENT_H

#include <signal.h>

#include "util/error.h"

struct json_object;

/*
 * Connects to @path within @timeout seconds; the descriptor. -ENOENT and -ECONNREFUSED mean that no
 * daemon is running, -EACCES that the caller may not talk to it.
 */
int control_connect(const char *path, unsigned int timeout, struct error *err);

/*
 * One request and its reply, within @timeout seconds. 0 with the result (new reference, may be
 * NULL for JSON null), or what the daemon has answered, or -ETIMEDOUT, -ECONNRESET, -EBADMSG.
 */
int control_call(int fd, struct json_object *request, struct json_object **result,
		 unsigned int timeout, struct error *err);

/*
 * A request whose reply has no end: @fn gets each line after the first, an object that stays ours;
 * a negative errno from it ends the matter and is returned. @mask: signals blocked while waiting;
 * -EINTR when one has come. @timeout: seconds to the first line. -ECONNRESET when the daemon has
 * closed.
 */
int control_stream(int fd, struct json_object *request, unsigned int timeout, const sigset_t *mask,
		   int (*fn)(void *arg, struct json_object *line), void *arg, struct error *err);

#endif
