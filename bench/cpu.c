// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* user, nice, system, idle, iowait, irq, softirq */
#define FIELDS 7

static void read_line(struct cpu_times *t, const char *line)
{
	double tick = 1.0 / sysconf(_SC_CLK_TCK);
	unsigned long long v[FIELDS];
	unsigned int cpu;

	if (sscanf(line, "cpu%u %llu %llu %llu %llu %llu %llu %llu", &cpu, &v[0], &v[1], &v[2],
		   &v[3], &v[4], &v[5], &v[6]) != FIELDS + 1 ||
	    cpu >= CPU_MAX)
		return;
	t->busy[cpu] = (v[0] + v[1] + v[2] + v[5] + v[6]) * tick;
	t->softirq[cpu] = v[6] * tick;
	if (cpu >= t->n)
		t->n = cpu + 1;
}

/* The columns of /proc/softirqs are the possible CPUs in turn. */
static void read_softirqs(struct cpu_times *t, const char *line)
{
	const char *p = strchr(line, ':');

	if (!p || (!strstr(line, "NET_RX:") && !strstr(line, "NET_TX:")))
		return;
	p++;
	for (unsigned int cpu = 0; cpu < CPU_MAX; cpu++) {
		char *end;
		uint64_t n = strtoull(p, &end, 10);

		if (end == p)
			return;
		t->net_softirqs[cpu] += n;
		p = end;
	}
}

static int each_line(const char *path, void (*fn)(struct cpu_times *t, const char *line),
		     struct cpu_times *t)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		return -errno;
	while (getline(&line, &size, f) > 0)
		fn(t, line);
	free(line);
	fclose(f);
	return 0;
}

int cpu_read(struct cpu_times *t)
{
	int ret;

	memset(t, 0, sizeof(*t));
	ret = each_line("/proc/stat", read_line, t);
	return ret ?: each_line("/proc/softirqs", read_softirqs, t);
}

void cpu_since(struct cpu_times *t, const struct cpu_times *before)
{
	for (unsigned int i = 0; i < t->n; i++) {
		t->busy[i] -= before->busy[i];
		t->softirq[i] -= before->softirq[i];
		t->net_softirqs[i] -= before->net_softirqs[i];
	}
}

double cpu_sum(const double *v, unsigned int n)
{
	double sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += v[i];
	return sum;
}
