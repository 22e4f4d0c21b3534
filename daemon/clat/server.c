// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sockets are our own, not those of a resolver library: they must be bound to the port, in its
 * namespace, whatever the routes of the host are. libevent's evdns can bind to an address alone.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtnl/rtnl.h"
#include "answer.h"

#define DNS_PORT 53

struct job {
	const char *port;
	int family;
	const void *address;
	int fd;
};

static int connect_to(int fd, int family, const void *address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT)};

	if (family == AF_INET) {
		memcpy(&v4.sin_addr, address, sizeof(v4.sin_addr));
		return connect(fd, (const struct sockaddr *)&v4, sizeof(v4));
	}
	memcpy(&v6.sin6_addr, address, sizeof(v6.sin6_addr));
	return connect(fd, (const struct sockaddr *)&v6, sizeof(v6));
}

static int open_here(void *arg, struct error *err)
{
	struct job *j = arg;
	int fd = socket(j->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set(err, -errno, "cannot open a socket: %s", strerror(errno));
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, j->port, strlen(j->port)) ||
	    connect_to(fd, j->family, j->address)) {
		int ret = -errno;

		close(fd);
		return error_set(err, ret, "cannot reach its DNS server: %s", strerror(-ret));
	}
	j->fd = fd;
	return 0;
}

int clat_server_ask(const char *netns, const char *port, int family, const void *address,
		    uint16_t *id, struct error *err)
{
	struct job j = {.port = port, .family = family, .address = address};
	int ret = rtnl_netns_do(netns, open_here, &j, err);
	uint8_t query[CLAT_QUERY_MAX];

	if (ret)
		return ret;
	if (getrandom(id, sizeof(*id), GRND_NONBLOCK) == sizeof(*id) &&
	    send(j.fd, query, clat_query(*id, query), MSG_NOSIGNAL) > 0)
		return j.fd;
	ret = -errno;
	close(j.fd);
	return error_set(err, ret, "cannot ask its DNS server: %s", strerror(-ret));
}
