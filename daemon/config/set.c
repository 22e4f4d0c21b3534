// SPDX-License-Identifier: GPL-2.0-or-later
#include "set.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "port_name.h"
#include "qmi/models.h"

struct config_trunk *config_set_find(const struct config_set *set, const char *dev)
{
	for (size_t i = 0; i < set->n; i++)
		if (!strcmp(set->trunks[i]->dev, dev))
			return set->trunks[i];
	return NULL;
}

int config_set_add(struct config_set *set, const struct config_trunk *c, struct error *err)
{
	struct config_trunk *copy;

	if (config_set_find(set, c->dev)) {
		error_set(err, -EEXIST, "trunk %s is there twice", c->dev);
		error_exit(err, EXIT_USAGE);
		return -EEXIST;
	}
	if (set->n == CONFIG_MAX_TRUNKS) {
		error_set(err, -E2BIG, "more than %d trunks are not supported", CONFIG_MAX_TRUNKS);
		error_exit(err, EXIT_USAGE);
		return -E2BIG;
	}
	for (size_t i = 0; i < set->n; i++)
		if (config_ports_differ(set->trunks[i], c, err)) {
			error_exit(err, EXIT_USAGE);
			return -EEXIST;
		}
	copy = malloc(sizeof(*copy));
	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	*copy = *c;
	set->trunks[set->n++] = copy;
	return 0;
}

int config_set_add_model(struct config_set *set, const struct config_model *m, struct error *err)
{
	struct config_model *models;

	for (size_t i = 0; i < set->nmodels; i++) {
		if (strcmp(set->models[i].id, m->id))
			continue;
		error_set(err, -EEXIST, "model %s is there twice", m->id);
		error_exit(err, EXIT_USAGE);
		return -EEXIST;
	}
	models = reallocarray(set->models, set->nmodels + 1, sizeof(*models));
	if (!models)
		return error_set(err, -ENOMEM, "out of memory");
	set->models = models;
	models[set->nmodels++] = *m;
	return 0;
}

int config_set_daemon(struct config_set *set, const struct config_daemon *d, struct error *err)
{
	if (set->has_daemon) {
		error_set(err, -EEXIST, "section [qmapd] is there twice");
		error_exit(err, EXIT_USAGE);
		return -EEXIST;
	}
	set->daemon = *d;
	set->has_daemon = true;
	return 0;
}

int config_set_use_models(const struct config_set *set, bool only, struct error *err)
{
	int ret = 0;

	if (only)
		qmi_model_forget_overrides();
	for (size_t i = 0; i < set->nmodels && !ret; i++)
		ret = config_model_use(&set->models[i]);
	return ret ? error_set(err, ret, "out of memory") : 0;
}

void config_set_drop(struct config_set *set, const char *dev)
{
	size_t i = 0;

	while (i < set->n && strcmp(set->trunks[i]->dev, dev))
		i++;
	if (i == set->n)
		return;
	free(set->trunks[i]);
	set->n--;
	memmove(set->trunks + i, set->trunks + i + 1, (set->n - i) * sizeof(*set->trunks));
}

void config_set_clear(struct config_set *set)
{
	free(set->models);
	set->models = NULL;
	set->nmodels = 0;
	set->has_daemon = false;
	set->daemon = (struct config_daemon){0};
	for (size_t i = 0; i < set->n; i++)
		free(set->trunks[i]);
	set->n = 0;
}

struct reading {
	struct config_set *set;
	struct error error;
};

static int add(const struct config_trunk *c, void *arg)
{
	struct reading *r = arg;

	return config_set_add(r->set, c, &r->error);
}

static int add_model(const struct config_model *m, void *arg)
{
	struct reading *r = arg;

	return config_set_add_model(r->set, m, &r->error);
}

static int add_daemon(const struct config_daemon *d, void *arg)
{
	struct reading *r = arg;

	return config_set_daemon(r->set, d, &r->error);
}

static int read_file(struct config_set *set, const char *path, struct error *err)
{
	static const struct config_file_ops ops = {
		.trunk = add, .model = add_model, .daemon = add_daemon};
	struct reading r = {.set = set};
	int ret = config_file_read_all(path, &ops, &r, err);

	if (!r.error.err)
		return ret;
	error_set(err, ret, "%s: %s", path, r.error.text);
	error_exit(err, r.error.exit);
	return ret;
}

static int is_conf(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && !strcmp(d->d_name + len - 5, ".conf");
}

/* A FIFO would keep its reader waiting for a writer. A link that leads nowhere fails when opened. */
static int check_regular(const char *file, struct error *err)
{
	struct stat st;

	if (!stat(file, &st) && !S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "%s is no regular file", file);
	return 0;
}

static int read_directory(struct config_set *set, const char *path, struct dirent **names, int n,
			  struct error *err)
{
	char file[PATH_MAX];
	int ret = 0;

	for (int i = 0; i < n && !ret; i++) {
		if (snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name) >=
		    (int)sizeof(file))
			ret = error_set(err, -ENAMETOOLONG, "the path of %s is too long", path);
		else
			ret = check_regular(file, err) ?: read_file(set, file, err);
	}
	return ret;
}

int config_set_read(struct config_set *set, const char *path, struct error *err)
{
	struct dirent **names;
	int ret, n = scandir(path, &names, is_conf, alphasort);

	if (n < 0)
		return read_file(set, path, err);
	ret = read_directory(set, path, names, n, err);
	while (n)
		free(names[--n]);
	free(names);
	return ret;
}
