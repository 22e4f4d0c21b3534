// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"
#include "request.h"

int rtnl_netns_open(const char *netns, struct error *err)
{
	char path[96];
	int fd, ret;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	ret = -errno;
	if (ret == -ENOENT) {
		error_set(err, ret, "there is no network namespace \"%s\"", netns);
		error_hint(err, "ip netns add %s", netns);
		return ret;
	}
	return error_set(err, ret, "cannot open network namespace \"%s\": %s", netns,
			 strerror(-ret));
}

static int socket_here(struct mnl_socket **out, int protocol, unsigned int groups,
		       struct error *err)
{
	struct mnl_socket *sock = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	int one = 1, ret;

	if (!sock)
		goto fail;
	/*
	 * Without these options (old kernels) requests work, too, only their errors explain
	 * less.
	 */
	mnl_socket_setsockopt(sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(sock, NETLINK_CAP_ACK, &one, sizeof(one));
	if (mnl_socket_bind(sock, groups, MNL_SOCKET_AUTOPID) < 0)
		goto fail;
	*out = sock;
	return 0;
fail:
	ret = -errno;
	if (sock)
		mnl_socket_close(sock);
	return error_set(err, ret, "cannot open a netlink socket: %s", strerror(-ret));
}

static int do_there(int there, const char *netns, int (*fn)(void *arg, struct error *err),
		    void *arg, struct error *err)
{
	int ret, home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0) {
		ret = -errno;
		return error_set(err, ret, "cannot open /proc/self/ns/net: %s", strerror(-ret));
	}
	if (setns(there, CLONE_NEWNET)) {
		ret = -errno;
		error_set(err, ret, "cannot enter network namespace \"%s\": %s", netns,
			  strerror(-ret));
		goto out;
	}
	ret = fn(arg, err);
	if (setns(home, CLONE_NEWNET)) {
		/* Every later request would change the devices of the wrong namespace. */
		log_error("cannot return from network namespace \"%s\": %s", netns,
			  strerror(errno));
		abort();
	}
out:
	close(home);
	return ret;
}

int rtnl_netns_do(const char *netns, int (*fn)(void *arg, struct error *err), void *arg,
		  struct error *err)
{
	int ret, there;

	if (!netns || !*netns)
		return fn(arg, err);
	there = rtnl_netns_open(netns, err);
	if (there < 0)
		return there;
	ret = do_there(there, netns, fn, arg, err);
	close(there);
	return ret;
}

struct wanted {
	struct mnl_socket **out;
	unsigned int groups;
};

static int open_wanted(void *arg, struct error *err)
{
	struct wanted *w = arg;

	return socket_here(w->out, NETLINK_ROUTE, w->groups, err);
}

/* A socket belongs to the namespace in which it was created: enter it, create, return. */
int rtnl_socket_open(struct mnl_socket **out, const char *netns, unsigned int groups,
		     struct error *err)
{
	struct wanted w = {out, groups};

	return rtnl_netns_do(netns, open_wanted, &w, err);
}

int rtnl_socket_open_generic(struct mnl_socket **out, struct error *err)
{
	return socket_here(out, NETLINK_GENERIC, 0, err);
}
