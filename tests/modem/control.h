/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control channel: unix sockets on which hosts speak QMUX, and answers with delays. */
#ifndef MODEM_CONTROL_H
#define MODEM_CONTROL_H

#include "modem.h"

struct conn;
struct fault;

struct answer_times {
	uint64_t sum_us; /* sum of all answers' delays */
	/* time during which at least one answer was outstanding: the critical path */
	uint64_t busy_us;
	unsigned int outstanding;
};

int control_new(struct modem *m);
void control_free(struct modem *m);

/* Accepts hosts on a unix stream socket; `path` starting with '@' is abstract. 0 or -errno. */
int control_listen(struct modem *m, const char *path);

/*
 * Listens in place of libqmi's proxy: same protocol, but a host's first message is CTL 0xff00 with
 * the device's path (libqmi, qmi-proxy).
 */
int control_listen_proxy(struct modem *m);
bool control_is_proxy(const struct conn *conn);

/* The control channel over USB; open while the modem is plugged in. */
int control_open_usb(struct modem *m);
void control_close_usb(struct modem *m);
/* Handles one message of the host: cdc-wdm never cuts or joins them. */
void control_usb_message(struct modem *m, const uint8_t *buf, size_t len);

/* Queues the answer to a request, modified by the fault (may be all zero). */
void control_answer(struct modem *m, struct conn *conn, const uint8_t *buf, size_t len,
		    const struct fault *fault);

/* Kills process @pid; 0: the process at the other end, if that is a socket. */
void control_kill_host(const struct conn *conn, pid_t pid);

/* Sends to all connections; while held, queues until the release. */
void control_indicate(struct modem *m, const uint8_t *buf, size_t len);
void control_hold_indications(struct modem *m);

/* Sends the held indications after the answer just queued, with the same delay. */
void control_release_indications(struct modem *m, const struct fault *fault);

/* Sends bytes unchanged to all connections: for malformed messages. */
void control_broadcast(struct modem *m, const uint8_t *buf, size_t len);

/* Is any host behind with reading? */
bool control_congested(const struct modem *m);

struct answer_times control_times(const struct modem *m);
void control_reset_times(struct modem *m);
unsigned int control_connections(const struct modem *m);

#endif
