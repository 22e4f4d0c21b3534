// SPDX-License-Identifier: GPL-2.0-or-later
#include "world.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "daemon/rtnl/rtnl.h"
#include "linear.skel.h"
#include "qmap/wire.h"
#include "tests/modem/tun.h"
#include "tests/vm/packets.h"

#define INJECTOR_MTU 65535
#define UDP_HEADERS  28
#define MARK	     0x716d6170 /* as in tests/modem/linear.bpf.c */

/* Mounts a BPF file system of our own over the machine's, so that its pins are not touched. */
static int enter_namespaces(struct error *err)
{
	cpu_set_t set;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS))
		return error_set(err, -errno, "cannot make namespaces: %s", strerror(errno));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
		return error_set(err, -errno, "cannot mount bpffs: %s", strerror(errno));
	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return error_set(err, -errno, "cannot stay on one CPU");
	return 0;
}

/* Returns a descriptor of a TUN, up. */
static int add_tun(const char *name, unsigned int mtu, bool info, unsigned int *ifindex)
{
	int fd = tun_open(name, info), index;

	if (fd < 0)
		return fd;
	tun_quiet(name);
	index = tun_configure(name, mtu, true);
	if (index < 0) {
		close(fd);
		return index;
	}
	*ifindex = index;
	return fd;
}

static int attach_injector(struct world *w)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = w->injector_ifindex,
			    .attach_point = BPF_TC_EGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1);
	int ret;

	w->linear = linear__open();
	if (!w->linear)
		return -errno;
	w->linear->rodata->trunk_ifindex = w->trunk_ifindex;
	ret = linear__load(w->linear) ?: bpf_tc_hook_create(&hook);
	if (ret)
		return ret;
	opts.prog_fd = bpf_program__fd(w->linear->progs.inject);
	return bpf_tc_attach(&hook, &opts);
}

static int open_packet(struct world *w)
{
	int mark = MARK, size = 4 << 20;

	w->packet = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (w->packet < 0 || setsockopt(w->packet, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ||
	    setsockopt(w->packet, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		return -errno;
	return 0;
}

static int add_tuns(struct world *w, struct error *err)
{
	unsigned int injector = 0;
	int ret;

	w->trunk = add_tun("wwan0", 1500, true, &w->trunk_ifindex);
	w->plain = add_tun("plain", 1500, false, &w->plain_ifindex);
	w->injector = add_tun("urb", INJECTOR_MTU, false, &injector);
	if (w->trunk < 0 || w->plain < 0 || w->injector < 0)
		return error_set(err, -ENODEV, "cannot make TUN devices");
	w->injector_ifindex = injector;
	ret = attach_injector(w) ?: open_packet(w);
	return ret ? error_set(err, ret, "cannot inject: %s", strerror(-ret)) : 0;
}

static int load_drop_all(struct world *w, struct error *err)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
		{.code = BPF_JMP | BPF_EXIT},
	};

	w->drop_all = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "drop_all", "GPL", insns, 2, NULL);
	return w->drop_all < 0 ? error_set(err, -errno, "cannot load a tc program") : 0;
}

int world_drop_all(const struct world *w, unsigned int ifindex, bool on)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1, .prog_fd = w->drop_all);
	int ret;

	if (!on)
		return bpf_tc_hook_destroy(&hook);
	ret = bpf_tc_hook_create(&hook);
	hook.attach_point = BPF_TC_INGRESS;
	return ret ?: bpf_tc_attach(&hook, &opts);
}

static int add_address(struct world *w, unsigned int ifindex, uint32_t addr, struct error *err)
{
	uint32_t be = htonl(addr);

	return rtnl_link_set_up(w->nl, ifindex, true, err)
		       ?: rtnl_addr_add(w->nl, ifindex, AF_INET, &be, 24, true, err);
}

static int add_port(struct world *w, struct error *err)
{
	w->port = (struct datapath_port){.number = 1, .mux = WORLD_MUX, .name = "wwan0.1"};
	return datapath_xdp.add_port(w->dp, &w->port, err)
		       ?: datapath_xdp.flow(w->dp, WORLD_MUX, true, err)
		       ?: rtnl_link_set_up(w->nl, w->port.ifindex, true, err);
}

static int attach_datapath(struct world *w, int version, struct error *err)
{
	struct data_format format = {.version = version, .dl_max_bytes = 16384};
	int ret;

	ret = pins_create(&w->pins, w->trunk_ifindex, "wwan0", err);
	if (ret)
		return ret;
	return datapath_xdp.attach(&w->dp, &w->pins, "wwan0", &format, err) ?: add_port(w, err);
}

int world_new(struct world *w, int version, struct error *err)
{
	int ret;

	*w = (struct world){.trunk = -1,
			    .injector = -1,
			    .packet = -1,
			    .plain = -1,
			    .drop_all = -1,
			    .pins = PINS_INIT};
	ret = enter_namespaces(err)
		?: rtnl_open(&w->nl, NULL, err)
		?: load_drop_all(w, err)
		?: add_tuns(w, err)
		?: attach_datapath(w, version, err)
		?: add_address(w, w->port.ifindex, WORLD_PORT_ADDR, err)
		?: add_address(w, w->plain_ifindex, WORLD_PLAIN_ADDR, err);
	if (ret)
		world_free(w);
	return ret;
}

/* Everything else disappears with the namespaces. */
void world_free(struct world *w)
{
	int fds[] = {w->trunk, w->injector, w->packet, w->plain, w->drop_all};

	if (w->dp) {
		datapath_xdp.detach(w->dp, NULL);
		datapath_xdp.close(&w->dp);
	}
	if (w->pins.lock >= 0)
		pins_remove(&w->pins);
	linear__destroy(w->linear);
	rtnl_close(&w->nl);
	for (unsigned int i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int world_send_paged(const struct world *w, const void *aggregate, size_t size)
{
	uint8_t info[4] = {0, 0, QMAP_ETHERTYPE >> 8, QMAP_ETHERTYPE & 0xff};
	struct iovec iov[2] = {{info, sizeof(info)}, {(void *)aggregate, size}};

	return writev(w->trunk, iov, 2) < 0 ? -errno : 0;
}

int world_send_linear(const struct world *w, const void *aggregate, size_t size)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(QMAP_ETHERTYPE),
		.sll_ifindex = w->injector_ifindex,
	};

	return sendto(w->packet, aggregate, size, 0, (struct sockaddr *)&to, sizeof(to)) < 0
		       ? -errno
		       : 0;
}

int world_socket(uint32_t addr)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(addr),
		.sin_port = htons(WORLD_UDP_PORT),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	    size = WORLD_SOCKET_BUFFER;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size))) {
		close(fd);
		return -errno;
	}
	return fd;
}

size_t world_packet(uint8_t *p, unsigned int len, uint32_t to)
{
	const struct packet_spec spec = {.udp = true,
					 .ttl = 64,
					 .payload = len - UDP_HEADERS,
					 .saddr = to - 1,
					 .daddr = to,
					 .sport = 4000,
					 .dport = WORLD_UDP_PORT};

	return packet_make(p, &spec);
}

uint64_t world_received(const struct world *w, unsigned int ifindex)
{
	struct rtnl_link link = {0};
	int ret = rtnl_link_get_index(w->nl, ifindex, &link, NULL);

	/* A macvlan counts after GRO; the netdev below it has seen each packet. */
	if (!ret && !strcmp(link.kind, "macvlan"))
		ret = rtnl_link_get_index(w->nl, link.lower, &link, NULL);
	return ret ? 0 : link.rx_packets;
}
