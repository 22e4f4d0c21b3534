/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control channel: unix sockets on which hosts speak QMUX, and answers that take their time. */
#ifndef MODEM_CONTROL_H
#define MODEM_CONTROL_H

#include "modem.h"

struct conn;
struct fault;

struct answer_times {
	uint64_t sum_us;  /* of all answers' times */
	uint64_t busy_us; /* during which at least one answer was outstanding: the critical path */
	unsigned int outstanding;
};

int control_new(struct modem *m);
void control_free(struct modem *m);

/* Accept hosts on a unix stream socket; `path` starting with '@' is abstract. 0 or -errno. */
int control_listen(struct modem *m, const char *path);

/*
 * Listen in the place of libqmi's proxy: same protocol, but a host's first message is
 * CTL 0xff00 with the device's path (libqmi, qmi-proxy).
 */
int control_listen_proxy(struct modem *m);
bool control_is_proxy(const struct conn *conn);

/* The control channel over USB: open while plugged in. */
int control_open_usb(struct modem *m);
void control_close_usb(struct modem *m);
/* One message of the host's: cdc-wdm never cuts or joins them. */
void control_usb_message(struct modem *m, const uint8_t *buf, size_t len);

/* Queue the answer to a request, as the fault (may be all zero) wants it. */
void control_answer(struct modem *m, struct conn *conn, const uint8_t *buf, size_t len,
		    const struct fault *fault);

/* Kills process @pid; 0: the one at the other end, if that is a socket. */
void control_kill_host(const struct conn *conn, pid_t pid);

/* Send to all connections; while held, wait for the release. */
void control_indicate(struct modem *m, const uint8_t *buf, size_t len);
void control_hold_indications(struct modem *m);

/* Held indications follow the answer just queued, after the same time. */
void control_release_indications(struct modem *m, const struct fault *fault);

/* Bytes as they are to all connections: for malformed messages. */
void control_broadcast(struct modem *m, const uint8_t *buf, size_t len);

/* Is some host behind with reading? */
bool control_congested(const struct modem *m);

struct answer_times control_times(const struct modem *m);
void control_reset_times(struct modem *m);
unsigned int control_connections(const struct modem *m);

#endif
