// SPDX-License-Identifier: GPL-2.0-or-later
/* The removal and the change of every device while packets flow. */
#include "shim_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_link.h>

#include "load.h"
#include "world.h"
#include "qmap/abi.h"
#include "qmap_shim.skel.h"

#define PORTS		4
#define TEARDOWN_ROUNDS 60
#define SWAPS		500
#define UNPLUGS		10
#define MODULE		"/ko/qmap_shim.ko"
#define USB_MODULE	"/ko/qmap_usb.ko"

static int rebuild_port(struct world *w, unsigned int i)
{
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "port%u", i);
	bpf_link__destroy(w->tx[i]);
	w->tx[i] = NULL;
	if (nl_del(name) || nl_add_port(name, w->trunk_ifindex, i))
		return FAIL("%s: %s", name, nl_error());
	w->tx[i] = bpf_program__attach_xdp(w->skel->progs.qmap_shim_tx, if_nametoindex(name));
	if (!w->tx[i] || nl_up(name, true) || nl_carrier(name, true))
		return FAIL("%s does not come back", name);
	if (i == 1 && nl_add_addr4(name, htonl(LOAD_ADDR), 24))
		return FAIL("address");
	return 0;
}

static int rebuild_trunk(struct world *w)
{
	const struct nl_trunk t = {.tx_bytes = 8192, .tx_usecs = 300};
	unsigned int i;

	bpf_link__destroy(w->rx);
	w->rx = NULL;
	if (nl_del("trunk0") || nl_add_trunk("trunk0", w->modem_ifindex, &t))
		return FAIL("trunk0: %s", nl_error());
	w->trunk_ifindex = if_nametoindex("trunk0");
	for (i = 1; i <= PORTS; i++) {
		char name[IFNAMSIZ];

		snprintf(name, sizeof(name), "port%u", i);
		if (nl_add_port(name, w->trunk_ifindex, i) || rebuild_port(w, i))
			return FAIL("port %u: %s", i, nl_error());
	}
	w->rx = bpf_program__attach_xdp(w->skel->progs.qmap_shim_rx, w->trunk_ifindex);
	return !w->rx || nl_up("trunk0", true) ? FAIL("trunk0 does not come back") : 0;
}

static int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = syscall(SYS_finit_module, fd, "", 0);

	close(fd);
	return err ? FAIL("insmod %s: %s", path, strerror(errno)) : 0;
}

/*
 * Unloads the module in use and loads it again; where there is the USB driver, which uses it, also
 * that.
 */
static int reload_module(void)
{
	struct timespec pause = {.tv_nsec = 1000000};
	bool usb = !syscall(SYS_delete_module, "qmap_usb", O_NONBLOCK);
	int i, err = -1;

	/* Aggregates that the netdev below still has pin the module. */
	for (i = 0; i < 2000 && err; i++) {
		err = syscall(SYS_delete_module, "qmap_shim", O_NONBLOCK);
		if (err)
			nanosleep(&pause, NULL);
	}
	if (err)
		return FAIL("rmmod: %s", strerror(errno));
	if (if_nametoindex("trunk0") || if_nametoindex("port1"))
		return FAIL("rmmod leaves links");
	return load_module(MODULE) ?: (usb ? load_module(USB_MODULE) : 0);
}

#define UNLOADS	 20
#define OTHERS	 400
#define GROUP	 5
#define PAUSE_US 1000

struct late {
	atomic_bool go, stop;
	int fd;
};

/* Sends from when the module is being unloaded. */
static void *send_late(void *arg)
{
	struct late *l = arg;
	char data[1000] = {};

	while (!atomic_load(&l->go))
		;
	usleep(PAUSE_US);
	while (!atomic_load(&l->stop))
		send(l->fd, data, sizeof(data), MSG_DONTWAIT);
	return NULL;
}

