// SPDX-License-Identifier: GPL-2.0-or-later
#include "xdp_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const char *const xdp_prog_names[XDP_PROGS] = {"qmap_enter", "qmap_split", "qmap_trim",
					       "qmap_deliver", "qmap_uplink"};

static int prog_of_link(const struct pins *pins, const char *pin)
{
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);
	int link = pins_get(pins, pin, NULL), ret;

	if (link < 0)
		return link;
	ret = bpf_obj_get_info_by_fd(link, &info, &size) ? -errno
							 : bpf_prog_get_fd_by_id(info.prog_id);
	close(link);
	return ret;
}

/* Finds a map that a program uses. */
static int map_of(int prog, const char *name)
{
	uint32_t ids[16], size = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = {.nr_map_ids = ARRAY_SIZE(ids), .map_ids = (uintptr_t)ids};

	if (bpf_obj_get_info_by_fd(prog, &info, &size))
		return -errno;
	for (unsigned int i = 0; i < info.nr_map_ids && i < ARRAY_SIZE(ids); i++) {
		struct bpf_map_info map = {0};
		uint32_t map_size = sizeof(map);
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (!bpf_obj_get_info_by_fd(fd, &map, &map_size) && !strcmp(map.name, name))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

/* Finds the program behind the entries of copies[1]. */
static int find_trim(int split)
{
	int copies = map_of(split, "copies"), inner;
	uint32_t one = 1, zero = 0, id = 0;
	struct bpf_devmap_val val = {0};

	if (copies < 0 || bpf_map_lookup_elem(copies, &one, &id))
		return -ENOENT;
	close(copies);
	inner = bpf_map_get_fd_by_id(id);
	if (inner < 0 || bpf_map_lookup_elem(inner, &zero, &val))
		return -ENOENT;
	close(inner);
	return bpf_prog_get_fd_by_id(val.bpf_prog.id);
}

static int find_enter(unsigned int ifindex)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1);
	int ret = bpf_tc_query(&hook, &opts);

	return ret ?: bpf_prog_get_fd_by_id(opts.prog_id);
}

int xdp_programs_find(const struct world *w, int *fds)
{
	fds[XDP_PROG_SPLIT] = prog_of_link(&w->pins, "link_split");
	fds[XDP_PROG_DELIVER] = prog_of_link(&w->pins, "link_deliver");
	fds[XDP_PROG_UPLINK] = pins_get(&w->pins, "prog_uplink", NULL);
	fds[XDP_PROG_ENTER] = find_enter(w->trunk_ifindex);
	fds[XDP_PROG_TRIM] = find_trim(fds[XDP_PROG_SPLIT]);
	for (unsigned int i = 0; i < XDP_PROGS; i++)
		if (fds[i] < 0)
			return fds[i];
	return 0;
}

void xdp_programs_close(const int *fds)
{
	for (unsigned int i = 0; i < XDP_PROGS; i++)
		if (fds[i] > 0)
			close(fds[i]);
}
