// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli_input.h"
#include "output.h"
#include "qmap/abi.h"
#include "qmap_decode.h"
#include "qmi/decode.h"

static void print_qmi(const struct cli *cli, FILE *out, struct json_object *messages)
{
	(void)cli;
	for (size_t i = 0; i < json_object_array_length(messages); i++)
		qmi_decode_print(out, json_object_array_get_idx(messages, i));
}

static void print_qmap(const struct cli *cli, FILE *out, struct json_object *frames)
{
	(void)cli;
	qmap_decode_print(out, frames);
}

/* What could be decoded is shown also when the rest is malformed: that is what one wants to see. */
static int decode_qmi(struct cli *cli, const uint8_t *data, size_t len, struct error *err)
{
	struct json_object *message = NULL, *array;
	int ret = qmi_decode(data, len, &message, err);

	if (!message)
		return ret;
	array = json_object_new_array();
	json_object_array_add(array, message);
	output_result(cli, array, print_qmi);
	json_object_put(array);
	return ret;
}

static int decode_qmap(struct cli *cli, const uint8_t *data, size_t len, int version,
		       struct error *err)
{
	struct json_object *frames = NULL;
	int ret = qmap_decode(data, len, version, &frames, err);

	if (frames)
		output_result(cli, frames, print_qmap);
	json_object_put(frames);
	return ret;
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
	ret = qmap ? decode_qmap(cli, data, len, version, err) : decode_qmi(cli, data, len, err);
	free(data);
	return ret;
}
