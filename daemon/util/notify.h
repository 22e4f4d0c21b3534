/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readiness for service managers: sd_notify(3)'s protocol without its library. */
#ifndef QMAP_NOTIFY_H
#define QMAP_NOTIFY_H

/* Sends @state ("READY=1") to $NOTIFY_SOCKET, if there is one. */
void notify(const char *state);

#endif
