// SPDX-License-Identifier: GPL-2.0-or-later
/* Removes the secrets from a configuration, and restores them. */
#include <string.h>

#include "config.h"
#include "words.h"

/* Every secret is a string. */
static char *next_secret(enum config_scope scope, void *object, const struct config_word **w)
{
	while ((*w = config_word_next(scope, *w)))
		if ((*w)->secret)
			return (char *)object + (*w)->offset;
	return NULL;
}

static bool drop(enum config_scope scope, void *object)
{
	const struct config_word *w = NULL;
	bool dropped = false;
	char *secret;

	while ((secret = next_secret(scope, object, &w))) {
		dropped |= *secret;
		explicit_bzero(secret, w->size);
	}
	return dropped;
}

void config_trunk_drop_secrets(struct config_trunk *c)
{
	bool dropped = drop(CONFIG_TRUNK, c);

	for (unsigned int i = 0; i < c->npdns; i++)
		dropped |= drop(CONFIG_PDN, &c->pdns[i]);
	c->keep_secrets |= dropped;
}

static void take(enum config_scope scope, void *object, const void *from)
{
	const struct config_word *w = NULL;
	char *secret;

	while ((secret = next_secret(scope, object, &w)))
		if (!*secret)
			memcpy(secret, (const char *)from + w->offset, w->size);
}

void config_trunk_take_secrets(struct config_trunk *c, const struct config_trunk *from)
{
	if (!c->keep_secrets)
		return;
	c->keep_secrets = false;
	take(CONFIG_TRUNK, c, from);
	for (unsigned int i = 0; i < c->npdns; i++) {
		const struct config_pdn *p = config_find_pdn(from, c->pdns[i].number);

		if (p)
			take(CONFIG_PDN, &c->pdns[i], p);
	}
}