/* Many other links are being deleted: the removal of the module's links waits for that. */
static pid_t delete_others(void)
{
	char name[IFNAMSIZ], peer[IFNAMSIZ];
	pid_t child = -1;
	unsigned int i;

	for (i = 0; i < OTHERS; i++) {
		snprintf(name, sizeof(name), "other%u", i);
		snprintf(peer, sizeof(peer), "peer%u", i);
		if (nl_add_veth(name, peer) || nl_set_u32(name, IFLA_GROUP, GROUP))
			return FAIL("%s: %s", name, nl_error());
	}
	child = fork();
	if (!child)
		_exit(nl_del_group(GROUP) != 0);
	return child;
}

/* Returns 0 if the module is gone, and a negative errno if packets came too early. */
static int unload_once(int fd)
{
	struct late l = {.fd = fd};
	pthread_t thread;
	pid_t others;
	int err;

	pthread_create(&thread, NULL, send_late, &l);
	others = delete_others();
	usleep(10 * PAUSE_US);
	atomic_store(&l.go, true);
	err = syscall(SYS_delete_module, "qmap_shim", O_NONBLOCK) ? -errno : 0;
	atomic_store(&l.stop, true);
	pthread_join(thread, NULL);
	waitpid(others, NULL, 0);
	return others < 0 ? -1 : err;
}

/* What a slow netdev below has is freed when it is slow no more. */
static int slow_below(bool on)
{
	return system(on ? "/bin/tc qdisc replace dev modem0 root tbf rate 8kbit burst 5kb limit "
			   "1mb"
			 : "/bin/tc qdisc del dev modem0 root")
		       ? FAIL("no tbf")
		       : 0;
}

static int unload_while_sending(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(4000),
				 .sin_addr.s_addr = htonl(LOAD_ADDR + 1)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err, i;

	err = connect(fd, (struct sockaddr *)&to, sizeof(to)) ? FAIL("UDP socket") : -EAGAIN;
	for (i = 0; i < UNLOADS && err == -EAGAIN; i++) {
		err = slow_below(true) ?: unload_once(fd);
		slow_below(false);
	}
	close(fd);
	return err ? FAIL("rmmod: %s", strerror(-err)) : 0;
}

static int unload(const struct nl_trunk *t)
{
	const struct world_options o = {.version = 1, .ports = 1, .trunk = *t};
	struct world w;
	bool usb;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = nl_add_addr4("port1", htonl(LOAD_ADDR), 24) || nl_wait_running("port1");
	usb = !syscall(SYS_delete_module, "qmap_usb", O_NONBLOCK);
	err = err || unload_while_sending();
	if (!err)
		err = load_module(MODULE);
	if (usb)
		err = load_module(USB_MODULE) || err;
	world_free(&w);
	return err;
}

/*
 * The netdev below still has packets that a port has sent while the module was being unloaded: frames
 * alone, and aggregates.
 */
TEST(unload)
{
	const struct nl_trunk alone = {}, timed = {.tx_bytes = 4096, .tx_usecs = 500};

	return unload(&alone) ?: unload(&timed);
}

static int one_round(struct world *w, unsigned int round)
{
	const struct nl_trunk t = {.tx_bytes = 16384, .tx_usecs = 1000};

	if (rebuild_port(w, 1 + round % PORTS))
		return -1;
	if (nl_up("trunk0", false) || nl_up("trunk0", true) || nl_up("port2", false) ||
	    nl_up("port2", true) || nl_change_trunk("trunk0", &t))
		return FAIL("down and up: %s", nl_error());
	if (bpf_link__update_program(w->rx, w->skel->progs.qmap_shim_rx))
		return FAIL("program swap");
	if (round % 4 == 1)
		return rebuild_trunk(w);
	if (round % 8 == 3) {
		if (reload_module() || nl_add_trunk("trunk0", w->modem_ifindex, &t) ||
		    rebuild_trunk(w))
			return FAIL("after rmmod: %s", nl_error());
	}
	return 0;
}

TEST(teardown)
{
	const struct world_options o = {.version = 1, .ports = PORTS};
	struct load load = {};
	struct world w;
	unsigned int i;
	int err = 0;

	if (world_new(&w, &o))
		return -1;
	load_start(&load, &w);
	for (i = 0; i < TEARDOWN_ROUNDS / load_scale() && !err; i++)
		err = one_round(&w, i);
	/* And last the netdev below. */
	load_stop(&load);
	world_free(&w);
	return err;
}

