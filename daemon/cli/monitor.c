// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "util/json_add.h"
#include "daemon.h"
#include "control/client.h"
#include "output/output.h"

static int on_line(void *arg, struct json_object *line)
{
	const struct cli *cli = arg;

	if (!cli->output.quiet)
		output_event(&cli->output, stdout, line);
	/* flush each line, also into a pipe; end when the reader has closed it */
	return fflush(stdout) ? -EPIPE : 0;
}

static struct json_object *make_request(const struct cli *cli, const char *dev)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "command", "monitor");
	json_add_int(o, "last", cli->last);
	if (dev)
		json_add_string(o, "dev", dev);
	return o;
}

/* @dev may be attached later, and will have events then. */
static void warn_if_unknown(struct cli *cli, const char *dev)
{
	struct json_object *request = cli_request("show", dev), *result = NULL;
	struct error err = {0};

	if (cli_call(cli, request, CLI_TIMEOUT, &result, &err) == -ENODEV)
		fprintf(stderr, "qmapctl: %s%s%s; waiting for it\n", err.text,
			err.hint[0] ? ": " : "", err.hint);
	json_object_put(result);
}

int cli_monitor(struct cli *cli, int argc, char **argv, struct error *err)
{
	const char *dev;
	int ret = cli_optional_dev(argc, argv, &dev, err);

	if (ret)
		return ret;
	if (dev)
		warn_if_unknown(cli, dev);
	return cli_stream(cli, make_request(cli, dev), NULL, on_line, cli, err);
}
