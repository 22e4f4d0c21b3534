// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "util/json_add.h"
#include "pdn.h"
#include "words.h"

static void add_word(struct json_object *o, const struct config_word *w, const void *object,
		     bool secrets)
{
	const char *text = (const char *)object + w->offset;
	char key[32];
	size_t i;

	for (i = 0; i < sizeof(key) - 1 && w->key[i]; i++)
		key[i] = w->key[i] == '-' ? '_' : w->key[i];
	key[i] = '\0';
	if (!w->secret || secrets)
		json_object_object_add(o, key, config_word_to_json(w, object));
	else if (*text)
		json_add_bool(o, key, true);
}

static struct json_object *words_to_json(enum config_scope scope, const void *object, bool secrets)
{
	struct json_object *o = json_object_new_object();
	const struct config_word *w = NULL;

	while ((w = config_word_next(scope, w)))
		add_word(o, w, object, secrets);
	return o;
}

struct json_object *config_trunk_to_json(const struct config_trunk *c, bool secrets)
{
	struct json_object *o = words_to_json(CONFIG_TRUNK, c, secrets);
	struct json_object *pdns = json_object_new_array();

	for (unsigned int i = 0; i < c->npdns; i++)
		json_object_array_add(pdns, words_to_json(CONFIG_PDN, &c->pdns[i], secrets));
	json_object_object_add(o, "pdns", pdns);
	return o;
}

/* @object: the member of @c for @scope. */
static int word_from_json(struct config_trunk *c, enum config_scope scope, void *object,
			  const char *key, struct json_object *value, struct error *err)
{
	const struct config_word *w = config_word_find(scope, key, err);
	bool keep = c->keep_secrets;
	int ret;

	if (!w)
		return -EINVAL;
	/* config_trunk_to_json() replaces a secret by true */
	if (w->secret && json_object_is_type(value, json_type_boolean)) {
		c->keep_secrets |= json_object_get_boolean(value);
		return 0;
	}
	ret = config_word_from_json(w, object, value, err);
	c->keep_secrets |= keep;
	return ret;
}

static int pdn_from_json(struct config_trunk *c, struct json_object *o, struct error *err)
{
	struct json_object *number;
	struct config_pdn *p;
	int ret;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, "number", &number) ||
	    !json_object_is_type(number, json_type_int))
		return error_set(err, -EINVAL,
				 "a PDN must be a JSON object with an integer \"number\"");
	ret = config_pdn_new(c, json_object_get_string(number), &p, err);
	if (ret)
		return ret;
	json_object_object_foreach (o, key, value) {
		ret = word_from_json(c, CONFIG_PDN, p, key, value, err);
		if (ret)
			return ret;
	}
	return 0;
}

static int pdns_from_json(struct config_trunk *c, struct json_object *array, struct error *err)
{
	if (!json_object_is_type(array, json_type_array))
		return error_set(err, -EINVAL, "pdns must be a JSON array");
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		int ret = pdn_from_json(c, json_object_array_get_idx(array, i), err);

		if (ret)
			return ret;
	}
	return 0;
}

int config_trunk_from_json(struct config_trunk *c, struct json_object *o, struct error *err)
{
	int ret;

	config_trunk_init(c);
	if (!json_object_is_type(o, json_type_object))
		return error_set(err, -EINVAL,
				 "the configuration of a trunk must be a JSON object");
	json_object_object_foreach (o, key, value) {
		if (!strcmp(key, "pdns"))
			ret = pdns_from_json(c, value, err);
		else
			ret = word_from_json(c, CONFIG_TRUNK, c, key, value, err);
		if (ret)
			return ret;
	}
	return config_trunk_finish(c, err);
}
