/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a trunk's configuration: the one table behind command line, configuration file,
 * JSON, --help and manual page.
 */
#ifndef QMAP_CONFIG_WORDS_H
#define QMAP_CONFIG_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

struct json_object;

enum config_type {
	CONFIG_STRING,
	CONFIG_UINT,
	CONFIG_BOOL,
	CONFIG_ENUM
};

enum config_scope {
	CONFIG_TRUNK,  /* struct config_trunk */
	CONFIG_PDN,    /* struct config_pdn */
	CONFIG_MODEL,  /* struct config_model */
	CONFIG_DAEMON, /* struct config_daemon */
	CONFIG_SCOPES
};

/* Effort needed to apply another value to an attached trunk, least first. */
enum config_change {
	CONFIG_CHANGE_NOTHING, /* it affects only how the rest is read */
	CONFIG_CHANGE_IN_PLACE,
	CONFIG_CHANGE_REDIAL,  /* the PDN's calls are dialled again; its port stays */
	CONFIG_CHANGE_REPLACE, /* the PDN is removed and added again, or the trunk is */
};

/* One value of a CONFIG_ENUM; the last entry has no name. */
struct config_choice {
	const char *name;
	int value;
};

struct config_word {
	const char *key; /* "dl-max-bytes"; in JSON "dl_max_bytes" */
	enum config_scope scope;
	enum config_type type;
	/* names the object: given as argument, section or JSON key, not as option */
	bool identity;
	bool secret;	/* never printed */
	bool file_only; /* not an option of `attach` */
	enum config_change change;
	size_t offset;
	size_t size;	       /* of a string's buffer */
	unsigned int min, max; /* of a number */
	const struct config_choice *choices;
	const char *metavar; /* of a string or number */
	const char *help;
};

/* Iterates over the words of @scope; NULL after the last. Start with @previous NULL. */
const struct config_word *config_word_next(enum config_scope scope,
					   const struct config_word *previous);

/*
 * Finds the word @key ("_" counts as "-"). NULL with @err (-EINVAL, suggesting the nearest word) if
 * there is none.
 */
const struct config_word *config_word_find(enum config_scope scope, const char *key,
					   struct error *err);

/* Parses text into the member of @object for @word. -EINVAL lists the values allowed. */
int config_word_set(const struct config_word *word, void *object, const char *value,
		    struct error *err);

/* Name of a choice by its number: "v5" for CONFIG_QMAP_V5 of "qmap". */
const char *config_word_choice(const struct config_word *word, int value);

/* Has the member the same value in @a and @b? */
bool config_word_equal(const struct config_word *word, const void *a, const void *b);

/* Writes the member as text for config_word_set(); @buf has CONFIG_TEXT_MAX bytes. */
#define CONFIG_TEXT_MAX 512
void config_word_text(const struct config_word *word, const void *object, char *buf);

/* The member as JSON: string, integer or boolean. New reference. */
struct json_object *config_word_to_json(const struct config_word *word, const void *object);
int config_word_from_json(const struct config_word *word, void *object, struct json_object *value,
			  struct error *err);

/* Values allowed, as words for an error: "auto, off, v1, v4, v5", "a number from 1 to 254". */
void config_word_allowed(const struct config_word *word, char *buf, size_t size);

/* The same for a help text: "auto|off|v1|v4|v5", "ID". */
void config_word_metavar(const struct config_word *word, char *buf, size_t size);

#endif
