// SPDX-License-Identifier: GPL-2.0-or-later
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"
#include "util/write_file.h"
#include "rtnl/rtnl.h"

#define DEFAULT_MTU 1500
#define MIN_MTU_V4  576	 /* RFC 791 */
#define MIN_MTU_V6  1280 /* RFC 8200 */

static int slot(int family)
{
	return family == 6;
}

static int af(int family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

bool trunk_port_is_up(const struct trunk_port *p)
{
	return p->settings[0].family || p->settings[1].family;
}

/* Command socket in the port's namespace, and the port as it is there. */
static int open_port(const struct trunk_port *p, struct rtnl **nl, struct rtnl_link *link,
		     struct error *err)
{
	int ret = rtnl_open(nl, p->pdn.netns, err);

	if (!ret)
		ret = rtnl_link_get(*nl, p->port.name, link, err);
	if (ret)
		rtnl_close(nl);
	return ret;
}

/*
 * A netdev that moves gets its IPv6 settings anew (kernel net/ipv6/addrconf.c, addrconf_notify,
 * NETDEV_UNREGISTER), and the default is to make an address and to solicit routers.
 */
static int quieten(const struct trunk_port *p, struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret = open_port(p, &nl, &link, err);

	if (ret)
		return ret;
	ret = rtnl_link_set_addrgenmode(nl, link.ifindex, IN6_ADDR_GEN_MODE_NONE, err);
	rtnl_close(&nl);
	return ret;
}

int trunk_port_place(struct trunk_port *p, struct error *err)
{
	struct rtnl *nl = NULL;
	int ret;

	if (!p->pdn.netns[0])
		return 0;
	ret = rtnl_open(&nl, NULL, err)
		      ?: rtnl_link_set_netns(nl, p->port.ifindex, p->pdn.netns, err);
	rtnl_close(&nl);
	return ret ?: quieten(p, err);
}

/* The smaller of what both families were told; nothing below what IP demands. */
static unsigned int choose_mtu(const struct trunk_port *p)
{
	unsigned int mtu = 0, least = p->settings[1].family ? MIN_MTU_V6 : MIN_MTU_V4;

	for (int i = 0; i < 2; i++) {
		unsigned int told = p->settings[i].family ? p->settings[i].mtu : 0;

		if (told && (!mtu || told < mtu))
			mtu = told;
	}
	if (!mtu)
		return DEFAULT_MTU;
	return mtu < least ? least : mtu;
}

static void write_dns(FILE *f, const struct ip_settings *s)
{
	char text[INET6_ADDRSTRLEN];

	for (unsigned int i = 0; i < s->ndns && i < 2; i++)
		if (inet_ntop(af(s->family), s->dns[i], text, sizeof(text)))
			fprintf(f, "nameserver %s\n", text);
}

static int write_resolv_conf(const struct trunk_port *p, const char *path, struct error *err)
{
	char *text = NULL;
	int ret = -ENOMEM;
	size_t size;
	FILE *f;

	f = open_memstream(&text, &size);
	if (f) {
		fprintf(f, "# DNS servers of %s, told by the network\n", p->port.name);
		write_dns(f, &p->settings[0]);
		write_dns(f, &p->settings[1]);
		ret = fclose(f) ? -ENOMEM : write_file(path, text);
	}
	free(text);
	return ret ? error_set(err, ret, "cannot write %s: %s", path, strerror(-ret)) : 0;
}

static int make_resolv_conf(struct trunk_port *p, const char *run_dir, struct error *err)
{
	char path[PATH_MAX];
	int ret;

	/* A port that was renamed keeps its file: somebody may read it. */
	if (p->resolv_conf[0])
		return write_resolv_conf(p, p->resolv_conf, err);
	if (snprintf(path, sizeof(path), "%s/%s.resolv.conf", run_dir, p->port.name) >=
	    (int)sizeof(path))
		return error_set(err, -ENAMETOOLONG, "the path of the run directory is too long");
	ret = write_resolv_conf(p, path, err);
	if (!ret)
		memcpy(p->resolv_conf, path, sizeof(path));
	return ret;
}

/* Servers that are reached through a family that is down would cost a resolver its patience. */
static void forget_dns(struct trunk_port *p)
{
	if (!p->resolv_conf[0])
		return;
	if (trunk_port_is_up(p)) {
		write_resolv_conf(p, p->resolv_conf, NULL);
		return;
	}
	unlink(p->resolv_conf);
	p->resolv_conf[0] = 0;
}

static int set_route(struct rtnl *nl, const struct trunk_port *p, unsigned int ifindex, int family,
		     struct error *err)
{
	if (!p->pdn.default_route)
		return 0;
	return rtnl_route_add_default(nl, ifindex, af(family), p->pdn.metric, err);
}

static int set_address(struct rtnl *nl, const struct trunk_port *p, unsigned int ifindex,
		       const struct ip_settings *s, struct error *err)
{
	return rtnl_addr_add(nl, ifindex, af(s->family), s->address, s->prefix, err)
		       ?: set_route(nl, p, ifindex, s->family, err);
}

/*
 * An address that is there already stays all the while: adoption must not cut running traffic. One
 * that goes may take ours and the route along.
 */
static int set_link(struct rtnl *nl, const struct trunk_port *p, unsigned int ifindex,
		    const struct ip_settings *s, struct error *err)
{
	int ret;

	rtnl_batch_begin(nl);
	ret = rtnl_link_set_mtu(nl, ifindex, choose_mtu(p), err)
		?: rtnl_link_set_up(nl, ifindex, true, err)
		?: set_address(nl, p, ifindex, s, err);
	ret = ret ?: rtnl_batch_send(nl, err)
		?: rtnl_addr_flush(nl, ifindex, af(s->family), s->address, err);
	return ret > 0 ? set_address(nl, p, ifindex, s, err) : ret;
}

int trunk_port_up(struct trunk_port *p, const struct ip_settings *s, const char *run_dir,
		  struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret = open_port(p, &nl, &link, err);

	if (ret)
		return ret;
	p->settings[slot(s->family)] = *s;
	p->ifindex = link.ifindex;
	ret = set_link(nl, p, link.ifindex, s, err) ?: make_resolv_conf(p, run_dir, err);
	rtnl_close(&nl);
	return ret;
}

int trunk_port_up_again(struct trunk_port *p, const char *run_dir, struct error *err)
{
	int ret = 0;

	for (int i = 0; i < 2 && !ret; i++) {
		struct ip_settings s = p->settings[i];

		if (s.family)
			ret = trunk_port_up(p, &s, run_dir, err);
	}
	return ret;
}

static int reroute(struct rtnl *nl, unsigned int ifindex, const struct trunk_port *p, int family,
		   const struct config_pdn *old, struct error *err)
{
	int ret = set_route(nl, p, ifindex, family, err);
	bool same = p->pdn.default_route && p->pdn.metric == old->metric;

	if (!ret && old->default_route && !same)
		ret = rtnl_route_del_default(nl, ifindex, af(family), old->metric, err);
	return ret;
}

int trunk_port_reroute(struct trunk_port *p, const struct config_pdn *old, struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret = open_port(p, &nl, &link, err);

	for (int i = 0; i < 2 && !ret; i++)
		if (p->settings[i].family)
			ret = reroute(nl, link.ifindex, p, p->settings[i].family, old, err);
	rtnl_close(&nl);
	return ret;
}

void trunk_port_down(struct trunk_port *p, int family)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;

	p->settings[slot(family)] = (struct ip_settings){0};
	forget_dns(p);
	if (open_port(p, &nl, &link, NULL))
		return;
	if (p->pdn.default_route)
		rtnl_route_del_default(nl, link.ifindex, af(family), p->pdn.metric, NULL);
	rtnl_addr_flush(nl, link.ifindex, af(family), NULL, NULL);
	if (!trunk_port_is_up(p))
		rtnl_link_set_up(nl, link.ifindex, false, NULL);
	else /* it may have been the other family's that made it small */
		rtnl_link_set_mtu(nl, link.ifindex, choose_mtu(p), NULL);
	rtnl_close(&nl);
}

