/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMAP_QMI_FD_SCAN_H
#define QMAP_QMI_FD_SCAN_H

#include <sys/types.h>

/*
 * Number of other processes that have character device @rdev open; @first (may be NULL) gets the
 * first of them. Negative errno if some process could not be examined: the number is then unknown.
 */
int fd_scan_device(dev_t rdev, pid_t *first);

/* Name of process @pid (/proc/PID/comm); empty if it has ended. */
void fd_scan_name(pid_t pid, char *name, size_t size);

#endif
