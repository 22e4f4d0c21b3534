// SPDX-License-Identifier: GPL-2.0-or-later
#include "netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_link.h>

#include "nl.h"
#include "shim_test.h"

#define WAIT_MS 60000

int netns_here(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int netns_enter(int fd)
{
	return setns(fd, CLONE_NEWNET);
}

int netns_new(void)
{
	int home = netns_here(), fd = -1;

	if (home >= 0 && !unshare(CLONE_NEWNET)) {
		fd = netns_here();
		netns_enter(home);
	}
	close(home);
	return fd;
}

int netns_move(const char *name, int from, int to)
{
	int home = netns_here(), err = -1;

	if (!netns_enter(from))
		err = nl_set_u32(name, IFLA_NET_NS_FD, to);
	netns_enter(home);
	close(home);
	return err;
}

/*
 * A veth disappears with the namespace of its other end, which shows that the namespace has
 * ended.
 */
static int end_one(void)
{
	struct timespec pause = {.tv_nsec = 1000000};
	int fd = netns_new(), i;

	if (fd < 0 || nl_add_veth("canary", "inside") || nl_set_u32("inside", IFLA_NET_NS_FD, fd)) {
		close(fd);
		return FAIL("canary: %s", nl_error());
	}
	close(fd);
	for (i = 0; i < WAIT_MS && if_nametoindex("canary"); i++)
		nanosleep(&pause, NULL);
	return if_nametoindex("canary") ? FAIL("namespaces do not end") : 0;
}

/*
 * A run of the worker takes all namespaces that have ended since its last one began, and lasts
 * several grace periods: while it is busy with an empty namespace, the others gather. A namespace
 * that ends after them may still belong to their run; the next one belongs to a later run.
 */
int netns_end(const int *fds, unsigned int n)
{
	int empty = netns_new();
	unsigned int i;

	close(empty);
	for (i = 0; i < n; i++)
		close(fds[i]);
	return end_one() || end_one() ? -1 : 0;
}
