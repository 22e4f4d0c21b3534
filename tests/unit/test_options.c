// SPDX-License-Identifier: GPL-2.0-or-later
/* Command line: options as data, qmapctl's commands, help texts made from the same tables. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/cli.h"
#include "daemon/config/config.h"
#include "daemon/cli/options.h"

#define MAX_ARGS 12

static struct cli cli;
static int operands;
static struct error err;

static int setup(void **state)
{
	memset(&cli, 0, sizeof(cli));
	memset(&err, 0, sizeof(err));
	config_trunk_init(&cli.trunk);
	return 0;
}

TEST_FIXTURE(setup, NULL);

/* @line: words separated by one blank. getopt_long() permutes @argv, which the caller keeps. */
static int parse(const struct cli_command *cmd, const char *line, bool stop_early,
		 char *argv[MAX_ARGS + 1])
{
	static char copy[512];
	struct option_list l;
	char *save = NULL;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(argc < MAX_ARGS);
		argv[argc++] = w;
	}
	argv[argc] = NULL;
	cli_options(&l, cmd);
	return options_parse(&l, &cli, argc, argv, stop_early, &operands, &err);
}

static const struct cli_command *command(const char *name)
{
	const struct cli_command *cmd = cli_find_command(name, NULL);

	assert_non_null(cmd);
	return cmd;
}

TEST(global)
{
	char *argv[MAX_ARGS + 1];

	assert_int_equal(parse(NULL, "qmapctl -jq --socket /x --verbose show -p", true, argv), 0);
	assert_true(cli.output.json && cli.output.quiet && cli.output.verbose);
	assert_false(cli.output.pretty);
	assert_string_equal(cli.socket, "/x");
	assert_string_equal(argv[operands], "show");
}

TEST(attach)
{
	char *argv[MAX_ARGS + 1];

	assert_int_equal(parse(command("attach"),
			       "attach wwan0 --pdn 1,apn=a\\,b --pdn=2,mux=9 --control /dev/x "
			       "--qmap=v5 --no-default-route -p",
			       false, argv),
			 0);
	assert_string_equal(argv[operands], "wwan0");
	assert_null(argv[operands + 1]);
	assert_true(cli.output.pretty && cli.no_default_route);
	assert_string_equal(cli.trunk.control, "/dev/x");
	assert_int_equal(cli.trunk.qmap, CONFIG_QMAP_V5);
	assert_int_equal(cli.trunk.npdns, 2);
	assert_string_equal(cli.trunk.pdns[0].apn, "a,b");
	assert_int_equal(cli.trunk.pdns[1].mux, 9);
}

/* Every word of the configuration is an option that sets its member. */
TEST(words_are_options)
{
	static const char *const values[] = {"control",
					     "x",
					     "qmap",
					     "v4",
					     "datapath",
					     "xdp",
					     "dl-max-bytes",
					     "4096",
					     "dl-max-datagrams",
					     "7",
					     "sync",
					     "no",
					     "timeout",
					     "3",
					     "backoff-min",
					     "20",
					     "backoff-max",
					     "30",
					     "retry-failed",
					     "60",
					     "radio",
					     "keep",
					     "roaming",
					     "off",
					     "pin",
					     "1234",
					     "poll",
					     "5",
					     "watchdog",
					     "60",
					     "recover",
					     "redial,usb",
					     "steer",
					     "1-3",
					     "port",
					     "lte%n",
					     "hook",
					     "/x",
					     "hook-timeout",
					     "3"};
	const struct config_word *w = NULL;
	size_t n = 0;

	while ((w = config_word_next(CONFIG_TRUNK, w))) {
		char line[64], *argv[MAX_ARGS + 1];
		struct config_trunk want;

		if (w->identity || w->file_only)
			continue;
		assert_string_equal(values[2 * n], w->key);
		snprintf(line, sizeof(line), "attach --%s=%s", w->key, values[2 * n + 1]);
		config_trunk_init(&cli.trunk);
		config_trunk_init(&want);
		assert_int_equal(config_trunk_set(&want, w->key, values[2 * n + 1], NULL), 0);
		assert_int_equal(parse(command("attach"), line, false, argv), 0);
		assert_memory_equal(&cli.trunk, &want, sizeof(want));
		n++;
	}
	assert_int_equal(2 * n, sizeof(values) / sizeof(values[0]));
}

