/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracepoints of the kernel, one at a time, by tracefs. */
#ifndef VM_TRACE_H
#define VM_TRACE_H

#include <stdbool.h>

struct trace {
	int pipe; /* trace_pipe */
	const char *event;
};

/*
 * Traces @event ("skb/kfree_skb") if @filter, in the kernel's syntax, matches; NULL: always. 0, or
 * -1 with a message.
 */
int trace_start(struct trace *t, const char *event, const char *filter);
/* Calls @each for pending lines. Returns their number, or -1. */
int trace_lines(struct trace *t, void (*each)(const char *line, void *arg), void *arg);
void trace_stop(struct trace *t);

#endif
