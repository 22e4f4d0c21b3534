/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPUs to which a netdev's received packets are spread, flow by flow: the kernel's receive packet
 * steering (RPS). The flows of one CPU stay in order.
 */
#ifndef QMAP_NETDEV_STEER_H
#define QMAP_NETDEV_STEER_H

#include <sched.h>
#include <stdbool.h>

/*
 * All online CPUs but the one that has the interrupt of @device, a path in /sys/devices, or of the
 * controller above it: that one splits the aggregates. All, if that CPU is unknown or not one alone;
 * none, if there is one CPU.
 */
void steer_choose(const char *device, cpu_set_t *cpus);

/* Of a netdev in the namespace of this process. False: there is no such netdev, or no RPS. */
bool steer_read(const char *name, cpu_set_t *cpus);
/* A negative errno; -EINVAL if the kernel accepts none of @cpus. */
int steer_write(const char *name, const cpu_set_t *cpus);

#endif
