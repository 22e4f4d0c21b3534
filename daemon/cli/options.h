/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command line options as data for getopt_long(), --help and completion. */
#ifndef QMAP_OPTIONS_H
#define QMAP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/words.h"
#include "util/error.h"

enum option_type {
	OPTION_FLAG,  /* sets the bool at offset */
	OPTION_TEXT,  /* points the const char * at offset to the argument */
	OPTION_CALL,  /* calls set() with target + offset */
	OPTION_TRUNK, /* a word of a trunk; offset: of its struct config_trunk */
};

struct option_def {
	const char *name;
	char letter; /* 0: none */
	enum option_type type;
	size_t offset;	     /* into the target */
	const char *metavar; /* NULL: no argument */
	const char *help;
	int (*set)(void *member, const char *value, struct error *err);
	const struct config_word *word;
};

bool option_takes_argument(const struct option_def *def);
/* Describes the argument in a help text: "auto|on|off", "PATH"; empty: no argument. */
void option_metavar(const struct option_def *def, char *buf, size_t size);

#define OPTIONS_MAX 40

struct option_list {
	size_t n;
	struct option_def defs[OPTIONS_MAX];
};

/* Appends options. More than OPTIONS_MAX in all is a programming error (abort). */
void options_add(struct option_list *l, const struct option_def *defs, size_t n);
/* Appends an option for every word of a trunk's configuration. */
void options_add_trunk(struct option_list *l, size_t offset);

/*
 * Parses @argv[1...] into @target and moves operands to the end. @operands: index of the first
 * operand. With @stop_early parsing ends at the first operand. -EINVAL.
 */
int options_parse(const struct option_list *l, void *target, int argc, char **argv, bool stop_early,
		  int *operands, struct error *err);

/* Prints one line per option, aligned. */
void options_print(FILE *out, const struct option_list *l);

/* Prints the words of a PDN in the same way. */
void options_print_pdn(FILE *out);

#endif
