// SPDX-License-Identifier: GPL-2.0-or-later
#include "rtnl.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "request.h"
#include "snapshot.h"

/* Table numbers above 255 do not fit the header. */
static void rule(struct rtnl *nl, uint16_t type, uint16_t flags, const struct rtnl_rule *r)
{
	struct fib_rule_hdr *h;
	struct nlmsghdr *nlh = rtnl_request(nl, type, flags, &h, sizeof(*h));

	h->family = r->family;
	h->action = FR_ACT_TO_TBL;
	h->src_len = r->from_len;
	h->table = r->table < 256 ? r->table : RT_TABLE_UNSPEC;
	mnl_attr_put_u32(nlh, FRA_TABLE, r->table);
	mnl_attr_put_u32(nlh, FRA_PRIORITY, r->priority);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, RTPROT_STATIC);
	if (r->from_len)
		mnl_attr_put(nlh, FRA_SRC, r->family == AF_INET ? 4 : 16, r->from);
	if (r->oif[0])
		mnl_attr_put_strz(nlh, FRA_OIFNAME, r->oif);
	if (r->no_default)
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, 0);
}

/* NLM_F_EXCL: without it the kernel adds a second rule that is the same (fib_nl_newrule()). */
int rtnl_rule_add(struct rtnl *nl, const struct rtnl_rule *r, struct error *err)
{
	rule(nl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r);
	return rtnl_change(nl, -EEXIST, err, "add a routing rule for table %u", r->table);
}

int rtnl_rule_del(struct rtnl *nl, const struct rtnl_rule *r, struct error *err)
{
	struct error cause = {0};
	int ret;

	rule(nl, RTM_DELRULE, 0, r);
	ret = rtnl_execute(nl, NULL, NULL, &cause, "delete a routing rule for table %u", r->table);
	return !ret || ret == -ENOENT ? 0 : error_pass(err, &cause);
}

bool rtnl_rule_is(const struct rtnl_rule *a, const struct rtnl_rule *b)
{
	bool selects_same = a->from_len == b->from_len && !strcmp(a->oif, b->oif) &&
			    !memcmp(a->from, b->from, sizeof(a->from));

	return selects_same && a->family == b->family && a->priority == b->priority &&
	       a->table == b->table && a->no_default == b->no_default;
}

/* --- reading rules --- */

static void take_attr(const struct nlattr *attr, struct rtnl_rule *out, unsigned int *protocol)
{
	size_t len = mnl_attr_get_payload_len(attr);
	const void *value = mnl_attr_get_payload(attr);

	switch (mnl_attr_get_type(attr)) {
	case FRA_TABLE:
		if (len == sizeof(out->table))
			memcpy(&out->table, value, len);
		break;
	case FRA_PRIORITY:
		if (len == sizeof(out->priority))
			memcpy(&out->priority, value, len);
		break;
	case FRA_PROTOCOL:
		*protocol = len ? *(const uint8_t *)value : 0;
		break;
	case FRA_SRC:
		memcpy(out->from, value, len < sizeof(out->from) ? len : sizeof(out->from));
		break;
	case FRA_OIFNAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(out->oif, sizeof(out->oif), "%s", (const char *)value);
		break;
	case FRA_SUPPRESS_PREFIXLEN:
		out->no_default = len == 4 && !mnl_attr_get_u32(attr);
		break;
	}
}

bool rtnl_rule_parse(const struct nlmsghdr *nlh, struct rtnl_rule *out)
{
	const struct fib_rule_hdr *h = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	unsigned int protocol = 0;

	if (nlh->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*h) ||
	    (h->family != AF_INET && h->family != AF_INET6))
		return false;
	*out = (struct rtnl_rule){.family = h->family, .table = h->table, .from_len = h->src_len};
	mnl_attr_for_each (attr, nlh, sizeof(*h))
		take_attr(attr, out, &protocol);
	return protocol == RTPROT_STATIC && (out->from_len || out->oif[0]) &&
	       (out->priority == RTNL_RULE_LOCAL_NETWORKS || out->priority == RTNL_RULE_TABLE);
}

int rtnl_rule_list(struct rtnl *nl, rtnl_answer_fn fn, void *arg, struct error *err)
{
	struct fib_rule_hdr *h;
	struct error cause = {0};
	int ret;

	rtnl_request(nl, RTM_GETRULE, NLM_F_DUMP, &h, sizeof(*h));
	ret = rtnl_execute(nl, fn, arg, &cause, "list routing rules");
	if (!ret || ret == -EOPNOTSUPP)
		return 0; /* a kernel without CONFIG_IP_MULTIPLE_TABLES has none */
	return ret == -EINTR ? ret : error_pass(err, &cause);
}

/* A rule from an address that no netdev has any more, or to a netdev that is gone or has no address. */
static bool is_stale(const struct rtnl_snapshot *s, const struct rtnl_rule *r)
{
	const struct rtnl_link *link = rtnl_snapshot_find(s, r->oif);

	if (r->oif[0])
		return !link || !rtnl_snapshot_has_family(s, link->ifindex, r->family);
	return !rtnl_snapshot_has_prefix(s, r->family, r->from, r->from_len);
}

void rtnl_rule_sweep(struct rtnl *nl)
{
	struct rtnl_snapshot *s = NULL;
	const struct rtnl_rule *r;

	if (rtnl_snapshot_read(&s, nl, 0, NULL))
		return;
	for (size_t i = 0; (r = rtnl_snapshot_rule(s, i)); i++)
		if (is_stale(s, r))
			rtnl_rule_del(nl, r, NULL);
	rtnl_snapshot_free(&s);
}
