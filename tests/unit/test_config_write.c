// SPDX-License-Identifier: GPL-2.0-or-later
/* Any configuration that is written as a file and read again is equal to the last byte. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "daemon/config/config.h"
#include "daemon/config/pdn.h"
#include "daemon/config/words.h"

#define ROUNDS 3000

static uint32_t random_state = 2463534242U;

/* xorshift: the same configurations on every machine. */
static uint32_t any(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

/* Strings full of characters with a meaning in files, and letters beyond ASCII. */
static void any_string(char *text, size_t size)
{
	static const char nasty[] = " ;#\"\\=:[]',`";
	size_t len = any(3) ? any(size) : any(4) % size;

	for (size_t i = 0; i < len; i++) {
		text[i] = any(2) ? nasty[any(sizeof(nasty) - 1)] : (char)(' ' + any(0x7f - ' '));
		if (i + 1 < len && !any(4)) { /* U+00C0 to U+00FF */
			text[i++] = 0xc3;
			text[i] = 0x80 + any(0x40);
		}
	}
	text[len] = '\0';
}

static void any_value(const struct config_word *w, void *object)
{
	char text[CONFIG_TEXT_MAX];
	unsigned int n = 0;

	switch (w->type) {
	case CONFIG_STRING:
		if (!strcmp(w->key, "hook"))
			strcpy(text, "/a;b /\"c\\");
		else if (!strcmp(w->key, "pin"))
			snprintf(text, sizeof(text), "%u", 1000 + any(9000));
		else if (!strcmp(w->key, "recover"))
			strcpy(text, any(2) ? "off" : "radio,hook");
		else if (!strcmp(w->key, "clat"))
			strcpy(text, any(2) ? "off" : "64:ff9b::/96");
		else if (!strcmp(w->key, "steer"))
			strcpy(text, any(2) ? "off" : "0-1,3");
		else if (!strcmp(w->key, "lan"))
			strcpy(text, any(2) ? "br-lan" : "");
		else if (!strcmp(w->key, "passthrough"))
			strcpy(text, ((struct config_pdn *)object)->netns[0] ? "" : "lan0");
		else
			any_string(text, w->size);
		break;
	case CONFIG_UINT:
		snprintf(text, sizeof(text), "%u",
			 w->max - w->min == UINT32_MAX ? any(UINT32_MAX)
						       : w->min + any(w->max - w->min + 1));
		break;
	case CONFIG_BOOL:
		snprintf(text, sizeof(text), "%s", any(2) ? "yes" : "no");
		break;
	case CONFIG_ENUM:
		while (w->choices[n].name)
			n++;
		snprintf(text, sizeof(text), "%s", w->choices[any(n)].name);
		break;
	}
	assert_int_equal(config_word_set(w, object, text, NULL), 0);
}

static void any_words(enum config_scope scope, void *object)
{
	const struct config_word *w = NULL;

	while ((w = config_word_next(scope, w)))
		if (!w->identity && any(2))
			any_value(w, object);
}

/* May build one that config_trunk_finish() refuses. */
static void any_trunk(struct config_trunk *c)
{
	char number[8];

	config_trunk_init(c);
	c->persist = true; /* as for any configuration from a file */
	snprintf(c->dev, sizeof(c->dev), "w%c%u", "an;[#\"=\\"[any(8)], any(100000));
	any_words(CONFIG_TRUNK, c);
	for (unsigned int i = any(5); i; i--) {
		struct config_pdn *p = NULL;

		snprintf(number, sizeof(number), "%u", 1 + any(254));
		if (!config_pdn_new(c, number, &p, NULL))
			any_words(CONFIG_PDN, p);
	}
}

static int keep(const struct config_trunk *c, void *arg)
{
	*(struct config_trunk *)arg = *c;
	return 0;
}

static void write_and_read(const struct config_trunk *c, struct config_trunk *back)
{
	char path[] = "/tmp/qmap-config-XXXXXX";
	struct error err = {0};
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	assert_int_equal(config_file_write(f, c, &err), 0);
	fclose(f);
	memset(back, 0xaa, sizeof(*back));
	if (config_file_read(path, keep, back, &err))
		fail_msg("%s", err.text);
	unlink(path);
}

TEST(file_round_trip)
{
	static struct config_trunk c, back;
	unsigned int good = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		any_trunk(&c);
		if (config_trunk_finish(&c, NULL))
			continue;
		write_and_read(&c, &back);
		assert_memory_equal(&back, &c, sizeof(c));
		good++;
	}
	assert_true(good > ROUNDS / 10);
}

/* Secrets left out are restored from the previous configuration, also after the socket's JSON. */
TEST(without_secrets)
{
	static struct config_trunk c, told, back;
	unsigned int kept = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct json_object *o;

		any_trunk(&c);
		c.keep_secrets = false;
		if (config_trunk_finish(&c, NULL))
			continue;
		o = config_trunk_to_json(&c, false);
		assert_int_equal(config_trunk_from_json(&told, o, NULL), 0);
		json_object_put(o);
		told.persist = true;
		back = c;
		config_trunk_drop_secrets(&back);
		assert_memory_equal(&told, &back, sizeof(told));
		write_and_read(&told, &back);
		kept += back.keep_secrets;
		for (unsigned int n = 0; n < back.npdns; n++)
			assert_string_equal(back.pdns[n].password, "");
		config_trunk_take_secrets(&back, &c);
		assert_memory_equal(&back, &c, sizeof(c));
	}
	assert_true(kept > ROUNDS / 20);
}

/* Defaults are not written: the file is for people. */
TEST(text)
{
	static struct config_trunk c;
	char *buf = NULL;
	size_t len = 0;
	FILE *f;

	config_trunk_init(&c);
	c.persist = true;
	config_trunk_set(&c, "dev", "wwan0", NULL);
	config_trunk_set(&c, "qmap", "v4", NULL);
	config_pdn_add(&c, "1,apn=internet", NULL);
	config_pdn_add(&c, "2,user=a;b,password= \"x\\\\,mux=9,default-route=no,metric=5", NULL);
	f = open_memstream(&buf, &len);
	assert_int_equal(config_file_write(f, &c, NULL), 0);
	fclose(f);
	assert_string_equal(buf, "[trunk wwan0]\nqmap = v4\n\n"
				 "[trunk wwan0 pdn 1]\napn = internet\n\n"
				 "[trunk wwan0 pdn 2]\nmux = 9\nuser = \"a;b\"\n"
				 "password = \" \\\"x\\\\\"\nmetric = 5\ndefault-route = no\n");
	free(buf);
}

TEST(names_that_do_not_fit)
{
	static const char *const names[] = {"a]b", ";x"};
	static struct config_trunk c;

	for (int i = 0; i < 2; i++) {
		struct error err = {0};
		FILE *f = fopen("/dev/null", "we");

		config_trunk_init(&c);
		config_trunk_set(&c, "dev", names[i], NULL);
		assert_int_equal(config_file_write(f, &c, &err), -EINVAL);
		assert_non_null(strstr(err.text, names[i]));
		fclose(f);
	}
}
