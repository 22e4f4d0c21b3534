/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each level of measurements is one `struct bench` in one file, or a script. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>

#include "record.h"

struct bench {
	const char *name;
	const char *what; /* one line for `list` */
	const char
		*script; /* bench/SCRIPT, which prints results for record_add_stream(); or NULL */
	/* Runs in a process of its own. Returns 0 or a negative errno after a message on stderr. */
	int (*run)(const struct recorder *r);
};

extern const struct bench bench_programs;

/* Directory of the scripts: bench/ of the source tree, or libexec/qmap-bench where installed. */
const char *bench_directory(void);

/* Scripts that need the source tree are not installed. */
bool bench_is_here(const struct bench *b);

/*
 * Runs the script of a level with ROUNDS and SCALE in its environment. Result as struct
 * bench.run.
 */
int bench_run_script(const struct bench *b, const struct recorder *r);

#endif
