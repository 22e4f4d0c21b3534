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

bool rtnl_addr_parse(const struct nlmsghdr *nlh, struct rtnl_addr *out)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *best = NULL;

	if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return false;
	/* With a peer address IFA_ADDRESS is the peer's and IFA_LOCAL ours. */
	mnl_attr_for_each (attr, nlh, sizeof(*ifa)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !best))
			best = attr;
	}
	if (!best || mnl_attr_get_payload_len(best) != address_len(ifa->ifa_family))
		return false;
	*out = (struct rtnl_addr){.ifindex = ifa->ifa_index,
				  .family = ifa->ifa_family,
				  .prefix = ifa->ifa_prefixlen,
				  .made = ifa->ifa_family == AF_INET6 &&
					  !(flags_of(nlh) & IFA_F_PERMANENT)};
	memcpy(out->address, mnl_attr_get_payload(best), address_len(ifa->ifa_family));
	return true;
}

bool rtnl_addr_is(const struct rtnl_addr *a, unsigned int ifindex, int family, const void *addr,
		  unsigned int prefix)
{
	return a->ifindex == ifindex && a->family == family && a->prefix == prefix &&
	       !memcmp(a->address, addr, address_len(family));
}

static void take_address(const struct nlmsghdr *nlh, void *arg)
{
	struct flush *f = arg;
	struct rtnl_addr a;

	if (f->n == FLUSH_BATCH || !rtnl_addr_parse(nlh, &a) || a.ifindex != f->ifindex ||
	    a.family != f->family)
		return;
	if (f->keep && rtnl_addr_is(&a, f->ifindex, f->family, f->keep, f->keep_prefix))
		return;
	memcpy(f->list[f->n].bytes, a.address, address_len(f->family));
	f->list[f->n++].prefix = a.prefix;
}

int rtnl_addr_list(struct rtnl *nl, int family, rtnl_answer_fn fn, void *arg, struct error *err)
{
	struct ifaddrmsg *ifa;

	rtnl_request(nl, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(*ifa));
	ifa->ifa_family = family;
	return rtnl_execute(nl, fn, arg, err, "list addresses");
}

static int list_addresses(struct rtnl *nl, struct flush *f, struct error *err)
{
	int ret;

	do {
		f->n = 0;
		ret = rtnl_addr_list(nl, f->family, take_address, f, err);
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
	struct sought *s = arg;
	struct rtnl_addr a;

	if (rtnl_addr_parse(nlh, &a) && rtnl_addr_is(&a, s->ifindex, s->family, s->addr, s->prefix))
		s->found = true;
}

int rtnl_addr_has(struct rtnl *nl, unsigned int ifindex, int family, const void *addr,
		  unsigned int prefix, struct error *err)
{
	struct sought s = {.ifindex = ifindex, .family = family, .addr = addr, .prefix = prefix};
	int ret;

	do {
		ret = rtnl_addr_list(nl, family, compare, &s, err);
	} while (ret == -EINTR);
	return ret ?: s.found;
}
