// SPDX-License-Identifier: GPL-2.0-or-later
#include "rtnl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "request.h"

static int new_rtnl(struct rtnl **out, struct mnl_socket *sock, struct error *err)
{
	struct rtnl *nl = calloc(1, sizeof(*nl));

	if (!nl) {
		mnl_socket_close(sock);
		return error_set(err, -ENOMEM, "out of memory");
	}
	nl->sock = sock;
	nl->seq = time(NULL);
	*out = nl;
	return 0;
}

int rtnl_open(struct rtnl **out, const char *netns, struct error *err)
{
	struct mnl_socket *sock;

	return rtnl_socket_open(&sock, netns, 0, err) ?: new_rtnl(out, sock, err);
}

int rtnl_open_generic(struct rtnl **out, struct error *err)
{
	struct mnl_socket *sock;

	return rtnl_socket_open_generic(&sock, err) ?: new_rtnl(out, sock, err);
}

void rtnl_close(struct rtnl **nl)
{
	if (!*nl)
		return;
	mnl_socket_close((*nl)->sock);
	free(*nl);
	*nl = NULL;
}

struct nlmsghdr *rtnl_request(struct rtnl *nl, uint16_t type, uint16_t flags, void *header,
			      size_t extra)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	/* In a request for a change the two bits of NLM_F_DUMP mean REPLACE and EXCL. */
	if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
		nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_seq = ++nl->seq;
	*(void **)header = mnl_nlmsg_put_extra_header(nlh, extra);
	return nlh;
}

/* The kernel's text about a failure; NULL if it sent none (kernel: netlink_ack()). */
static const char *extack_sentence(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*e);
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	mnl_attr_for_each (attr, nlh, skip) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(attr);
	}
	return NULL;
}

int rtnl_refused(struct error *err, int ret, const char *what, const char *sentence)
{
	if (sentence)
		error_set(err, ret, "cannot %s: %s (%s)", what, sentence, error_symbol(ret));
	else
		error_set(err, ret, "cannot %s: %s", what, strerror(-ret));
	/* The kernel's EINVAL does not mean that the user mistyped a word. */
	if (ret == -EINVAL)
		error_exit(err, EXIT_REFUSED);
	if (ret == -EPERM)
		error_hint(err, "this needs CAP_NET_ADMIN: run it as root");
	return ret;
}

/* Reads NLMSG_ERROR; error 0 is the acknowledgement. */
int rtnl_read_ack(const struct nlmsghdr *nlh, const char *what, struct error *err)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return error_set(err, -EBADMSG, "cannot %s: truncated answer", what);
	return e->error ? rtnl_refused(err, e->error, what, extack_sentence(nlh)) : 0;
}

struct answers {
	rtnl_answer_fn cb;
	void *arg;
	const char *what;
	bool interrupted;
	bool done;
	int ret;
};

static void take_message(struct answers *a, const struct nlmsghdr *nlh, struct error *err)
{
	/* The kernel flags a table that changed during its dump on any of the messages. */
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		a->interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		a->ret = rtnl_read_ack(nlh, a->what, err);
		a->done = true;
		break;
	case NLMSG_DONE:
		a->done = true;
		break;
	case NLMSG_NOOP:
		break;
	default:
		if (a->cb)
			a->cb(nlh, a->arg);
	}
}

static int receive(struct rtnl *nl, struct answers *a, struct error *err)
{
	unsigned int portid = mnl_socket_get_portid(nl->sock);

	while (!a->done) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		const struct nlmsghdr *nlh = &nl->message;
		int len = n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rtnl_refused(err, -errno, a->what, NULL);
		for (; mnl_nlmsg_ok(nlh, len) && !a->done; nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_seq == nl->seq && nlh->nlmsg_pid == portid)
				take_message(a, nlh, err);
		}
	}
	if (!a->ret && a->interrupted && ++nl->inconsistent < RTNL_DUMPS)
		return -EINTR;
	nl->inconsistent = 0;
	return a->ret;
}

int rtnl_execute(struct rtnl *nl, rtnl_answer_fn cb, void *arg, struct error *err, const char *what,
		 ...)
{
	struct nlmsghdr *nlh = &nl->message;
	struct answers a = {.cb = cb, .arg = arg};
	char text[128];
	va_list ap;

	va_start(ap, what);
	vsnprintf(text, sizeof(text), what, ap);
	va_end(ap);
	a.what = text;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		return rtnl_refused(err, -errno, text, NULL);
	return receive(nl, &a, err);
}
