// SPDX-License-Identifier: GPL-2.0-or-later
/* Sends several changes in one message to the kernel, each with its own acknowledgement. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "request.h"

void rtnl_batch_begin(struct rtnl *nl)
{
	nl->batch.open = true;
	nl->batch.n = 0;
	nl->batch.len = 0;
}

static int add(struct rtnl_batch *b, const struct nlmsghdr *nlh, int ignored, const char *what,
	       struct error *err)
{
	size_t len = MNL_ALIGN(nlh->nlmsg_len);

	if (b->n == RTNL_BATCH || b->len + len > sizeof(b->buf))
		return error_set(err, -E2BIG, "cannot %s: too much at once", what);
	memcpy(b->buf + b->len, nlh, nlh->nlmsg_len);
	b->len += len;
	b->items[b->n].seq = nlh->nlmsg_seq;
	b->items[b->n].ignored = ignored;
	snprintf(b->items[b->n].what, sizeof(b->items[b->n].what), "%s", what);
	b->n++;
	return 0;
}

int rtnl_change(struct rtnl *nl, int ignored, struct error *err, const char *what, ...)
{
	struct error cause = {0};
	char text[128];
	va_list ap;
	int ret;

	va_start(ap, what);
	vsnprintf(text, sizeof(text), what, ap);
	va_end(ap);
	if (nl->batch.open)
		return add(&nl->batch, &nl->message, ignored, text, err);
	ret = rtnl_execute(nl, NULL, NULL, &cause, "%s", text);
	return !ret || ret == ignored ? 0 : error_pass(err, &cause);
}

/* The kernel acknowledges in the order of the requests, so the first error comes first. */
static void take_ack(struct rtnl_batch *b, const struct nlmsghdr *nlh, unsigned int *left,
		     struct error *first)
{
	struct error err = {0};

	for (unsigned int i = 0; i < b->n; i++) {
		if (nlh->nlmsg_type != NLMSG_ERROR || nlh->nlmsg_seq != b->items[i].seq)
			continue;
		--*left;
		if (rtnl_read_ack(nlh, b->items[i].what, &err) && err.err != b->items[i].ignored &&
		    !first->err)
			*first = err;
	}
}

static int take_acks(struct rtnl *nl, struct error *first)
{
	unsigned int portid = mnl_socket_get_portid(nl->sock), left = nl->batch.n;

	while (left) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		const struct nlmsghdr *nlh = &nl->message;
		int len = n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rtnl_refused(first, -errno, nl->batch.items[0].what, NULL);
		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
			if (nlh->nlmsg_pid == portid)
				take_ack(&nl->batch, nlh, &left, first);
	}
	return first->err;
}

int rtnl_batch_send(struct rtnl *nl, struct error *err)
{
	struct rtnl_batch *b = &nl->batch;
	struct error first = {0};

	b->open = false;
	if (!b->n)
		return 0;
	if (mnl_socket_sendto(nl->sock, b->buf, b->len) < 0)
		return rtnl_refused(err, -errno, b->items[0].what, NULL);
	return take_acks(nl, &first) ? error_pass(err, &first) : 0;
}
