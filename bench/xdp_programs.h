/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs of the xdp data path that runs in a world. */
#ifndef BENCH_XDP_PROGRAMS_H
#define BENCH_XDP_PROGRAMS_H

#include "world.h"

enum xdp_prog {
	XDP_PROG_ENTER,
	XDP_PROG_SPLIT,
	XDP_PROG_TRIM,
	XDP_PROG_DELIVER,
	XDP_PROG_UPLINK,
	XDP_PROGS
};

extern const char *const xdp_prog_names[XDP_PROGS];

/* Returns descriptors. 0 or a negative errno; the caller closes them in either case. */
int xdp_programs_find(const struct world *w, int *fds);
void xdp_programs_close(const int *fds);

#endif
