// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "util/nearest.h"

/* getopt_long() returns this plus the index of the long option, beyond any letter. */
#define LONG_BASE 256

#define HELP_COLUMN 30

void options_add(struct option_list *l, const struct option_def *defs, size_t n)
{
	if (l->n + n > OPTIONS_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		l->defs[l->n++] = defs[i];
}

void options_add_trunk(struct option_list *l, size_t offset)
{
	const struct config_word *w = NULL;

	while ((w = config_word_next(CONFIG_TRUNK, w))) {
		struct option_def def = {.name = w->key,
					 .type = OPTION_TRUNK,
					 .offset = offset,
					 .help = w->help,
					 .word = w};

		if (!w->identity && !w->file_only)
			options_add(l, &def, 1);
	}
}

bool option_takes_argument(const struct option_def *def)
{
	return def->metavar || def->word;
}

void option_metavar(const struct option_def *def, char *buf, size_t size)
{
	if (def->word)
		config_word_metavar(def->word, buf, size);
	else
		snprintf(buf, size, "%s", def->metavar ? def->metavar : "");
}

struct getopt_tables {
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 3];
};

static void make_tables(const struct option_list *l, bool stop_early, struct getopt_tables *t)
{
	char *s = t->shorts;

	if (stop_early)
		*s++ = '+';
	*s++ = ':'; /* distinguishes a missing argument from an unknown option */
	for (size_t i = 0; i < l->n; i++) {
		const struct option_def *def = &l->defs[i];

		t->longs[i].name = def->name;
		t->longs[i].has_arg = option_takes_argument(def) ? required_argument : no_argument;
		t->longs[i].val = LONG_BASE + i;
		if (!def->letter)
			continue;
		*s++ = def->letter;
		if (option_takes_argument(def))
			*s++ = ':';
	}
}

static int apply(const struct option_def *def, void *target, const char *value, struct error *err)
{
	void *member = (char *)target + def->offset;

	switch (def->type) {
	case OPTION_FLAG:
		*(bool *)member = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)member = value;
		return 0;
	case OPTION_CALL:
		return def->set(member, value, err);
	case OPTION_TRUNK:
		return config_word_set(def->word, member, value, err);
	}
	return -EINVAL;
}

static const struct option_def *find_option(const struct option_list *l, int c)
{
	if (c >= LONG_BASE)
		return &l->defs[c - LONG_BASE];
	for (size_t i = 0; i < l->n; i++) {
		if (l->defs[i].letter == c)
			return &l->defs[i];
	}
	return NULL;
}

/* -EINVAL if @name is a prefix of more than one option, else 0. */
static int ambiguous_option(const struct option_list *l, const char *name, struct error *err)
{
	const char *first = NULL;

	for (size_t i = 0; i < l->n; i++) {
		if (strncmp(l->defs[i].name, name, strlen(name)))
			continue;
		if (first)
			return error_set(err, -EINVAL, "--%s is ambiguous: --%s or --%s?", name,
					 first, l->defs[i].name);
		first = l->defs[i].name;
	}
	return 0;
}

static bool has_pdn(const struct option_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->defs[i].name, "pdn"))
			return true;
	return false;
}

/*
 * Handles "--nonsense=5", "-x" and a prefix of more than one option. @arg: the word with the long option;
 * optopt is 0 then, or names a known one. After a letter it is another word: "-xj" has not ended.
 */
static int unknown_option(const struct option_list *l, const char *arg, struct error *err)
{
	struct nearest near;
	char name[40];

	if (optopt && optopt < LONG_BASE)
		return error_set(err, -EINVAL, "unknown option -%c", optopt);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg + 2, "="), arg + 2);
	/* optopt names a known option: its argument is wrong. */
	if (optopt >= LONG_BASE)
		return error_set(err, -EINVAL, "option --%s takes no argument",
				 l->defs[optopt - LONG_BASE].name);
	if (ambiguous_option(l, name, err))
		return -EINVAL;
	error_set(err, -EINVAL, "unknown option --%s", name);
	if (has_pdn(l) && config_word_find(CONFIG_PDN, name, NULL)) {
		error_hint(err, "it is a setting of a PDN: --pdn 1,%s=...", name);
		return -EINVAL;
	}
	nearest_init(&near, name);
	for (size_t i = 0; i < l->n; i++)
		nearest_offer(&near, l->defs[i].name);
	if (near.best)
		error_hint(err, "did you mean --%s?", near.best);
	return -EINVAL;
}

static int missing_argument(const struct option_list *l, struct error *err)
{
	const struct option_def *def = find_option(l, optopt);
	char var[64];

	option_metavar(def, var, sizeof(var));
	return error_set(err, -EINVAL, "option --%s needs an argument: --%s %s", def->name,
			 def->name, var);
}

int options_parse(const struct option_list *l, void *target, int argc, char **argv, bool stop_early,
		  int *operands, struct error *err)
{
	struct getopt_tables t = {0};
	int c, ret = 0;

	make_tables(l, stop_early, &t);
	optind = 0; /* restarts getopt with glibc and musl */
	opterr = 0;
	while (!ret && (c = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
		if (c == ':')
			ret = missing_argument(l, err);
		else if (c == '?')
			ret = unknown_option(l, argv[optind - 1], err);
		else
			ret = apply(find_option(l, c), target, optarg, err);
	}
	*operands = optind;
	return ret;
}

static void print_line(FILE *out, const char *left, const char *help)
{
	if (strlen(left) < HELP_COLUMN - 1)
		fprintf(out, "%-*s%s\n", HELP_COLUMN, left, help);
	else
		fprintf(out, "%s\n%*s%s\n", left, HELP_COLUMN, "", help);
}

void options_print(FILE *out, const struct option_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct option_def *def = &l->defs[i];
		char left[96], var[64], letter[8] = "    ";

		option_metavar(def, var, sizeof(var));
		if (def->letter)
			snprintf(letter, sizeof(letter), "-%c, ", def->letter);
		snprintf(left, sizeof(left), "  %s--%s%s%s", letter, def->name, *var ? " " : "",
			 var);
		print_line(out, left, def->help);
	}
}

void options_print_pdn(FILE *out)
{
	const struct config_word *w = NULL;

	while ((w = config_word_next(CONFIG_PDN, w))) {
		char left[96], var[64];

		if (w->identity)
			continue;
		config_word_metavar(w, var, sizeof(var));
		snprintf(left, sizeof(left), "      %s=%s", w->key, var);
		print_line(out, left, w->help);
	}
}
