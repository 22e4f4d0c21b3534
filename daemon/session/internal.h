/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The session itself: for session.c, rooms.c, reset.c and session_json.c only. */
#ifndef QMAP_SESSION_INTERNAL_H
#define QMAP_SESSION_INTERNAL_H

#include <errno.h>

#include "calls.h"
#include "clients.h"
#include "facts.h"
#include "format.h"
#include "guests.h"
#include "ids.h"
#include "setup.h"
#include "watch.h"
#include "session.h"

struct event;

/* Phase of the whole session. */
enum session_phase {
	PHASE_SETUP,	/* the modem's own steps: clients, model, data format */
	PHASE_CALLS,	/* calls are being connected */
	PHASE_ADOPT,	/* status of an earlier process's calls is being requested */
	PHASE_RUNNING,	/* started() has been called */
	PHASE_FAILING,	/* start has failed, allocated ids are being released */
	PHASE_STOPPING, /* the same on the owner's request */
	PHASE_OVER,	/* only session_free() is left */
};

/* SYNC at the end of giving back. */
enum reset {
	RESET_NONE,
	RESET_ASKED,
	RESET_OVER,
};

struct session {
	struct event_base *base;
	struct session_setup setup;
	const struct config_trunk *config; /* of @setup */
	const struct session_ops *ops;
	void *arg;

	/* the objects: session/rooms.c */
	struct clients *clients;
	struct ids *ids;
	struct guests *guests;
	struct format *format;
	struct facts *facts;
	struct setup *set_up;
	struct calls *calls;
	struct watch *watch;

	enum session_phase phase;
	bool was_giving_back; /* an earlier process died while releasing: ids may be gone already */
	struct event *kick;   /* runs on_kick() */
	struct event *deadline; /* of the release */
	struct error error;	/* reason why start failed */
	struct error give_back_error;
	bool gave_up; /* while releasing: the modem does not answer */
	enum reset reset;
	bool rebooted;
	char lost[160];		  /* not empty: reason why calls and clients are lost */
	pid_t hung_up_by;	  /* the proxy: it ends, or the modem has restarted */
	struct json_object *left; /* session_left() */
	void (*stop_done)(void *arg, const struct error *err);
	void *stop_arg;
};

/* session.c */
void session_kick(struct session *s);
/* Start, or adoption, has failed with s->error: releases everything. */
void session_fail(struct session *s);
void session_changed(struct session *s);
/* The modem has restarted, or (@rebooted false) the channel is gone. */
void session_lost(struct session *s, bool rebooted, const char *why);
/* The data format is agreed: the owner builds its data path, then all calls start at once. */
void session_set_up(struct session *s);
/* While releasing: further requests are pointless. */
void session_gave_up(struct session *s, int err);
static inline bool session_giving_back(const struct session *s)
{
	return s->phase >= PHASE_FAILING;
}

/* The modem does not answer: releases nothing, so that another process can adopt it later. */
void session_adopt_failed(struct session *s);

/* session/rooms.c: the channel and the objects on it. Errors as clients_open(). */
int session_rooms_new(struct session *s, struct error *err);
void session_rooms_free(struct session *s);

/* Starts polling, and counting the time without traffic, from the beginning. */
void session_watch_start(struct session *s);

/* session/reset.c: true while SYNC is open; a kick follows. */
bool session_reset(struct session *s);

/* session/session_json.c */
struct json_object;
int session_state_load(struct session *s, struct json_object *state, struct error *err);
/* Releases the client ids in @state, of a session that did not get as far as a data format. */
void session_state_release(struct session *s, struct json_object *state);

#endif
