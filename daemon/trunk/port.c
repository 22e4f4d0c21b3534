// SPDX-License-Identifier: GPL-2.0-or-later
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/log.h"
#include "util/write_file.h"
#include "rtnl/rtnl.h"
#include "rtnl/sysctl.h"
#include "assigned.h"
#include "port_rules.h"

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

/* The owner of the namespace may have given its name to another netdev. */
static int read_link(const struct trunk_port *p, struct rtnl *nl, struct rtnl_link *link,
		     struct error *err)
{
	struct error cause = {0};
	int ret;

	if (!p->ifindex)
		return rtnl_link_get(nl, p->port.name, link, err);
	ret = rtnl_link_get_index(nl, p->ifindex, link, &cause);
	if (ret == -ENODEV)
		return error_set(err, ret, "its network device is gone");
	return ret ? error_pass(err, &cause) : 0;
}

/* Opens a request socket in the port's namespace, and reads the port's link. */
static int open_port(const struct trunk_port *p, struct rtnl **nl, struct rtnl_link *link,
		     struct error *err)
{
	int ret = rtnl_open(nl, p->port.netns, err);

	ret = ret ?: read_link(p, *nl, link, err);
	if (ret)
		rtnl_close(nl);
	return ret;
}

bool trunk_port_is_ours(const struct trunk_port *p)
{
	return trunk_port_pdn(p)->addresses == CONFIG_ADDRESSES_QMAPD;
}

bool trunk_port_passes(const struct trunk_port *p, int family)
{
	return family == 4 && trunk_port_pdn(p)->passthrough[0];
}

/* --- settings that keep the kernel from acting by itself --- */

/*
 * Router advertisements bring a second address, which is preferred as source, and a default route
 * in spite of default-route; redirects bring routes.
 */
static const struct rtnl_sysctl quiet[] = {
	{"ipv6", "accept_ra", 0},
	{"ipv6", "autoconf", 0},
	{"ipv6", "accept_redirects", 0},
	{"ipv4", "accept_redirects", 0},
};

/* 2: also on a forwarding machine. Only default-route adds a default route. */
static const struct rtnl_sysctl by_router[] = {
	{"ipv6", "accept_ra", 2},	 {"ipv6", "autoconf", 1},
	{"ipv6", "accept_ra_defrtr", 0}, {"ipv6", "accept_redirects", 0},
	{"ipv4", "accept_redirects", 0},
};

#define COUNT(a) (ARRAY_SIZE(a))

/* Netlink cannot set these. Without IPv6 there is nothing to set. */
static int quieten(struct trunk_port *p, struct error *err)
{
	bool slaac = trunk_port_pdn(p)->slaac;
	int ret = rtnl_sysctl_set(p->port.netns, p->port.name, slaac ? by_router : quiet,
				  slaac ? COUNT(by_router) : COUNT(quiet), err);

	p->loud = ret;
	return ret;
}

bool trunk_port_is_quiet(const struct trunk_port *p, const struct rtnl_link *link)
{
	return !rtnl_sysctl_differs(link, trunk_port_pdn(p)->slaac ? by_router : quiet,
				    trunk_port_pdn(p)->slaac ? COUNT(by_router) : COUNT(quiet));
}

void trunk_port_unquiet(const char *name)
{
	rtnl_sysctl_reset("", name, by_router, COUNT(by_router));
}

/*
 * A netdev that moves gets its IPv6 settings again (kernel net/ipv6/addrconf.c, addrconf_notify,
 * NETDEV_UNREGISTER); by default it makes an address and solicits routers.
 */
static int silence(const struct trunk_port *p, struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret = open_port(p, &nl, &link, err);

	if (!ret)
		ret = rtnl_link_set_addrgenmode(nl, link.ifindex, IN6_ADDR_GEN_MODE_NONE, err);
	rtnl_close(&nl);
	return ret;
}

/*
 * The name counts, as an administrator who deletes a VRF and makes it again has another ifindex. The
 * route of a port whose VRF is not there is never put into the main table.
 */
static int join_vrf(struct trunk_port *p, struct rtnl *nl, const struct rtnl_link *link,
		    struct error *err)
{
	const struct config_pdn *pdn = trunk_port_pdn(p);
	struct rtnl_link vrf;
	int ret = pdn->vrf[0] ? rtnl_vrf_get(nl, pdn->vrf, &vrf, err) : 0;

