/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics, to stderr. Levels are defined by consequence: error: a request cannot be served;
 * warning: the daemon took a fallback; info: a handful of lines a day (attach, detach, up, down);
 * debug: everything. If stderr is the journal ($JOURNAL_STREAM), lines carry a <N> prefix.
 */
#ifndef QMAP_LOG_H
#define QMAP_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVELS
};

void log_set_level(enum log_level level);
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * At most @burst lines a minute from one call site, for messages that a peer can provoke at
 * will.
 */
struct log_limit {
	int64_t since; /* ms: start of the current minute; 0: none yet */
	unsigned int n;
};

/* May the caller write one more line? Logs once a minute how many were dropped. */
bool log_allows(struct log_limit *l, unsigned int burst);

#define log_limited(level, burst, ...)                                                             \
	do {                                                                                       \
		static struct log_limit limit_;                                                    \
		if (log_allows(&limit_, burst))                                                    \
			log_write(level, __VA_ARGS__);                                             \
	} while (0)

/* Logs @err as "@subject: text; hint". */
struct error;
void log_failure(const char *subject, const struct error *err);

#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
