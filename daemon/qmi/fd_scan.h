/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMAP_QMI_FD_SCAN_H
#define QMAP_QMI_FD_SCAN_H

#include <sys/types.h>

/*
 * How many other processes have character device @rdev open. Negative errno if some process could
 * not be looked at: then nobody knows.
 */
int fd_scan_device(dev_t rdev);

#endif
