// SPDX-License-Identifier: GPL-2.0-or-later
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>

#include "qmap/abi.h"
#include "qmap_shim.skel.h"
#include "qmap/wire.h"
#include "tests/modem/tun_open.h"
#include "proc.h"
#include "usbmodem.h"

#define EXTRA_OBJECT "/vm.bpf.o"
#define CPUS_MAX     256

static int fail(const char *what, int err)
{
	fprintf(stderr, "%s: %s %s\n", what, strerror(err < 0 ? -err : errno), nl_error());
	return -1;
}

int world_tun(const char *name, short flags, unsigned int *ifindex)
{
	int fd = tun_open(name, IFF_TUN | flags, 0);

	if (fd < 0)
		return fail("TUN", fd);
	*ifindex = if_nametoindex(name);
	if (nl_set_u32(name, IFLA_MTU, 65535) || nl_set_u32(name, IFLA_TXQLEN, 4096) ||
	    nl_up(name, true) || nl_wait_running(name)) {
		close(fd);
		return fail(name, 0);
	}
	return fd;
}

int world_port(struct world *w, uint8_t number, bool connected)
{
	struct qmap_port port = {.flags = connected ? QMAP_PORT_UP : 0};
	uint32_t key = number;
	char name[IFNAMSIZ];
	int err;

	snprintf(name, sizeof(name), "port%u", number);
	err = nl_add_port(name, w->trunk_ifindex, number);
	if (err)
		return fail(name, err);
	port.ifindex = if_nametoindex(name);
	w->tx[number] = bpf_program__attach_xdp(w->skel->progs.qmap_shim_tx, port.ifindex);
	if (!w->tx[number])
		return fail("attach qmap_shim_tx", 0);
	bpf_map_update_elem(bpf_map__fd(w->skel->maps.ports), &key, &port, 0);
	err = nl_up(name, true) ?: nl_carrier(name, connected);
	/* Until the kernel's link watch has run, a port has no queue and drops packets. */
	if (!err && connected)
		err = nl_wait_running(name);
	return err ? fail(name, err) : 0;
}

static int load(struct world *w, const struct world_options *o)
{
	w->skel = qmap_shim__open();
	if (!w->skel)
		return fail("open BPF", 0);
	w->skel->rodata->config.dl_version = o->version;
	w->skel->rodata->config.ul_version = o->version;
	w->skel->rodata->avoid_multiple = o->avoid;
	if (qmap_shim__load(w->skel))
		return fail("load BPF", 0);
	if (o->no_program)
		return 0;
	w->rx = bpf_program__attach_xdp(w->skel->progs.qmap_shim_rx, w->trunk_ifindex);
	return w->rx ? 0 : fail("attach qmap_shim_rx", 0);
}

/* ---- a modem on USB ---- */

#define WWAN	 "wwan0"
#define RX_BYTES 31744

const char *world_trunk(const struct world *w)
{
	return w->own ? WWAN : "trunk0";
}

const char *world_modem(const struct world *w)
{
	return w->usb ? WWAN : "modem0";
}

void world_run(const struct world *w)
{
	if (w->usb)
		usb_modem_quiet(w->usb);
}

void world_configure(const struct world *w)
{
	if (w->usb)
		usb_modem_serve(w->usb);
}

static int put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	close(fd);
	return err ? fail(path, err) : 0;
}

static int qmi_set(const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/" WWAN "/qmi/%s", file);
	return put_text(path, text);
}

#define DRIVERS "/sys/bus/usb/drivers/"

/* The last part of what a link in sysfs leads to: a driver, an interface. */
static const char *leads_to(const char *link, char buf[256])
{
	ssize_t n = readlink(link, buf, 255);
	char *slash;

	buf[n < 0 ? 0 : n] = 0;
	slash = strrchr(buf, '/');
	return slash ? slash + 1 : buf;
}

/* Moves the modem's interface from qmi_wwan to @driver, whose @parameter names it. */
static int move_usb(const char *driver, const char *parameter)
{
	char buf[256], interface[256], path[320], bind[128];
	int err;

	snprintf(interface, sizeof(interface), "%s",
		 leads_to("/sys/class/net/" WWAN "/device", buf));
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", driver, parameter);
	snprintf(bind, sizeof(bind), DRIVERS "%s/bind", driver);
	err = put_text(path, interface) || put_text(DRIVERS "qmi_wwan/unbind", interface) ||
	      put_text(bind, interface);
	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/driver", interface);
	if (err || strcmp(leads_to(path, buf), driver))
		return fail("the modem's driver cannot be changed", 0);
	return 0;
}

