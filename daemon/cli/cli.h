/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of qmapctl: the parsed command line, and the commands. */
#ifndef QMAP_CLI_H
#define QMAP_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "config/config.h"
#include "output/output.h"
#include "util/error.h"
#include "options.h"

struct json_object;

/* The parsed command line. */
struct cli {
	struct output output;
	bool help;
	bool version;
	const char *socket; /* path of the control socket */
	/* of some commands only */
	struct config_trunk trunk;
	bool no_default_route;
	bool secrets; /* dump */
	bool dry_run; /* apply */
	bool prune;
	const char *qmap;      /* decode: version as text */
	unsigned int last;     /* monitor: number of past events to print first */
	unsigned int interval; /* top: seconds; 0: the default */
	const char *format;    /* metrics */
	const char *file;      /* metrics: written instead of standard output */
	bool hide_apn;	       /* record */
};

/* Kind of a command's first operand. */
enum cli_operand {
	CLI_OPERAND_NONE,
	CLI_OPERAND_MODEM,    /* netdev of a modem */
	CLI_OPERAND_ATTACHED, /* name of a trunk */
	CLI_OPERAND_FILE,
	CLI_OPERAND_COMMAND,
	CLI_OPERAND_PROTOCOL, /* qmi or qmap */
};

struct cli_command {
	const char *name;  /* NULL ends the table */
	const char *usage; /* operands, as in the usage line */
	const char *help;  /* one line */
	const char *more;  /* lines for `help NAME`, below the options; may be NULL */
	const struct option_def *options;
	size_t noptions;
	bool trunk_options; /* takes every word of a trunk's configuration */
	enum cli_operand operand;
	int (*run)(struct cli *cli, int argc, char **argv, struct error *err);
};

extern const struct cli_command cli_commands[];

/* Finds a command by its name or a unique prefix. NULL: -EINVAL in @err. */
const struct cli_command *cli_find_command(const char *name, struct error *err);

/* Options of @cmd and the global ones. @cmd NULL: only the global ones. */
void cli_options(struct option_list *l, const struct cli_command *cmd);

void cli_print_help(FILE *out, const struct cli_command *cmd);

/*
 * Parses the optional device name of `show`, `stats`, ...: NULL if there is none. -EINVAL for two
 * names or an invalid one.
 */
int cli_optional_dev(int argc, char **argv, const char **dev, struct error *err);

/* -EINVAL unless there is exactly one operand. */
int cli_required_dev(int argc, char **argv, const char **dev, struct error *err);

int cli_attach(struct cli *cli, int argc, char **argv, struct error *err);
int cli_detach(struct cli *cli, int argc, char **argv, struct error *err);
int cli_redial(struct cli *cli, int argc, char **argv, struct error *err);
int cli_reload(struct cli *cli, int argc, char **argv, struct error *err);
int cli_show(struct cli *cli, int argc, char **argv, struct error *err);
int cli_stats(struct cli *cli, int argc, char **argv, struct error *err);
int cli_top(struct cli *cli, int argc, char **argv, struct error *err);
int cli_metrics(struct cli *cli, int argc, char **argv, struct error *err);
int cli_monitor(struct cli *cli, int argc, char **argv, struct error *err);
int cli_record(struct cli *cli, int argc, char **argv, struct error *err);
int cli_probe(struct cli *cli, int argc, char **argv, struct error *err);
int cli_apply(struct cli *cli, int argc, char **argv, struct error *err);
int cli_dump(struct cli *cli, int argc, char **argv, struct error *err);
int cli_decode(struct cli *cli, int argc, char **argv, struct error *err);
int cli_complete(struct cli *cli, int argc, char **argv, struct error *err);
int cli_help(struct cli *cli, int argc, char **argv, struct error *err);
int cli_version(struct cli *cli, int argc, char **argv, struct error *err);

#endif
