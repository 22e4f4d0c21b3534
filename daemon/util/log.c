// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "clock.h"
#include "error.h"
#include "printable.h"

static const struct {
	const char *name;
	int priority; /* syslog's numbers, see sd-daemon(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error: ", 3},
	[LOG_LEVEL_WARNING] = {"warning: ", 4},
	[LOG_LEVEL_INFO] = {"", 6},
	[LOG_LEVEL_DEBUG] = {"debug: ", 7},
};
TABLE_COMPLETE(levels, LOG_LEVELS);

#define MAX_TEXT 1024 /* two lines with their prefixes fit into PIPE_BUF */

static enum log_level max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	max_level = level;
}

/*
 * Children inherit $JOURNAL_STREAM even if their stderr has been redirected elsewhere, so compare
 * the device and inode that it names (systemd.exec(5)).
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

static int format_line(enum log_level level, const char *text, char *buf, size_t size)
{
	if (stderr_is_journal())
		return snprintf(buf, size, "<%d>%s\n", levels[level].priority, text);
	return snprintf(buf, size, "%s: %s%s\n", program_invocation_short_name, levels[level].name,
			text);
}

/* A single write, so that the room promised by poll(2) is still there. */
static void write_line(enum log_level level, const char *text)
{
	static unsigned int lost;
	char out[2 * MAX_TEXT], notice[64];
	int len = 0;
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	/*
	 * A reader of standard error that has stopped must not block the daemon: lines without room
	 * are dropped. If poll(2) promises room, there is enough for a line (PIPE_BUF of a pipe).
	 */
	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)) {
		lost++;
		return;
	}
	if (lost) {
		snprintf(notice, sizeof(notice), "%u lines of log were lost: nobody read them",
			 lost);
		len = format_line(LOG_LEVEL_WARNING, notice, out, sizeof(out));
		lost = 0;
	}
	len += format_line(level, text, out + len, sizeof(out) - len);
	if (write(STDERR_FILENO, out, len < (int)sizeof(out) ? len : (int)sizeof(out) - 1) < 0)
		lost++;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	char text[MAX_TEXT];
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* The text may quote a modem or a client; printable() keeps it on one line. */
	printable(text);
	write_line(level, text);
	errno = saved;
}

void log_failure(const char *subject, const struct error *err)
{
	log_error("%s: %s%s%s", subject, err->text, err->hint[0] ? "; " : "", err->hint);
}
