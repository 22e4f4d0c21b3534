/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The faults socket: one command a line, one line of JSON for an answer.
 *
 *   VERB [WORD...] [KEY=VALUE...]
 *
 * An answer is an object; {"error": "..."} says why a command was not done.
 */
#ifndef MODEM_COMMAND_H
#define MODEM_COMMAND_H

#include "modem.h"

#include <json-c/json.h>

#define MAX_WORDS 8
#define MAX_PAIRS 12

struct args {
	const char *words[MAX_WORDS]; /* after the verb */
	unsigned int nwords;
	struct {
		const char *key, *value;
	} pairs[MAX_PAIRS];
	unsigned int npairs;
	char error[256]; /* empty: none */
};

/* The answer, or NULL with a->error set; NULL without: {"ok": true}. */
typedef struct json_object *(*command_run)(struct modem *m, struct args *a);

struct command {
	const char *verb;
	unsigned int words;   /* how many it wants */
	const char *keys;     /* that it knows, blank-separated */
	const char *synopsis; /* after the verb; for --help */
	const char *help;
	command_run run; /* NULL: takes its time, the socket's own business (wait) */
};

/* The n-th command, NULL after the last. */
const struct command *command_at(unsigned int n);

/* Value of KEY=, or NULL. */
const char *arg_text(const struct args *a, const char *key);

/* Number of KEY=, or `absent`; out of range or no number: an error, and `absent`. */
long arg_number(struct args *a, const char *key, long absent, long low, long high);

void __attribute__((format(printf, 2, 3))) arg_error(struct args *a, const char *format, ...);

int commands_new(struct modem *m);
void commands_free(struct modem *m);
int commands_listen(struct modem *m, const char *path);

/* Take a command line (is changed) apart. NULL or a->error set: it is none. */
const struct command *command_parse(char *line, struct args *a);

/* Do what was parsed; the answer, never NULL. */
struct json_object *command_execute(struct modem *m, const struct command *c, struct args *a);

/* The object that says why not. */
struct json_object *command_failed(const struct args *a);

#endif
