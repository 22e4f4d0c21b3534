// SPDX-License-Identifier: GPL-2.0-or-later
#include "lock.h"

#include <errno.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"

#define WAIT_MS 1000
#define STEP_US 10000

int lock_exclusive(int fd)
{
	static int64_t end; /* the process before this one has died before the first call */
	int ret;

	if (!end)
		end = clock_ms() + WAIT_MS;
	for (;;) {
		ret = flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
		if (ret != -EWOULDBLOCK || clock_ms() >= end)
			return ret;
		usleep(STEP_US);
	}
}
