/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identifies the device that a client of the proxy names. */
#ifndef QMAP_PROXY_DEVICE_H
#define QMAP_PROXY_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

/* Do the two paths name the same device, directly or by a link? */
bool proxy_device_same(const char *device, const char *path);

/*
 * Is @path a modem's QMI device according to /sys? @real gets its path without links. A client must
 * not make the daemon open arbitrary devices: opening a watchdog starts it.
 */
bool proxy_device_is_modem(const char *path, char *real, size_t size);

#endif
