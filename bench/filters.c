// SPDX-License-Identifier: GPL-2.0-or-later
#include "filters.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "socket_filters.skel.h"

static const size_t counts_size = FILTERS_CPUS * sizeof(struct filters_count);
static const size_t latencies_size = FILTERS_PACKETS * sizeof(uint64_t);

int filters_load(struct filters *f)
{
	void *counts, *latencies;

	*f = (struct filters){.skel = socket_filters__open_and_load()};
	if (!f->skel)
		return -errno;
	counts = mmap(NULL, counts_size, PROT_READ, MAP_SHARED, bpf_map__fd(f->skel->maps.counts),
		      0);
	if (counts == MAP_FAILED)
		return -errno;
	f->counts = counts;
	latencies = mmap(NULL, latencies_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 bpf_map__fd(f->skel->maps.latencies), 0);
	if (latencies == MAP_FAILED)
		return -errno;
	f->latencies = latencies;
	return 0;
}

void filters_unload(struct filters *f)
{
	if (f->counts)
		munmap((void *)f->counts, counts_size);
	if (f->latencies)
		munmap((void *)f->latencies, latencies_size);
	socket_filters__destroy(f->skel);
	*f = (struct filters){0};
}

static int attach(const struct bpf_program *prog, int fd)
{
	int prog_fd = bpf_program__fd(prog);

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog_fd, sizeof(prog_fd)) ? -errno : 0;
}

int filters_count(const struct filters *f, int fd)
{
	return attach(f->skel->progs.count, fd);
}

int filters_stamp(const struct filters *f, int fd)
{
	return attach(f->skel->progs.stamp, fd);
}

uint64_t filters_counted(const struct filters *f)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < FILTERS_CPUS; i++)
		sum += f->counts[i].packets;
	return sum;
}
