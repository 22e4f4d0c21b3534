/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMAP_QMI_FD_SCAN_H
#define QMAP_QMI_FD_SCAN_H

#include <sys/types.h>

/*
 * How many other processes have character device @rdev open, and which (@first, may be NULL) is the
 * first of them. Negative errno if some process could not be looked at: then nobody knows.
 */
int fd_scan_device(dev_t rdev, pid_t *first);

/* What process @pid calls itself (/proc/PID/comm); empty if it is gone. */
void fd_scan_name(pid_t pid, char *name, size_t size);

#endif
