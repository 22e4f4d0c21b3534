/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The faults socket: one command a line; the answer is one line of JSON.
 *
 *   VERB [WORD...] [KEY=VALUE...]
 *
 * The answer is an object; {"error": "..."} explains why a command failed.
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
	char error[256]; /* empty: no error */
};

/* Returns the answer, or NULL with a->error set; NULL without error: {"ok": true}. */
typedef struct json_object *(*command_run)(struct modem *m, struct args *a);

struct command {
	const char *verb;
	unsigned int words;   /* number of words required */
	const char *keys;     /* keys allowed, separated by blanks */
	const char *synopsis; /* after the verb; for --help */
	const char *help;
	command_run run; /* NULL: takes its time, handled by the socket (wait) */
};

/* The n-th command, NULL after the last. */
const struct command *command_at(unsigned int n);

/* Value of KEY=, or NULL. */
const char *arg_text(const struct args *a, const char *key);

/* Number of KEY=, or `absent`; `absent` with an error set if it is out of range or no number. */
long arg_number(struct args *a, const char *key, long absent, long low, long high);

void __attribute__((format(printf, 2, 3))) arg_error(struct args *a, const char *format, ...);

int commands_new(struct modem *m);
void commands_free(struct modem *m);
int commands_listen(struct modem *m, const char *path);

/* Parses a command line, which is modified. Returns NULL or sets a->error if it is invalid. */
const struct command *command_parse(char *line, struct args *a);

/* Executes a parsed command; returns the answer, never NULL. */
struct json_object *command_execute(struct modem *m, const struct command *c, struct args *a);

/* Returns the object that explains the error. */
struct json_object *command_failed(const struct args *a);

#endif
