// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports that send as fast as they can share a slow trunk evenly. */
#include "shim_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qmap/wire.h"
#include "world.h"

#define PORTS	 2
#define PAYLOAD	 1000
#define WAIT_MS	 30000
#define WARM_UP	 500 /* frames */
#define MEASURED 5000
#define LEAST	 35U   /* percent of the frames */
#define MOST	 5000U /* kbit/s */

static uint32_t host_addr(unsigned int port)
{
	return htonl(0x0a640001 + (port << 8));
}

/* Sends through one port until it is killed. */
static void flood(unsigned int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(4000),
				 .sin_addr.s_addr = host_addr(port) + htonl(1)};
	static const uint8_t data[PAYLOAD];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cpu_set_t cpus;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&cpus);
	CPU_SET((port - 1) % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		_exit(1);
	while (send(fd, data, sizeof(data), 0) == sizeof(data) || errno == ENOBUFS)
		;
	_exit(1);
}

/* Adds the UDP frames of one transfer to @frames, by mux id. */
static int count(const uint8_t *p, size_t len, unsigned int *frames)
{
	size_t frame;

	while (len) {
		frame = len < 4 ? 0 : 4 + (p[2] << 8 | p[3]);
		if (!frame || frame > len || p[1] < 1 || p[1] > PORTS)
			return FAIL("no frame of a port, %zu bytes are left", len);
		if (frame > PAYLOAD)
			frames[p[1]]++;
		p += frame;
		len -= frame;
	}
	return 0;
}

/* Reads frames until there are @wanted: the duration depends on the machine, the shares do not. */
static int measure(const struct world *w, unsigned int wanted, unsigned int *frames)
{
	static uint8_t buf[AGGREGATE_MAX];
	unsigned int all = 0, i;

	while (all < wanted) {
		size_t len = world_recv(w, buf, sizeof(buf), WAIT_MS);

		if (!len)
			return FAIL("nothing comes");
		if (count(buf, len, frames))
			return -1;
		for (all = 0, i = 1; i <= PORTS; i++)
			all += frames[i];
	}
	return 0;
}

/* Frames by port, after those that the senders' beginning has spoilt. */
static int shares(const struct world *w)
{
	unsigned int warm_up[PORTS + 1] = {}, frames[PORTS + 1] = {}, all = 0, i;

	if (measure(w, WARM_UP, warm_up) || measure(w, MEASURED, frames))
		return -1;
	for (i = 1; i <= PORTS; i++)
		all += frames[i];
	for (i = 1; i <= PORTS; i++)
		printf("  port %u: %u of %u frames, %u %%\n", i, frames[i], all,
		       frames[i] * 100 / all);
	for (i = 1; i <= PORTS; i++)
		if (frames[i] * 100 < all * LEAST)
			return FAIL("port %u gets less than %u %%", i, LEAST);
	return 0;
}

static pid_t sender(unsigned int port)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		flood(port);
	return pid;
}

/* A sender ends when it cannot send. */
static int end(pid_t pid, unsigned int port)
{
	if (waitpid(pid, NULL, WNOHANG))
		return FAIL("sender %u has ended", port);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}

/* Kbit/s that a sender reaches without another; 0 with a message. */
static unsigned int rate_alone(const struct world *w, unsigned int port)
{
	unsigned int frames[PORTS + 1] = {};
	uint64_t start = world_ms(), ms;
	pid_t pid = sender(port);
	int err = measure(w, WARM_UP, frames);

	ms = world_ms() - start;
	if (end(pid, port) || err)
		return 0;
	return WARM_UP * PAYLOAD * 8 / (ms ? ms : 1);
}

/*
 * Limits the trunk to a quarter of the slower sender, however slow this machine is: both wait for the
 * trunk then, and the CPUs' shares do not count.
 */
static int make_bottleneck(const struct world *w)
{
	unsigned int rate = MOST, alone, i;
	char command[160];

	for (i = 1; i <= PORTS; i++) {
		alone = rate_alone(w, i);
		if (!alone)
			return -1;
		rate = alone / 4 < rate ? alone / 4 : rate;
	}
	printf("  bottleneck of %u kbit/s\n", rate);
	/* With its path, because busybox prefers a tc of its own. */
	snprintf(command, sizeof(command),
		 "/bin/tc qdisc replace dev modem0 root tbf rate %ukbit burst 64kb limit 256kb",
		 rate);
	return system(command) ? FAIL("no tbf") : 0;
}

static int with_senders(const struct world *w)
{
	pid_t senders[PORTS + 1];
	unsigned int i;
	int err;

	for (i = 1; i <= PORTS; i++)
		senders[i] = sender(i);
	err = shares(w);
	for (i = 1; i <= PORTS; i++)
		if (end(senders[i], i))
			err = -1;
	return err;
}

static int configure_ports(void)
{
	unsigned int i;
	char name[16];

	for (i = 1; i <= PORTS; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		if (nl_add_addr4(name, host_addr(i), 24) || nl_wait_running(name))
			return FAIL("%s: %s", name, nl_error());
	}
	return 0;
}

TEST(fair)
{
	const struct world_options o = {
		.version = 1,
		.ports = PORTS,
		.trunk = {.tx_bytes = 16384, .tx_frames = 32, .tx_usecs = 800}};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = configure_ports() || make_bottleneck(&w) ? -1 : with_senders(&w);
	world_free(&w);
	return err;
}
