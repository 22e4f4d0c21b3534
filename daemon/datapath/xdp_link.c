// SPDX-License-Identifier: GPL-2.0-or-later
#include "xdp_link.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"
#include "qmap/wire.h"

static int print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[1024];

	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = 0;
	if (level != LIBBPF_DEBUG)
		log_debug("libbpf: %s", line);
	return 0;
}

void bpf_log_to_ours(void)
{
	libbpf_set_print(print);
}

struct qmap_config bpf_config(unsigned int trunk, const struct data_format *format)
{
	return (struct qmap_config){
		.trunk_ifindex = trunk,
		.dl_version = format->version,
		.ul_version = format->version,
		.ul_max_packet = datapath_max_packet(format->ul_max_bytes),
	};
}

int xdp_link_attach(int prog_fd, unsigned int ifindex, unsigned int flags, struct error *err)
{
	DECLARE_LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int link = bpf_link_create(prog_fd, ifindex, BPF_XDP, &opts), ret;
	char name[IFNAMSIZ] = "?";

	if (link >= 0)
		return link;
	ret = -errno;
	if_indextoname(ifindex, name);
	if (ret != -EBUSY && ret != -EEXIST)
		return error_set(err, ret, "cannot attach XDP to %s: %s", name, strerror(-ret));
	error_set(err, -EBUSY, "another XDP program is attached to %s", name);
	error_hint(err, "find it with `ip -d link show dev %s` and remove it", name);
	return -EBUSY;
}

int bpf_replace_fd(int *kept, int fd, struct error *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		return error_set(err, -errno, "out of file descriptors");
	if (*kept >= 0)
		close(*kept);
	*kept = copy;
	return 0;
}

int bpf_keep(const struct pins *pins, const char *name, int fd, int *out, struct error *err)
{
	*out = -1;
	return bpf_replace_fd(out, fd, err) ?: pins_put(pins, name, fd, err);
}

void bpf_fds_init(int *fds, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		fds[i] = -1;
}

int bpf_fds_get(const struct pins *pins, const struct pins_entry *pin, int *fds, unsigned int n,
		struct error *err)
{
	for (unsigned int i = 0; i < n; i++) {
		fds[i] = pin[i].value_size ? pins_get_map(pins, pin[i].name, pin[i].value_size, err)
					   : pins_get(pins, pin[i].name, err);
		if (fds[i] < 0)
			return fds[i];
	}
	return 0;
}

void bpf_fds_close(int *fds, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	bpf_fds_init(fds, n);
}

/*
 * Callbacks, of which data path xdp has one, only run as machine code (kernel/bpf/verifier.c,
 * fixup_call_args()).
 */
static bool jit_is_off(void)
{
	FILE *f = fopen("/proc/sys/net/core/bpf_jit_enable", "re");
	bool off;

	/*
	 * The file is missing on a kernel without a JIT, and in a network namespace, where both are
	 * missing.
	 */
	if (!f)
		return !access("/proc/sys/net/core/netdev_max_backlog", F_OK);
	off = fgetc(f) == '0';
	fclose(f);
	return off;
}

int bpf_load_error(int ret, const char *needs, struct error *err)
{
	error_set(err, ret, "the kernel refused the BPF programs: %s", strerror(-ret));
	if (ret == -EPERM)
		error_hint(err, "run as root (CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON)");
	else if (ret == -EMFILE || ret == -ENFILE)
		error_hint(err,
			   "raise the limit of open files (LimitNOFILE= of the unit, ulimit -n)");
	else if (ret == -ENOMEM)
		error_hint(err, "free memory, or raise LimitMEMLOCK= of the unit");
	else if (jit_is_off())
		error_hint(err, "the kernel's BPF JIT is off (sysctl net.core.bpf_jit_enable=1), "
				"or there is none");
	else
		error_hint(err, "they need Linux %s or newer; see `qmapctl probe`", needs);
	return ret;
}
