/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of rtnl/ only: builds requests and waits for their answers. */
#ifndef QMAP_RTNL_REQUEST_H
#define QMAP_RTNL_REQUEST_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"
#include "rtnl.h"

/* The kernel builds dump messages of up to 32 KiB if the reader's buffer is that large. */
#define RTNL_BUFFER 32768

/* Limits of the changes queued for rtnl_batch_send(). */
#define RTNL_BATCH	 8
#define RTNL_BATCH_BYTES 1024

struct rtnl_batch {
	bool open;
	unsigned int n;
	size_t len;
	char buf[RTNL_BATCH_BYTES];
	struct {
		uint32_t seq;
		int ignored;
		char what[128];
	} items[RTNL_BATCH];
};

/* Dumps in a row that a changing table may make inconsistent; the last one is taken as it is. */
#define RTNL_DUMPS 16

struct rtnl {
	struct mnl_socket *sock;
	uint32_t seq;
	unsigned int inconsistent; /* dumps in a row */
	struct rtnl_batch batch;
	union { /* one request, then its answers */
		char buf[RTNL_BUFFER];
		struct nlmsghdr message;
	};
};

/* Opens a netlink route socket with extended acknowledgements in namespace @netns. */
int rtnl_socket_open(struct mnl_socket **out, const char *netns, unsigned int groups,
		     struct error *err);

/* Opens a generic netlink socket in the current namespace. */
int rtnl_socket_open_generic(struct mnl_socket **out, struct error *err);

/* As rtnl_open(), for requests to a generic netlink family. */
int rtnl_open_generic(struct rtnl **out, struct error *err);

/* Opens a network namespace by its name as in `ip netns`. Returns a descriptor or -ENOENT. */
int rtnl_netns_open(const char *netns, struct error *err);

/*
 * Starts a request in nl->buf. @extra: size of the family header, which is zeroed and returned in
 * @header.
 */
struct nlmsghdr *rtnl_request(struct rtnl *nl, uint16_t type, uint16_t flags, void *header,
			      size_t extra);

/*
 * Sends the request in nl->buf and passes each answer to @cb (may be NULL), up to the
 * acknowledgement or the end of the dump. @what completes "cannot ..." in @err. -EINTR: the dump
 * was inconsistent, repeat the request; RTNL_DUMPS - 1 times at most, because the owner of a
 * namespace can change a table without end.
 */
typedef void (*rtnl_answer_fn)(const struct nlmsghdr *nlh, void *arg);
int rtnl_execute(struct rtnl *nl, rtnl_answer_fn cb, void *arg, struct error *err, const char *what,
		 ...) __attribute__((format(printf, 5, 6)));

/*
 * Sends a change, which only an acknowledgement answers. The error @ignored (negative errno, 0:
 * none) counts as success. Between rtnl_batch_begin() and rtnl_batch_send() the change is queued,
 * and the function returns 0.
 */
int rtnl_change(struct rtnl *nl, int ignored, struct error *err, const char *what, ...)
	__attribute__((format(printf, 4, 5)));

/* In rtnl.c: reads an NLMSG_ERROR; sets a sentence about a refusal. */
int rtnl_read_ack(const struct nlmsghdr *nlh, const char *what, struct error *err);
int rtnl_refused(struct error *err, int ret, const char *what, const char *sentence);

/* Converts RTM_NEWLINK or RTM_DELLINK to a struct. */
void rtnl_link_parse(const struct nlmsghdr *nlh, struct rtnl_link *out);

struct rtnl_addr {
	unsigned int ifindex;
	int family; /* AF_INET or AF_INET6 */
	uint8_t address[16];
	unsigned int prefix;
	bool made; /* IPv6, by the kernel, from a router advertisement */
};

/* RTM_NEWADDR as a struct; false for another message or family. */
bool rtnl_addr_parse(const struct nlmsghdr *nlh, struct rtnl_addr *out);
bool rtnl_addr_is(const struct rtnl_addr *a, unsigned int ifindex, int family, const void *addr,
		  unsigned int prefix);

/*
 * RTM_NEWROUTE of a unicast route as a struct; false for another message. @made: the kernel has
 * made it from a router advertisement or a prefix.
 */
bool rtnl_route_parse(const struct nlmsghdr *nlh, struct rtnl_route *out, bool *is_default,
		      bool *made);
/* Is @r the default route that rtnl_route_add_default(@wanted) adds? */
bool rtnl_route_serves(const struct rtnl_route *r, const struct rtnl_route *wanted);

/* One dump of @family (AF_UNSPEC: of all). -EINTR: the table changed meanwhile, dump it again. */
int rtnl_addr_list(struct rtnl *nl, int family, rtnl_answer_fn fn, void *arg, struct error *err);
int rtnl_route_list(struct rtnl *nl, int family, rtnl_answer_fn fn, void *arg, struct error *err);
/* Rules of both families. */
int rtnl_rule_list(struct rtnl *nl, rtnl_answer_fn fn, void *arg, struct error *err);

/* RTM_NEWRULE of one of our rules as a struct; false for another message or rule. */
bool rtnl_rule_parse(const struct nlmsghdr *nlh, struct rtnl_rule *out);
bool rtnl_rule_is(const struct rtnl_rule *a, const struct rtnl_rule *b);

#endif
