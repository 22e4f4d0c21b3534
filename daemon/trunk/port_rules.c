// SPDX-License-Identifier: GPL-2.0-or-later
#include "port_rules.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "util/array.h"
#include "rtnl/rtnl.h"
#include "rtnl/snapshot.h"
#include "port.h"

#define RULES 3

/* The network routes an IPv6 PDN's whole /64 to it (RFC 7278), so all addresses out of it are its. */
static unsigned int own_bits(const struct ip_settings *s)
{
	if (s->family == 4)
		return 32;
	return s->prefix == 64 ? 64 : 128;
}

static bool has_table(const struct config_pdn *pdn)
{
	return pdn->default_route && pdn->table && pdn->table != RT_TABLE_MAIN;
}

/*
 * Returns RULES, or 0 if the PDN has none. Answers to hosts on local networks leave by the main table, also from
 * the PDN's address. A socket that is bound to the port has no source address until its route is known.
 */
static unsigned int rules_of(const struct trunk_port *p, const struct config_pdn *pdn,
			     const struct ip_settings *s, struct rtnl_rule out[RULES])
{
	struct rtnl_rule table = {.family = s->family == 6 ? AF_INET6 : AF_INET,
				  .priority = RTNL_RULE_TABLE,
				  .table = pdn->table};

	if (!s->family || !has_table(pdn) || (s->family == 4 && pdn->passthrough[0]))
		return 0;
	out[0] = table;
	memcpy(out[0].oif, p->port.name, sizeof(out[0].oif));
	table.from_len = own_bits(s);
	memcpy(table.from, s->address, table.from_len / 8);
	out[1] = out[2] = table;
	out[2].priority = RTNL_RULE_LOCAL_NETWORKS;
	out[2].table = RT_TABLE_MAIN;
	out[2].no_default = true;
	return RULES;
}

int trunk_port_rules_add(struct rtnl *nl, const struct trunk_port *p, const struct ip_settings *s,
			 struct error *err)
{
	struct rtnl_rule rules[RULES];
	unsigned int n = rules_of(p, trunk_port_pdn(p), s, rules);
	int ret = 0;

	for (unsigned int i = 0; i < n && !ret; i++)
		ret = rtnl_rule_add(nl, &rules[i], err);
	return ret;
}

static void delete_all(struct rtnl *nl, const struct rtnl_rule *rules, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		rtnl_rule_del(nl, &rules[i], NULL);
}

int trunk_port_rules_change(struct rtnl *nl, const struct trunk_port *p,
			    const struct config_pdn *old, const struct ip_settings *s,
			    struct error *err)
{
	struct rtnl_rule were[RULES], rules[RULES];
	unsigned int nwere = rules_of(p, old, s, were),
		     n = rules_of(p, trunk_port_pdn(p), s, rules);

	/* the rule for local networks is the same one with any table */
	if (nwere && (!n || were[0].table != rules[0].table))
		delete_all(nl, were, nwere);
	return trunk_port_rules_add(nl, p, s, err);
}

void trunk_port_rules_remove(const struct trunk_port *p, const struct ip_settings *s)
{
	struct rtnl_rule rules[RULES];
	unsigned int n = rules_of(p, trunk_port_pdn(p), s, rules);
	struct rtnl *nl = NULL;

	if (!has_table(trunk_port_pdn(p)) || rtnl_open(&nl, p->port.netns, NULL))
		return;
	/* The one for local networks may be another PDN's, too: it goes once no netdev has the address. */
	delete_all(nl, rules, n ? n - 1 : 0);
	rtnl_rule_sweep(nl);
	rtnl_close(&nl);
}

void trunk_port_rules_rename(const struct trunk_port *p, const char *old)
{
	struct rtnl_rule rules[RULES];
	struct rtnl *nl = NULL;

	if (!has_table(trunk_port_pdn(p)) || rtnl_open(&nl, p->port.netns, NULL))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(p->settings); i++) {
		if (!rules_of(p, trunk_port_pdn(p), &p->settings[i], rules))
			continue;
		rtnl_rule_add(nl, &rules[0], NULL);
		snprintf(rules[0].oif, sizeof(rules[0].oif), "%s", old);
		rtnl_rule_del(nl, &rules[0], NULL);
	}
	rtnl_close(&nl);
}

bool trunk_port_rules_are_set(const struct trunk_port *p, const struct rtnl_snapshot *kernel)
{
	struct rtnl_rule rules[RULES];

	for (unsigned int i = 0; i < ARRAY_SIZE(p->settings); i++) {
		unsigned int n = rules_of(p, trunk_port_pdn(p), &p->settings[i], rules);

		for (unsigned int j = 0; j < n && !p->fault[i][0]; j++)
			if (!rtnl_snapshot_has_rule(kernel, &rules[j]))
				return false;
	}
	return true;
}
