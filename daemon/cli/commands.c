// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/array.h"
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events/events.h"
#include "util/nearest.h"

#define OPTION(member) .offset = offsetof(struct cli, member)

static int set_colour(void *member, const char *value, struct error *err)
{
	static const char *const names[OUTPUT_COLOURS] = {
		[OUTPUT_COLOUR_AUTO] = "auto",
		[OUTPUT_COLOUR_ALWAYS] = "always",
		[OUTPUT_COLOUR_NEVER] = "never",
	};
	TABLE_COMPLETE(names, OUTPUT_COLOURS);

	value += *value == '='; /* -c=always, as iproute2 has it */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i], value)) {
			*(enum output_colour *)member = i;
			return 0;
		}
	}
	return error_set(err, -EINVAL, "bad --color \"%.40s\": allowed: auto, always, never",
			 value);
}

static const struct option_def global_options[] = {
	{.name = "json",
	 .letter = 'j',
	 .type = OPTION_FLAG,
	 OPTION(output.json),
	 .help = "JSON: an array of objects; errors are objects, too"},
	{.name = "pretty",
	 .letter = 'p',
	 .type = OPTION_FLAG,
	 OPTION(output.pretty),
	 .help = "JSON, indented"},
	{.name = "quiet",
	 .letter = 'q',
	 .type = OPTION_FLAG,
	 OPTION(output.quiet),
	 .help = "print nothing but errors"},
	{.name = "verbose",
	 .letter = 'v',
	 .type = OPTION_FLAG,
	 OPTION(output.verbose),
	 .help = "say more"},
	{.name = "color",
	 .letter = 'c',
	 .type = OPTION_CALL,
	 OPTION(output.colour),
	 .metavar = "auto|always|never",
	 .help = "colours in tables (default auto: on a terminal)",
	 .set = set_colour},
	{.name = "socket",
	 .type = OPTION_TEXT,
	 OPTION(socket),
	 .metavar = "PATH",
	 .help = "control socket of qmapd (default /run/qmapd/control)"},
	{.name = "help", .letter = 'h', .type = OPTION_FLAG, OPTION(help), .help = "this text"},
	{.name = "version",
	 .letter = 'V',
	 .type = OPTION_FLAG,
	 OPTION(version),
	 .help = "versions of qmapctl and its libraries"},
};

static int set_pdn(void *member, const char *value, struct error *err)
{
	return config_pdn_add(member, value, err);
}

static const struct option_def attach_options[] = {
	{.name = "pdn",
	 .type = OPTION_CALL,
	 OPTION(trunk),
	 .metavar = "N[,KEY=VALUE]...",
	 .help = "a PDN to connect; may be repeated; default: 1",
	 .set = set_pdn},
	{.name = "no-default-route",
	 .type = OPTION_FLAG,
	 OPTION(no_default_route),
	 .help = "default-route=no for every PDN"},
};

static const struct option_def decode_options[] = {
	{.name = "qmap",
	 .type = OPTION_TEXT,
	 OPTION(qmap),
	 .metavar = "v1|v4|v5",
	 .help = "version of the aggregate; v4: a trailer follows each frame (default v5)"},
};

static const struct option_def apply_options[] = {
	{.name = "dry-run",
	 .letter = 'n',
	 .type = OPTION_FLAG,
	 OPTION(dry_run),
	 .help = "print what would be done, and do nothing"},
	{.name = "prune", .type = OPTION_FLAG, OPTION(prune), .help = "detach what is not in FILE"},
};

static const struct option_def dump_options[] = {
	{.name = "secrets",
	 .type = OPTION_FLAG,
	 OPTION(secrets),
	 .help = "with passwords; without it, keep-secrets stands for them"},
};

static const struct option_def metrics_options[] = {
	{.name = "format",
	 .type = OPTION_TEXT,
	 OPTION(format),
	 .metavar = "openmetrics|prometheus",
	 .help = "the standard, or the older format of node_exporter (default "
		 "openmetrics)"},
	{.name = "output",
	 .type = OPTION_TEXT,
	 OPTION(file),
	 .metavar = "FILE",
	 .help = "replace FILE in one step instead of printing"},
};

static int set_interval(void *member, const char *value, struct error *err)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*end || end == value || *value == '-' || n < 1 || n > 60)
		return error_set(err, -EINVAL, "bad --interval \"%.40s\": a number from 1 to 60",
				 value);
	*(unsigned int *)member = n;
	return 0;
}

static const struct option_def top_options[] = {
	{.name = "interval",
	 .type = OPTION_CALL,
	 OPTION(interval),
	 .metavar = "SECONDS",
	 .help = "between two looks (default 1)",
	 .set = set_interval},
};

