// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two configurations as JSON, one line each, and the steps from one to the other: none between
 * equal ones, each step at most once per trunk and PDN, in the order of execution. A configuration
 * written to a file is equal when read back.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/config/diff.h"
#include "daemon/util/log.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config_trunk running, wanted;

static void must(bool what)
{
	if (!what)
		abort();
}

static void check_plan(const struct config_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct config_step *s = &plan->steps[i];
		struct json_object *o = config_step_to_json(s);

		must(s->kind < CONFIG_STEP_KINDS && !strcmp(s->dev, wanted.dev));
		must(json_object_to_json_string(o));
		json_object_put(o);
		for (size_t k = 0; k < i; k++)
			must(plan->steps[k].kind != s->kind || plan->steps[k].pdn != s->pdn);
		must(!i || plan->steps[i - 1].kind <= s->kind);
	}
}

static void difference(const struct config_trunk *from, const struct config_trunk *to)
{
	struct config_plan plan = {0};

	must(!config_diff(&plan, from, to));
	must(from != to || !plan.n);
	must((from && to) || plan.n == 1);
	check_plan(&plan);
	config_plan_clear(&plan);
}

static int is_the_same(const struct config_trunk *c, void *arg)
{
	struct config_plan plan = {0};

	must(!config_diff(&plan, &wanted, c) && !plan.n);
	config_plan_clear(&plan);
	return 0;
}

static void write_and_read(void)
{
	int fd = memfd_create("qmapd.conf", MFD_CLOEXEC);
	struct error err = {0};
	char path[32];
	FILE *f;
	int ret;

	must(fd >= 0);
	f = fdopen(dup(fd), "w");
	must(f);
	ret = config_file_write(f, &wanted, &err);
	must(!ret || (ret == -EINVAL && err.text[0]));
	fclose(f);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(ret || !config_file_read(path, is_the_same, NULL, &err));
	close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static bool read_config(struct config_trunk *c, const char *text)
{
	struct json_object *o = json_tokener_parse(text);
	bool good = !config_trunk_from_json(c, o, NULL);

	json_object_put(o);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *second = strchr(text, '\n');

	must(text);
	if (second)
		*second++ = '\0';
	if (read_config(&wanted, text)) {
		difference(NULL, &wanted);
		difference(&wanted, NULL);
		difference(&wanted, &wanted);
		write_and_read();
		if (second && read_config(&running, second) && !strcmp(running.dev, wanted.dev)) {
			config_trunk_take_secrets(&wanted, &running);
			difference(&running, &wanted);
		}
	}
	free(text);
	return 0;
}
