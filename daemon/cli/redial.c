// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>

#include "util/json_add.h"
#include "config/words.h"
#include "daemon.h"
#include "output/output.h"

int cli_redial(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct json_object *request, *result = NULL;
	struct config_pdn pdn = {0};
	const char *dev;
	int ret;

	if (argc > 2)
		return error_set(err, -EINVAL, "one PDN at most, but there is also \"%.40s\"",
				 argv[2]);
	ret = cli_required_dev(argc ? 1 : 0, argv, &dev, err);
	/* by the table's word, so that the same numbers are valid everywhere */
	if (!ret && argc > 1)
		ret = config_word_set(config_word_find(CONFIG_PDN, "number", err), &pdn, argv[1],
				      err);
	if (ret)
		return ret;
	request = cli_request("redial", dev);
	if (pdn.number)
		json_add_int(request, "pdn", pdn.number);
	ret = cli_call(cli, request, CLI_ATTACH_TIMEOUT, &result, err);
	if (ret)
		return ret;
	output_result(&cli->output, result, output_show);
	ret = cli_failed_pdn(result, pdn.number, err);
	json_object_put(result);
	return ret;
}