/* Each is created as qmimux0, because the previous one has been renamed. */
static int mux_port(unsigned int number)
{
	struct ifreq ifr = {};
	char text[8], name[IFNAMSIZ];
	int fd, err;

	snprintf(text, sizeof(text), "%u", number);
	if (qmi_set("add_mux", text))
		return -1;
	snprintf(ifr.ifr_name, IFNAMSIZ, "qmimux0");
	snprintf(name, sizeof(name), "port%u", number);
	memcpy(ifr.ifr_newname, name, IFNAMSIZ);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = ioctl(fd, SIOCSIFNAME, &ifr) ? -errno : nl_up(name, true);
	close(fd);
	return err ? fail(name, err) : 0;
}

static int build_usb(struct world *w, const struct world_options *o)
{
	unsigned int i;

	w->usb = usb_modem_plug(WWAN, o->high_speed ? USB_HIGH : USB_SUPER);
	if (!w->usb || usb_modem_serve(w->usb) || (w->own && move_usb("qmap_usb", "interfaces")))
		return -1;
	if (o->modem == WORLD_USB_BARE)
		return move_usb("usb_bare", "interface");
	w->modem_ifindex = if_nametoindex(WWAN);
	if (w->own)
		return 0;
	/*
	 * Kernels with "usbnet: limit max_mtu" cap it at 1500 until raw_ip has been off once. A
	 * transfer is as large as the MTU, which must not be a multiple of 1024.
	 */
	if (qmi_set("raw_ip", "Y") || qmi_set("raw_ip", "N") || qmi_set("raw_ip", "Y") ||
	    (o->modem == WORLD_USB && qmi_set("pass_through", "Y")) ||
	    nl_set_u32(WWAN, IFLA_MTU, (o->rx_bytes ?: RX_BYTES) + 1) || nl_up(WWAN, true))
		return fail(WWAN, 0);
	for (i = 1; o->modem == WORLD_USB_MUX && i <= o->ports; i++)
		if (mux_port(i))
			return -1;
	return 0;
}

static void free_usb(struct world *w)
{
	int i;

	if (!w->usb)
		return;
	usb_modem_unplug(&w->usb);
	for (i = 0; i < 60000 && if_nametoindex(WWAN); i++)
		usleep(1000);
}

static int build_tun(struct world *w, bool napi)
{
	w->modem = world_tun("modem0", napi ? IFF_NAPI : 0, &w->modem_ifindex);
	if (w->modem < 0)
		return -1;
	return napi ? proc_write("/sys/class/net/modem0/threaded", "1") : 0;
}

static int build(struct world *w, const struct world_options *o)
{
	struct nl_trunk trunk = o->trunk;
	unsigned int i;
	int err;

	if (o->modem == WORLD_TUN ? build_tun(w, o->napi) : build_usb(w, o))
		return -1;
	if (o->modem_only)
		return 0;
	trunk.usb = w->own;
	err = w->own ? nl_change_trunk(WWAN, &trunk)
		     : nl_add_trunk("trunk0", w->modem_ifindex, &trunk);
	if (err)
		return fail(world_trunk(w), err);
	w->trunk_ifindex = if_nametoindex(world_trunk(w));
	if (load(w, o))
		return -1;
	for (i = 1; i <= o->ports; i++)
		if (world_port(w, i, true))
			return -1;
	w->n_ports = o->ports;
	err = nl_up(world_trunk(w), true);
	return err ? fail(world_trunk(w), err) : 0;
}

int world_new(struct world *w, const struct world_options *o)
{
	memset(w, 0, sizeof(*w));
	w->modem = w->second = -1;
	w->own = o->modem == WORLD_USB_OWN;
	if (!build(w, o))
		return 0;
	world_free(w);
	return -1;
}

void world_free(struct world *w)
{
	unsigned int i;

	for (i = 0; i <= WORLD_PORTS; i++)
		bpf_link__destroy(w->tx[i]);
	bpf_link__destroy(w->rx);
	if (w->trunk_ifindex && if_nametoindex("trunk0"))
		nl_del("trunk0");
	bpf_object__close(w->extra);
	qmap_shim__destroy(w->skel);
	free_usb(w);
	if (w->modem >= 0)
		close(w->modem);
	if (w->second >= 0)
		close(w->second);
}

int world_second(struct world *w)
{
	w->second = world_tun("second0", IFF_NO_PI, &w->second_ifindex);
	return w->second < 0 ? -1 : 0;
}

int world_extra(struct world *w, unsigned int redirect_to)
{
	struct bpf_map *rodata;

	w->extra = bpf_object__open(EXTRA_OBJECT);
	if (!w->extra)
		return fail(EXTRA_OBJECT, 0);
	rodata = bpf_object__find_map_by_name(w->extra, ".rodata");
	if (!rodata || bpf_map__set_initial_value(rodata, &redirect_to, sizeof(redirect_to)))
		return fail("redirect_to", 0);
	return bpf_object__load(w->extra) ? fail("load " EXTRA_OBJECT, 0) : 0;
}

int world_prog(const struct world *w, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(w->extra, name));
}

struct bpf_program *world_tx_prog(const struct world *w)
{
	return w->skel->progs.qmap_shim_tx;
}

