// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes a configuration as a file for config_file_read(). */
#include <errno.h>
#include <string.h>

#include "config.h"
#include "pdn.h"
#include "words.h"

/* Quotes a value that inih would cut or take for a comment, or that looks quoted. */
static void write_value(FILE *f, const char *value)
{
	if (!strpbrk(value, " ;\"\\")) {
		fputs(value, f);
		return;
	}
	fputc('"', f);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', f);
		fputc(*value, f);
	}
	fputc('"', f);
}

/* Writes the words in which @object differs from @normal. */
static void write_words(FILE *f, enum config_scope scope, const void *object, const void *normal)
{
	const struct config_word *w = NULL;
	char text[CONFIG_TEXT_MAX];

	while ((w = config_word_next(scope, w))) {
		if (w->identity || config_word_equal(w, object, normal))
			continue;
		config_word_text(w, object, text);
		fprintf(f, "%s = ", w->key);
		write_value(f, text);
		fputc('\n', f);
		explicit_bzero(text, sizeof(text));
	}
}

int config_file_write(FILE *f, const struct config_trunk *c, struct error *err)
{
	struct config_trunk normal_trunk;

	if (strchr(c->dev, ']') || c->dev[0] == ';')
		return error_set(err, -EINVAL, "a configuration file cannot hold the name \"%s\"",
				 c->dev);
	config_trunk_init(&normal_trunk);
	normal_trunk.persist = true; /* as set by the reader */
	fprintf(f, "[trunk %s]\n", c->dev);
	write_words(f, CONFIG_TRUNK, c, &normal_trunk);
	for (unsigned int i = 0; i < c->npdns; i++) {
		struct config_pdn normal;

		config_pdn_init(&normal, c->pdns[i].number);
		fprintf(f, "\n[trunk %s pdn %u]\n", c->dev, c->pdns[i].number);
		write_words(f, CONFIG_PDN, &c->pdns[i], &normal);
	}
	return 0;
}
