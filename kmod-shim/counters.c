// SPDX-License-Identifier: GPL-2.0-only
/* Per-CPU counters and their names. */

#include "shim.h"

const char trunk_counter_names[TRUNK_COUNTER_MAX][ETH_GSTRING_LEN] = {
	[TRUNK_AGGREGATES] = "aggregates",
	[TRUNK_BYTES] = "bytes",
	[TRUNK_FRAMES] = "frames",
	[TRUNK_REDIRECTED] = "redirected",
	[TRUNK_REPLIES] = "replies",
	[TRUNK_TX_AGGREGATES] = "tx_aggregates",
	[TRUNK_TX_BYTES] = "tx_bytes",
	[TRUNK_TX_FRAMES] = "tx_frames",
/* in the order of enum qmap_drop, from TRUNK_DROPS on */
#define X(sym, name, text) "drop_" name,
	QMAP_DROP_REASONS(X)
#undef X
};

static_assert(TRUNK_DROPS == TRUNK_TX_FRAMES + 1);

const char port_counter_names[PORT_STRINGS][ETH_GSTRING_LEN] = {
	[PORT_RX_PACKETS] = "rx_packets",
	[PORT_RX_BYTES] = "rx_bytes",
	[PORT_RX_DROPPED] = "rx_dropped",
	[PORT_RX_CSUM_OK] = "rx_csum_ok",
	[PORT_RX_CSUM_NONE] = "rx_csum_none",
	[PORT_RX_CHAINS] = "rx_chains",
	[PORT_RX_COALESCED] = "rx_coalesced",
	[PORT_TX_PACKETS] = "tx_packets",
	[PORT_TX_BYTES] = "tx_bytes",
	[PORT_TX_DROPPED] = "tx_dropped",
	[PORT_TX_GSO_PACKETS] = "tx_gso_packets",
	[PORT_TX_GSO_SEGMENTS] = "tx_gso_segments",
	[PORT_REPLIES] = "replies",
	[PORT_FLOW_STOPS] = "flow_stops",
	[PORT_FLOW_OFF] = "flow_off",
	[PORT_BACKLOG_DROPPED] = "rx_backlog_dropped",
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
	for_each_possible_cpu(cpu) {
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