static int tc_attach(const struct world *w, const char *dev, const char *name,
		     enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex(dev), .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = world_prog(w, name));
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST)
		return fail("clsact", err);
	err = bpf_tc_attach(&hook, &opts);
	return err ? fail("tc", err) : 0;
}

int world_tc_ingress(const struct world *w, const char *dev, const char *name)
{
	return tc_attach(w, dev, name, BPF_TC_INGRESS);
}

int world_tc_egress(const struct world *w, const char *dev, const char *name)
{
	return tc_attach(w, dev, name, BPF_TC_EGRESS);
}

int world_send(const struct world *w, const void *aggregate, size_t len)
{
	static uint8_t buf[AGGREGATE_MAX + sizeof(struct tun_pi)];
	struct tun_pi pi = {.proto = htons(QMAP_ETHERTYPE)};

	if (w->usb)
		return usb_modem_send(w->usb, aggregate, len);
	memcpy(buf, &pi, sizeof(pi));
	memcpy(buf + sizeof(pi), aggregate, len);
	return write(w->modem, buf, sizeof(pi) + len) == (ssize_t)(sizeof(pi) + len) ? 0 : -1;
}

bool world_readable(int fd, int ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, ms) > 0;
}

size_t world_read(int fd, void *buf, size_t size, int ms)
{
	ssize_t n;

	if (!world_readable(fd, ms))
		return 0;
	n = read(fd, buf, size);
	return n > 0 ? n : 0;
}

size_t world_recv(const struct world *w, void *buf, size_t size, int ms)
{
	static uint8_t in[AGGREGATE_MAX + sizeof(struct tun_pi)];
	struct tun_pi pi;
	size_t n;

	if (w->usb)
		return usb_modem_recv(w->usb, buf, size, ms);
	do {
		n = world_read(w->modem, in, sizeof(in), ms);
		if (!n)
			return 0;
		memcpy(&pi, in, sizeof(pi));
	} while (pi.proto != htons(QMAP_ETHERTYPE));
	n -= sizeof(pi);
	memcpy(buf, in + sizeof(pi), n < size ? n : size);
	return n;
}

int world_tap(const char *dev)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = if_nametoindex(dev)};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 64 << 20, on = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&ll, sizeof(ll)))
		return fail("packet socket", 0);
	return fd;
}

static int ethtool(const char *dev, void *command)
{
	struct ifreq ifr = {.ifr_data = command};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	err = ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;
	close(fd);
	return err;
}

uint64_t world_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

uint64_t world_counter(const char *dev, const char *name)
{
	static uint64_t space[1024];
	struct ethtool_gstrings *strings = (void *)space;
	struct ethtool_stats *stats = (void *)space;
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	unsigned int i;

	if (ethtool(dev, &info))
		return UINT64_MAX;
	memset(space, 0, sizeof(space));
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_STATS;
	strings->len = info.n_stats;
	if (ethtool(dev, strings))
		return UINT64_MAX;
	for (i = 0; i < info.n_stats; i++)
		if (!strncmp((char *)strings->data + i * ETH_GSTRING_LEN, name, ETH_GSTRING_LEN))
			break;
	if (i == info.n_stats)
		return UINT64_MAX;
	stats->cmd = ETHTOOL_GSTATS;
	stats->n_stats = info.n_stats;
	return ethtool(dev, stats) ? UINT64_MAX : stats->data[i];
}

uint64_t world_counter_reaches(const char *dev, const char *name, uint64_t value)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	uint64_t now = world_counter(dev, name);
	unsigned int tries;

	for (tries = 0; now < value && tries < 30000; tries++) {
		nanosleep(&pause, NULL);
		now = world_counter(dev, name);
	}
	return now;
}

uint64_t world_seen(const struct world *w, uint64_t all)
{
	struct bpf_map *map = bpf_object__find_map_by_name(w->extra, "seen");
	const struct timespec pause = {.tv_nsec = 1000000};
	uint64_t by_cpu[CPUS_MAX] = {}, n = 0;
	uint32_t zero = 0, tries;
	int i, cpus = libbpf_num_possible_cpus();

	for (tries = 0; n < all && cpus > 0 && cpus <= CPUS_MAX && tries < 30000; tries++) {
		if (tries)
			nanosleep(&pause, NULL);
		bpf_map_lookup_elem(bpf_map__fd(map), &zero, by_cpu);
		for (n = 0, i = 0; i < cpus; i++)
			n += by_cpu[i];
	}
	return n;
}

int world_feature(const char *dev, uint32_t command, bool on)
{
	struct ethtool_value value = {.cmd = command, .data = on};

	return ethtool(dev, &value);
}

int world_named_feature(const char *dev, const char *feature, bool on)
{
	char command[128];

	snprintf(command, sizeof(command), "ethtool -K %s %s %s", dev, feature, on ? "on" : "off");
	return system(command) ? -1 : 0;
}
