// SPDX-License-Identifier: GPL-2.0-or-later
/* The manual pages name every entry of the programs' tables, in the same words. */
#include "test.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/cli.h"
#include "daemon/config/config.h"
#include "daemon/config/model.h"
#include "daemon/config/pdn.h"
#include "daemon/config/words.h"
#include "daemon/datapath/counters.h"
#include "daemon/qmi/message.h"
#include "qmap/abi.h"

#define QMAPCTL	   "doc/qmapctl.8.rst"
#define QMAPD_CONF "doc/qmapd.conf.5.rst"

static char *read_page(const char *path)
{
	static char pages[2][65536];
	static unsigned int next;
	char *page = pages[next++ % 2];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		fail_msg("cannot open %s: tests run in the top directory of the tree", path);
	n = fread(page, 1, sizeof(pages[0]) - 1, f);
	assert_true(n > 0 && n < sizeof(pages[0]) - 1);
	page[n] = '\0';
	fclose(f);
	return page;
}

/* Finds the text, or fails and reports the missing text and the file. */
__attribute__((format(printf, 3, 4))) static const char *expect(const char *page, const char *path,
								const char *fmt, ...)
{
	const char *found;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	found = strstr(page, text);
	if (!found)
		fail_msg("%s does not say: %s", path, text);
	return found;
}

TEST(drop_reasons)
{
	const char *page = read_page(QMAPCTL);

	for (unsigned int i = 0; i < QMAP_DROP_MAX; i++)
		expect(page, QMAPCTL, "\n:%s: %s.", qmap_drop_name(i), qmap_drop_text(i));
}

TEST(faults_of_qmi)
{
	const char *page = read_page(QMAPCTL);

	for (int f = 0; f < QMI_FAULT_MAX; f++)
		expect(page, QMAPCTL, "%s (", qmi_fault_name(f));
}

static void check_options(const char *page, const struct cli_command *cmd)
{
	struct option_list l;

	cli_options(&l, cmd);
	for (size_t i = 0; i < l.n; i++) {
		expect(page, QMAPCTL, "**--%s**", l.defs[i].name);
		if (l.defs[i].letter)
			expect(page, QMAPCTL, "**-%c**, **--%s**", l.defs[i].letter,
			       l.defs[i].name);
	}
}

TEST(commands_and_options)
{
	const char *page = read_page(QMAPCTL);

	for (const struct cli_command *cmd = cli_commands; cmd->name; cmd++) {
		expect(page, QMAPCTL, "| **qmapctl %s", cmd->name);
		check_options(page, cmd);
	}
}

TEST(pdn_words_of_qmapctl)
{
	const char *page = read_page(QMAPCTL);
	const struct config_word *w = NULL;

	while ((w = config_word_next(CONFIG_PDN, w)))
		if (!w->identity)
			expect(page, QMAPCTL, "**%s=**", w->key);
}

/*
 * The default as the page should give it: @one and @two are the word's values in PDNs 1 and 2, to
 * detect one that depends on the number. An empty string has no default to compare.
 */
static void expect_default(const char *entry, const struct config_word *w, struct json_object *one,
			   struct json_object *two)
{
	bool of_n = w->type == CONFIG_UINT && !json_object_equal(one, two);
	char text[64];

	if (of_n && w->min == 1 && w->max == 254)
		snprintf(text, sizeof(text), "0x%x + N", json_object_get_int(one) - 1);
	else if (of_n)
		snprintf(text, sizeof(text), "%d + N", json_object_get_int(one) - 1);
	else if (w->type == CONFIG_BOOL)
		snprintf(text, sizeof(text), "%s", json_object_get_boolean(one) ? "yes" : "no");
	else
		snprintf(text, sizeof(text), "%s", json_object_get_string(one));
	if (*text)
		expect(entry, w->key, "Default: %s.", text);
	else
		expect(entry, w->key, "Default: ");
}

/* Checks heading and default of one word, the latter within its own entry. */
static void check_word(const char *page, const struct config_word *w, const void *one,
		       const void *two)
{
	struct json_object *a = config_word_to_json(w, one), *b = config_word_to_json(w, two);
	char var[64], entry[1024];
	const char *start, *end;

	config_word_metavar(w, var, sizeof(var));
	start = expect(page, QMAPD_CONF, "\n``%s = %s``\n    ", w->key, var);
	end = strstr(start, "\n\n");
	assert_non_null(end);
	snprintf(entry, sizeof(entry), "%.*s", (int)(end - start), start);
	for (char *p = entry; (p = strstr(p, "\n    "));)
		memmove(p + 1, p + 5, strlen(p + 5) + 1), *p = ' ';
	expect_default(entry, w, a, b);
	json_object_put(a);
	json_object_put(b);
}

TEST(words_of_the_file)
{
	const char *page = read_page(QMAPD_CONF);
	const struct config_word *w = NULL;
	struct config_pdn *one, *two;
	struct config_daemon daemon = {.qmi_proxy = "yes",
				       .qmi_proxy_group = "root alone",
				       .totals_minutes = CONFIG_TOTALS_MINUTES};
	struct config_model m;
	struct config_trunk c;

	config_trunk_init(&c);
	assert_int_equal(config_pdn_new(&c, "1", &one, NULL), 0);
	assert_int_equal(config_pdn_new(&c, "2", &two, NULL), 0);
	while ((w = config_word_next(CONFIG_TRUNK, w)))
		if (!w->identity)
			check_word(page, w, &c, &c);
	while ((w = config_word_next(CONFIG_PDN, w)))
		if (!w->identity)
			check_word(page, w, one, two);
	assert_int_equal(config_model_init(&m, "1234:5678", NULL), 0);
	while ((w = config_word_next(CONFIG_MODEL, w)))
		if (!w->identity)
			check_word(strstr(page, "\nMODEL\n"), w, &m, &m);
	while ((w = config_word_next(CONFIG_DAEMON, w)))
		check_word(strstr(page, "\nQMAPD\n"), w, &daemon, &daemon);
}
