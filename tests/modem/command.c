// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"
#include "faultcmd.h"
#include "util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct command *command_at(unsigned int n)
{
	return n < fault_command_count ? &fault_commands[n] : NULL;
}

void arg_error(struct args *a, const char *format, ...)
{
	va_list ap;

	if (a->error[0])
		return; /* keep the first error */
	va_start(ap, format);
	vsnprintf(a->error, sizeof(a->error), format, ap);
	va_end(ap);
}

const char *arg_text(const struct args *a, const char *key)
{
	for (unsigned int i = 0; i < a->npairs; i++)
		if (!strcmp(a->pairs[i].key, key))
			return a->pairs[i].value;
	return NULL;
}

long arg_number(struct args *a, const char *key, long absent, long low, long high)
{
	const char *text = arg_text(a, key);
	char *end;
	long v;

	if (!text)
		return absent;
	errno = 0;
	v = strtol(text, &end, 0);
	if (!errno && end != text && !*end && v >= low && v <= high)
		return v;
	arg_error(a, "%s=%s: a number from %ld to %ld is wanted", key, text, low, high);
	return absent;
}

static const struct command *find(const char *verb)
{
	const struct command *c;

	for (unsigned int i = 0; (c = command_at(i)); i++)
		if (!strcmp(c->verb, verb))
			return c;
	return NULL;
}

static bool known_key(const char *keys, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = keys; *p; p += strcspn(p, " "), p += *p == ' ')
		if (!strncmp(p, key, len) && (p[len] == ' ' || !p[len]))
			return true;
	return false;
}

static void add_argument(struct args *a, const struct command *c, char *text)
{
	char *equals = strchr(text, '=');

	/* "wait KEY >= N" has an operator that is not KEY=VALUE */
	if (!equals || strchr("=<>!", text[0])) {
		if (a->nwords == c->words)
			arg_error(a, "%s: one word too many", text);
		else
			a->words[a->nwords++] = text;
		return;
	}
	*equals = '\0';
	if (!known_key(c->keys, text) || a->npairs == MAX_PAIRS) {
		arg_error(a, "%s does not know %s=", c->verb, text);
		return;
	}
	a->pairs[a->npairs].key = text;
	a->pairs[a->npairs++].value = equals + 1;
}

const struct command *command_parse(char *line, struct args *a)
{
	const struct command *c;
	char *save, *text = strtok_r(line, " \t\r\n", &save);

	*a = (struct args){0};
	c = text ? find(text) : NULL;
	if (!c) {
		arg_error(a, "%s: no such command; see qmap-modem --help", text ?: "empty line");
		return NULL;
	}
	while ((text = strtok_r(NULL, " \t\r\n", &save)))
		add_argument(a, c, text);
	if (a->nwords < c->words)
		arg_error(a, "usage: %s %s", c->verb, c->synopsis);
	return c;
}

struct json_object *command_failed(const struct args *a)
{
	struct json_object *answer = json_object_new_object();

	json_object_object_add(answer, "error", json_object_new_string(a->error));
	return answer;
}

struct json_object *command_execute(struct modem *m, const struct command *c, struct args *a)
{
	struct json_object *answer = c->run(m, a);

	if (a->error[0]) {
		json_object_put(answer);
		return command_failed(a);
	}
	if (!answer) {
		answer = json_object_new_object();
		json_object_object_add(answer, "ok", json_object_new_boolean(true));
	}
	return answer;
}
