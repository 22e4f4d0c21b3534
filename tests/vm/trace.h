/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracepoints of the kernel, one at a time, by tracefs. */
#ifndef VM_TRACE_H
#define VM_TRACE_H

#include <stdbool.h>

struct trace {
	int pipe; /* what has been traced is read from here */
	const char *event;
};

/*
 * Traces @event ("skb/kfree_skb") where @filter, in the kernel's words, holds; NULL: everywhere.
 * 0, or -1 with a message.
 */
int trace_start(struct trace *t, const char *event, const char *filter);
/* Calls @each for the lines that have come. Returns how many, or -1. */
int trace_lines(struct trace *t, void (*each)(const char *line, void *arg), void *arg);
void trace_stop(struct trace *t);

#endif
