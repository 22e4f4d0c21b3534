// SPDX-License-Identifier: GPL-2.0-or-later
#include "printable.h"

#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

/*
 * Lead bytes of UTF-8 (RFC 3629): the number of bytes that follow, and the range of the first of
 * them, which rules out overlong forms, surrogates and code points beyond U+10FFFF.
 */
static const struct lead {
	uint8_t from, to, more, first_min, first_max;
} leads[] = {
	{0x20, 0x7e, 0, 0, 0},	     {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
	{0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
	{0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

/* Valid UTF-8 that controls the terminal instead of showing a character. */
static const struct {
	uint32_t from, to;
} acts[] = {
	{0x80, 0x9f},			    /* C1: 0x9b is the same as ESC [ */
	{0x61c, 0x61c},			    /* writing direction, as in the entries below */
	{0x200e, 0x200f}, {0x2028, 0x202e}, /* separators of lines and paragraphs, too */
	{0x2066, 0x2069}, {0xfeff, 0xfeff}, /* byte order mark */
};

static const struct lead *lead_of(uint8_t c)
{
	for (size_t i = 0; i < ARRAY_SIZE(leads); i++)
		if (c >= leads[i].from && c <= leads[i].to)
			return &leads[i];
	return NULL;
}

static bool only_shows(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
		if (code >= acts[i].from && code <= acts[i].to)
			return false;
	return true;
}

/*
 * Length of the printable character that begins at @s with @left bytes available; 0: not
 * printable.
 */
static size_t character(const uint8_t *s, size_t left)
{
	const struct lead *l = lead_of(s[0]);
	uint32_t code;

	if (!l || l->more >= left)
		return 0;
	if (!l->more)
		return 1;
	if (s[1] < l->first_min || s[1] > l->first_max)
		return 0;
	code = s[0] & (0x3f >> l->more);
	for (size_t i = 1; i <= l->more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	return only_shows(code) ? l->more + 1 : 0;
}

/* Index of the first byte from @i on that is not printable; @len: every byte is. */
static size_t skip(const char *s, size_t i, size_t len)
{
	size_t n;

	while (i < len && (n = character((const uint8_t *)s + i, len - i)))
		i += n;
	return i;
}

bool is_printable(const char *s, size_t len)
{
	return skip(s, 0, len) == len;
}

char *printable(char *s)
{
	size_t len = strlen(s);

	for (size_t i = skip(s, 0, len); i < len; i = skip(s, i, len))
		s[i] = '?';
	return s;
}

static void printable_value(struct json_object *v)
{
	size_t len = json_object_get_string_len(v);
	const char *text = json_object_get_string(v);
	char *copy;

	if (is_printable(text, len))
		return;
	copy = strndup(text, len);
	json_object_set_string(v, copy ? printable(copy) : "?");
	free(copy);
}

static int visit(struct json_object *o, int flags, struct json_object *parent, const char *key,
		 size_t *index, void *arg)
{
	if (!(flags & JSON_C_VISIT_SECOND) && json_object_is_type(o, json_type_string))
		printable_value(o);
	return JSON_C_VISIT_RETURN_CONTINUE;
}

void printable_json(struct json_object *o)
{
	if (o)
		json_c_visit(o, 0, visit, NULL);
}

/*
 * json-c escapes the control characters of ASCII except DEL; it writes all other bytes of a string
 * unchanged. Outside strings it writes ASCII only, so a '?' cannot break the syntax; the remaining
 * newlines are json-c's own.
 */
const char *printable_json_text(struct json_object *o, int flags, size_t *len)
{
	size_t n;
	char *text = (char *)json_object_to_json_string_length(o, flags, &n);

	for (size_t i = skip(text, 0, n); i < n; i = skip(text, i, n)) {
		if (text[i] != '\n')
			text[i] = '?';
		else
			i++;
	}
	if (len)
		*len = n;
	return text;
}
