/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WDA loopback of a modem whose control channel qmapd, or somebody's qmi-proxy, owns. */
#ifndef BENCH_LOOPBACK_H
#define BENCH_LOOPBACK_H

#include "daemon/util/error.h"

struct loopback;

/*
 * Through the qmi-proxy of this machine, tells the modem behind @device (what `qmapctl show` calls
 * control) to send every uplink packet back @factor times. A sentence where it will not: firmware
 * of many modems has no loopback (-EOPNOTSUPP).
 */
int loopback_on(struct loopback **out, const char *device, unsigned int factor, struct error *err);

/* Switches it off and gives the client id back. NULL is allowed. */
void loopback_off(struct loopback **l);

#endif
