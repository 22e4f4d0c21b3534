// SPDX-License-Identifier: GPL-2.0-or-later
#include "rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "request.h"

/* Addresses deleted between two dumps; a link with more addresses takes another round. */
#define FLUSH_BATCH 32

struct address {
	uint8_t bytes[16];
	unsigned int prefix;
};

struct flush {
	unsigned int ifindex;
	int family;
	const void *keep; /* may be NULL */
	unsigned int keep_prefix;
	size_t n;
	struct address list[FLUSH_BATCH];
};

static size_t address_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

static struct nlmsghdr *address_request(struct rtnl *nl, uint16_t type, uint16_t flags,
					unsigned int ifindex, int family, const void *addr,
					unsigned int prefix)
{
	struct ifaddrmsg *ifa;
	struct nlmsghdr *nlh = rtnl_request(nl, type, flags, &ifa, sizeof(*ifa));

	ifa->ifa_family = family;
	ifa->ifa_index = ifindex;
	ifa->ifa_prefixlen = prefix;
	mnl_attr_put(nlh, IFA_LOCAL, address_len(family), addr);
	mnl_attr_put(nlh, IFA_ADDRESS, address_len(family), addr);
	return nlh;
}

int rtnl_addr_add(struct rtnl *nl, unsigned int ifindex, int family, const void *addr,
		  unsigned int prefix, bool on_link, struct error *err)
{
	struct nlmsghdr *nlh = address_request(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex,
					       family, addr, prefix);
	char text[INET6_ADDRSTRLEN];

	/*
	 * The other end is the modem, which does not speak neighbour discovery, so DAD finds no
	 * answer.
	 */
	mnl_attr_put_u32(nlh, IFA_FLAGS,
			 (family == AF_INET6 ? IFA_F_NODAD : 0) |
				 (on_link ? 0 : IFA_F_NOPREFIXROUTE));
	inet_ntop(family, addr, text, sizeof(text));
	return rtnl_change(nl, -EEXIST, err, "add address %s/%u to network device %u", text, prefix,
			   ifindex);
}

/* The address in @nlh if it is of the requested link and family, else NULL. */
static const void *address_of(const struct nlmsghdr *nlh, unsigned int ifindex, int family)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *best = NULL;

	if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) ||
	    ifa->ifa_index != ifindex || ifa->ifa_family != family)
		return NULL;
	/* With a peer address IFA_ADDRESS is the peer's and IFA_LOCAL ours. */
	mnl_attr_for_each (attr, nlh, sizeof(*ifa)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !best))
			best = attr;
	}
	if (!best || mnl_attr_get_payload_len(best) != address_len(family))
		return NULL;
	return mnl_attr_get_payload(best);
}

static void take_address(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct flush *f = arg;
	const void *addr = address_of(nlh, f->ifindex, f->family);

	if (!addr || f->n == FLUSH_BATCH)
		return;
	if (f->keep && !memcmp(addr, f->keep, address_len(f->family)) &&
	    ifa->ifa_prefixlen == f->keep_prefix)
		return;
	memcpy(f->list[f->n].bytes, addr, address_len(f->family));
	f->list[f->n++].prefix = ifa->ifa_prefixlen;
}

static int list_addresses(struct rtnl *nl, struct flush *f, struct error *err)
{
	struct ifaddrmsg *ifa;
	int ret;

	do {
		f->n = 0;
		rtnl_request(nl, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(*ifa));
		ifa->ifa_family = f->family;
		ret = rtnl_execute(nl, take_address, f, err, "list addresses");
	} while (ret == -EINTR);
	return ret;
}

int rtnl_addr_del(struct rtnl *nl, unsigned int ifindex, int family, const void *addr,
		  unsigned int prefix, struct error *err)
{
	struct error cause = {0};
	struct ifaddrmsg *ifa;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_DELADDR, 0, &ifa, sizeof(*ifa));
	int ret;

	ifa->ifa_family = family;
	ifa->ifa_index = ifindex;
	ifa->ifa_prefixlen = prefix;
	mnl_attr_put(nlh, IFA_LOCAL, address_len(family), addr);
	ret = rtnl_execute(nl, NULL, NULL, &cause, "delete an address of network device %u",
			   ifindex);
	/* With a primary IPv4 address the kernel removes its secondaries, too. */
	if (!ret || ret == -EADDRNOTAVAIL)
		return 0;
	return error_pass(err, &cause);
}

int rtnl_addr_flush(struct rtnl *nl, unsigned int ifindex, int family, const void *keep,
		    unsigned int prefix, struct error *err)
{
	struct flush f = {
		.ifindex = ifindex, .family = family, .keep = keep, .keep_prefix = prefix};
	bool any = false;
	int ret;

	do {
		ret = list_addresses(nl, &f, err);
		any |= f.n;
		for (size_t i = 0; !ret && i < f.n; i++)
			ret = rtnl_addr_del(nl, ifindex, family, f.list[i].bytes, f.list[i].prefix,
					    err);
	} while (!ret && f.n == FLUSH_BATCH);
	return ret ?: any;
}

struct sought {
	unsigned int ifindex;
	int family;
	const void *addr;
	unsigned int prefix;
	bool found;
};

static void compare(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct sought *s = arg;
	const void *addr = address_of(nlh, s->ifindex, s->family);

	if (addr && !memcmp(addr, s->addr, address_len(s->family)) &&
	    ifa->ifa_prefixlen == s->prefix)
		s->found = true;
}

int rtnl_addr_has(struct rtnl *nl, unsigned int ifindex, int family, const void *addr,
		  unsigned int prefix, struct error *err)
{
	struct sought s = {.ifindex = ifindex, .family = family, .addr = addr, .prefix = prefix};
	struct ifaddrmsg *ifa;
	int ret;

	do {
		rtnl_request(nl, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(*ifa));
		ifa->ifa_family = family;
		ret = rtnl_execute(nl, compare, &s, err, "list addresses");
	} while (ret == -EINTR);
	return ret ?: s.found;
}

/* IFA_FLAGS: the header only has room for eight flags. */
static uint32_t flags_of(const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, sizeof(*ifa)) {
		if (mnl_attr_get_type(attr) == IFA_FLAGS &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			return mnl_attr_get_u32(attr);
	}
	return ifa->ifa_flags;
}

static void find_made(const struct nlmsghdr *nlh, void *arg)
{
	struct sought *s = arg;

	if (address_of(nlh, s->ifindex, AF_INET6) && !(flags_of(nlh) & IFA_F_PERMANENT))
		s->found = true;
}

int rtnl_addr_made(struct rtnl *nl, unsigned int ifindex, struct error *err)
{
	struct sought s = {.ifindex = ifindex, .family = AF_INET6};
	struct ifaddrmsg *ifa;
	int ret;

	do {
		rtnl_request(nl, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(*ifa));
		ifa->ifa_family = AF_INET6;
		ret = rtnl_execute(nl, find_made, &s, err, "list addresses");
	} while (ret == -EINTR);
	return ret ?: s.found;
}
