// SPDX-License-Identifier: GPL-2.0-or-later
#include "field.h"

#include <stdio.h>
#include <string.h>

/* Copies up to one of @stops and returns its position. */
static const char *take(const char *p, const char *stops, char *out, size_t size)
{
	size_t n = strcspn(p, stops);

	snprintf(out, size, "%.*s", (int)n, p);
	return p + n;
}

const char *qmi_field_next(const char *format, struct qmi_field *f)
{
	char word[64];
	const char *rest, *q;

	format += strspn(format, " ");
	if (!*format)
		return NULL;
	rest = take(format, " ", word, sizeof(word));
	q = strchr(word, ':');
	snprintf(f->name, sizeof(f->name), "%.*s", q ? (int)(q - word) : 5, q ? word : "value");
	q = q ? q + 1 : word;
	f->secret = *q == '!';
	q = take(q + f->secret, "/", f->kind, sizeof(f->kind));
	snprintf(f->enumeration, sizeof(f->enumeration), "%.23s", *q ? q + 1 : "");
	return rest;
}
