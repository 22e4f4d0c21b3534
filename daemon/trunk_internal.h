/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a trunk share. Nobody else includes this. */
#ifndef QMAP_TRUNK_INTERNAL_H
#define QMAP_TRUNK_INTERNAL_H

#include "datapath/datapath.h"
#include "datapath/pins.h"
#include "session.h"
#include "trunk.h"
#include "trunk_dev.h"
#include "trunk_port.h"

struct event;

enum trunk_state {
	TRUNK_ATTACHING,
	TRUNK_ATTACHED,
	TRUNK_LOST, /* modem restarted or channel gone: data path stands, nothing is connected */
	TRUNK_DETACHING,
	TRUNK_DETACHED,
};

struct trunk {
	struct trunk_env env;
	struct config_trunk config; /* as asked for */
	struct config_trunk wish; /* with the control channel that was found and the sizes the data
				     path likes: what the session works by */
	enum trunk_state state;
	struct timespec since; /* of @state, CLOCK_REALTIME */
	char reason[256];      /* why it is in @state; may be empty */
	struct pins pins;
	struct trunk_dev dev;
	const struct datapath_ops *ops;
	struct datapath *dp; /* NULL until the data format is agreed */
	struct data_format format;
	struct event *commands;	 /* QMAP commands wait */
	struct session *session; /* NULL with control=none */
	struct trunk_port ports[CONFIG_MAX_PDNS];
	unsigned int nports;
	bool adopted;
	bool unfinished; /* adopted from a process that died while attaching or detaching */

	trunk_done done;
	void *done_arg;
	struct error result; /* of what done() is about */
	struct event *finish;
};

/* "attached" for TRUNK_ATTACHED. */
const char *trunk_state_name(enum trunk_state state);

/* The modem's: "ready" for TRUNK_ATTACHED. */
const char *trunk_modem_state_name(enum trunk_state state);

/* Changes the state, and says so. @why may be "". */
void trunk_set_state(struct trunk *t, enum trunk_state state, const char *why);

bool trunk_has_control(const struct trunk *t);

/* The port of PDN @pdn, or NULL. */
struct trunk_port *trunk_find_port(const struct trunk *t, unsigned int pdn);

#endif
