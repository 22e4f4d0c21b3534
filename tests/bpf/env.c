// SPDX-License-Identifier: GPL-2.0-or-later
#include "env.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "fixtures.h"
#include "tests/modem/tun_open.h"

#define LO 1 /* ifindex of the loopback device in every namespace */

/* For map operations that cannot fail unless the test itself is broken. */
static void must(bool what)
{
	if (!what)
		abort();
}

/*
 * qmap_split has a callback, which only runs as machine code. Without a JIT the file is absent, but
 * it is absent in every new network namespace, too; the other file distinguishes the two.
 */
static bool jit_is_on(void)
{
	FILE *f = fopen("/proc/sys/net/core/bpf_jit_enable", "re");
	bool on;

	if (!f)
		return access("/proc/sys/net/core/netdev_max_backlog", F_OK);
	on = fgetc(f) != '0';
	fclose(f);
	return on;
}

static bool jit_has_calls(void)
{
	static const char *const without[] = {"arm", "mips", "i386", "i586", "i686"};
	struct utsname u;

	must(!uname(&u));
	for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++)
		if (!strncmp(u.machine, without[i], strlen(without[i])))
			return false;
	return true;
}

const char *env_start(void)
{
	cpu_set_t set;

	if (geteuid())
		return "needs root";
	if (!jit_is_on())
		return "needs the BPF JIT";
	if (!jit_has_calls())
		return "the BPF JIT of this machine compiles no calls between functions";
	if (access("/dev/net/tun", R_OK | W_OK))
		return "needs /dev/net/tun";
	if (unshare(CLONE_NEWNET))
		return "needs network namespaces";
	/* the notes of qmap_split are per CPU */
	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	return sched_setaffinity(0, sizeof(set), &set) ? "cannot stay on one CPU" : NULL;
}

static int set_up(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;
	struct ifreq ifr = {.ifr_flags = IFF_UP};

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	ret = ioctl(fd, SIOCSIFFLAGS, &ifr) ? -errno : 0;
	close(fd);
	return ret;
}

int env_open_tun(const char *name, short flags, uint32_t *ifindex)
{
	int fd = tun_open(name, flags, O_NONBLOCK), ret;

	if (fd < 0)
		return fd;
	ret = set_up(name);
	if (ret) {
		close(fd);
		return ret;
	}
	*ifindex = if_nametoindex(name);
	return fd;
}

int env_open_tap(const char *name, uint32_t *ifindex)
{
	return env_open_tun(name, IFF_TAP | IFF_NO_PI, ifindex);
}

static int open_trunk(struct env *env)
{
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "trunk%d", env->version);
	env->tun = env_open_tun(name, IFF_TUN, &env->trunk);
	return env->tun < 0 ? env->tun : 0;
}

static int add_event(void *ctx, void *data, size_t size)
{
	struct env *env = ctx;

	must(size == sizeof(*env->event));
	env->event = realloc(env->event, (env->nevents + 1) * size);
	must(env->event);
	memcpy(&env->event[env->nevents++], data, size);
	return 0;
}

/*
 * Fills copies[n], for all n, with an empty device map. A broadcast to no device is a redirect,
 * too.
 */
static int fill_copies(struct env *env)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "none", sizeof(__u32),
				sizeof(struct bpf_devmap_val), QMAP_MAX_FRAMES, NULL);
	__u32 keys[QMAP_MAX_FRAMES], fds[QMAP_MAX_FRAMES], count = QMAP_MAX_FRAMES;
	int ret;

	if (fd < 0)
		return -errno;
	for (__u32 i = 0; i < count; i++) {
		keys[i] = i + 1;
		fds[i] = fd;
	}
	ret = bpf_map_update_batch(bpf_map__fd(env->skel->maps.copies), keys, fds, &count, NULL);
	ret = ret ? -errno : 0;
	close(fd);
	return ret;
}

static int fill_devs(struct env *env)
{
	struct bpf_devmap_val val = {.ifindex = LO};

	for (__u32 mux = 0; mux < QMAP_MAX_MUX; mux++)
		if (fixture_port(mux) != FIXTURE_PORT_NONE &&
		    bpf_map_update_elem(bpf_map__fd(env->skel->maps.port_devs), &mux, &val, 0))
			return -errno;
	return 0;
}

static int load(struct env *env, unsigned int ul_max_packet)
{
	int ret;

	env->skel = qmap_xdp__open();
	if (!env->skel)
		return -errno;
	env->skel->rodata->config.trunk_ifindex = env->trunk;
	env->skel->rodata->config.dl_version = env->version;
	env->skel->rodata->config.ul_version = env->version;
	env->skel->rodata->config.ul_max_packet = ul_max_packet;
	ret = qmap_xdp__load(env->skel);
	if (ret)
		return ret;
	env->events = ring_buffer__new(bpf_map__fd(env->skel->maps.events), add_event, env, NULL);
	return env->events ? 0 : -errno;
}

