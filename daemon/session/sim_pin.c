// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One line of a file for each SIM and PIN:
 *
 *   SIM TRIES RETRIES LEFT wrong|open HASH
 *
 * HASH is that of the PIN in the form of crypt(5).
 */
#include "sim_pin.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "util/log.h"

#define FILE_NAME   "pins-tried"
#define MAX_RECORDS 64 /* the oldest are dropped */

/*
 * Each guess at a PIN of four digits costs a millisecond: only root can read the file, and the hash
 * keeps it from being read at a glance.
 */
#define METHOD "$6$rounds=1000$"

struct record {
	char sim[32];
	struct sim_pin_memory memory;
	char hash[128];
};

struct records {
	unsigned int n;
	struct record r[MAX_RECORDS];
};

static int path_of(const struct sim_pin_key *key, const char *suffix, char path[256])
{
	int n = snprintf(path, 256, "%s/" FILE_NAME "%s", key->dir, suffix);

	return n < 256 ? 0 : -ENAMETOOLONG;
}

static bool read_record(FILE *f, struct record *r)
{
	char verdict[8];

	*r = (struct record){0};
	if (fscanf(f, "%31s %u %u %u %7s %127s", r->sim, &r->memory.tries, &r->memory.retries,
		   &r->memory.left, verdict, r->hash) != 6)
		return false;
	r->memory.wrong = !strcmp(verdict, "wrong");
	return true;
}

static void load(const struct sim_pin_key *key, struct records *all)
{
	char path[256];
	FILE *f;
	int fd = path_of(key, "", path)
			 ? -1
			 : open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	all->n = 0;
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (all->n < MAX_RECORDS && read_record(f, &all->r[all->n]))
		all->n++;
	fclose(f);
}

static int write_records(int fd, const struct records *all)
{
	FILE *f = fdopen(fd, "w");

	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < all->n; i++) {
		const struct record *r = &all->r[i];

		fprintf(f, "%s %u %u %u %s %s\n", r->sim, r->memory.tries, r->memory.retries,
			r->memory.left, r->memory.wrong ? "wrong" : "open", r->hash);
	}
	return fclose(f) ? -errno : 0;
}

/* Replaces the file as a whole: a process that dies here leaves the old one. */
static int store(const struct sim_pin_key *key, const struct records *all)
{
	char path[256], temporary[256];
	int fd, ret = path_of(key, "", path) ?: path_of(key, ".new", temporary);

	if (ret)
		return ret;
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ret = fd < 0 ? -errno : write_records(fd, all);
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (ret && fd >= 0)
		unlink(temporary);
	if (ret)
		log_error("cannot write %s: %s", path, strerror(-ret));
	return ret;
}

static int hash(const char *pin, const char *setting, char out[128])
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *v = data ? crypt_r(pin, setting, data) : NULL;
	int ret = v && *v == '$' && strlen(v) < 128 ? 0 : -EINVAL;

	if (!ret)
		memcpy(out, v, strlen(v) + 1);
	free(data);
	return ret;
}

static int new_hash(const char *pin, char out[128])
{
	static const char digits[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char setting[40] = METHOD;
	uint8_t salt[16];
	size_t len = strlen(setting);

	if (getrandom(salt, sizeof(salt), 0) != sizeof(salt))
		return -EIO;
	for (size_t i = 0; i < sizeof(salt); i++)
		setting[len++] = digits[salt[i] % 64];
	setting[len] = '\0';
	return hash(pin, setting, out);
}

static struct record *find(const struct sim_pin_key *key, struct records *all)
{
	char again[128];

	for (unsigned int i = 0; i < all->n; i++)
		if (!strcmp(all->r[i].sim, key->sim) && !hash(key->pin, all->r[i].hash, again) &&
		    !strcmp(again, all->r[i].hash))
			return &all->r[i];
	return NULL;
}

/* Another wrong PIN has used up attempts of the same SIM. */
static unsigned int least_left(const struct sim_pin_key *key, const struct records *all)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < all->n; i++) {
		unsigned int l = all->r[i].memory.left;

		if (!strcmp(all->r[i].sim, key->sim) && l && (!left || l < left))
			left = l;
	}
	return left;
}

void sim_pin_recall(const struct sim_pin_key *key, struct sim_pin_memory *memory)
{
	struct records *all = key->dir ? malloc(sizeof(*all)) : NULL;
	const struct record *r;

	*memory = (struct sim_pin_memory){0};
	if (!all)
		return;
	load(key, all);
	r = *key->pin ? find(key, all) : NULL;
	if (r)
		*memory = r->memory;
	memory->left = least_left(key, all);
	free(all);
}

int sim_pin_note(const struct sim_pin_key *key, const struct sim_pin_memory *memory)
{
	struct records *all = key->dir ? malloc(sizeof(*all)) : NULL;
	struct record *r;
	int ret = 0;

	if (!key->dir)
		return 0;
	if (!all)
		return -ENOMEM;
	load(key, all);
	r = find(key, all);
	if (!r) {
		if (all->n == MAX_RECORDS)
			memmove(&all->r[0], &all->r[1], --all->n * sizeof(all->r[0]));
		all->r[all->n] = (struct record){0};
		r = &all->r[all->n++];
		snprintf(r->sim, sizeof(r->sim), "%s", key->sim);
		ret = new_hash(key->pin, r->hash);
	}
	r->memory = *memory;
	ret = ret ?: store(key, all);
	free(all);
	return ret;
}

void sim_pin_opened(const struct sim_pin_key *key)
{
	struct records *all = key->dir ? malloc(sizeof(*all)) : NULL;
	unsigned int n = 0;
	bool ours = false;

	if (!all)
		return;
	load(key, all);
	for (unsigned int i = 0; i < all->n; i++) {
		bool mine = !strcmp(all->r[i].sim, key->sim);

		ours |= mine && (all->r[i].memory.left || all->r[i].memory.tries);
		all->r[i].memory.left = all->r[i].memory.tries = 0;
		if (!mine || all->r[i].memory.wrong)
			all->r[n++] = all->r[i];
	}
	all->n = n;
	if (ours)
		store(key, all);
	free(all);
}