	if (ret || !pdn->vrf[0])
		return ret;
	p->vrf = vrf.ifindex;
	p->vrf_table = vrf.vrf_table;
	return link->master == p->vrf ? 0 : rtnl_link_set_master(nl, link->ifindex, p->vrf, err);
}

void trunk_port_leave_vrf(const struct trunk_port *p)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;

	if (p->vrf && !open_port(p, &nl, &link, NULL) && link.master == p->vrf)
		rtnl_link_set_master(nl, link.ifindex, 0, NULL);
	rtnl_close(&nl);
}

int trunk_port_place(struct trunk_port *p, struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret = 0;

	if (p->port.netns[0]) {
		ret = rtnl_open(&nl, NULL, err)
			      ?: rtnl_link_set_netns(nl, p->port.ifindex, p->port.netns, err);
		rtnl_close(&nl);
		ret = ret ?: silence(p, err);
	}
	if (!ret)
		quieten(p, NULL); /* trunk_port_up() does it again, and tells */
	if (!ret && trunk_port_pdn(p)->vrf[0])
		ret = open_port(p, &nl, &link, err) ?: join_vrf(p, nl, &link, err);
	rtnl_close(&nl);
	return ret;
}

/* --- MTU --- */

/* The smaller of the MTUs of both families, within the limits of sending; at least IP's minimum. */
static unsigned int choose_mtu(const struct trunk_port *p)
{
	unsigned int mtu = 0, least = p->settings[1].family ? MIN_MTU_V6 : MIN_MTU_V4;

	for (int i = 0; i < 2; i++) {
		unsigned int reported = p->settings[i].family ? p->settings[i].mtu : 0;

		if (reported && (!mtu || reported < mtu))
			mtu = reported;
	}
	if (!mtu)
		mtu = DEFAULT_MTU;
	if (p->max_packet && mtu > p->max_packet)
		mtu = p->max_packet;
	return mtu < least ? least : mtu;
}

/*
 * MTU of the netdev. It limits sending alone, except with drivers that size their receive buffers
 * by it (usbnet, mhi_net): the network may send larger packets than it accepts.
 */
unsigned int trunk_port_mtu(const struct trunk_port *p, const struct rtnl_link *link)
{
	unsigned int mtu = choose_mtu(p);

	if (p->keeps_mtu && mtu < DEFAULT_MTU)
		mtu = DEFAULT_MTU;
	return link->max_mtu && mtu > link->max_mtu ? link->max_mtu : mtu;
}

/*
 * A larger MTU than the one set last is the administrator's, and stays until another one is required.
 * usbnet refuses multiples of the endpoint's packet size (usbnet_change_mtu(): EDOM).
 */
static int set_mtu(struct rtnl *nl, struct trunk_port *p, const struct rtnl_link *link,
		   struct error *err)
{
	unsigned int mtu = trunk_port_mtu(p, link);
	struct error why = {0};
	int ret = 0;

	if (link->mtu != mtu && (link->mtu < mtu || p->mtu_set != mtu))
		ret = rtnl_link_set_mtu(nl, link->ifindex, mtu, &why);
	if (ret == -EDOM && p->keeps_mtu)
		ret = rtnl_link_set_mtu(nl, link->ifindex, mtu + 1, &why);
	p->mtu_set = ret ? 0 : mtu;
	return ret ? error_pass(err, &why) : 0;
}

/* --- DNS --- */

static int write_resolv_conf(const struct trunk_port *p, const char *path, struct error *err)
{
	char *text = NULL, server[INET6_ADDRSTRLEN];
	int ret = -ENOMEM;
	size_t size;
	FILE *f;

	f = open_memstream(&text, &size);
	if (f) {
		fprintf(f, "# DNS servers of %s, as reported by the network\n", p->port.name);
		for (int i = 0; i < 2; i++) {
			const struct ip_settings *s = &p->settings[i];
			bool usable = s->family && !p->fault[i][0];

			for (unsigned int j = 0; usable && j < s->ndns && j < 2; j++)
				if (!trunk_address_refused(s->family, s->dns[j]) &&
				    inet_ntop(af(s->family), s->dns[j], server, sizeof(server)))
					fprintf(f, "nameserver %s\n", server);
		}
		ret = fclose(f) ? -ENOMEM : write_file(path, text);
	}
	free(text);
	return ret ? error_set(err, ret, "cannot write %s: %s", path, strerror(-ret)) : 0;
}