static int attach_split(struct env *env)
{
	DECLARE_LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_SKB_MODE);

	env->link = bpf_link_create(bpf_program__fd(env->skel->progs.qmap_split), env->trunk,
				    BPF_XDP, &opts);
	return env->link < 0 ? env->link : 0;
}

int env_new(struct env **out, int version, unsigned int ul_max_packet)
{
	struct env *env = calloc(1, sizeof(*env));
	int ret;

	must(env);
	env->version = version;
	env->tun = env->link = -1;
	ret = open_trunk(env)
		      ?: load(env, ul_max_packet) ?: fill_copies(env)
		      ?: fill_devs(env)
		      ?: attach_split(env);
	if (ret)
		env_free(&env);
	else
		env_reset(env);
	*out = env;
	return ret;
}

void env_free(struct env **envp)
{
	struct env *env = *envp;

	if (!env)
		return;
	if (env->link >= 0)
		close(env->link);
	ring_buffer__free(env->events);
	qmap_xdp__destroy(env->skel);
	if (env->tun >= 0)
		close(env->tun);
	free(env->event);
	free(env);
	*envp = NULL;
}

void env_mac(uint32_t mux, uint8_t mac[6])
{
	const uint8_t address[6] = {2, 'q', 'm', 'a', 'p', mux};

	memcpy(mac, address, 6);
}

static void reset_port(int ports, __u32 mux)
{
	struct qmap_port port = {.flow_off_until = ENV_FLOW_BEFORE};
	enum fixture_port state = fixture_port(mux);

	if (state != FIXTURE_PORT_NONE)
		port.ifindex = LO;
	if (state == FIXTURE_PORT_UP)
		port.flags = QMAP_PORT_UP;
	env_mac(mux, port.mac);
	must(!bpf_map_update_elem(ports, &mux, &port, 0));
}

/* Sets all CPUs' values of a per-CPU map, which are aligned to 8 bytes. */
static void fill(int map, __u32 key, int byte, size_t size)
{
	size_t all = libbpf_num_possible_cpus() * ((size + 7) & ~7ul);
	void *values = calloc(1, all);

	must(values);
	memset(values, byte, all);
	must(!bpf_map_update_elem(map, &key, values, 0));
	free(values);
}

void env_reset_maps(int ports, int port_stats, int trunk_stats)
{
	for (__u32 mux = 0; mux < QMAP_MAX_MUX; mux++) {
		reset_port(ports, mux);
		fill(port_stats, mux, 0, sizeof(struct qmap_port_stats));
	}
	fill(trunk_stats, 0, 0, sizeof(struct qmap_trunk_stats));
}

void env_reset(struct env *env)
{
	env_reset_maps(bpf_map__fd(env->skel->maps.ports), bpf_map__fd(env->skel->maps.port_stats),
		       bpf_map__fd(env->skel->maps.trunk_stats));
	/* notes of an earlier aggregate must not matter */
	fill(bpf_map__fd(env->skel->maps.notes), 0, 0xff,
	     bpf_map__value_size(env->skel->maps.notes));
	env_read_events(env);
	free(env->event);
	env->event = NULL;
	env->nevents = 0;
}

void env_sum(int map, uint32_t key, void *sum, size_t size)
{
	int cpus = libbpf_num_possible_cpus();
	__u64 *values = calloc(cpus, size), *to = sum;
	size_t n = size / sizeof(__u64);

	must(values && !bpf_map_lookup_elem(map, &key, values));
	memset(sum, 0, size);
	for (size_t i = 0; i < cpus * n; i++)
		to[i % n] += values[i];
	free(values);
}

void env_trunk_stats(const struct env *env, struct qmap_trunk_stats *sum)
{
	env_sum(bpf_map__fd(env->skel->maps.trunk_stats), 0, sum, sizeof(*sum));
}

void env_port_stats(const struct env *env, uint32_t mux, struct qmap_port_stats *sum)
{
	env_sum(bpf_map__fd(env->skel->maps.port_stats), mux, sum, sizeof(*sum));
}

void env_read_events(struct env *env)
{
	must(ring_buffer__consume(env->events) >= 0);
}

int env_run(const struct bpf_program *prog, const void *data, uint32_t size, void *out,
	    uint32_t *out_size)
{
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = size,
			    .data_out = out, .data_size_out = out ? *out_size : 0);
	int ret = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);

	if (out)
		*out_size = opts.data_size_out;
	return ret ? -errno : (int)opts.retval;
}
