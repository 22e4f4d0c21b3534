// SPDX-License-Identifier: GPL-2.0-or-later
#include "port_name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "datapath/datapath.h"

void config_trunk_port(const struct config_trunk *c, unsigned int number, char name[IFNAMSIZ])
{
	char base[IFNAMSIZ];

	if (c->port[0]) {
		config_port_name(c->port, number, name);
		return;
	}
	datapath_port_base(c->dev, base);
	snprintf(name, IFNAMSIZ, "%.10s.%u", base, number % 1000);
}

static int hint(struct error *err)
{
	error_hint(err, "choose other names with port=");
	return -EEXIST;
}

/* -EEXIST if a port of @a is called as the trunk @b. */
static int check_trunk(const struct config_trunk *a, const struct config_trunk *b,
		       struct error *err)
{
	char name[IFNAMSIZ];

	for (unsigned int i = 0; i < a->npdns && a->qmap != CONFIG_QMAP_OFF; i++) {
		config_trunk_port(a, a->pdns[i].number, name);
		if (strcmp(name, b->dev))
			continue;
		error_set(err, -EEXIST,
			  "the port of PDN %u of %s would be called %s, as a trunk is",
			  a->pdns[i].number, a->dev, name);
		return hint(err);
	}
	return 0;
}

/* A port is made in qmapd's namespace and moved into its own under its name. */
static bool meet(const struct config_pdn *p, const struct config_pdn *q)
{
	return !p->netns[0] || !q->netns[0] || !strcmp(p->netns, q->netns);
}

static int check_ports(const struct config_trunk *a, const struct config_trunk *b,
		       struct error *err)
{
	char names[CONFIG_MAX_PDNS][IFNAMSIZ], name[IFNAMSIZ];

	for (unsigned int i = 0; i < b->npdns; i++)
		config_trunk_port(b, b->pdns[i].number, names[i]);
	for (unsigned int i = 0; i < a->npdns; i++) {
		config_trunk_port(a, a->pdns[i].number, name);
		for (unsigned int j = 0; j < b->npdns; j++) {
			if (strcmp(name, names[j]) || !meet(&a->pdns[i], &b->pdns[j]))
				continue;
			error_set(err, -EEXIST,
				  "PDN %u of %s and PDN %u of %s would have one port, %s",
				  a->pdns[i].number, a->dev, b->pdns[j].number, b->dev, name);
			return hint(err);
		}
	}
	return 0;
}

int config_ports_differ(const struct config_trunk *a, const struct config_trunk *b,
			struct error *err)
{
	int ret = check_trunk(a, b, err) ?: check_trunk(b, a, err);

	/* without QMAP the trunk itself is the port */
	if (ret || a->qmap == CONFIG_QMAP_OFF || b->qmap == CONFIG_QMAP_OFF)
		return ret;
	return check_ports(a, b, err);
}
