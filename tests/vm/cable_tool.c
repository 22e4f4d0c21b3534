// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cable_tool shim|rmnet NETNS
 *
 * Two hosts with one PDN each, connected where their modems would be: a port "port1" here and one
 * in the network namespace NETNS, each on a TUN "modem0". An aggregate sent on one side is received
 * on the other as if from its modem: in v1 a frame looks the same both ways.
 *
 * Prints "ready", and carries aggregates until it is killed; everything disappears with it.
 *
 * The transmit program here is attached without a BPF link, and attached again when another process
 * has removed it, as a daemon does that repairs its ports: the kernel's own tests begin by removing
 * the XDP program of their interface.
 */
#include <err.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "qmap/abi.h"
#include "qmap_shim.skel.h"
#include "rmnet.h"
#include "world.h"

#define PORT "port1"

static struct world here, there;

static void side(struct world *w, bool rmnet)
{
	struct world_options o = {
		.version = 1,
		.ports = 1,
		.trunk = {.tx_bytes = 16384, .tx_frames = 32},
		.modem_only = rmnet,
	};
	int error;

	if (world_new(w, &o))
		exit(EXIT_FAILURE);
	error = rmnet ? rmnet_up("modem0", "port", 1, 1) : 0;
	if (error)
		errx(EXIT_FAILURE, "rmnet: %s", strerror(-error));
}

static void enter(const char *netns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(EXIT_FAILURE, "%s", path);
	close(fd);
}

static int own_netns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(EXIT_FAILURE, "/proc/self/ns/net");
	return fd;
}

static void keep_program(void)
{
	unsigned int ifindex = if_nametoindex(PORT);
	uint32_t id = 0;

	if (bpf_xdp_query_id(ifindex, XDP_FLAGS_DRV_MODE, &id) || id)
		return;
	bpf_xdp_attach(ifindex, bpf_program__fd(here.skel->progs.qmap_shim_tx),
		       XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
}

/* The kernel reports here when a link has changed, also its XDP program. */
static int link_events(void)
{
	struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&nl, sizeof(nl)))
		err(EXIT_FAILURE, "netlink");
	return fd;
}

static void link_changed(int events)
{
	static uint8_t any[65536];

	while (recv(events, any, sizeof(any), MSG_DONTWAIT) > 0)
		;
	keep_program();
}

static void carry(const struct world *from, const struct world *to)
{
	static uint8_t aggregate[AGGREGATE_MAX];
	size_t n = world_recv(from, aggregate, sizeof(aggregate), 0);

	if (n && world_send(to, aggregate, n))
		warn("an aggregate of %zu bytes is lost", n);
}

int main(int argc, char **argv)
{
	struct pollfd fds[3];
	bool rmnet;
	int home;

	if (argc != 3)
		errx(EXIT_FAILURE, "usage: cable_tool shim|rmnet NETNS");
	rmnet = !strcmp(argv[1], "rmnet");
	home = own_netns();
	enter(argv[2]);
	side(&there, rmnet);
	if (setns(home, CLONE_NEWNET))
		err(EXIT_FAILURE, "setns");
	side(&here, rmnet);
	fds[0] = (struct pollfd){.fd = here.modem, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = there.modem, .events = POLLIN};
	fds[2] = (struct pollfd){.fd = rmnet ? -1 : link_events(), .events = POLLIN};
	if (!rmnet) {
		bpf_link__destroy(here.tx[1]);
		keep_program();
	}
	puts("ready");
	fflush(stdout);
	while (poll(fds, 3, -1) >= 0) {
		if (fds[0].revents)
			carry(&here, &there);
		if (fds[1].revents)
			carry(&there, &here);
		if (fds[2].revents)
			link_changed(fds[2].fd);
	}
	err(EXIT_FAILURE, "poll");
}
