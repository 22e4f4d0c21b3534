// SPDX-License-Identifier: GPL-2.0-or-later
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc.h"
#include "shim_test.h"

/* An instance of its own leaves the tracing of others alone. */
#define INSTANCE "/sys/kernel/debug/tracing/instances/shim_test"

static int event_write(const char *event, const char *file, const char *text)
{
	char path[256];
	int err;

	snprintf(path, sizeof(path), INSTANCE "/events/%s/%s", event, file);
	err = proc_write(path, text);
	return err ? FAIL("%s: %s", path, strerror(-err)) : 0;
}

int trace_start(struct trace *t, const char *event, const char *filter)
{
	t->event = event;
	if (mkdir(INSTANCE, 0700) && errno != EEXIST)
		return FAIL("no tracefs: %s", strerror(errno));
	t->pipe = open(INSTANCE "/trace_pipe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (t->pipe < 0)
		return FAIL("trace_pipe: %s", strerror(errno));
	if (event_write(event, "filter", filter ?: "0") || event_write(event, "enable", "1")) {
		trace_stop(t);
		return -1;
	}
	return 0;
}

int trace_lines(struct trace *t, void (*each)(const char *line, void *arg), void *arg)
{
	static char buf[8192];
	size_t kept = 0;
	int lines = 0;
	ssize_t n;
	char *end;

	while ((n = read(t->pipe, buf + kept, sizeof(buf) - 1 - kept)) > 0) {
		kept += n;
		buf[kept] = 0;
		while ((end = strchr(buf, '\n'))) {
			*end = 0;
			if (strstr(buf, "EVENTS]"))
				return FAIL("the kernel has dropped events");
			each(buf, arg);
			lines++;
			kept -= end + 1 - buf;
			memmove(buf, end + 1, kept + 1);
		}
	}
	return lines;
}

void trace_stop(struct trace *t)
{
	event_write(t->event, "enable", "0");
	close(t->pipe);
	t->pipe = -1;
	rmdir(INSTANCE);
}
