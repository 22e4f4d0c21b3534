/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of proxy/ only. */
#ifndef QMAP_PROXY_INTERNAL_H
#define QMAP_PROXY_INTERNAL_H

#include <sys/queue.h>
#include <sys/types.h>
#include <time.h>

#include "proxy.h"
#include "qmi/client.h"

struct event;
struct evbuffer;
struct ucred;

#define PROXY_PATH_SIZE 108

/* Limits of one client's open requests, on services and on CTL. */
#define PROXY_CLIENT_REQUESTS 16
#define PROXY_CLIENT_CTL      4
/* The same for all clients of a modem: low, so that our own requests need not queue for long. */
#define PROXY_MODEM_REQUESTS 64
#define PROXY_MODEM_CTL	     32
/* Client ids of one client. ModemManager has about fifteen. */
#define PROXY_CLIENT_IDS 64
/* For all clients of a modem: an id outside the table could not be released. */
#define PROXY_MODEM_IDS 256

/* Protocol errors of our own answers (libqmi, qmi-errors.h). */
enum proxy_error {
	PROXY_INTERNAL = 3,
	PROXY_NO_MORE_IDS = 5,
	PROXY_INVALID_CLIENT = 7,
	PROXY_MISSING_ARGUMENT = 17,
	PROXY_INVALID_COMMAND = 71,
	PROXY_ACCESS_DENIED = 82,
};

/* A request without an answer yet. */
struct proxy_slot {
	uint8_t service, id;
	uint16_t transaction;
	int64_t since; /* ms, monotonic */
	bool used;
};

/* A connection. */
struct proxy_client {
	TAILQ_ENTRY(proxy_client) entry;
	int fd;
	pid_t pid;
	uid_t uid;
	struct event *read_event, *write_event, *resume_event, *deadline;
	struct evbuffer *out;
	struct proxy_modem *modem;    /* NULL: not open yet */
	char device[PROXY_PATH_SIZE]; /* the device that the client waits for */
	uint16_t open_transaction;
	unsigned int ids;
	unsigned int requests, ctl; /* open requests */
	struct proxy_slot slots[PROXY_CLIENT_REQUESTS];
	bool paused; /* reading is suspended */
	bool dead;
	size_t len;
	uint8_t buf[QMI_MAX_MESSAGE];
};

/* A client id in the modem; without owner it is being released. */
struct proxy_id {
	uint8_t service, id;
	unsigned int attempts;
	struct proxy_client *owner;
};

/* An open CTL request; client NULL: it has left. */
struct proxy_job {
	TAILQ_ENTRY(proxy_job) entry;
	struct proxy_modem *modem;
	struct proxy_client *client;
	uint16_t message, transaction;
	uint8_t service, id;
};

struct proxy_modem {
	TAILQ_ENTRY(proxy_modem) entry;
	char device[PROXY_PATH_SIZE];
	struct qmi_channel *channel; /* NULL: clients are not let in */
	struct qmi_client *ctl;
	/* the server opened it for clients only; NULL: the channel is a session's */
	struct qmi_channel *own;
	bool stopping;
	unsigned int requests, njobs;
	TAILQ_HEAD(proxy_jobs, proxy_job) jobs;
	struct proxy_id ids[PROXY_MODEM_IDS];
	unsigned int nids;
	uint8_t allocating[256];	 /* number of open requests by service */
	const struct proxy_owner *owner; /* NULL: the server itself */
	void *arg;
};

/* proxy/server.c */
/* Calls the owner's changed(), if there is an owner. */
void proxy_changed(const struct proxy_modem *m);
struct event_base *proxy_base(void);
/* Returns the modem of @device; opens it for clients only if no session has it. NULL: none. */
struct proxy_modem *proxy_find(const char *device);
/* Calls @fn for every connection; @fn may close it. */
void proxy_each(struct proxy_modem *m, void (*fn)(struct proxy_client *c, void *arg), void *arg);
/* Connections that were suspended may continue. */
void proxy_resume(struct proxy_modem *m);
/* @m may be unused now: frees it later if the server has opened it itself. */
void proxy_modem_idle(struct proxy_modem *m);
/* Lets in the clients that waited for the modem. */
void proxy_let_in(struct proxy_modem *m);
/*
 * @c is closed: removes it from the list, and frees it once none of its functions is on the
 * stack.
 */
void proxy_bury(struct proxy_client *c);

/* proxy/connection.c: one connection. */
struct proxy_client *proxy_client_new(int fd, const struct ucred *peer);
void proxy_client_free(struct proxy_client *c);
void proxy_client_close(struct proxy_client *c, const char *why);
void proxy_client_send(struct proxy_client *c, const struct qmi_message *m);
/* Answers @request without the modem: success, or @error. */
void proxy_client_answer(struct proxy_client *c, const struct qmi_message *request, uint16_t error);
/* The client's device is ready. */
void proxy_client_opened(struct proxy_client *c, struct proxy_modem *m);
/* The modem has answered a request, or its time is over. */
void proxy_client_answered(struct proxy_client *c, const struct qmi_message *m);

/* proxy/route.c: one modem. */
void proxy_route_init(struct proxy_modem *m, const char *device);
void proxy_route_clear(struct proxy_modem *m);
/* Has the modem answered every request and released every id without an owner? */
bool proxy_route_idle(const struct proxy_modem *m);
/* May @c send one more request? */
bool proxy_route_has_room(const struct proxy_client *c);
/* Handles a well-formed request of @c. */
void proxy_route_request(struct proxy_client *c, const struct qmi_message *m);
/* @c is closed: releases its client ids. */
void proxy_route_left(struct proxy_client *c);

/* proxy/ctl.c: the clients' CTL requests. */
void proxy_ctl_request(struct proxy_client *c, const struct qmi_message *m);
/* Releases ids without an owner. */
void proxy_ctl_release(struct proxy_modem *m);
struct proxy_id *proxy_id_find(const struct proxy_modem *m, uint8_t service, uint8_t id);

#endif
