/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All trunks of a daemon, and the commands of the control socket that work on them. */
#ifndef QMAP_TRUNK_LIST_H
#define QMAP_TRUNK_LIST_H

#include "config/set.h"
#include "control/server.h"
#include "trunk.h"

struct trunk_list;

int trunk_list_new(struct trunk_list **out, const struct trunk_env *env, struct error *err);
/* Leaves kernel and modems as they are: the next daemon adopts. */
void trunk_list_free(struct trunk_list **l);

/* Takes over what is pinned; what was half attached, or whose netdev is gone, is taken down. */
void trunk_list_adopt(struct trunk_list *l);

/* Makes what is attached into what configuration files ask for (apply.h), whose set is taken over.
 */
void trunk_list_configure(struct trunk_list *l, struct config_set *set);

/* The trunk called @dev, or NULL; the @i-th, NULL behind the last. */
struct trunk *trunk_list_find(const struct trunk_list *l, const char *dev);
struct trunk *trunk_list_get(const struct trunk_list *l, unsigned int i);

/* As the commands of the socket; @done comes later, once, unless there is an error, and finds the
 * list as it is then. */
typedef void (*trunk_list_done)(void *arg, const struct error *err);
int trunk_list_attach(struct trunk_list *l, const struct config_trunk *config, trunk_list_done done,
		      void *arg, struct error *err);
int trunk_list_detach(struct trunk_list *l, const char *dev, trunk_list_done done, void *arg,
		      struct error *err);

/* Netdev @name is there, or has that name now. */
void trunk_list_netdev(struct trunk_list *l, unsigned int ifindex, const char *name);
/* ... has gone (@moved: to another network namespace). */
void trunk_list_netdev_gone(struct trunk_list *l, unsigned int ifindex, const char *name,
			    bool moved);
/* An address or a route of the netdev is gone. */
void trunk_list_port_changed(struct trunk_list *l, unsigned int ifindex);
/* Somebody has deleted a tc filter or qdisc: perhaps one of ours. */
void trunk_list_programs_changed(struct trunk_list *l);
/* The machine has slept. */
void trunk_list_resumed(struct trunk_list *l);
/* Nobody knows what has happened: all is looked up. */
void trunk_list_resync(struct trunk_list *l);

/* For control_server_new(), with the list as its argument. */
extern const struct control_command trunk_commands[];

#endif