/* Named by trunk and PDN: the owner of the port's namespace may rename the port. */
static int make_resolv_conf(struct trunk_port *p, const char *run_dir, struct error *err)
{
	char path[sizeof(p->resolv_conf)];
	int ret;

	if (snprintf(path, sizeof(path), "%s/%s.resolv.conf", run_dir, p->key) >= (int)sizeof(path))
		return error_set(err, -ENAMETOOLONG, "the path of the run directory is too long");
	ret = write_resolv_conf(p, path, err);
	if (p->resolv_conf[0] && (ret || strcmp(p->resolv_conf, path)))
		unlink(p->resolv_conf);
	snprintf(p->resolv_conf, sizeof(p->resolv_conf), "%s", ret ? "" : path);
	return ret;
}

/* Removes the servers of a family that is down, which would make a resolver wait. */
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

/* --- addresses and routes --- */

/* An IPv4 fragment is so much larger in IPv6: header, fragment header (RFC 7915, 4.1). */
#define CLAT_GROWTH 28

/* 0: as the netdev's. */
static unsigned int route_mtu(const struct trunk_port *p, int family)
{
	if (family == 4 && p->clat)
		return choose_mtu(p) - CLAT_GROWTH;
	return p->keeps_mtu ? choose_mtu(p) : 0;
}

unsigned int trunk_port_metric(const struct trunk_port *p, const struct config_pdn *pdn)
{
	return pdn->metric + (p->dead ? pdn->failover : 0);
}

static struct rtnl_route default_route(const struct trunk_port *p, const struct config_pdn *pdn,
				       unsigned int ifindex, int family)
{
	return (struct rtnl_route){.ifindex = ifindex,
				   .family = af(family),
				   .metric = trunk_port_metric(p, pdn),
				   .table = pdn->vrf[0] ? p->vrf_table : pdn->table,
				   .mtu = route_mtu(p, family)};
}

struct rtnl_route trunk_port_route(const struct trunk_port *p, int family)
{
	return default_route(p, trunk_port_pdn(p), p->ifindex, family);
}

static int set_route(struct rtnl *nl, const struct trunk_port *p, unsigned int ifindex, int family,
		     struct error *err)
{
	struct rtnl_route r = default_route(p, trunk_port_pdn(p), ifindex, family);

	if (!trunk_port_pdn(p)->default_route || trunk_port_passes(p, family))
		return 0;
	return rtnl_route_add_default(nl, &r, err);
}

/* Not within a batch. A route without an MTU of its own has never had one. */
static int renew_route(struct rtnl *nl, const struct trunk_port *p, unsigned int ifindex,
		       int family, struct error *err)
{
	struct rtnl_route r = default_route(p, trunk_port_pdn(p), ifindex, family);

	if (!r.mtu || !trunk_port_pdn(p)->default_route || trunk_port_passes(p, family))
		return 0;
	return rtnl_route_renew_mtu(nl, &r, err);
}

/* That of a link that is alive if this one is dead, and the other way round. */
static int drop_other_route(struct rtnl *nl, const struct trunk_port *p, unsigned int ifindex,
			    int family, struct error *err)
{
	const struct config_pdn *pdn = trunk_port_pdn(p);
	struct rtnl_route r = default_route(p, pdn, ifindex, family);

	r.metric = pdn->metric + (p->dead ? 0 : pdn->failover);
	if (!pdn->failover || !pdn->default_route)
		return 0;
	return rtnl_route_del_default(nl, &r, err);
}

/*
 * Adds no route to the prefix: a point-to-point link has no other hosts, and the network may report
 * any length.
 */
static int set_address(struct rtnl *nl, const struct trunk_port *p, unsigned int ifindex,
		       const struct ip_settings *s, struct error *err)
{
	if (trunk_port_passes(p, s->family))
		return 0;
	return rtnl_addr_add(nl, ifindex, af(s->family), s->address, s->prefix, false, err)
		       ?: set_route(nl, p, ifindex, s->family, err)
		       ?: trunk_port_rules_add(nl, p, s, err);
}

/* With slaac the kernel's own addresses stay, and of ours only @old is removed. */
static int remove_others(struct rtnl *nl, const struct trunk_port *p, unsigned int ifindex,
			 const struct ip_settings *s, const struct ip_settings *old,
			 struct error *err)
{
	if (s->family == 4 || !trunk_port_pdn(p)->slaac) {
		if (s->family == 6)
			rtnl_route_flush_made(nl, ifindex, NULL);
		return rtnl_addr_flush(nl, ifindex, af(s->family), s->address, s->prefix, err);
	}
	if (!old->family ||
	    (!memcmp(old->address, s->address, sizeof(s->address)) && old->prefix == s->prefix))
		return 0;
	return rtnl_addr_del(nl, ifindex, AF_INET6, old->address, old->prefix, err);
}