TEST(mistakes)
{
	static const struct {
		const char *cmd, *line, *sentence, *hint;
	} table[] = {
		{NULL, "qmapctl --nonsense", "unknown option --nonsense", ""},
		{NULL, "qmapctl --soket=x", "unknown option --soket", "did you mean --socket?"},
		{NULL, "qmapctl -x", "unknown option -x", ""},
		{NULL, "qmapctl -jx", "unknown option -x", ""},
		{NULL, "qmapctl --json -xq", "unknown option -x", ""},
		{"show", "show --socket=/x -zj", "unknown option -z", ""},
		{NULL, "qmapctl --json=1", "option --json takes no argument", ""},
		{NULL, "qmapctl --socket", "option --socket needs an argument: --socket PATH", ""},
		{NULL, "qmapctl --ver", "--ver is ambiguous: --verbose or --version?", ""},
		{"attach", "attach --qmap",
		 "option --qmap needs an argument: --qmap auto|off|v1|v4|v5", ""},
		{"attach", "attach --sync=perhaps", "bad sync \"perhaps\": allowed: yes or no", ""},
		{"attach", "attach --pdn", "option --pdn needs an argument: --pdn N[,KEY=VALUE]...",
		 ""},
		{"attach", "attach --pdn 1,ap=x", "a PDN has no setting \"ap\"",
		 "did you mean \"ip\"?"},
		{"attach", "attach --dev wwan0", "unknown option --dev", ""},
		{"show", "show --pdn 1", "unknown option --pdn", ""},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *argv[MAX_ARGS + 1];

		memset(&err, 0, sizeof(err));
		assert_int_equal(parse(table[i].cmd ? command(table[i].cmd) : NULL, table[i].line,
				       false, argv),
				 -EINVAL);
		assert_string_equal(err.text, table[i].sentence);
		assert_int_equal(err.exit, EXIT_USAGE);
		assert_int_equal(strncmp(err.hint, table[i].hint, strlen(table[i].hint)), 0);
	}
}

TEST(double_dash)
{
	char *argv[MAX_ARGS + 1];

	assert_int_equal(parse(command("show"), "show -- -j", false, argv), 0);
	assert_false(cli.output.json);
	assert_string_equal(argv[operands], "-j");
}

TEST(command_names)
{
	static const struct {
		const char *given, *name, *sentence;
	} table[] = {
		{"show", "show", NULL},
		{"sh", "show", NULL},
		{"st", "stats", NULL},
		{"at", "attach", NULL},
		{"a", NULL, "\"a\" is ambiguous: attach or apply?"},
		{"det", "detach", NULL},
		{"dec", "decode", NULL},
		{"p", "probe", NULL},
		{"s", NULL, "\"s\" is ambiguous: show or stats?"},
		{"de", NULL, "\"de\" is ambiguous: detach or decode?"},
		{"", NULL, "unknown command \"\""},
		{"showx", NULL, "unknown command \"showx\""},
		{"SHOW", NULL, "unknown command \"SHOW\""},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct cli_command *cmd;

		memset(&err, 0, sizeof(err));
		cmd = cli_find_command(table[i].given, &err);
		if (table[i].name) {
			assert_non_null(cmd);
			assert_string_equal(cmd->name, table[i].name);
		} else {
			assert_null(cmd);
			assert_int_equal(err.exit, EXIT_USAGE);
			assert_string_equal(err.text, table[i].sentence);
		}
	}
}

TEST(devices)
{
	char *two[] = {"wwan0", "wwan1"}, *longest[] = {"123456789012345"};
	char *too_long[] = {"1234567890123456"};
	const char *dev;

	assert_int_equal(cli_optional_dev(0, NULL, &dev, &err), 0);
	assert_null(dev);
	assert_int_equal(cli_optional_dev(1, two, &dev, &err), 0);
	assert_string_equal(dev, "wwan0");
	assert_int_equal(cli_optional_dev(1, longest, &dev, &err), 0);
	assert_int_equal(cli_optional_dev(2, two, &dev, &err), -EINVAL);
	assert_int_equal(cli_optional_dev(1, too_long, &dev, NULL), -EINVAL);
	assert_int_equal(cli_required_dev(0, NULL, &dev, NULL), -EINVAL);
}

static char *help_text(const struct cli_command *cmd)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	cli_print_help(f, cmd);
	fclose(f);
	return text;
}

/* Every option is explained, and no line is much too long for a terminal. */
TEST(help)
{
	char *text = help_text(command("attach")), *all = help_text(NULL), word[64];
	const struct config_word *w = NULL;

	while ((w = config_word_next(CONFIG_TRUNK, w))) {
		snprintf(word, sizeof(word), "--%s ", w->key);
		assert_true(w->identity || w->file_only || strstr(text, word));
	}
	while ((w = config_word_next(CONFIG_PDN, w))) {
		snprintf(word, sizeof(word), "  %s=", w->key);
		assert_true(w->identity || w->file_only || strstr(text, word));
	}
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		snprintf(word, sizeof(word), "\n  %s ", c->name);
		assert_non_null(strstr(all, word));
	}
	for (const char *line = text; line && *line; line = strchr(line, '\n') + 1)
		assert_true(strcspn(line, "\n") <= 100);
	assert_non_null(strstr(all, "Exit status: 0 "));
	free(text);
	free(all);
}