static const struct option_def record_options[] = {
	{.name = "hide-apn",
	 .type = OPTION_FLAG,
	 OPTION(hide_apn),
	 .help = "blank the access point names, too"},
};

static int set_last(void *member, const char *value, struct error *err)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*end || end == value || *value == '-' || n > EVENTS_KEPT)
		return error_set(err, -EINVAL, "bad --last \"%.40s\": a number from 0 to %d", value,
				 EVENTS_KEPT);
	*(unsigned int *)member = n;
	return 0;
}

static const struct option_def monitor_options[] = {
	{.name = "last",
	 .letter = 'n',
	 .type = OPTION_CALL,
	 OPTION(last),
	 .metavar = "N",
	 .help = "begin with the last N events of the past",
	 .set = set_last},
};

#define OPTIONS(table) .options = (table), .noptions = ARRAY_SIZE(table)

/* clang-format off */
const struct cli_command cli_commands[] = {
	{.name = "attach", .usage = "DEV [OPTION]...", OPTIONS(attach_options),
	 .trunk_options = true, .operand = CLI_OPERAND_MODEM, .run = cli_attach,
	 .help = "connect the PDNs of the modem behind DEV and give each a network device"},
	{.name = "detach", .usage = "DEV", .operand = CLI_OPERAND_ATTACHED, .run = cli_detach,
	 .help = "disconnect them and undo everything"},
	{.name = "apply", .usage = "FILE [OPTION]...", OPTIONS(apply_options),
	 .operand = CLI_OPERAND_FILE, .run = cli_apply,
	 .help = "make what is attached into what a configuration file asks for",
	 .more = "FILE may be a directory: its *.conf are meant. - reads standard input.\n"},
	{.name = "redial", .usage = "DEV [N]", .operand = CLI_OPERAND_ATTACHED, .run = cli_redial,
	 .help = "end the calls of all PDNs, or of PDN N, and dial them again now"},
	{.name = "reload", .usage = "", .run = cli_reload,
	 .help = "have qmapd read its configuration again, and say whether it could"},
	{.name = "show", .usage = "[DEV]", .operand = CLI_OPERAND_ATTACHED, .run = cli_show,
	 .help = "what is attached (the default)"},
	{.name = "stats", .usage = "[DEV]", .operand = CLI_OPERAND_ATTACHED, .run = cli_stats,
	 .help = "counters of trunks and ports, dropped frames by reason"},
	{.name = "top", .usage = "[DEV] [OPTION]...", OPTIONS(top_options),
	 .operand = CLI_OPERAND_ATTACHED, .run = cli_top,
	 .help = "rates of trunks and ports, the signal and the states, on the terminal, until q"},
	{.name = "metrics", .usage = "[DEV] [OPTION]...", OPTIONS(metrics_options),
	 .operand = CLI_OPERAND_ATTACHED, .run = cli_metrics,
	 .help = "states, signal and counters for Prometheus and others that read OpenMetrics"},
	{.name = "dump", .usage = "[DEV] [OPTION]...", OPTIONS(dump_options),
	 .operand = CLI_OPERAND_ATTACHED, .run = cli_dump,
	 .help = "what was asked for, as a configuration file"},
	{.name = "monitor", .usage = "[DEV] [OPTION]...", OPTIONS(monitor_options),
	 .operand = CLI_OPERAND_ATTACHED, .run = cli_monitor,
	 .help = "what happens, as it happens, until interrupted",
	 .more = "With -j one JSON object a line.\n"},
	{.name = "record", .usage = "FILE [DEV] [OPTION]...", OPTIONS(record_options),
	 .operand = CLI_OPERAND_FILE, .run = cli_record,
	 .help = "write the modem's QMI and first aggregates without identities, until interrupted",
	 .more = "Begin before the attach. - writes to standard output.\n"},
	{.name = "probe", .usage = "[DEV]", .operand = CLI_OPERAND_MODEM, .run = cli_probe,
	 .help = "what this machine, and DEV, can do"},
	{.name = "decode", .usage = "qmi HEX... | qmap HEX...|FILE", OPTIONS(decode_options),
	 .operand = CLI_OPERAND_PROTOCOL, .run = cli_decode,
	 .help = "what the bytes of a message or an aggregate mean",
	 .more = "HEX may contain blanks, newlines, \":\" and \"0x\"; - reads standard input.\n"
		 "A FILE holds the bytes themselves or hexadecimal digits.\n"},
	{.name = "complete", .usage = "[--] WORD...", .run = cli_complete,
	 .help = "what the last WORD of a command line may become; for shells"},
	{.name = "help", .usage = "[COMMAND]", .operand = CLI_OPERAND_COMMAND, .run = cli_help,
	 .help = "about a command"},
	{.name = "version", .usage = "", .run = cli_version,
	 .help = "versions of qmapctl and its libraries"},
	{.name = NULL},
};
/* clang-format on */

