// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>

#include "util/json_add.h"
#include "config/words.h"
#include "daemon.h"
#include "output/output.h"

/* Parses by the table's word for a PDN's number, so that the same numbers are valid everywhere. */
static int read_number(const char *text, unsigned int *number, struct error *err)
{
	const struct config_word *w = config_word_find(CONFIG_PDN, "number", err);
	struct config_pdn pdn = {0};
	int ret = w ? config_word_set(w, &pdn, text, err) : -EINVAL;

	*number = pdn.number;
	return ret;
}

int cli_redial(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct json_object *request, *result = NULL;
	unsigned int number = 0;
	const char *dev;
	int ret;

	if (argc > 2)
		return error_set(err, -EINVAL, "one PDN at most, but there is also \"%.40s\"",
				 argv[2]);
	ret = cli_required_dev(argc ? 1 : 0, argv, &dev, err);
	if (!ret && argc > 1)
		ret = read_number(argv[1], &number, err);
	if (ret)
		return ret;
	request = cli_request("redial", dev);
	if (number)
		json_add_int(request, "pdn", number);
	ret = cli_call(cli, request, CLI_ATTACH_TIMEOUT, &result, err);
	if (ret)
		return ret;
	output_result(&cli->output, result, output_show);
	ret = cli_failed_pdn(result, number, err);
	json_object_put(result);
	return ret;
}
