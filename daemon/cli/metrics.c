// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon.h"
#include "output/metrics.h"
#include "util/write_file.h"

static int parse_format(const char *text, enum metrics_format *format, struct error *err)
{
	*format = text && !strcmp(text, "prometheus") ? METRICS_PROMETHEUS : METRICS_OPENMETRICS;
	if (!text || *format == METRICS_PROMETHEUS || !strcmp(text, "openmetrics"))
		return 0;
	return error_set(err, -EINVAL, "bad --format \"%.20s\": allowed: openmetrics, prometheus",
			 text);
}

/* The new file takes the place of FILE: of a device, too, if root says /dev/null or /dev/stdout. */
static int check_file(const char *path, struct error *err)
{
	struct stat st;

	if (!path || stat(path, &st) || S_ISREG(st.st_mode))
		return 0;
	error_set(err, -EINVAL, "%s is no regular file, and would be replaced by one", path);
	error_hint(err, "without --output it is printed");
	return -EINVAL;
}

/* New memory; NULL: there is none. */
static char *text_of(enum metrics_format format, struct json_object *families)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	metrics_print(f, format, families);
	fclose(f);
	return text;
}

static int print(struct cli *cli, enum metrics_format format, struct json_object *families,
		 struct error *err)
{
	char *text;
	int ret = 0;

	if (cli->output.json && !cli->file) {
		output_result(&cli->output, families, NULL);
		return 0;
	}
	text = text_of(format, families);
	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	if (cli->file)
		ret = write_file(cli->file, text);
	else if (!cli->output.quiet)
		fputs(text, stdout);
	free(text);
	if (ret)
		error_set(err, ret, "cannot write %s: %s", cli->file, strerror(-ret));
	return ret;
}

int cli_metrics(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct json_object *show = NULL, *stats = NULL, *families;
	enum metrics_format format;
	const char *dev;
	int ret =
		cli_optional_dev(argc, argv, &dev, err) ?: parse_format(cli->format, &format, err);

	ret = ret ?: check_file(cli->file, err);
	if (ret)
		return ret;
	ret = cli_show_and_stats(cli, dev, &show, &stats, err);
	if (!ret) {
		families = metrics_json(show, stats, cli_daemon_runs(cli));
		ret = print(cli, format, families, err);
		json_object_put(families);
	}
	json_object_put(show);
	json_object_put(stats);
	return ret;
}
