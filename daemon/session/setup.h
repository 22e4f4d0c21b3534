/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modem's set-up, before any call: clients, model, data format. */
#ifndef QMAP_SESSION_SETUP_H
#define QMAP_SESSION_SETUP_H

#include <stdbool.h>

#include "clients.h"
#include "facts.h"
#include "format.h"
#include "ids.h"

struct json_object;
struct setup;

/* What the set-up uses. */
struct setup_env {
	const struct config_trunk *config;
	const char *control; /* the channel's path */
	struct clients *clients;
	struct ids *ids;
	struct facts *facts;
	struct format *format;
};

struct setup_owner {
	/* The data format is agreed. */
	void (*done)(void *arg);
	void (*failed)(void *arg, const struct error *err);
};

/* NULL: out of memory. */
struct setup *setup_new(const struct setup_env *env, const struct setup_owner *owner, void *arg);
void setup_free(struct setup **s);

/* Begins; done() or failed() follows, unless setup_stop() comes first. */
void setup_start(struct setup *s);
void setup_stop(struct setup *s);
/*
 * An answer on CTL came after its deadline. If the present step repeats its request, the answer to
 * an earlier attempt completes it as well: a modem may take longer than the interval of attempts.
 */
void setup_late(struct setup *s, const struct qmi_message *m);
/* May the modem still answer the set-up's SYNC by an indication? */
bool setup_is_at_sync(const struct setup *s);
/* Sets the sentence for a modem that does not answer at all. */
void setup_error_silent(const struct setup *s, struct error *err);

/* Model, revision and manufacturer for the process that adopts the session, which reads them. */
void setup_save(const struct setup *s, struct json_object *state);
void setup_load(struct setup *s, struct json_object *state);
/* The same for `show`. */
void setup_show(const struct setup *s, struct json_object *show);

#endif
