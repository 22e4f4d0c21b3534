// SPDX-License-Identifier: GPL-2.0-or-later
#include "pref64.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtnl/rtnl.h"
#include "util/array.h"

#define OPTION_PREF64 38
#define PREF64_SIZE   16
#define HOP_LIMIT     255 /* no router has forwarded it (RFC 4861, 6.1.1 and 6.1.2) */

/* RFC 8781, 4: lifetime in units of 8 s (13 bits), code of the length (3), the first 96 bits. */
static int read_option(const uint8_t *o, struct clat_prefix *prefix, unsigned int *lifetime)
{
	static const uint8_t lengths[] = {96, 64, 56, 48, 40, 32};
	unsigned int code = o[3] & 7;

	*lifetime = (o[2] << 8 | o[3]) & ~7u;
	if (code >= ARRAY_SIZE(lengths) || !*lifetime)
		return -ENOENT;
	*prefix = (struct clat_prefix){.len = lengths[code]};
	memcpy(prefix->bytes, o + 4, prefix->len / 8);
	return prefix->bytes[8] ? -ENOENT : 0; /* RFC 6052, 2.2 */
}

int pref64_parse(const uint8_t *bytes, size_t size, struct clat_prefix *prefix,
		 unsigned int *lifetime)
{
	int ret = -ENOENT;

	if (size < sizeof(struct nd_router_advert) || bytes[0] != ND_ROUTER_ADVERT || bytes[1])
		return -EBADMSG;
	for (size_t at = sizeof(struct nd_router_advert); at < size;) {
		size_t left = size - at, len = left < 2 ? 0 : bytes[at + 1] * 8u;

		if (!len || len > left)
			return -EBADMSG;
		if (ret && bytes[at] == OPTION_PREF64 && len == PREF64_SIZE)
			ret = read_option(bytes + at, prefix, lifetime);
		at += len;
	}
	return ret;
}

struct place {
	const char *port;
	int fd;
};

/* The kernel computes the checksum of raw ICMPv6 and verifies it; accept_ra does not matter here. */
static int open_socket(void *arg, struct error *err)
{
	struct place *p = arg;
	static const int hops = HOP_LIMIT, on = 1;
	struct icmp6_filter filter;
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_ROUTER_ADVERT, &filter);
	if (fd < 0 || setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, p->port, strlen(p->port)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on))) {
		int ret = -errno;

		if (fd >= 0)
			close(fd);
		return error_set(err, ret, "cannot ask its routers: %s", strerror(-ret));
	}
	p->fd = fd;
	return 0;
}

int pref64_open(const char *netns, const char *port, struct error *err)
{
	struct place p = {.port = port};

	return rtnl_netns_do(netns, open_socket, &p, err) ?: p.fd;
}

int pref64_solicit(int fd)
{
	static const struct nd_router_solicit rs = {.nd_rs_type = ND_ROUTER_SOLICIT};
	const struct sockaddr_in6 routers = {
		.sin6_family = AF_INET6,
		.sin6_addr.s6_addr = {[0] = 0xff, [1] = 0x02, [15] = 0x02},
	};

	return sendto(fd, &rs, sizeof(rs), MSG_NOSIGNAL, (const struct sockaddr *)&routers,
		      sizeof(routers)) < 0
		       ? -errno
		       : 0;
}

static bool is_from_a_router(struct msghdr *m)
{
	const struct sockaddr_in6 *from = m->msg_name;
	int hops = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
	return hops == HOP_LIMIT && IN6_IS_ADDR_LINKLOCAL(&from->sin6_addr) &&
	       !(m->msg_flags & MSG_TRUNC);
}

int pref64_read(int fd, struct clat_prefix *prefix, unsigned int *lifetime)
{
	uint8_t bytes[1500], control[CMSG_SPACE(sizeof(int))];
	struct sockaddr_in6 from;
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr m = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, 0);

	if (n < 0)
		return -errno;
	return is_from_a_router(&m) ? pref64_parse(bytes, n, prefix, lifetime) : -EBADMSG;
}
