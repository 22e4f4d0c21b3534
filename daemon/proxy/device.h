/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which device a client of the proxy means. */
#ifndef QMAP_PROXY_DEVICE_H
#define QMAP_PROXY_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

/* Do the two paths name the same device, perhaps one of them by a link? */
bool proxy_device_same(const char *device, const char *path);

/*
 * Is @path a modem's QMI device by what /sys says of it? @real gets its path without links. A
 * client must not make us open just any device: to open a watchdog is to start it.
 */
bool proxy_device_is_modem(const char *path, char *real, size_t size);

#endif
