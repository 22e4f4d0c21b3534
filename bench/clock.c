// SPDX-License-Identifier: GPL-2.0-or-later
#include "clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

uint64_t clock_waited_ns(void)
{
	static int fd = -1;
	char text[64];
	ssize_t n;

	if (fd < 0)
		fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = 0;
	return strtoull(text + strcspn(text, " "), NULL, 10);
}

uint64_t clock_running_ns(void)
{
	uint64_t waited = clock_waited_ns();

	return clock_ns() - waited;
}
