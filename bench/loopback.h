/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WDA loopback of a modem whose control channel qmapd or a qmi-proxy owns. */
#ifndef BENCH_LOOPBACK_H
#define BENCH_LOOPBACK_H

#include "daemon/util/error.h"

struct loopback;

/*
 * Through this machine's qmi-proxy, makes the modem behind @device (`control` in `qmapctl show`)
 * send every uplink packet back @factor times. @err says why it refuses: the firmware of many
 * modems has no loopback (-EOPNOTSUPP).
 */
int loopback_on(struct loopback **out, const char *device, unsigned int factor, struct error *err);

/* Switches it off and releases the client id. NULL is allowed. */
void loopback_off(struct loopback **l);

#endif
