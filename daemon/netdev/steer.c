// SPDX-License-Identifier: GPL-2.0-or-later
#include "steer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cpus.h"
#include "util/sysfs.h"

#define RPS_CPUS "/sys/class/net/%s/queues/rx-0/rps_cpus"
/* of a mask: the kernel's groups of 8 digits for 32 CPUs, the highest first */
#define GROUPS	  (CPUS_MAX / 32)
#define MASK_SIZE (GROUPS * 9 + 1)

/* Adds the CPUs that get interrupt @irq. */
static bool add_interrupt(const char *irq, void *arg)
{
	char list[CPUS_LIST];
	cpu_set_t cpus;

	if (sysfs_text(list, sizeof(list), "/proc/irq/%s/effective_affinity_list", irq) &&
	    cpus_parse(list, &cpus))
		CPU_OR((cpu_set_t *)arg, (cpu_set_t *)arg, &cpus);
	return true;
}

/* Interrupts belong to the modem's own device on PCIe, and to the controller on USB. */
static void find_interrupts(const char *device, cpu_set_t *cpus)
{
	char path[SYSFS_PATH], irq[16], *slash;

	CPU_ZERO(cpus);
	snprintf(path, sizeof(path), "%s", device);
	while (!CPU_COUNT(cpus) && (slash = strrchr(path, '/')) && slash > path) {
		sysfs_each(add_interrupt, cpus, "%s/msi_irqs", path);
		if (!CPU_COUNT(cpus) && sysfs_text(irq, sizeof(irq), "%s/irq", path))
			add_interrupt(irq, cpus);
		*slash = 0;
	}
}

void steer_choose(const char *device, cpu_set_t *cpus)
{
	cpu_set_t busy;
	char list[CPUS_LIST];

	if (!sysfs_text(list, sizeof(list), "/sys/devices/system/cpu/online") ||
	    !cpus_parse(list, cpus) || CPU_COUNT(cpus) == 1) {
		CPU_ZERO(cpus);
		return;
	}
	find_interrupts(device, &busy);
	CPU_AND(&busy, &busy, cpus);
	if (CPU_COUNT(&busy) == 1)
		CPU_XOR(cpus, cpus, &busy);
}

bool steer_read(const char *name, cpu_set_t *cpus)
{
	char text[MASK_SIZE], *p;
	int group = 0;

	if (!sysfs_text(text, sizeof(text), RPS_CPUS, name))
		return false;
	CPU_ZERO(cpus);
	for (; group < GROUPS; group++) {
		unsigned long bits;

		p = strrchr(text, ',');
		bits = strtoul(p ? p + 1 : text, NULL, 16);
		for (int i = 0; i < 32; i++)
			if (bits >> i & 1)
				CPU_SET(32 * group + i, cpus);
		if (!p)
			break;
		*p = 0;
	}
	return true;
}

int steer_write(const char *name, const cpu_set_t *cpus)
{
	char text[MASK_SIZE] = "";
	size_t len = 0;

	for (int group = GROUPS - 1; group >= 0; group--) {
		unsigned int bits = 0;

		for (int i = 0; i < 32; i++)
			bits |= (unsigned int)CPU_ISSET(32 * group + i, cpus) << i;
		if (bits || len ||
		    !group) /* the kernel refuses a mask of more CPUs than it knows */
			len += snprintf(text + len, sizeof(text) - len, len ? ",%08x" : "%x", bits);
	}
	return sysfs_write(text, RPS_CPUS, name);
}
