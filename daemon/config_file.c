// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config_pdn.h"
#include "config_words.h"
#include "log.h"

struct entry {
	struct entry *next;
	int line;	  /* of the first section that names the trunk */
	bool has_section; /* [trunk NAME] itself was seen, not only its PDNs */
	struct config_trunk trunk;
};

struct reader {
	FILE *file;
	int line;
	struct entry *entries, **tail;
	struct entry *trunk;	/* of the section at hand; NULL: before the first */
	struct config_pdn *pdn; /* of the section at hand; NULL: [trunk NAME] */
	bool has_password;
	int bad_line; /* 0: none */
	struct error error;
};

static struct entry *find_entry(struct reader *r, const char *dev)
{
	struct entry *e;

	for (e = r->entries; e; e = e->next) {
		if (!strcmp(e->trunk.dev, dev))
			return e;
	}
	e = calloc(1, sizeof(*e));
	if (!e) {
		error_set(&r->error, -ENOMEM, "out of memory");
		return NULL;
	}
	config_trunk_init(&e->trunk);
	if (config_trunk_set(&e->trunk, "dev", dev, &r->error)) {
		free(e);
		return NULL;
	}
	e->line = r->line;
	*r->tail = e;
	r->tail = &e->next;
	return e;
}

static void bad_section(struct reader *r, const char *name)
{
	error_set(&r->error, -EINVAL, "unknown section [%.60s]", name);
	error_hint(&r->error, "sections are [trunk DEV] and [trunk DEV pdn N]");
}

static void enter_trunk(struct reader *r, const char *dev)
{
	r->trunk = find_entry(r, dev);
	r->pdn = NULL;
	if (!r->trunk)
		return;
	if (r->trunk->has_section)
		error_set(&r->error, -EEXIST, "section [trunk %s] is there twice", dev);
	r->trunk->has_section = true;
}

static void enter_pdn(struct reader *r, const char *dev, const char *number)
{
	r->trunk = find_entry(r, dev);
	if (r->trunk)
		config_pdn_new(&r->trunk->trunk, number, &r->pdn, &r->error);
}

/* "trunk wwan0" or "trunk wwan0 pdn 1"; @name is what stands between the brackets. */
static void enter_section(struct reader *r, char *name)
{
	char copy[128], *save = NULL, *words[5] = {NULL};
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", name);
	for (char *w = strtok_r(copy, " \t", &save); w && n < 5; w = strtok_r(NULL, " \t", &save))
		words[n++] = w;
	if (n == 2 && !strcmp(words[0], "trunk"))
		enter_trunk(r, words[1]);
	else if (n == 4 && !strcmp(words[0], "trunk") && !strcmp(words[2], "pdn"))
		enter_pdn(r, words[1], words[3]);
	else
		bad_section(r, name);
}

static void note_section(struct reader *r, const char *line)
{
	char name[128];

	if (strchr(line, ']') && sscanf(line, "[%127[^]]", name) == 1)
		enter_section(r, name);
}

/*
 * fgets() for inih, and more: the distributions' inih hands the handler neither line numbers nor
 * sections without keys, cuts long lines silently, and joins indented lines to the one before.
 */
static char *read_line(char *buf, int size, void *stream)
{
	struct reader *r = stream;
	char *start = buf;

	if (r->bad_line || !fgets(buf, size, r->file))
		return NULL;
	r->line++;
	if (!strchr(buf, '\n') && !feof(r->file))
		error_set(&r->error, -EINVAL, "line longer than %d characters", size - 2);
	while (*start == ' ' || *start == '\t')
		start++;
	memmove(buf, start, strlen(start) + 1);
	if (!r->error.err && *buf == '[')
		note_section(r, buf);
	if (r->error.err) {
		r->bad_line = r->line;
		return NULL;
	}
	return buf;
}

static int handle_key(void *user, const char *section, const char *key, const char *value)
{
	struct reader *r = user;
	const struct config_word *w;

	(void)section; /* read_line() knows it already */
	if (!r->trunk) {
		error_set(&r->error, -EINVAL, "\"%.40s\" stands before the first section", key);
		error_hint(&r->error, "begin with [trunk DEV]");
	} else if (r->pdn) {
		config_pdn_set(r->pdn, key, value, &r->error);
		r->has_password |= r->pdn->password[0] != '\0';
	} else {
		w = config_word_find(CONFIG_TRUNK, key, &r->error);
		if (w && w->identity)
			error_set(&r->error, -EINVAL, "\"%s\" belongs into the section's name",
				  key);
		else if (w)
			config_word_set(w, &r->trunk->trunk, value, &r->error);
	}
	if (r->error.err)
		r->bad_line = r->line;
	return !r->error.err;
}

/* Wraps what was found as "FILE:LINE: sentence". */
static int located(struct error *err, const char *path, int line, const struct error *cause)
{
	error_set(err, cause->err, "%s:%d: %s", path, line, cause->text);
	if (cause->hint[0])
		error_hint(err, "%s", cause->hint);
	return cause->err;
}

static int parse(struct reader *r, const char *path, struct error *err)
{
	int line = ini_parse_stream(read_line, r, handle_key, r);

	/* inih goes on after a line it cannot read, so the first of the two is the one to tell. */
	if (line > 0 && (!r->bad_line || line < r->bad_line)) {
		memset(&r->error, 0, sizeof(r->error));
		error_set(&r->error, -EINVAL, "neither a section nor key = value");
		r->bad_line = line;
	}
	if (r->bad_line)
		return located(err, path, r->bad_line, &r->error);
	if (ferror(r->file))
		return error_set(err, -EIO, "cannot read %s", path);
	return 0;
}

static int deliver(struct reader *r, const char *path,
		   int (*fn)(const struct config_trunk *c, void *arg), void *arg, struct error *err)
{
	for (struct entry *e = r->entries; e; e = e->next) {
		if (config_trunk_finish(&e->trunk, &r->error))
			return located(err, path, e->line, &r->error);
	}
	for (struct entry *e = r->entries; e; e = e->next) {
		int ret = fn(&e->trunk, arg);

		if (ret)
			return ret;
	}
	return 0;
}

static void warn_if_readable(const struct reader *r, const char *path)
{
	struct stat st;

	if (r->has_password && !fstat(fileno(r->file), &st) && st.st_mode & S_IROTH)
		log_warning("%s holds a password and everybody can read it: chmod 600 %s", path,
			    path);
}

static void reader_clear(struct reader *r)
{
	while (r->entries) {
		struct entry *e = r->entries;

		r->entries = e->next;
		explicit_bzero(e, sizeof(*e));
		free(e);
	}
	if (r->file)
		fclose(r->file);
}

int config_file_read(const char *path, int (*fn)(const struct config_trunk *c, void *arg),
		     void *arg, struct error *err)
{
	struct reader r = {.tail = NULL};
	int ret;

	r.tail = &r.entries;
	r.file = fopen(path, "re");
	if (!r.file) {
		ret = -errno;
		return error_set(err, ret, "cannot open %s: %s", path, strerror(-ret));
	}
	ret = parse(&r, path, err);
	if (!ret) {
		warn_if_readable(&r, path);
		ret = deliver(&r, path, fn, arg, err);
	}
	reader_clear(&r);
	return ret;
}
