/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All trunks of a daemon, and the commands of the control socket for them. */
#ifndef QMAP_MANAGER_TRUNK_LIST_H
#define QMAP_MANAGER_TRUNK_LIST_H

#include "config/set.h"
#include "control/server.h"
#include "trunk/trunk.h"

struct trunk_list;

int trunk_list_new(struct trunk_list **out, const struct trunk_env *env, struct error *err);
/* Leaves kernel and modems unchanged: the next daemon adopts the trunks. */
void trunk_list_free(struct trunk_list **l);

/* Adopts all pins; takes down trunks that were half attached or whose netdev is gone. */
void trunk_list_adopt(struct trunk_list *l);

/* Applies configuration files (applier.h) and takes over their set. */
void trunk_list_configure(struct trunk_list *l, struct config_set *set);

/* Returns the trunk called @dev, or NULL; the @i-th, NULL behind the last. */
struct trunk *trunk_list_find(const struct trunk_list *l, const char *dev);
struct trunk *trunk_list_get(const struct trunk_list *l, unsigned int i);

/*
 * As the commands of the socket; @done is called later, once, unless there is an error, and may
 * look at the list.
 */
typedef void (*trunk_list_done)(void *arg, const struct error *err);
int trunk_list_attach(struct trunk_list *l, const struct config_trunk *config, trunk_list_done done,
		      void *arg, struct error *err);
int trunk_list_detach(struct trunk_list *l, const char *dev, trunk_list_done done, void *arg,
		      struct error *err);

/* The machine has been suspended. */
void trunk_list_resumed(struct trunk_list *l);

/* For control_server_new(), with the list as its argument. */
extern const struct control_command trunk_commands[];

#endif
