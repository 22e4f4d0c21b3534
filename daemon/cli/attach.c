// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "daemon.h"
#include "local.h"
#include "hooks/hook_run.h"
#include "output/output.h"
#include "util/json_add.h"
#include "util/error_json.h"
#include "util/json_get.h"

int cli_failed_pdn(struct json_object *trunks, unsigned int number, struct error *err)
{
	struct json_object *trunk, *pdn, *failure;

	for (size_t i = 0; i < json_object_array_length(trunks); i++) {
		trunk = json_object_array_get_idx(trunks, i);
		for (size_t j = 0; (pdn = json_get_element(trunk, "pdns", j)); j++) {
			failure = json_get_object(pdn, "failure");
			if (failure && (!number || json_get_int(pdn, "number") == number))
				return error_from_json(err, failure);
		}
	}
	return 0;
}

int cli_attach(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct json_object *request, *result = NULL;
	const char *dev;
	int ret = cli_required_dev(argc, argv, &dev, err);

	if (!ret)
		ret = config_trunk_set(&cli->trunk, "dev", dev, err);
	if (!ret)
		ret = config_trunk_finish(&cli->trunk, err);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < cli->trunk.npdns && cli->no_default_route; i++)
		cli->trunk.pdns[i].default_route = false;
	hook_warn(&cli->trunk);
	request = cli_request("attach", NULL);
	json_object_object_add(request, "trunk", config_trunk_to_json(&cli->trunk, true));
	ret = cli_call(cli, request, CLI_ATTACH_TIMEOUT, &result, err);
	explicit_bzero(&cli->trunk, sizeof(cli->trunk));
	if (ret)
		return ret;
	output_result(&cli->output, result, output_show);
	ret = cli_failed_pdn(result, 0, err);
	json_object_put(result);
	return ret;
}

static int detach_alone(struct json_object **out, const char *dev, struct error *err)
{
	*out = NULL;
	return local_detach(dev, err);
}

int cli_detach(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct json_object *result = NULL;
	const char *dev;
	int ret = cli_required_dev(argc, argv, &dev, err);

	if (!ret)
		ret = cli_ask(cli, "detach", dev, detach_alone, &result, err);
	if (ret)
		return ret;
	output_result(&cli->output, result, NULL);
	json_object_put(result);
	return 0;
}
