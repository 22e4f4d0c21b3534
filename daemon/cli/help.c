// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/libbpf.h>
#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "util/json_add.h"
#include "util/json_get.h"
#include "cli.h"
#include "output/output.h"
#include "qmap/abi.h"

int cli_help(struct cli *cli, int argc, char **argv, struct error *err)
{
	const struct cli_command *cmd = NULL;

	if (argc > 1)
		return error_set(err, -EINVAL, "help about one command at a time");
	if (argc) {
		cmd = cli_find_command(argv[0], err);
		if (!cmd)
			return -EINVAL;
	}
	cli_print_help(stdout, cmd);
	return 0;
}

static void print_version(const struct output *output, FILE *out, struct json_object *array)
{
	struct json_object *o = json_object_array_get_idx(array, 0);

	fprintf(out, "qmapctl %s (ABI %d), libbpf %s, libevent %s, json-c %s\n",
		json_get_string(o, "version"), (int)json_get_int(o, "abi"),
		json_get_string(o, "libbpf"), json_get_string(o, "libevent"),
		json_get_string(o, "json_c"));
}

int cli_version(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct json_object *array = json_object_new_array(), *o = json_object_new_object();

	if (argc) {
		json_object_put(array);
		json_object_put(o);
		return error_set(err, -EINVAL, "version takes no argument");
	}
	json_add_string(o, "version", QMAP_VERSION);
	json_add_int(o, "abi", QMAP_ABI_VERSION);
	json_add_string(o, "libbpf", libbpf_version_string());
	json_add_string(o, "libevent", event_get_version());
	json_add_string(o, "json_c", json_c_version());
	json_object_array_add(array, o);
	output_result(&cli->output, array, print_version);
	json_object_put(array);
	return 0;
}
