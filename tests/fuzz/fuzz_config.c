// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration in its three forms. The first byte selects the form; any accepted input must
 * survive the conversion to JSON and back unchanged.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/util/log.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool what)
{
	if (!what)
		abort();
}

static int check_round_trip(const struct config_trunk *c, void *arg)
{
	struct config_trunk *back = malloc(sizeof(*back));
	struct json_object *o = config_trunk_to_json(c, true);
	struct json_object *parsed = json_tokener_parse(json_object_to_json_string(o));

	must(back && parsed);
	must(!config_trunk_from_json(back, parsed, NULL));
	must(back->npdns == c->npdns);
	must(!memcmp(back->pdns, c->pdns, c->npdns * sizeof(c->pdns[0])));
	must(!memcmp(back, c, offsetof(struct config_trunk, pdns)));
	json_object_put(parsed);
	json_object_put(o);
	free(back);
	return 0;
}

static void fuzz_text(const char *text)
{
	static struct config_trunk c;
	struct error err = {0};

	config_trunk_init(&c);
	config_trunk_set(&c, "dev", "wwan0", NULL);
	if (config_pdn_add(&c, text, &err))
		must(err.err && err.text[0] && !c.npdns);
	else if (!config_trunk_finish(&c, NULL))
		check_round_trip(&c, NULL);
}

static void fuzz_json(const char *text)
{
	struct json_object *o = json_tokener_parse(text);
	static struct config_trunk c;
	struct error err = {0};

	if (config_trunk_from_json(&c, o, &err))
		must(err.err && err.text[0]);
	else
		check_round_trip(&c, NULL);
	json_object_put(o);
}

static void fuzz_file(const char *text, size_t size)
{
	int fd = memfd_create("qmapd.conf", MFD_CLOEXEC);
	struct error err = {0};
	char path[32];

	must(fd >= 0 && write(fd, text, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_file_read(path, check_round_trip, NULL, &err))
		must(err.err && err.text[0]);
	close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = calloc(1, size);
	must(text);
	memcpy(text, data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		fuzz_text(text);
		break;
	case 1:
		fuzz_json(text);
		break;
	case 2:
		fuzz_file(text, size - 1);
		break;
	}
	free(text);
	return 0;
}
