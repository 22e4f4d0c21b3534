// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The programs that TCX runs on a netdev, which Debian 12's bpftool does not know:
 *
 *   tcx-tool list DEV        "ingress NAME ID" or "egress NAME ID", a line for each
 *   tcx-tool detach DEV WAY  detaches all of them; WAY: ingress or egress
 *
 * Exit status 1: the kernel has no TCX (before Linux 6.6), or an error.
 */
#include <bpf/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST 64

/* BPF_TCX_INGRESS and BPF_TCX_EGRESS of Linux 6.6. */
static const struct way {
	const char *name;
	int type;
} ways[2] = {{"ingress", 46}, {"egress", 47}};

static void treat(unsigned int ifindex, const struct way *way, unsigned int id, int detach)
{
	struct bpf_prog_info info = {0};
	unsigned int len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd >= 0 && detach)
		bpf_prog_detach2(fd, ifindex, way->type);
	else if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
		printf("%s %s %u\n", way->name, info.name, id);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	unsigned int ifindex = argc > 2 ? if_nametoindex(argv[2]) : 0;
	int detach = argc > 3 && !strcmp(argv[1], "detach");

	if (!ifindex) {
		fprintf(stderr, "tcx-tool list|detach DEV [WAY]\n");
		return 2;
	}
	for (int i = 0; i < 2; i++) {
		unsigned int ids[MOST] = {0}, n = MOST;

		if (detach && strcmp(argv[3], ways[i].name))
			continue;
		if (bpf_prog_query(ifindex, ways[i].type, 0, NULL, ids, &n))
			return 1;
		for (unsigned int j = 0; j < n; j++)
			treat(ifindex, &ways[i], ids[j], detach);
	}
	return 0;
}
