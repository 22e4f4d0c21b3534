/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other end of the control socket (control.h): blocking, with deadlines. */
#ifndef QMAP_CONTROL_CLIENT_H
#define QMAP_CONTROL_CLIENT_H

#include <signal.h>

#include "util/error.h"

struct json_object;

/*
 * Connects to @path within @timeout seconds and returns the descriptor. -ENOENT and -ECONNREFUSED
 * mean that no daemon is running, -EACCES that the caller lacks the permission.
 */
int control_connect(const char *path, unsigned int timeout, struct error *err);

/*
 * Sends one request and waits up to @timeout seconds for its reply. 0 with the result (new
 * reference, NULL for JSON null), the error in the daemon's reply, -ETIMEDOUT, -ECONNRESET or
 * -EBADMSG.
 */
int control_call(int fd, struct json_object *request, struct json_object **result,
		 unsigned int timeout, struct error *err);

/*
 * Sends a request whose reply does not end. @fn gets each line after the first as a borrowed
 * object; a negative errno from it ends the stream and is returned. @mask: signals blocked while
 * waiting; -EINTR after one of them. @timeout: seconds to the first line. -ECONNRESET when the
 * daemon has closed. @also (may be NULL; *@also -1: none): a descriptor that @fn may set; whenever
 * it is readable, @fn is called with NULL.
 */
int control_stream(int fd, struct json_object *request, unsigned int timeout, const sigset_t *mask,
		   const int *also, int (*fn)(void *arg, struct json_object *line), void *arg,
		   struct error *err);

#endif
