/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes what is attached into what a configuration asks for: the command `apply` of the control
 * socket, and the configuration files at start and reload, by one path. One at a time.
 */
#ifndef QMAP_APPLY_H
#define QMAP_APPLY_H

#include "config/set.h"
#include "util/error.h"

struct applier;
struct control_request;
struct event_base;
struct json_object;
struct trunk_list;

int applier_new(struct applier **out, struct event_base *base, struct trunk_list *list,
		struct error *err);
void applier_free(struct applier **a);

/*
 * @args: {"trunks": [config_trunk_to_json()...], "models": [config_model_to_json()...],
 * "dry_run": bool, "prune": bool}. The reply is an
 * array of config_step_to_json() with "state": planned (dry run), done, failed or left, and
 * "failure": error_to_json() or null. The first failure stops it. -EBUSY while another is being
 * applied.
 */
void applier_command(struct applier *a, struct control_request *req, struct json_object *args);

/*
 * The same for @set, whose trunks are taken over; what happens goes to the log, and one trunk's
 * failure is no other's. While another is being applied it waits, and the last one counts.
 */
void applier_start(struct applier *a, struct config_set *set);

/*
 * Somebody detaches @dev: a configuration that was to be applied before, and has waited for the
 * trunk so far, is not what counts for it any more.
 */
void applier_detached(struct applier *a, const char *dev);

/* A trunk may have become idle. */
void applier_wake(struct applier *a);

#endif
