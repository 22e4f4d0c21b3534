/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Client ids. A modem has few of them (some have ten per service) and releases none by itself, so
 * none may be lost, even if this process dies at any moment: the number of open requests is saved
 * before they are sent, an allocated id before its first use, and an id stays saved until the modem
 * has confirmed its release.
 */
#ifndef QMAP_SESSION_IDS_H
#define QMAP_SESSION_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "clients.h"

struct ids;
struct json_object;

/* The answer to an allocation or release. */
struct id_reply {
	int err;	    /* 0, -ETIMEDOUT, ...; -EREMOTEIO: refused, with @qmi_error */
	uint16_t qmi_error; /* protocol error */
	uint8_t id;
};

typedef void (*id_reply_fn)(void *arg, const struct id_reply *r);

struct ids_owner {
	/* ids_save() differs: it must be saved before the callback returns. */
	void (*changed)(void *arg);
	/* ids_run() is to be called from the event loop. */
	void (*kick)(void *arg);
	/* Does a call, or a guest of the channel, have this id? */
	bool (*in_use)(void *arg, uint8_t service, uint8_t id);
	/* Has a guest of the channel asked for an id of @service, and got none yet? */
	bool (*guest_allocates)(void *arg, uint8_t service);
	/* While releasing: the modem does not answer. */
	void (*gave_up)(void *arg, int err);
};

/* NULL: out of memory. */
struct ids *ids_new(struct clients *clients, const struct ids_owner *owner, void *arg);
void ids_free(struct ids **ids);

/* @fn may be NULL for a release. */
void ids_allocate(struct ids *ids, uint8_t service, id_reply_fn fn, void *arg);
void ids_release(struct ids *ids, uint8_t service, uint8_t id, id_reply_fn fn, void *arg);
/* Drops an allocation with @arg that has not been sent yet; false: there is none. */
bool ids_forget(struct ids *ids, void *arg);
/* Sends requests that may be sent now. */
void ids_run(struct ids *ids);
/* Are any requests open or waiting? */
bool ids_busy(const struct ids *ids);
/* The modem has lost all ids, or has released them by SYNC. */
void ids_clear(struct ids *ids);
/* An answer to an allocation came after its deadline. */
void ids_late(struct ids *ids, const struct qmi_message *m);
/* Is the id in use by the session or by a guest? */
bool ids_known(const struct ids *ids, uint8_t service, uint8_t id);
/* May the modem hold an id of ours without a known owner? */
bool ids_unsure(const struct ids *ids);
/* Calls @fn for each id that is being released. */
void ids_each_release(const struct ids *ids, void (*fn)(void *arg, uint8_t service, uint8_t id),
		      void *arg);

/* Adds "allocating" and "unreleased" to the session's state, and reads them. */
void ids_save(const struct ids *ids, struct json_object *state);
void ids_load(struct ids *ids, struct json_object *state);
/* Releases ids that the process whose state was read was allocating; kicks when done. */
void ids_recover(struct ids *ids);

#endif
