/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket in the file system: its owner, its mode, the lock of the process that serves
 * it.
 */
#ifndef QMAP_CONTROL_LISTEN_H
#define QMAP_CONTROL_LISTEN_H

#include <sys/un.h>

#include "util/error.h"

struct control_socket {
	int fd;	     /* bound, non-blocking; not listening yet */
	int dir_fd;  /* the socket's directory */
	int lock_fd; /* a locked file in it */
	struct sockaddr_un addr;
};

/* See control_server_new(). */
int control_socket_open(struct control_socket *s, const char *path, struct error *err);

/* Removes the socket and releases the lock. */
void control_socket_close(struct control_socket *s);

#endif
