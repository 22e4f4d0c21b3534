// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "printable.h"

static const struct {
	const char *name;
	int priority; /* syslog's, sd-daemon(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error: ", 3},
	[LOG_LEVEL_WARNING] = {"warning: ", 4},
	[LOG_LEVEL_INFO] = {"", 6},
	[LOG_LEVEL_DEBUG] = {"debug: ", 7},
};

static enum log_level max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	max_level = level;
}

/*
 * $JOURNAL_STREAM is inherited by children whose stderr has been redirected elsewhere: only the
 * device and inode that it names tell (systemd.exec(5)).
 */
static bool stderr_is_journal(void)
{
	unsigned long long dev, ino;
	const char *env = getenv("JOURNAL_STREAM");
	struct stat st;

	if (!env || sscanf(env, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st))
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

bool log_allows(struct log_limit *l, unsigned int burst)
{
	int64_t now = clock_ms();

	if (!l->since || now - l->since >= 60000) {
		if (l->n > burst)
			log_warning("%u messages of the kind that follows were left out",
				    l->n - burst);
		*l = (struct log_limit){.since = now};
	}
	return l->n++ < burst;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	char text[1024];
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Words of a modem or a client may be in it: one message stays one line. */
	printable(text);
	if (stderr_is_journal())
		fprintf(stderr, "<%d>%s\n", levels[level].priority, text);
	else
		fprintf(stderr, "%s: %s%s\n", program_invocation_short_name, levels[level].name,
			text);
	errno = saved;
}
