// SPDX-License-Identifier: GPL-2.0-or-later
/* Completion for shells: offers words of the command line from the tables of options. */
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "daemon.h"
#include "discover/discover.h"
#include "local.h"
#include "output/output.h"
#include "util/json_add.h"
#include "util/json_get.h"

/* Leaves file names to the shell, which knows how to quote them. */
#define FILES ":files"

struct completion {
	const struct cli *cli;
	const char *word; /* the word to complete */
	const char *keep; /* beginning of the word that stays unchanged ... */
	size_t nkeep;	  /* ... its length */
	struct json_object *found;
};

static void add(const struct completion *c, const char *word)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "word", word);
	json_object_array_add(c->found, o);
}

/* Offers @head, @text and @tail as one word if the word to complete is a prefix of it. */
static void offer(const struct completion *c, const char *head, const char *text, const char *tail)
{
	char all[512];

	snprintf(all, sizeof(all), "%.*s%s%s%s", (int)c->nkeep, c->keep, head, text, tail);
	if (!strncmp(all, c->word, strlen(c->word)))
		add(c, all);
}

/* Offers each choice of "v1|v4|v5"; capitals stand for a value that only the user knows. */
static void offer_list(const struct completion *c, const char *head, const char *list)
{
	char buf[256], *rest = buf, *one;

	snprintf(buf, sizeof(buf), "%s", list);
	while ((one = strsep(&rest, "|")))
		if (!isupper((unsigned char)one[0]))
			offer(c, head, one, "");
}

/* @metavar describes the value: "v1|v4|v5", PATH, or a value that only the user knows. */
static void offer_value(const struct completion *c, const char *head, const char *metavar)
{
	if (strchr(metavar, '|'))
		offer_list(c, head, metavar);
	else if (!strcmp(metavar, "PATH") || !strcmp(metavar, "PATHS") || !strcmp(metavar, "FILE"))
		add(c, FILES);
}

/* --- network devices --- */

static void offer_modems(const struct completion *c)
{
	struct modem *list;
	size_t n;

	if (modems_find("/sys", &list, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (list[i].netdev[0])
			offer(c, "", list[i].netdev, "");
	free(list);
}

static void offer_attached(const struct completion *c)
{
	struct json_object *trunks = NULL;
	struct error err = {0};

	if (cli_ask(c->cli, "show", NULL, local_show, &trunks, &err))
		return;
	for (size_t i = 0; i < json_object_array_length(trunks); i++)
		offer(c, "", json_get_string(json_object_array_get_idx(trunks, i), "dev"), "");
	json_object_put(trunks);
}

/* --- options --- */

/* Completes a word of a PDN: in "1,apn=internet,ip=" the part behind the last comma. */
static void offer_pdn(struct completion *c)
{
	const struct config_word *w = NULL;
	const char *last = strrchr(c->word, ',');
	char head[64], metavar[128];

	if (!last)
		return;
	c->keep = c->word;
	c->nkeep = last + 1 - c->word;
	while ((w = config_word_next(CONFIG_PDN, w))) {
		size_t len = strlen(w->key);

		if (w->identity)
			continue;
		if (strncmp(last + 1, w->key, len) || last[1 + len] != '=') {
			offer(c, "", w->key, "=");
			continue;
		}
		snprintf(head, sizeof(head), "%s=", w->key);
		config_word_metavar(w, metavar, sizeof(metavar));
		offer_value(c, head, metavar);
	}
}

static void offer_argument(struct completion *c, const struct option_def *def)
{
	char metavar[128];

	if (!strcmp(def->name, "pdn")) {
		offer_pdn(c);
		return;
	}
	option_metavar(def, metavar, sizeof(metavar));
	offer_value(c, "", metavar);
}

/* Finds the option for @word: "--qmap", "--qmap=v5", "-n"; NULL: unknown. */
static const struct option_def *find(const struct option_list *l, const char *word)
{
	size_t len;

	if (word[0] != '-')
		return NULL;
	len = strcspn(word, "=");
	for (size_t i = 0; i < l->n; i++) {
		const struct option_def *def = &l->defs[i];

		if (word[1] == '-' && strlen(def->name) == len - 2 &&
		    !strncmp(def->name, word + 2, len - 2))
			return def;
		if (word[1] != '-' && def->letter && word[1] == def->letter && !word[2])
			return def;
	}
	return NULL;
}

/* Does option @word take the next word as its argument? */
static const struct option_def *wants_next(const struct option_list *l, const char *word)
{
	const struct option_def *def = find(l, word);

	return def && option_takes_argument(def) && !strchr(word, '=') ? def : NULL;
}

/* --- operands --- */

static void offer_commands(const struct completion *c)
{
	for (const struct cli_command *cmd = cli_commands; cmd->name; cmd++)
		offer(c, "", cmd->name, "");
}

static void offer_operand(const struct completion *c, const struct cli_command *cmd,
			  unsigned int nth)
{
	if (!cmd) {
		offer_commands(c);
		return;
	}
	switch (nth ? CLI_OPERAND_NONE : cmd->operand) {
	case CLI_OPERAND_NONE:
		break;
	case CLI_OPERAND_MODEM:
		offer_modems(c);
		break;
	case CLI_OPERAND_ATTACHED:
		offer_attached(c);
		break;
	case CLI_OPERAND_FILE:
		add(c, FILES);
		break;
	case CLI_OPERAND_COMMAND:
		offer_commands(c);
		break;
	case CLI_OPERAND_PROTOCOL:
		offer_list(c, "", "qmi|qmap");
		break;
	}
}

/* --- the command line --- */

static void complete(struct completion *c, int argc, char **argv)
{
	const struct cli_command *cmd = NULL;
	const struct option_def *def = NULL;
	unsigned int operands = 0;
	struct option_list l;
	const char *value;

	cli_options(&l, NULL);
	for (int i = 0; i < argc - 1; i++) {
		if (def) {
			def = NULL; /* argv[i] was its argument */
		} else if (argv[i][0] == '-') {
			def = wants_next(&l, argv[i]);
		} else if (cmd) {
			operands++;
		} else {
			cmd = cli_find_command(argv[i], NULL);
			if (!cmd)
				return;
			cli_options(&l, cmd);
		}
	}
	value = strchr(c->word, '=');
	if (!def && c->word[0] == '-' && value) {
		def = find(&l, c->word);
		c->keep = c->word;
		c->nkeep = value + 1 - c->word;
		if (!def || !option_takes_argument(def))
			return;
	}
	if (def) {
		offer_argument(c, def);
	} else if (c->word[0] == '-') {
		for (size_t i = 0; i < l.n; i++)
			offer(c, "--", l.defs[i].name,
			      option_takes_argument(&l.defs[i]) ? "=" : "");
	} else {
		offer_operand(c, cmd, operands);
	}
}

static void print_words(const struct output *output, FILE *out, struct json_object *found)
{
	for (size_t i = 0; i < json_object_array_length(found); i++)
		fprintf(out, "%s\n", json_get_string(json_object_array_get_idx(found, i), "word"));
}

int cli_complete(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct completion c = {.cli = cli, .keep = ""};

	if (!argc)
		return error_set(err, -EINVAL, "the word to complete is missing");
	c.word = argv[argc - 1];
	c.found = json_object_new_array();
	complete(&c, argc, argv);
	output_result(&cli->output, c.found, print_words);
	json_object_put(c.found);
	return 0;
}
