// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "cli.h"
#include "output/output.h"
#include "qmap/abi.h"
#include "output/qmap_decode.h"
#include "qmi/decode.h"

static void print_qmi(const struct output *output, FILE *out, struct json_object *messages)
{
	qmi_decode_print(out, messages);
}

static void print_qmap(const struct output *output, FILE *out, struct json_object *frames)
{
	qmap_decode_print(out, frames);
}

static int parse_version(const char *text, int *version, struct error *err)
{
	*version = QMAP_V5;
	if (!text || !strcmp(text, "v5"))
		return 0;
	*version = !strcmp(text, "v4") ? QMAP_V4 : QMAP_V1;
	if (*version == QMAP_V4 || !strcmp(text, "v1"))
		return 0;
	return error_set(err, -EINVAL, "bad --qmap \"%.20s\": allowed: v1, v4, v5", text);
}

int cli_decode(struct cli *cli, int argc, char **argv, struct error *err)
{
	bool qmap = argc && !strcmp(argv[0], "qmap");
	struct json_object *result = NULL;
	uint8_t *data = NULL;
	int version, ret;
	size_t len;

	if (!qmap && !(argc && !strcmp(argv[0], "qmi")))
		return error_set(err, -EINVAL, "decode what? \"qmi\" or \"qmap\" comes first");
	if (argc < 2)
		return error_set(err, -EINVAL, "the bytes to decode are missing");
	ret = parse_version(cli->qmap, &version, err);
	if (!ret)
		ret = cli_input(argc - 1, argv + 1, qmap, &data, &len, err);
	if (ret)
		return ret;
	ret = qmap ? qmap_decode(data, len, version, &result, err)
		   : qmi_decode(data, len, &result, err);
	/* Print the decoded part of malformed input, too: it shows the position of the fault. */
	if (result)
		output_result(&cli->output, result, qmap ? print_qmap : print_qmi);
	json_object_put(result);
	free(data);
	return ret;
}
