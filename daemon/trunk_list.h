/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All trunks of a daemon, and the commands of the control socket that work on them. */
#ifndef QMAP_TRUNK_LIST_H
#define QMAP_TRUNK_LIST_H

#include "config.h"
#include "control_server.h"
#include "trunk.h"

struct trunk_list;

int trunk_list_new(struct trunk_list **out, const struct trunk_env *env, struct error *err);
/* Leaves kernel and modems as they are: the next daemon adopts. */
void trunk_list_free(struct trunk_list **l);

/* Takes over what is pinned; what was half attached, or whose netdev is gone, is taken down. */
void trunk_list_adopt(struct trunk_list *l);

/* Attaches what a configuration file asks for, unless it is attached already. */
void trunk_list_configure(struct trunk_list *l, const struct config_trunk *config);

void trunk_list_dev_gone(struct trunk_list *l, unsigned int ifindex);

/* For control_server_new(), with the list as its argument. */
extern const struct control_command trunk_commands[];

#endif
