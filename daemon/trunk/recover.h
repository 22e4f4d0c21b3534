/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence that a trunk's link is dead, and the measures of the ladder (recover/ladder.h). */
#ifndef QMAP_TRUNK_RECOVER_H
#define QMAP_TRUNK_RECOVER_H

#include <stdbool.h>

struct error;
struct json_object;
struct trunk;
struct trunk_recover;

/* NULL: no memory. */
struct trunk_recover *trunk_recover_new(struct trunk *t);
void trunk_recover_free(struct trunk_recover **r);

/* As session_ops.silent, heard. */
bool trunk_recover_silent(struct trunk *t, unsigned int pdn, unsigned int times);
void trunk_recover_heard(struct trunk *t, unsigned int pdn);
/* The modem could not be opened, or has been lost, because of @err. */
void trunk_recover_failed(struct trunk *t, const struct error *err);
/* The modem is set up. */
void trunk_recover_ready(struct trunk *t);
/* A call has changed its state. */
void trunk_recover_call(struct trunk *t);

/* Object for `show`. */
struct json_object *trunk_recover_show(const struct trunk *t);
/* For the pins; an earlier process' is taken over. */
struct json_object *trunk_recover_save(const struct trunk *t);
void trunk_recover_load(struct trunk *t, struct json_object *o);

#endif
