/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the modem behind a trunk's netdev, again and again until it is set up. */
#ifndef QMAP_TRUNK_OPEN_H
#define QMAP_TRUNK_OPEN_H

#include <stdbool.h>

struct error;
struct json_object;
struct trunk;
struct trunk_open;

/* NULL: no memory. */
struct trunk_open *trunk_open_new(struct trunk *t);
void trunk_open_free(struct trunk_open **o);

/* Opens it now. An existing data path stays, unless this fails. */
int trunk_open_now(struct trunk *t, struct error *err);
/* An attempt has failed because of @err (NULL: there was none): tries again after a while. */
void trunk_open_again(struct trunk *t, const struct error *err);
void trunk_open_in(struct trunk *t, unsigned int ms);
void trunk_open_stop(struct trunk_open *o);
/* It is set up. */
void trunk_open_ready(struct trunk_open *o);
/* It was lost: the next attempt comes at once if it was ready for long. */
void trunk_open_lost(struct trunk_open *o);
/* Something has changed, so the next attempt comes at once. */
void trunk_open_hope(struct trunk_open *o);
/* Has an attempt after the first one failed? */
bool trunk_open_is_repeated(const struct trunk_open *o);
/*
 * Completes t->setup where the configuration leaves something open. A control channel that has been
 * found stays.
 */
void trunk_fill_setup(struct trunk *t);
/* The next attempt goes on with @left: session_left(), which it takes over. NULL: with nothing. */
void trunk_leave(struct trunk *t, struct json_object *left);

#endif
