// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>

#include "daemon.h"
#include "local.h"
#include "discover/probe.h"
#include "output/output.h"

/* A trunk that waits for its modem has no counters, which is no failure of the others. */
int cli_show_and_stats(const struct cli *cli, const char *dev, struct json_object **show,
		       struct json_object **stats, struct error *err)
{
	struct error why = {0};
	int ret = cli_ask(cli, "show", dev, local_show, show, err);

	if (ret)
		return ret;
	ret = cli_ask(cli, "stats", dev, local_stats, stats, &why);
	if (ret && ret != -EBUSY)
		return error_pass(err, &why);
	return 0;
}

typedef void (*print_fn)(const struct output *output, FILE *out, struct json_object *result);

static int ask_and_print(struct cli *cli, const char *command, int argc, char **argv,
			 cli_local_fn local, print_fn print, struct error *err)
{
	struct json_object *result = NULL;
	const char *dev;
	int ret = cli_optional_dev(argc, argv, &dev, err);

	if (!ret)
		ret = cli_ask(cli, command, dev, local, &result, err);
	if (ret)
		return ret;
	output_result(&cli->output, result, print);
	json_object_put(result);
	return 0;
}

int cli_show(struct cli *cli, int argc, char **argv, struct error *err)
{
	return ask_and_print(cli, "show", argc, argv, local_show, output_show, err);
}

int cli_stats(struct cli *cli, int argc, char **argv, struct error *err)
{
	return ask_and_print(cli, "stats", argc, argv, local_stats, output_stats, err);
}

/* Examines this machine for any user: needs neither a daemon nor privileges. */
int cli_probe(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct json_object *result = NULL;
	const char *dev;
	int ret = cli_optional_dev(argc, argv, &dev, err);

	if (!ret)
		ret = discover_probe(&result, dev, err);
	if (ret)
		return ret;
	output_result(&cli->output, result, output_probe);
	json_object_put(result);
	return 0;
}