/* Names that other programs use, and that are not similar to ours. */
static const struct {
	const char *word, *ours;
} elsewhere[] = {
	{"status", "show"},	 {"list", "show"},	{"ls", "show"},
	{"info", "show"},	 {"start", "attach"},	{"up", "attach"},
	{"add", "attach"},	 {"connect", "attach"}, {"dial", "attach"},
	{"stop", "detach"},	 {"down", "detach"},	{"del", "detach"},
	{"delete", "detach"},	 {"remove", "detach"},	{"disconnect", "detach"},
	{"reread", "reload"},	 {"sync", "apply"},	{"restart", "redial"},
	{"reconnect", "redial"}, {"rates", "top"},	{"counters", "stats"},
	{"save", "dump"},	 {"config", "dump"},	{"showconf", "dump"},
	{"log", "monitor"},	 {"events", "monitor"}, {"watch", "monitor"},
	{"check", "probe"},	 {"scan", "probe"},	{"parse", "decode"},
};

static const struct cli_command *unknown_command(const char *name, struct error *err)
{
	struct nearest near;

	nearest_init(&near, name);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		nearest_offer(&near, c->name);
	error_set(err, -EINVAL, "unknown command \"%.40s\"", name);
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
		if (!strcmp(elsewhere[i].word, name))
			near.best = elsewhere[i].ours;
	if (near.best)
		error_hint(err, "did you mean \"%s\"?", near.best);
	return NULL;
}

const struct cli_command *cli_find_command(const char *name, struct error *err)
{
	const struct cli_command *found = NULL;

	if (!*name)
		return unknown_command(name, err);
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
		if (strncmp(c->name, name, strlen(name)))
			continue;
		if (found) {
			error_set(err, -EINVAL, "\"%s\" is ambiguous: %s or %s?", name, found->name,
				  c->name);
			return NULL;
		}
		found = c;
	}
	return found ? found : unknown_command(name, err);
}

void cli_options(struct option_list *l, const struct cli_command *cmd)
{
	l->n = 0;
	if (cmd)
		options_add(l, cmd->options, cmd->noptions);
	if (cmd && cmd->trunk_options)
		options_add_trunk(l, offsetof(struct cli, trunk));
	options_add(l, global_options, ARRAY_SIZE(global_options));
}

static void print_command_help(FILE *out, const struct cli_command *cmd)
{
	struct option_list l;

	fprintf(out, "Usage: qmapctl %s %s\n%c%s.\n", cmd->name, cmd->usage, cmd->help[0] - 32,
		cmd->help + 1);
	cli_options(&l, cmd);
	fprintf(out, "\nOptions:\n");
	options_print(out, &l);
	if (cmd->trunk_options) {
		fprintf(out, "\nSettings of a PDN (a comma in a value is written \\,):\n");
		options_print_pdn(out);
	}
	if (cmd->more)
		fprintf(out, "\n%s", cmd->more);
}

void cli_print_help(FILE *out, const struct cli_command *cmd)
{
	struct option_list l;

	if (cmd) {
		print_command_help(out, cmd);
		return;
	}
	fprintf(out, "Usage: qmapctl [OPTION]... [COMMAND [ARGUMENT]...]\n"
		     "Cellular modems' QMAP in BPF: attach a modem, look at it, detach it.\n"
		     "\nCommands (unambiguous beginnings will do):\n");
	for (const struct cli_command *c = cli_commands; c->name; c++)
		fprintf(out, "  %-10s%s\n", c->name, c->help);
	cli_options(&l, NULL);
	fprintf(out, "\nOptions, with every command:\n");
	options_print(out, &l);
	fprintf(out, "\nExit status: 0 done, 1 wrong usage, 2 refused, 3 not supported here,\n"
		     "4 no such device or not attached, 5 no permission.\n");
}

static int check_dev(const char *dev, struct error *err)
{
	struct config_trunk c;

	config_trunk_init(&c);
	return config_trunk_set(&c, "dev", dev, err);
}

int cli_optional_dev(int argc, char **argv, const char **dev, struct error *err)
{
	*dev = argc ? argv[0] : NULL;
	if (argc > 1) {
		error_set(err, -EINVAL, "one device at most, but there is also \"%.40s\"", argv[1]);
		if (strchr(argv[1], '='))
			error_hint(err, "settings of a PDN belong to it: --pdn 1,%.60s", argv[1]);
		return -EINVAL;
	}
	return argc ? check_dev(argv[0], err) : 0;
}

int cli_required_dev(int argc, char **argv, const char **dev, struct error *err)
{
	if (!argc)
		return error_set(err, -EINVAL, "the name of a network device is missing");
	return cli_optional_dev(argc, argv, dev, err);
}
