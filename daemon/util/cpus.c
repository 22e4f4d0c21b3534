// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpus.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

bool cpus_parse(const char *list, cpu_set_t *cpus)
{
	CPU_ZERO(cpus);
	for (const char *p = list; *p;) {
		char *end;
		unsigned long first, last;

		if (*p < '0' || *p > '9')
			return false;
		first = last = strtoul(p, &end, 10);
		if (*end == '-' && end[1] >= '0' && end[1] <= '9')
			last = strtoul(end + 1, &end, 10);
		if (first > last || last >= CPUS_MAX || (*end && (*end != ',' || !end[1])))
			return false;
		for (; first <= last; first++)
			CPU_SET(first, cpus);
		p = *end ? end + 1 : end;
	}
	return CPU_COUNT(cpus);
}

void cpus_format(const cpu_set_t *cpus, char list[CPUS_LIST])
{
	size_t len = 0;

	list[0] = 0;
	for (int i = 0, last; i < CPUS_MAX && len < CPUS_LIST - 12; i = last + 1) {
		last = i;
		if (!CPU_ISSET(i, cpus))
			continue;
		while (last + 1 < CPUS_MAX && CPU_ISSET(last + 1, cpus))
			last++;
		len += snprintf(list + len, CPUS_LIST - len, "%s%d", len ? "," : "", i);
		if (last > i)
			len += snprintf(list + len, CPUS_LIST - len, "-%d", last);
	}
}
