// SPDX-License-Identifier: GPL-2.0-only
/* Per-CPU counters and their names. */

#include "shim.h"

const char trunk_counter_names[TRUNK_COUNTER_MAX][ETH_GSTRING_LEN] = {
#define X(sym, name) [TRUNK_##sym] = name,
	TRUNK_COUNTERS(X)
#undef X
#define X(sym, name, text) [TRUNK_DROPS + QMAP_DROP_##sym] = "drop_" name,
		QMAP_DROP_REASONS(X)
#undef X
};

const char port_counter_names[PORT_COUNTER_MAX][ETH_GSTRING_LEN] = {
#define X(sym, name) [PORT_##sym] = name,
	PORT_COUNTERS(X)
#undef X
};

struct counters __percpu *counters_new(void)
{
	return netdev_alloc_pcpu_stats(struct counters);
}

void counters_sum(struct counters __percpu *c, u64 *sum, unsigned int n)
{
	u64 part[COUNTERS_MAX];
	unsigned int i, start;
	int cpu;

	memset(sum, 0, n * sizeof(*sum));
	for_each_possible_cpu(cpu)
	{
		const struct counters *p = per_cpu_ptr(c, cpu);

		do {
			start = u64_stats_fetch_begin(&p->syncp);
			for (i = 0; i < n; i++)
				part[i] = u64_stats_read(&p->n[i]);
		} while (u64_stats_fetch_retry(&p->syncp, start));
		for (i = 0; i < n; i++)
			sum[i] += part[i];
	}
}