/*
 * An existing address stays throughout: adoption must not interrupt traffic. A removed one may take
 * ours and the route along.
 */
static int set_link(struct rtnl *nl, struct trunk_port *p, const struct rtnl_link *link,
		    const struct ip_settings *s, const struct ip_settings *old, struct error *err)
{
	unsigned int ifindex = link->ifindex;
	int ret, loud, mtu = set_mtu(nl, p, link, err);
	struct error why = {0};
	const struct rtnl_sysctl mtu6 = {"ipv6", "mtu", (int)choose_mtu(p)};

	/* an IPv6 that comes back with the MTU has its defaults again */
	loud = quieten(p, &why);
	rtnl_batch_begin(nl);
	ret = rtnl_link_set_up(nl, ifindex, true, err) ?: set_address(nl, p, ifindex, s, err);
	ret = ret ?: rtnl_batch_send(nl, mtu ? NULL : err)
		?: renew_route(nl, p, ifindex, s->family, err)
		?: drop_other_route(nl, p, ifindex, s->family, err);
	ret = ret ?: remove_others(nl, p, ifindex, s, old, err);
	if (ret > 0)
		ret = set_address(nl, p, ifindex, s, err);
	if (trunk_port_pdn(p)->table)
		rtnl_rule_sweep(nl); /* those of the address before */
	/* Limits sent packets if the netdev's MTU does not; for IPv4 the route does. */
	if (p->keeps_mtu && p->settings[1].family)
		rtnl_sysctl_set(p->port.netns, p->port.name, &mtu6, 1, NULL);
	if (!mtu && !ret && loud)
		return error_pass(err, &why);
	return mtu ?: ret;
}

/* Reports the first failure; its effect depends on whether the address is set. */
static int configure(struct rtnl *nl, struct trunk_port *p, const struct rtnl_link *link,
		     const struct ip_settings *s, const struct ip_settings *old, struct error *err)
{
	int i = slot(s->family), ret = set_link(nl, p, link, s, old, err);

	if (ret &&
	    rtnl_addr_has(nl, link->ifindex, af(s->family), s->address, s->prefix, NULL) <= 0)
		snprintf(p->fault[i], sizeof(p->fault[i]), "%s", err->text);
	else if (ret)
		snprintf(p->complaint, sizeof(p->complaint), "%s", err->text);
	return ret;
}

static int refuse(struct trunk_port *p, const struct ip_settings *s, const char *why,
		  struct error *err)
{
	char text[INET6_ADDRSTRLEN] = "";
	int i = slot(s->family);

	inet_ntop(af(s->family), s->address, text, sizeof(text));
	error_set(err, -EADDRNOTAVAIL,
		  "the network has given it %s, which no host can have: it is %s", text, why);
	snprintf(p->fault[i], sizeof(p->fault[i]), "%s", err->text);
	p->refused[i] = true;
	return -EADDRNOTAVAIL;
}

/* Removes an earlier address and everything set with it. */
static void remove_family(struct rtnl *nl, const struct trunk_port *p, unsigned int ifindex,
			  int family)
{
	struct rtnl_route r = default_route(p, trunk_port_pdn(p), ifindex, family);

	if (trunk_port_pdn(p)->default_route)
		rtnl_route_del_default(nl, &r, NULL);
	rtnl_addr_flush(nl, ifindex, af(family), NULL, 0, NULL);
	if (family == 6)
		rtnl_route_flush_made(nl, ifindex, NULL);
}

static int set_up(struct rtnl *nl, struct trunk_port *p, const struct rtnl_link *link,
		  const struct ip_settings *s, const struct ip_settings *old, struct error *err)
{
	const char *refused = trunk_address_refused(s->family, s->address);

	if (!trunk_port_is_ours(p))
		return rtnl_link_set_up(nl, link->ifindex, true, err);
	if (!refused)
		return configure(nl, p, link, s, old, err);
	remove_family(nl, p, link->ifindex, s->family);
	trunk_port_rules_remove(p, old);
	rtnl_link_set_up(nl, link->ifindex, true, NULL); /* the call is up */
	return refuse(p, s, refused, err);
}

int trunk_port_up(struct trunk_port *p, const struct ip_settings *s, const char *run_dir,
		  struct error *err)
{
	struct ip_settings old = p->settings[slot(s->family)];
	struct error dns = {0};
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int i = slot(s->family), ret;

