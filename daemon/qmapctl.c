// SPDX-License-Identifier: GPL-2.0-or-later
/* qmapctl: the command line program. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "util/array.h"
#include "cli/cli.h"
#include "util/log.h"
#include "output/output.h"

/* Adds the fitting help command to any error in the command line. */
static int usage(int ret, const struct cli_command *cmd, struct error *err)
{
	size_t len = strlen(err->hint);
	const char *separator = len ? "; " : "";

	if (len && err->hint[len - 1] == '?')
		separator = " ";
	snprintf(err->hint + len, sizeof(err->hint) - len, "%ssee `qmapctl %s%s--help`", separator,
		 cmd ? cmd->name : "", cmd ? " " : "");
	return ret;
}

/* When parsing fails, -j may stand behind the error, and the error must be JSON all the same. */
static bool asks_for_json(int argc, char **argv)
{
	static const char *const words[] = {"-j", "--json", "-p", "--pretty"};

	for (int i = 1; i < argc; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
			if (!strcmp(argv[i], words[j]))
				return true;
		}
	}
	return false;
}

/*
 * Parsed twice: global options alone up to the command, then everything behind it, so that
 * `qmapctl -j show` and `qmapctl show -j` are the same and each command knows its own options.
 */
static int parse(struct cli *cli, int argc, char **argv, const struct cli_command **cmd,
		 int *operands, struct error *err)
{
	struct option_list l;
	int at, ret;

	cli_options(&l, NULL);
	ret = options_parse(&l, cli, argc, argv, true, &at, err);
	if (ret)
		return usage(ret, NULL, err);
	*operands = at;
	if (at == argc)
		return 0;
	*cmd = cli_find_command(argv[at], err);
	if (!*cmd)
		return usage(-EINVAL, NULL, err);
	cli_options(&l, *cmd);
	ret = options_parse(&l, cli, argc - at, argv + at, false, operands, err);
	*operands += at;
	return ret ? usage(ret, *cmd, err) : 0;
}

static int run(struct cli *cli, int argc, char **argv, struct error *err)
{
	const struct cli_command *cmd = NULL;
	int at, ret = parse(cli, argc, argv, &cmd, &at, err);

	cli->output.json |= cli->output.pretty;
	if (ret) {
		cli->output.json |= asks_for_json(argc, argv);
		return ret;
	}
	/* The result reports success; the log only reports the unexpected. */
	log_set_level(cli->output.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING);
	if (cli->help) {
		cli_print_help(stdout, cmd);
		return 0;
	}
	if (cli->version)
		return cli_version(cli, 0, NULL, err);
	if (!cmd)
		return cli_show(cli, 0, NULL, err);
	ret = cmd->run(cli, argc - at, argv + at, err);
	return ret && err->exit == EXIT_USAGE ? usage(ret, cmd, err) : ret;
}

int main(int argc, char **argv)
{
	struct error err = {0};
	struct cli cli = {0};
	int ret;

	prctl(PR_SET_DUMPABLE, 0); /* passwords pass through here */
	config_trunk_init(&cli.trunk);
	ret = run(&cli, argc, argv, &err);
	if (ret) {
		if (!err.err)
			error_set(&err, ret, "%s", strerror(-ret));
		output_error(&cli.output, &err);
	}
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "qmapctl: cannot write to standard output\n");
		return ret ? (int)err.exit : EXIT_REFUSED;
	}
	return ret ? (int)err.exit : EXIT_OK;
}
