/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs as a list, as in /sys: "0,2-3". */
#ifndef QMAP_CPUS_H
#define QMAP_CPUS_H

#include <sched.h>
#include <stdbool.h>

#define CPUS_LIST 128			       /* bytes of a list */
#define CPUS_MAX  (8 * (int)sizeof(cpu_set_t)) /* musl's CPU_SETSIZE is the number of bytes */

/* False: it is no list of CPUs, or empty. */
bool cpus_parse(const char *list, cpu_set_t *cpus);
/* The reverse; "" for none. What does not fit is left out. */
void cpus_format(const cpu_set_t *cpus, char list[CPUS_LIST]);

#endif