int trunk_port_enable(struct trunk_port *p, struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret = open_port(p, &nl, &link, err) ?: rtnl_link_set_up(nl, link.ifindex, true, err);

	if (!ret)
		p->ifindex = link.ifindex;
	rtnl_close(&nl);
	return ret;
}

/* --- is it still as it was made? --- */

void trunk_port_locate(struct trunk_port *p)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;

	p->ifindex = open_port(p, &nl, &link, NULL) ? 0 : link.ifindex;
	rtnl_close(&nl);
}

static int look_family(struct rtnl *nl, const struct trunk_port *p, const struct ip_settings *s,
		       unsigned int *wrong, struct error *err)
{
	int has = rtnl_addr_has(nl, p->ifindex, af(s->family), s->address, err);

	if (!has)
		*wrong |= 1 << TRUNK_FIGHT_ADDRESS;
	if (has < 0 || !p->pdn.default_route)
		return has < 0 ? has : 0;
	has = rtnl_route_has_default(nl, p->ifindex, af(s->family), p->pdn.metric, err);
	if (!has)
		*wrong |= 1 << TRUNK_FIGHT_ROUTE;
	return has < 0 ? has : 0;
}

static int look(struct rtnl *nl, struct trunk_port *p, struct trunk_port_state *out,
		struct error *err)
{
	struct rtnl_link link;
	int ret = rtnl_link_get_index(nl, p->ifindex, &link, err);

	out->gone = ret == -ENODEV;
	if (ret)
		return out->gone ? 0 : ret;
	out->renamed = strcmp(link.name, p->port.name);
	snprintf(p->port.name, sizeof(p->port.name), "%s", link.name);
	out->up = link.flags & IFF_UP;
	if (!out->up || !trunk_port_is_up(p))
		return 0;
	if (link.mtu < choose_mtu(p))
		out->wrong |= 1 << TRUNK_FIGHT_MTU;
	for (int i = 0; i < 2 && !ret; i++)
		if (p->settings[i].family)
			ret = look_family(nl, p, &p->settings[i], &out->wrong, err);
	return ret;
}

int trunk_port_look(struct trunk_port *p, struct trunk_port_state *out, struct error *err)
{
	struct error gone = {0};
	struct rtnl *nl = NULL;
	int ret = rtnl_open(&nl, p->pdn.netns, err);

	*out = (struct trunk_port_state){.wrong = 0};
	if (!ret)
		ret = look(nl, p, out, &gone);
	rtnl_close(&nl);
	return ret && gone.err ? error_pass(err, &gone) : ret;
}
