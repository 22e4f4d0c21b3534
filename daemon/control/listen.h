/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket in the file system: whose it is, who may connect, who serves it. */
#ifndef QMAP_CONTROL_LISTEN_H
#define QMAP_CONTROL_LISTEN_H

#include <sys/un.h>

#include "util/error.h"

struct control_socket {
	int fd;	     /* bound, non-blocking, not yet listening */
	int dir_fd;  /* of its directory */
	int lock_fd; /* of a file in it, locked */
	struct sockaddr_un addr;
};

/* See control_server_new(). */
int control_socket_open(struct control_socket *s, const char *path, struct error *err);

/* Removes the socket and gives up the lock. */
void control_socket_close(struct control_socket *s);

#endif
