/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a service manager is told: sd_notify(3)'s protocol without its library. */
#ifndef QMAP_NOTIFY_H
#define QMAP_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Sends a state ("READY=1", or several with newlines between them) to $NOTIFY_SOCKET, if there is
 * one. */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Is there a service manager that listens? */
bool notify_wanted(void);

/* How often the service manager wants to hear WATCHDOG=1 from this process, in microseconds; 0:
 * never ($WATCHDOG_USEC, $WATCHDOG_PID). */
uint64_t notify_watchdog_usec(void);

#endif
