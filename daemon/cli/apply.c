// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "daemon.h"
#include "config/set.h"
#include "hooks/hook_run.h"
#include "util/json_add.h"
#include "util/error_json.h"
#include "util/json_get.h"
#include "output/output.h"

static struct json_object *make_request(const struct cli *cli, const struct config_set *set)
{
	struct json_object *o = cli_request("apply", NULL), *trunks = json_object_new_array();
	struct json_object *models = json_object_new_array();

	for (size_t i = 0; i < set->n; i++)
		json_object_array_add(trunks, config_trunk_to_json(set->trunks[i], true));
	for (size_t i = 0; i < set->nmodels; i++)
		json_object_array_add(models, config_model_to_json(&set->models[i]));
	json_object_object_add(o, "trunks", trunks);
	json_object_object_add(o, "models", models);
	json_add_bool(o, "dry_run", cli->dry_run);
	json_add_bool(o, "prune", cli->prune);
	return o;
}

/* Prints "PDN 2: redial" for "redial_pdn" of PDN 2. */
static void print_what(FILE *out, struct json_object *step)
{
	const char *name = json_get_string(step, "step") ?: "?";
	int pdn = json_get_int(step, "pdn");
	size_t len = strlen(name);

	if (len > 4 && !strcmp(name + len - 4, "_pdn"))
		len -= 4;
	fprintf(out, "%s", json_get_string(step, "dev") ?: "?");
	if (pdn)
		fprintf(out, " PDN %d", pdn);
	fprintf(out, ": %.*s", (int)len, name);
}

static void print_value(FILE *out, const char *value)
{
	fputs(value && !value[0] ? "\"\"" : value, out);
}

static void print_change(FILE *out, struct json_object *change, bool first)
{
	const char *from = json_get_string(change, "from"), *to = json_get_string(change, "to");

	fprintf(out, "%s%s", first ? " because of " : ", ",
		json_get_string(change, "setting") ?: "?");
	if (!from || !to)
		return;
	fputc(' ', out);
	print_value(out, from);
	fputs(" -> ", out);
	print_value(out, to);
}

static void print_step(FILE *out, struct json_object *step)
{
	struct json_object *change;

	fprintf(out, "%-8s", json_get_string(step, "state") ?: "?");
	print_what(out, step);
	for (size_t i = 0; (change = json_get_element(step, "changes", i)); i++)
		print_change(out, change, !i);
	fputc('\n', out);
}

static void print_steps(const struct output *output, FILE *out, struct json_object *steps)
{
	size_t n = json_object_array_length(steps);

	if (!n)
		fprintf(out, "Nothing to do.\n");
	for (size_t i = 0; i < n; i++)
		print_step(out, json_object_array_get_idx(steps, i));
}

/* The command fails with the error of the first failed step. */
static int failure(struct json_object *steps, struct error *err)
{
	for (size_t i = 0; i < json_object_array_length(steps); i++) {
		struct json_object *s = json_object_array_get_idx(steps, i);
		struct json_object *why = json_get_object(s, "failure");

		if (why)
			return error_from_json(err, why);
	}
	return 0;
}

static int apply(struct cli *cli, const char *path, struct error *err)
{
	struct config_set set = {.n = 0};
	struct json_object *steps = NULL;
	int ret = config_set_read(&set, path, err);

	for (size_t i = 0; !ret && i < set.n; i++)
		hook_warn(set.trunks[i]);
	if (!ret)
		ret = cli_call(cli, make_request(cli, &set), CLI_APPLY_TIMEOUT, &steps, err);
	config_set_clear(&set);
	if (ret)
		return ret;
	output_result(&cli->output, steps, print_steps);
	ret = failure(steps, err);
	json_object_put(steps);
	return ret;
}

int cli_apply(struct cli *cli, int argc, char **argv, struct error *err)
{
	if (!argc)
		return error_set(err, -EINVAL, "the name of a file is missing");
	if (argc > 1)
		return error_set(err, -EINVAL, "one file at a time, but there is also \"%.40s\"",
				 argv[1]);
	return apply(cli, argv[0], err);
}
