/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages to the service manager: sd_notify(3)'s protocol without its library. */
#ifndef QMAP_NOTIFY_H
#define QMAP_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Sends a state ("READY=1", or several separated by newlines) to $NOTIFY_SOCKET, if that is set. */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Is $NOTIFY_SOCKET set? */
bool notify_wanted(void);

/*
 * Interval in microseconds in which the service manager expires this process's watchdog unless it
 * receives WATCHDOG=1; 0: it does not ($WATCHDOG_USEC, $WATCHDOG_PID).
 */
uint64_t notify_watchdog_usec(void);

#endif
