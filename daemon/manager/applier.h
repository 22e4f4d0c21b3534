/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applies a configuration to the attached trunks: the command `apply` of the control socket, and
 * the configuration files at start and reload, in the same way. One at a time.
 */
#ifndef QMAP_MANAGER_APPLIER_H
#define QMAP_MANAGER_APPLIER_H

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
 * @args: {"trunks": [config_trunk_to_json()...], "models": [config_model_to_json()...], "dry_run":
 * bool, "prune": bool}. The reply is an array of config_step_to_json() with "state": planned (dry
 * run), done, failed or left, and "failure": error_to_json() or null. The first failure stops it.
 * -EBUSY while another configuration is being applied.
 */
void applier_command(struct applier *a, struct control_request *req, struct json_object *args);

/*
 * The same for @set, whose trunks are taken over; results go to the log, and a failure of one trunk
 * does not stop the others. While another configuration is being applied it waits; of several, the
 * last one is applied.
 */
void applier_start(struct applier *a, struct config_set *set);

/*
 * A client detaches @dev: a configuration that has waited for the trunk so far must not attach it
 * again.
 */
void applier_detached(struct applier *a, const char *dev);

/* A trunk may have become idle. */
void applier_wake(struct applier *a);

#endif
