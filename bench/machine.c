// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine.h"

#include <bpf/libbpf.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Reads the value behind "@key...:" in a file of /proc; "unknown" if it is missing. */
static void read_field(const char *path, const char *key, char *value, size_t size)
{
	FILE *f = fopen(path, "re");
	char line[512];

	snprintf(value, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (!colon || strncmp(line, key, strlen(key)))
			continue;
		colon += 1 + strspn(colon + 1, " \t");
		colon[strcspn(colon, "\n")] = 0;
		snprintf(value, size, "%s", colon);
		break;
	}
	if (f)
		fclose(f);
}

static void add_field(struct json_object *o, const char *name, const char *path, const char *key)
{
	char value[256];

	read_field(path, key, value, sizeof(value));
	json_object_object_add(o, name, json_object_new_string(value));
}

/* Adds a file's first line; "unknown" without one. Guests and containers have no governor. */
static void add_line(struct json_object *o, const char *name, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[128] = "";

	if (f && fgets(line, sizeof(line), f))
		line[strcspn(line, "\n")] = 0;
	if (f)
		fclose(f);
	json_object_object_add(o, name, json_object_new_string(line[0] ? line : "unknown"));
}

static struct json_object *versions(void)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "qmap", json_object_new_string(QMAP_VERSION));
	json_object_object_add(o, "libbpf", json_object_new_string(libbpf_version_string()));
	json_object_object_add(o, "clang", json_object_new_string(BENCH_CLANG));
	return o;
}

static int read_jit(void)
{
	FILE *f = fopen("/proc/sys/net/core/bpf_jit_enable", "re");
	int jit = -1;

	if (f && fscanf(f, "%d", &jit) != 1)
		jit = -1;
	if (f)
		fclose(f);
	return jit;
}

void machine_describe(struct json_object *o)
{
	struct utsname u;

	uname(&u);
	json_object_object_add(o, "kernel", json_object_new_string(u.release));
	add_field(o, "cpu", "/proc/cpuinfo", "model name");
	json_object_object_add(o, "cpus", json_object_new_int(sysconf(_SC_NPROCESSORS_ONLN)));
	add_line(o, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	json_object_object_add(o, "jit", json_object_new_int(read_jit()));
	add_field(o, "capabilities", "/proc/self/status", "CapEff");
	json_object_object_add(o, "versions", versions());
}