/*
 * Aggregates on their way: far below the limit of the shim's queue, whose drops would not be the
 * swap's.
 */
#define ON_THE_WAY 64

struct counted {
	const struct world *w;
	atomic_bool stop;
	uint64_t sent; /* frames */
};

static void let_catch_up(struct counted *load, uint64_t sent)
{
	while (!atomic_load(&load->stop)) {
		uint64_t came = world_counter("trunk0", "aggregates");

		if (came == UINT64_MAX || came + ON_THE_WAY >= sent)
			return;
		sched_yield();
	}
}

/* Counts the frames sent. */
static void *counted_downlink(void *arg)
{
	static struct aggregate a;
	struct counted *load = arg;
	uint64_t aggregates = 0;
	struct packet_spec s = {.udp = true, .ttl = 64, .flow = 1, .payload = 100};
	uint8_t packet[PACKET_MAX];
	size_t len = packet_make(packet, &s);

	while (!atomic_load(&load->stop)) {
		a = (struct aggregate){.version = 1, .max = 4096};
		while (aggregate_add(&a, 1, packet, len, 0))
			load->sent++;
		if (world_send(load->w, a.data, a.len))
			break;
		if (++aggregates % ON_THE_WAY == 0)
			let_catch_up(load, aggregates);
	}
	return NULL;
}

/* Another copy of the programs of @w, on the same maps. NULL if they do not load. */
static struct qmap_shim *same_programs_again(const struct world *w)
{
	struct qmap_shim *other = qmap_shim__open();

	if (!other)
		return NULL;
	other->rodata->config = w->skel->rodata->config;
	if (!bpf_map__reuse_fd(other->maps.ports, bpf_map__fd(w->skel->maps.ports)) &&
	    !qmap_shim__load(other))
		return other;
	qmap_shim__destroy(other);
	return NULL;
}

/* A program replaces the running one: no frame is lost or counted twice. */
TEST(swap)
{
	const struct world_options o = {.version = 1, .ports = 1};
	struct counted load = {};
	struct qmap_shim *other = NULL;
	uint64_t came = 0;
	pthread_t thread;
	struct world w;
	int err = 0, i;

	if (world_new(&w, &o))
		return -1;
	load.w = &w;
	other = same_programs_again(&w);
	if (!other)
		err = FAIL("the programs do not load again");
	pthread_create(&thread, NULL, counted_downlink, &load);
	for (i = 0; i < SWAPS && !err; i++)
		if (bpf_link__update_program(w.rx, i & 1 ? w.skel->progs.qmap_shim_rx
							 : other->progs.qmap_shim_rx))
			err = FAIL("swap %d", i);
	atomic_store(&load.stop, true);
	pthread_join(thread, NULL);
	came = world_counter("port1", "rx_packets");
	if (!err && (came != load.sent || !came))
		err = FAIL("%llu of %llu came", (unsigned long long)came,
			   (unsigned long long)load.sent);
	world_free(&w);
	qmap_shim__destroy(other);
	return err;
}

/* The netdev below is removed while it delivers and its ports send. */
TEST(unplug)
{
	const struct world_options o = {.version = 1, .ports = PORTS};
	struct load load = {};
	struct world w;
	int i, err = 0;

	for (i = 0; i < UNPLUGS && !err; i++) {
		if (world_new(&w, &o))
			return -1;
		load_start(&load, &w);
		if (nl_add_addr4("port1", htonl(LOAD_ADDR), 24) || nl_wait_running("port1"))
			err = FAIL("port1");
		if (nl_del("modem0"))
			err = FAIL("modem0: %s", nl_error());
		if (if_nametoindex("trunk0") || if_nametoindex("port1"))
			err = FAIL("links are left behind");
		load_stop(&load);
		world_free(&w);
	}
	return err;
}
