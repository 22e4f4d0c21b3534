/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BENCH_MODEM_H
#define BENCH_MODEM_H

#include "record.h"

/*
 * `qmap-bench modem`: measures an attached trunk with its own modem. @argv[0] is "modem". Returns
 * the exit code.
 */
int bench_modem(const struct recorder *r, int argc, char **argv);

#endif
