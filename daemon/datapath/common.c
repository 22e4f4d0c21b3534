// SPDX-License-Identifier: GPL-2.0-or-later
#include "common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtnl/rtnl.h"
#include "util/log.h"
#include "commands.h"
#include "xdp_link.h"

void datapath_close(struct datapath **p)
{
	struct datapath *dp = *p;

	if (!dp)
		return;
	commands_close(&dp->commands);
	bpf_fds_close(dp->fd, dp->npins);
	rtnl_close(&dp->nl);
	free(dp);
	*p = NULL;
}

int datapath_new(struct datapath **out, struct pins *pins, const char *trunk,
		 const struct pins_entry *pin, unsigned int npins, struct error *err)
{
	struct datapath *dp = calloc(1, sizeof(*dp));
	int ret;

	if (!dp)
		return error_set(err, -ENOMEM, "out of memory");
	bpf_log_to_ours();
	dp->pins = pins;
	dp->trunk = pins->ifindex;
	dp->pin = pin;
	dp->npins = npins;
	bpf_fds_init(dp->fd, npins);
	datapath_port_base(trunk, dp->base);
	ret = rtnl_open(&dp->nl, NULL, err);
	if (ret)
		datapath_close(&dp);
	*out = dp;
	return ret;
}

int datapath_open(struct datapath **out, struct pins *pins, const struct pins_entry *pin,
		  unsigned int npins, struct error *err)
{
	struct datapath *dp = NULL;
	int ret = datapath_new(&dp, pins, pins->trunk, pin, npins, err);

	if (!ret)
		ret = bpf_fds_get(pins, pin, dp->fd, npins, err);
	if (ret)
		datapath_close(&dp);
	*out = dp;
	return ret;
}

int datapath_keep(struct datapath *dp, unsigned int pin, int fd, struct error *err)
{
	return bpf_keep(dp->pins, dp->pin[pin].name, fd, &dp->fd[pin], err);
}

int datapath_adopt_port(struct datapath *dp, const struct datapath_port *port, struct error *err)
{
	struct datapath_place *place = &dp->places[port->mux % QMAP_MAX_MUX];

	memcpy(place->name, port->name, sizeof(place->name));
	memcpy(place->netns, port->netns, sizeof(place->netns));
	return 0;
}

int datapath_event_fd(struct datapath *dp, unsigned int pin, bool acknowledge)
{
	struct error err = {0};

	if (!dp->commands &&
	    commands_open(&dp->commands, dp->fd[pin], dp->trunk, acknowledge, &err)) {
		log_warning("%s", err.text);
		return -1;
	}
	return commands_fd(dp->commands);
}

int datapath_events(struct datapath *dp, struct error *err)
{
	return dp->commands ? commands_read(dp->commands, err) : 0;
}
