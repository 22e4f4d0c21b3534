// SPDX-License-Identifier: GPL-2.0-or-later
#include "hook_facts.h"

#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/json_get.h"
#include "util/log.h"
#include "util/write_file.h"

#define SUFFIX	    ".facts"
#define MAX_FACTS   4096
#define DEFAULT_MTU 1500

/* --- from `show` --- */

/* A line is a fact: no value may begin another one. */
static void put_value(FILE *f, const char *value)
{
	for (; *value; value++)
		fputc((unsigned char)*value < ' ' ? '?' : *value, f);
}

static void fact(FILE *f, const char *key, const char *value)
{
	if (!value)
		return;
	fprintf(f, "%s=", key);
	put_value(f, value);
	fputc('\n', f);
}

static void fact_number(FILE *f, const char *key, long value)
{
	fprintf(f, "%s=%ld\n", key, value);
}

static void fact_dns(FILE *f, struct json_object *family)
{
	struct json_object *server;

	if (!json_object_object_get_ex(family, "dns", NULL))
		return;
	fputs("QMAP_DNS=", f);
	for (size_t i = 0; (server = json_get_element(family, "dns", i)); i++) {
		fputs(i ? " " : "", f);
		put_value(f, json_object_get_string(server));
	}
	fputc('\n', f);
}

static void write_facts(FILE *f, struct json_object *show, struct json_object *pdn,
			struct json_object *family)
{
	int mtu = json_get_int(family, "mtu");

	fact(f, "QMAP_DEV", json_get_string(show, "dev"));
	fact(f, "QMAP_PORT", json_get_string(pdn, "port"));
	fact_number(f, "QMAP_PDN", json_get_int(pdn, "number"));
	fact_number(f, "QMAP_MUX", json_get_int(pdn, "mux"));
	fact(f, "QMAP_APN", json_get_string(pdn, "apn"));
	fact(f, "QMAP_NETNS", json_get_string(pdn, "netns"));
	fact_number(f, "QMAP_FAMILY", json_get_int(family, "family"));
	fact(f, "QMAP_ADDRESS", json_get_string(family, "address"));
	fact_number(f, "QMAP_PREFIX", json_get_int(family, "prefix"));
	fact(f, "QMAP_GATEWAY", json_get_string(family, "gateway"));
	fact_dns(f, family);
	fact_number(f, "QMAP_MTU", mtu ? mtu : DEFAULT_MTU);
	fact(f, "QMAP_RESOLV_CONF", json_get_string(pdn, "resolv_conf"));
}

/* The element of array @key of @o whose @name is @number. */
static struct json_object *find(struct json_object *o, const char *key, const char *name,
				int64_t number)
{
	struct json_object *e;

	for (size_t i = 0; (e = json_get_element(o, key, i)); i++)
		if (json_get_int(e, name) == number)
			return e;
	return NULL;
}

static bool is_state(struct json_object *family, const char *what)
{
	const char *state = json_get_string(family, "state");

	return state && !strcmp(state, what);
}

bool hook_damaged(struct json_object *show, unsigned int number, int family)
{
	struct json_object *pdn = find(show, "pdns", "number", number);

	return is_state(find(pdn, "families", "family", family), "damaged");
}

char *hook_facts(struct json_object *show, unsigned int number, int family)
{
	struct json_object *pdn = find(show, "pdns", "number", number);
	struct json_object *o = find(pdn, "families", "family", family);
	char *text = NULL;
	size_t size;
	FILE *f;

	if (!is_state(o, "up") || !json_get_string(o, "address") || !json_get_string(pdn, "port"))
		return NULL;
	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	write_facts(f, show, pdn, o);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

char *hook_facts_of_trunk(const char *dev)
{
	char *text;

	return asprintf(&text, "QMAP_DEV=%s\n", dev) < 0 ? NULL : text;
}

void hook_fact(const char *facts, const char *key, char *buf, size_t size)
{
	size_t len = strlen(key);

	buf[0] = '\0';
	for (const char *line = facts; line && *line;) {
		const char *end = strchrnul(line, '\n');

		if (!strncmp(line, key, len) && line[len] == '=') {
			snprintf(buf, size, "%.*s", (int)(end - line - len - 1), line + len + 1);
			return;
		}
		line = *end ? end + 1 : end;
	}
}

/* --- what has been told --- */

static int told_path(const char *run_dir, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s" SUFFIX, run_dir, name) < PATH_MAX ? 0
										  : -ENAMETOOLONG;
}

char *hook_told(const char *run_dir, const char *name)
{
	char path[PATH_MAX], *text;
	size_t n;
	FILE *f;

	if (told_path(run_dir, name, path))
		return NULL;
	f = fopen(path, "re");
	if (!f)
		return NULL;
	text = malloc(MAX_FACTS + 1);
	n = text ? fread(text, 1, MAX_FACTS, f) : 0;
	fclose(f);
	if (text)
		text[n] = '\0';
	return text;
}

void hook_tell(const char *run_dir, const char *name, const char *facts)
{
	char path[PATH_MAX];
	int ret = told_path(run_dir, name, path) ?: write_file(path, facts);

	if (ret)
		log_warning("cannot write the facts of %s: %s", name, strerror(-ret));
}

void hook_untell(const char *run_dir, const char *name)
{
	char path[PATH_MAX];

	if (!told_path(run_dir, name, path))
		unlink(path);
}

/* "wwan0.1.v4" of "wwan0.1.v4.facts". */
static bool told_name(const char *file, char name[NAME_MAX])
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);

	if (len <= suffix || strcmp(file + len - suffix, SUFFIX))
		return false;
	snprintf(name, NAME_MAX, "%.*s", (int)(len - suffix), file);
	return true;
}

void hook_each_told(const char *run_dir, const char *dev,
		    void (*fn)(void *arg, const char *name, const char *facts), void *arg)
{
	char name[NAME_MAX], of[IFNAMSIZ];
	struct dirent **files;
	int n = scandir(run_dir, &files, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char *facts = told_name(files[i]->d_name, name) ? hook_told(run_dir, name) : NULL;

		hook_fact(facts, "QMAP_DEV", of, sizeof(of));
		if (facts && !strcmp(of, dev))
			fn(arg, name, facts);
		free(facts);
		free(files[i]);
	}
	if (n >= 0)
		free(files);
}

static void forget(void *arg, const char *name, const char *facts)
{
	hook_untell(arg, name);
}

void hook_forget(const char *run_dir, const char *dev)
{
	hook_each_told(run_dir, dev, forget, (char *)run_dir);
}
