// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model.h"
#include "pdn.h"
#include "words.h"
#include "util/log.h"

#define MAX_WORDS 64   /* more than any section has */
#define MAX_LINE  1024 /* as in the file; inih gets the line without backslashes */

struct entry {
	struct entry *next;
	int line;	  /* line of the first section that names the trunk */
	bool has_section; /* [trunk NAME] itself was read, not only its PDNs */
	struct config_trunk trunk;
};

struct model_entry {
	struct model_entry *next;
	struct config_model model;
};

struct reader {
	FILE *file;
	int line;
	struct entry *entries, **tail;
	struct model_entry *models, *model; /* all; the current section's, or NULL */
	struct entry *trunk; /* the current section's; NULL: before the first, or a model's */
	struct config_daemon daemon;
	const struct config_word *set[MAX_WORDS]; /* keys of the current section so far */
	size_t nset;
	bool has_daemon, in_daemon; /* [qmapd] was read; it is the current section */
	struct config_pdn *pdn;	    /* the current section's; NULL: [trunk NAME] */
	bool quoted;		    /* the value of the current line was quoted */
	bool has_secret;
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
	e->trunk.persist = true;
	if (config_trunk_set(&e->trunk, "dev", dev, &r->error)) {
		free(e);
		return NULL;
	}
	e->line = r->line;
	*r->tail = e;
	r->tail = &e->next;
	return e;
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

static void enter_model(struct reader *r, const char *id)
{
	struct model_entry *e;

	for (e = r->models; e; e = e->next)
		if (!strcasecmp(e->model.id, id)) {
			error_set(&r->error, -EEXIST, "section [model %s] is there twice", id);
			return;
		}
	e = calloc(1, sizeof(*e));
	if (!e) {
		error_set(&r->error, -ENOMEM, "out of memory");
	} else if (config_model_init(&e->model, id, &r->error)) {
		free(e);
	} else {
		e->next = r->models;
		r->models = r->model = e;
	}
}

/*
 * "trunk wwan0", "trunk wwan0 pdn 1", "model 2c7c:0800" or "qmapd"; @name is the text between the
 * brackets.
 */
static void enter_section(struct reader *r, char *name)
{
	char copy[128], *save = NULL, *words[5] = {NULL};
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", name);
	for (char *w = strtok_r(copy, " \t", &save); w && n < 5; w = strtok_r(NULL, " \t", &save))
		words[n++] = w;
	r->trunk = NULL;
	r->pdn = NULL;
	r->model = NULL;
	r->in_daemon = false;
	r->nset = 0;
	if (n == 1 && !strcmp(words[0], "qmapd")) {
		if (r->has_daemon)
			error_set(&r->error, -EEXIST, "section [qmapd] is there twice");
		r->has_daemon = r->in_daemon = true;
	} else if (n == 2 && !strcmp(words[0], "model")) {
		enter_model(r, words[1]);
	} else if (n == 2 && !strcmp(words[0], "trunk")) {
		enter_trunk(r, words[1]);
	} else if (n == 4 && !strcmp(words[0], "trunk") && !strcmp(words[2], "pdn")) {
		r->trunk = find_entry(r, words[1]);
		if (r->trunk)
			config_pdn_new(&r->trunk->trunk, words[3], &r->pdn, &r->error);
	} else {
		error_set(&r->error, -EINVAL, "unknown section [%.60s]", name);
		error_hint(&r->error, "sections are [trunk DEV], [trunk DEV pdn N], "
				      "[model VID:PID] and [qmapd]");
	}
}

/*
 * inih has no quotes. Characters at which it would cut a value are replaced by control characters,
 * which no value may contain, before the line goes through it.
 */
static const char guised[] = " ;\t", guises[] = "\x01\x02\x03";

static char guise(char c, const char *from, const char *to)
{
	const char *p = c ? strchr(from, c) : NULL;

	return p ? to[p - from] : c;
}

/*
 * Decodes a quoted value in place, from behind the first quote. Returns its end; NULL: no closing
 * quote.
 */
static char *unquote(char *out)
{
	const char *in = out;

	for (; *in != '"'; in++) {
		if (!*in || *in == '\n' || strchr(guises, *in))
			return NULL;
		if (*in == '\\' && (in[1] == '"' || in[1] == '\\'))
			in++;
		*out++ = guise(*in, guised, guises);
	}
	in += 1 + strspn(in + 1, " \t\r\n");
	*out = '\0';
	return !*in || *in == ';' ? out : NULL;
}

static void read_quotes(struct reader *r, char *line)
{
	char *value = strchr("#;[", *line) ? NULL : strpbrk(line, "=:");
	char *first;

	r->quoted = false;
	if (!value)
		return;
	first = value + 1 + strspn(value + 1, " \t");
	if (*first != '"')
		return;
	r->quoted = true;
	memmove(first, first + 1, strlen(first));
	if (!unquote(first))
		error_set(&r->error, -EINVAL,
			  "a value that begins with a quote ends with one, and quotes in it are "
			  "written \\\"");
}

/*
 * fgets() for inih with additions: distributions build inih without line numbers and without
 * sections that have no keys, and it cuts long lines silently and joins indented lines to the
 * previous one.
 */
static char *read_line(char *buf, int size, void *stream)
{
	struct reader *r = stream;
	char line[MAX_LINE], *start = line;

	if (r->bad_line || !fgets(line, sizeof(line), r->file))
		return NULL;
	/* Editors on other systems begin a file with a byte order mark. */
	if (!r->line++ && !strncmp(start, "\xef\xbb\xbf", 3))
		start += 3;
	start += strspn(start, " \t");
	read_quotes(r, start);
	if ((!strchr(line, '\n') && !feof(r->file) && !r->quoted) ||
	    snprintf(buf, size, "%s", start) >= size)
		error_set(&r->error, -EINVAL, "line longer than %d characters", size - 2);
	explicit_bzero(line, sizeof(line)); /* it may hold a password */
	if (!r->error.err && *buf == '[') {
		char name[128];

		if (strchr(buf, ']') && sscanf(buf, "[%127[^]]", name) == 1)
			enter_section(r, name);
	}
	if (r->error.err) {
		r->bad_line = r->line;
		return NULL;
	}
	return buf;
}

static enum config_scope scope_of(const struct reader *r)
{
	if (r->in_daemon)
		return CONFIG_DAEMON;
	return r->model ? CONFIG_MODEL : r->pdn ? CONFIG_PDN : CONFIG_TRUNK;
}

/* Is @w in this section for the second time? The user cannot have meant both values. */
static bool was_set(struct reader *r, const struct config_word *w)
{
	for (size_t i = 0; i < r->nset; i++)
		if (r->set[i] == w)
			return true;
	if (r->nset < MAX_WORDS)
		r->set[r->nset++] = w;
	return false;
}

static void set_key(struct reader *r, const char *key, const char *value)
{
	const struct config_word *w = config_word_find(scope_of(r), key, &r->error);

	if (!w)
		return;
	if (was_set(r, w))
		error_set(&r->error, -EEXIST, "\"%s\" is there twice in this section", key);
	else if (w->identity)
		error_set(&r->error, -EINVAL, "\"%s\" belongs into the section's name", key);
	else if (r->in_daemon)
		config_word_set(w, &r->daemon, value, &r->error);
	else if (r->model)
		config_word_set(w, &r->model->model, value, &r->error);
	else if (r->pdn)
		config_word_set(w, r->pdn, value, &r->error);
	else
		config_word_set(w, &r->trunk->trunk, value, &r->error);
	r->has_secret |= w->secret && *value;
}

static int handle_key(void *user, const char *section, const char *key, const char *value)
{
	struct reader *r = user;
	char text[CONFIG_TEXT_MAX];

	(void)section; /* read_line() has parsed it */
	snprintf(text, sizeof(text), "%s", value);
	/* undoes unquote()'s replacements */
	for (char *p = text; r->quoted && *p; p++)
		*p = guise(*p, guises, guised);
	if (r->trunk || r->model || r->in_daemon) {
		set_key(r, key, text);
	} else {
		error_set(&r->error, -EINVAL, "\"%.40s\" stands before the first section", key);
		error_hint(&r->error, "begin with [trunk DEV]");
	}
	explicit_bzero(text, sizeof(text));
	if (r->error.err)
		r->bad_line = r->line;
	return !r->error.err;
}

/* Wraps @cause, a mistake in the file, as "FILE:LINE: sentence". */
static int located(struct error *err, const char *path, int line, const struct error *cause)
{
	error_set(err, cause->err, "%s:%d: %s", path, line, cause->text);
	if (cause->err != -ENOMEM)
		error_exit(err, EXIT_USAGE);
	if (cause->hint[0])
		error_hint(err, "%s", cause->hint);
	return cause->err;
}

static int parse(struct reader *r, const char *path, struct error *err)
{
	int line = ini_parse_stream(read_line, r, handle_key, r);

	/* inih continues after a line that it cannot parse; report the earlier error. */
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

static int deliver(struct reader *r, const char *path, const struct config_file_ops *ops, void *arg,
		   struct error *err)
{
	int ret = 0;

	for (struct entry *e = r->entries; e; e = e->next) {
		if (config_trunk_finish(&e->trunk, &r->error))
			return located(err, path, e->line, &r->error);
	}
	if (r->has_daemon && ops->daemon)
		ret = ops->daemon(&r->daemon, arg);
	for (struct model_entry *e = r->models; e && ops->model && !ret; e = e->next)
		ret = ops->model(&e->model, arg);
	for (struct entry *e = r->entries; e && !ret; e = e->next)
		ret = ops->trunk(&e->trunk, arg);
	return ret;
}

static void reader_clear(struct reader *r)
{
	while (r->entries) {
		struct entry *e = r->entries;

		r->entries = e->next;
		free(e);
	}
	while (r->models) {
		struct model_entry *e = r->models;

		r->models = e->next;
		free(e);
	}
	if (r->file && r->file != stdin)
		fclose(r->file);
}

int config_file_read(const char *path, int (*fn)(const struct config_trunk *c, void *arg),
		     void *arg, struct error *err)
{
	return config_file_read_all(path, &(struct config_file_ops){.trunk = fn}, arg, err);
}

int config_file_read_all(const char *path, const struct config_file_ops *ops, void *arg,
			 struct error *err)
{
	struct reader r = {.tail = NULL};
	int ret;

	r.tail = &r.entries;
	r.file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (r.file == stdin)
		path = "standard input";
	if (!r.file) {
		ret = -errno;
		return error_set(err, ret, "cannot open %s: %s", path, strerror(-ret));
	}
	ret = parse(&r, path, err);
	if (!ret) {
		struct stat st;

		if (r.has_secret && r.file != stdin && !fstat(fileno(r.file), &st) &&
		    st.st_mode & S_IROTH)
			log_warning("%s holds a password and everybody can read it: chmod 600 %s",
				    path, path);
		ret = deliver(&r, path, ops, arg, err);
	}
	reader_clear(&r);
	return ret;
}
