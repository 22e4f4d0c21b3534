// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "util/json_add.h"
#include "util/json_get.h"
#include "local.h"
#include "output/output.h"

/* Calls @fn for every configuration in @array. */
static int each(struct json_object *array,
		int (*fn)(struct config_trunk *c, void *arg, struct error *err), void *arg,
		struct error *err)
{
	struct config_trunk *c = malloc(sizeof(*c));
	int ret = c ? 0 : error_set(err, -ENOMEM, "out of memory");

	for (size_t i = 0; !ret && i < json_object_array_length(array); i++) {
		ret = config_trunk_from_json(c, json_object_array_get_idx(array, i), err)
			      ?: fn(c, arg, err);
		explicit_bzero(c, sizeof(*c));
	}
	free(c);
	return ret;
}

struct dump {
	struct json_object *json;
	FILE *text;
	bool secrets;
};

static int add(struct config_trunk *c, void *arg, struct error *err)
{
	struct dump *d = arg;

	if (!d->secrets)
		config_trunk_drop_secrets(c);
	json_object_array_add(d->json, config_trunk_to_json(c, true));
	if (ftell(d->text) > 0)
		fputc('\n', d->text);
	return config_file_write(d->text, c, err);
}

static void output(struct cli *cli, const struct dump *d, const char *text)
{
	if (cli->output.json)
		output_result(&cli->output, d->json, NULL);
	else if (!cli->output.quiet)
		fputs(text, stdout);
}

static int print(struct cli *cli, struct json_object *configs, struct error *err)
{
	struct dump d = {.json = json_object_new_array(), .secrets = cli->secrets};
	char *text = NULL;
	size_t size = 0;
	int ret;

	d.text = open_memstream(&text, &size);
	if (!d.text)
		return error_set(err, -ENOMEM, "out of memory");
	ret = each(configs, add, &d, err);
	fclose(d.text);
	if (!ret)
		output(cli, &d, text);
	explicit_bzero(text, size);
	free(text);
	json_object_put(d.json);
	return ret;
}

int cli_dump(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct json_object *request, *configs = NULL;
	const char *dev;
	int ret = cli_optional_dev(argc, argv, &dev, err);

	if (ret)
		return ret;
	request = cli_request("dump", dev);
	json_add_bool(request, "secrets", cli->secrets);
	ret = cli_ask_request(cli, request, local_dump, &configs, err);
	if (!ret)
		ret = print(cli, configs, err);
	json_object_put(configs);
	return ret;
}
