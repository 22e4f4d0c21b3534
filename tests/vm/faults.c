// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults.h"

#include <errno.h>
#include <stdio.h>

#include "proc.h"

/* An allocation of the write itself may be one that fails; it must not leave faults switched on. */
static void write_through(const char *path, long value)
{
	while (proc_write_number(path, value) == -ENOMEM)
		;
}

void faults_set(const char *kind, const char *file, long value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, file);
	write_through(path, value);
}

void faults_of_thread(bool on)
{
	write_through("/proc/thread-self/make-it-fail", on);
}

void faults_start(const char *kind, unsigned int percent, bool sleepers)
{
	faults_set(kind, "ignore-gfp-wait", !sleepers);
	faults_set(kind, "times", -1);
	faults_set(kind, "verbose", 0);
	faults_set(kind, "task-filter", sleepers);
	faults_set(kind, "probability", percent);
}

void faults_stop(const char *kind)
{
	faults_set(kind, "probability", 0);
	faults_set(kind, "task-filter", 0);
}
