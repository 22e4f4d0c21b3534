// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>

#include "daemon.h"
#include "output/output.h"

/* `show` and `monitor` report the changes that qmapd makes afterwards. */
int cli_reload(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct json_object *result = NULL;
	int ret;

	if (argc)
		return error_set(err, -EINVAL, "unexpected argument \"%.40s\"", argv[0]);
	ret = cli_call(cli, cli_request("reload", NULL), CLI_TIMEOUT, &result, err);
	if (ret)
		return ret;
	output_result(&cli->output, result, NULL);
	json_object_put(result);
	return 0;
}
