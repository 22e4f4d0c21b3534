// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PINs that were tried: after the third wrong one a SIM requires its PUK, so neither a restart nor
 * a new attach may count from zero. One line of a file for each SIM and PIN:
 *
 *   SIM TRIES RETRIES LEFT wrong|open HASH
 *
 * SIM is the ICCID, or the name of the trunk if the modem does not report it. HASH is that of the
 * PIN in the form of crypt(5).
 */
#include "internal.h"

#include <crypt.h>
#include <fcntl.h>
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
	struct pin_memory memory;
	char hash[128];
};

struct records {
	unsigned int n;
	struct record r[MAX_RECORDS];
};

static const char *sim_of(const struct session *s)
{
	return *s->sim.iccid ? s->sim.iccid : s->config->dev;
}

static const char *directory(const struct session *s)
{
	return s->ops->run_dir ? s->ops->run_dir(s->arg) : NULL;
}

static int path_of(const struct session *s, const char *suffix, char path[256])
{
	int n = snprintf(path, 256, "%s/" FILE_NAME "%s", directory(s), suffix);

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

static void load(const struct session *s, struct records *all)
{
	char path[256];
	FILE *f;
	int fd = path_of(s, "", path) ? -1
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
static int store(const struct session *s, const struct records *all)
{
	char path[256], temporary[256];
	int fd, ret = path_of(s, "", path) ?: path_of(s, ".new", temporary);

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
	if (data)
		explicit_bzero(data, sizeof(*data));
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

static struct record *find(const struct session *s, struct records *all)
{
	char again[128];

	for (unsigned int i = 0; i < all->n; i++)
		if (!strcmp(all->r[i].sim, sim_of(s)) &&
		    !hash(s->config->pin, all->r[i].hash, again) && !strcmp(again, all->r[i].hash))
			return &all->r[i];
	return NULL;
}

/* Another wrong PIN has used up attempts of the same SIM. */
static unsigned int least_left(const struct session *s, const struct records *all)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < all->n; i++) {
		unsigned int l = all->r[i].memory.left;

		if (!strcmp(all->r[i].sim, sim_of(s)) && l && (!left || l < left))
			left = l;
	}
	return left;
}

void session_pin_recall(struct session *s)
{
	struct records *all = directory(s) ? malloc(sizeof(*all)) : NULL;
	const struct record *r;

	if (s->sim.recalled)
		return;
	s->sim.recalled = true;
	s->sim.pin = (struct pin_memory){0};
	if (!all)
		return;
	load(s, all);
	r = *s->config->pin ? find(s, all) : NULL;
	if (r)
		s->sim.pin = r->memory;
	s->sim.pin.left = least_left(s, all);
	free(all);
}

static struct record *add(struct records *all)
{
	if (all->n == MAX_RECORDS)
		memmove(&all->r[0], &all->r[1], --all->n * sizeof(all->r[0]));
	all->r[all->n] = (struct record){0};
	return &all->r[all->n++];
}

int session_pin_note(struct session *s)
{
	struct records *all = directory(s) ? malloc(sizeof(*all)) : NULL;
	struct record *r;
	int ret = 0;

	if (!directory(s))
		return 0;
	if (!all)
		return -ENOMEM;
	load(s, all);
	r = find(s, all);
	if (!r) {
		r = add(all);
		snprintf(r->sim, sizeof(r->sim), "%s", sim_of(s));
		ret = new_hash(s->config->pin, r->hash);
	}
	r->memory = s->sim.pin;
	ret = ret ?: store(s, all);
	free(all);
	return ret;
}

static bool open_again(struct record *r)
{
	r->memory.left = r->memory.tries = 0;
	return r->memory.wrong;
}

void session_pin_opened(struct session *s)
{
	struct records *all = directory(s) ? malloc(sizeof(*all)) : NULL;
	unsigned int n = 0;
	bool ours = false;

	s->sim.pin.left = s->sim.pin.tries = 0;
	if (!all)
		return;
	load(s, all);
	for (unsigned int i = 0; i < all->n; i++) {
		bool mine = !strcmp(all->r[i].sim, sim_of(s));

		ours |= mine && (all->r[i].memory.left || all->r[i].memory.tries);
		if (!mine || open_again(&all->r[i]))
			all->r[n++] = all->r[i];
	}
	all->n = n;
	if (ours)
		store(s, all);
	free(all);
}