	p->settings[i] = *s;
	p->fault[i][0] = p->complaint[0] = 0;
	p->refused[i] = false;
	ret = open_port(p, &nl, &link, err) ?: join_vrf(p, nl, &link, err);
	if (!ret) {
		p->ifindex = link.ifindex;
		ret = set_up(nl, p, &link, s, &old, err);
	} else {
		snprintf(p->fault[i], sizeof(p->fault[i]), "%s", err->text);
	}
	rtnl_close(&nl);
	if (!make_resolv_conf(p, run_dir, &dns))
		return ret;
	snprintf(p->complaint, sizeof(p->complaint), "%s", dns.text);
	return ret ?: error_pass(err, &dns);
}

int trunk_port_up_again(struct trunk_port *p, const char *run_dir, struct error *err)
{
	int first = 0;

	for (int i = 0; i < 2; i++) {
		struct ip_settings s = p->settings[i];
		int ret = 0;

		if (s.family && !p->refused[i])
			ret = trunk_port_up(p, &s, run_dir, err);
		first = first ?: ret;
	}
	return first;
}

static int reroute(struct rtnl *nl, unsigned int ifindex, const struct trunk_port *p,
		   const struct ip_settings *s, const struct config_pdn *old, struct error *err)
{
	struct rtnl_route r = default_route(p, old, ifindex, s->family);
	int ret = set_route(nl, p, ifindex, s->family, err)
			  ?: trunk_port_rules_change(nl, p, old, s, err);
	const struct config_pdn *pdn = trunk_port_pdn(p);
	bool same = pdn->default_route && trunk_port_metric(p, pdn) == r.metric &&
		    pdn->table == old->table;

	if (!ret && old->default_route && !same)
		ret = rtnl_route_del_default(nl, &r, err);
	return ret;
}

/* A port that another process has moved away has left its rules behind; its routes come when it returns. */
static int change_rules(const struct trunk_port *p, const struct config_pdn *old, struct error *err)
{
	struct rtnl *nl = NULL;
	int ret = rtnl_open(&nl, p->port.netns, err);

	for (int i = 0; i < 2 && !ret; i++)
		if (p->settings[i].family)
			ret = trunk_port_rules_change(nl, p, old, &p->settings[i], err);
	rtnl_close(&nl);
	return ret;
}

int trunk_port_reroute(struct trunk_port *p, const struct config_pdn *old, struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret;

	if (!trunk_port_is_ours(p))
		return 0;
	if (p->away)
		return change_rules(p, old, err);
	ret = open_port(p, &nl, &link, err);
	for (int i = 0; i < 2 && !ret; i++)
		if (p->settings[i].family && !p->fault[i][0])
			ret = reroute(nl, link.ifindex, p, &p->settings[i], old, err);
	rtnl_close(&nl);
	return ret;
}

int trunk_port_set_dead(struct trunk_port *p, bool dead, struct error *err)
{
	struct config_pdn old = *trunk_port_pdn(p);
	int ret;

	old.metric = trunk_port_metric(p, &old);
	old.failover = 0;
	p->dead = dead;
	ret = trunk_port_reroute(p, &old, err);
	explicit_bzero(&old, sizeof(old));
	return ret;
}

/* Undoes what was set on the netdev itself. */
static void down(struct trunk_port *p, int family)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;

	if (open_port(p, &nl, &link, NULL))
		return;
	if (trunk_port_is_ours(p))
		remove_family(nl, p, link.ifindex, family);
	if (!trunk_port_is_up(p))
		rtnl_link_set_up(nl, link.ifindex, false, NULL);
	else if (trunk_port_is_ours(p)) /* the other family's MTU may have been the smaller one */
		set_mtu(nl, p, &link, NULL);
	rtnl_close(&nl);
}

void trunk_port_down(struct trunk_port *p, int family)
{
	struct ip_settings old = p->settings[slot(family)];

	p->settings[slot(family)] = (struct ip_settings){0};
	p->fault[slot(family)][0] = p->complaint[0] = 0;
	forget_dns(p);
	down(p, family);
	if (trunk_port_is_ours(p)) /* rules stay when the netdev goes */
		trunk_port_rules_remove(p, &old);
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

void trunk_port_locate(struct trunk_port *p)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;

	if (open_port(p, &nl, &link, NULL) && p->ifindex) {
		p->ifindex = 0; /* a netdev that moves may get another */
		open_port(p, &nl, &link, NULL);
	}
	p->ifindex = nl ? link.ifindex : 0;
	rtnl_close(&nl);
}
