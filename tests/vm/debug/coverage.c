// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coverage of the module, built into it with COVERAGE=1 (build_module in tests/vm/guest_lib.sh). KCOV
 * records system calls of one task only, and Debian's kernels lack it; this counts in softirqs, too.
 *
 * An edge is a pair of basic blocks that ran one after the other on a CPU. Two edges can have the same
 * hash: with some thousand edges, a few are missed.
 */

#include <linux/export.h>
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/percpu.h>

#define EDGE_BITS 20

static u8 seen[1 << EDGE_BITS];
static DEFINE_PER_CPU(unsigned long, last_block);

static unsigned int edges;
module_param(edges, uint, 0444);
MODULE_PARM_DESC(edges, "edges that have run since the module was loaded");

void __sanitizer_cov_trace_pc(void);

/* Called by the compiler's code at the begin of each basic block. */
void notrace __sanitizer_cov_trace_pc(void)
{
	unsigned long block = _RET_IP_;
	u8 *edge = &seen[hash_long(block ^ this_cpu_read(last_block) << 1, EDGE_BITS)];

	this_cpu_write(last_block, block);
	if (likely(READ_ONCE(*edge)))
		return;
	WRITE_ONCE(*edge, 1);
	edges++;
}
EXPORT_SYMBOL_GPL(__sanitizer_cov_trace_pc);
