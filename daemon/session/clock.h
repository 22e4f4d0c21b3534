/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMAP_SESSION_CLOCK_H
#define QMAP_SESSION_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds on a clock that nobody sets. */
static inline uint64_t session_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

#endif
