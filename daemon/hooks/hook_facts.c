// SPDX-License-Identifier: GPL-2.0-or-later
#include "hook_facts.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "trunk/trunk.h"
#include "util/log.h"
#include "util/write_file.h"

#define SUFFIX	    ".facts"
#define MAX_FACTS   4096
#define DEFAULT_MTU 1500

/* --- facts about a family that is up --- */

static void fact(FILE *f, const char *key, const char *value)
{
	if (!*value)
		return;
	fprintf(f, "%s=", key);
	/* One fact per line: a value cannot start another line. */
	for (; *value; value++)
		fputc((unsigned char)*value < ' ' ? '?' : *value, f);
	fputc('\n', f);
}

static const char *address_text(const struct ip_settings *s, const uint8_t *address,
				char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(s->family == 4 ? AF_INET : AF_INET6, address, text, INET6_ADDRSTRLEN);
}

static void fact_addresses(FILE *f, const struct ip_settings *s)
{
	char text[INET6_ADDRSTRLEN];

	fact(f, "QMAP_ADDRESS", address_text(s, s->address, text));
	fprintf(f, "QMAP_PREFIX=%u\n", s->prefix);
	if (s->has_gateway)
		fact(f, "QMAP_GATEWAY", address_text(s, s->gateway, text));
	fputs("QMAP_DNS=", f);
	for (unsigned int i = 0; i < s->ndns; i++)
		fprintf(f, "%s%s", i ? " " : "", address_text(s, s->dns[i], text));
	fputc('\n', f);
}

/* Networks give each port a /64 of its own (3GPP TS 23.401, 5.3.1.2.2), whatever length they report. */
static void fact_lan(FILE *f, const struct ip_settings *s, const char *lan)
{
	uint8_t prefix[16] = {0};
	char text[INET6_ADDRSTRLEN];

	if (s->family != 6 || !*lan)
		return;
	memcpy(prefix, s->address, 8);
	fact(f, "QMAP_LAN", lan);
	fprintf(f, "QMAP_LAN_PREFIX=%s/64\n", address_text(s, prefix, text));
}

static void write_facts(FILE *f, const struct trunk_family *family)
{
	const struct ip_settings *s = family->settings;
	const struct config_pdn *pdn = family->pdn;

	fact(f, "QMAP_DEV", family->dev);
	fact(f, "QMAP_PORT", family->port);
	fprintf(f, "QMAP_IFINDEX=%u\n", family->ifindex);
	fprintf(f, "QMAP_PDN=%u\n", pdn->number);
	fprintf(f, "QMAP_MUX=%u\n", pdn->mux);
	fact(f, "QMAP_APN", pdn->apn);
	fact(f, "QMAP_NETNS", pdn->netns);
	fprintf(f, "QMAP_FAMILY=%d\n", s->family);
	fact_addresses(f, s);
	fact_lan(f, s, pdn->lan);
	if (s->family == 4)
		fact(f, "QMAP_PASSTHROUGH", pdn->passthrough);
	fprintf(f, "QMAP_MTU=%u\n", s->mtu ? s->mtu : DEFAULT_MTU);
	fact(f, "QMAP_RESOLV_CONF", family->resolv_conf);
}

char *hook_facts(const struct trunk_family *family)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	write_facts(f, family);
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

/* --- saved facts --- */

/* Facts that could not be written, because the file system is full: saved as long as this process lives. */
struct unwritten {
	LIST_ENTRY(unwritten) entry;
	char name[NAME_MAX], facts[MAX_FACTS + 1];
};

static LIST_HEAD(, unwritten) unwritten = LIST_HEAD_INITIALIZER(unwritten);

static struct unwritten *find_unwritten(const char *name)
{
	struct unwritten *u;

	LIST_FOREACH(u, &unwritten, entry)
	if (!strcmp(u->name, name))
		return u;
	return NULL;
}

static void forget_unwritten(const char *name)
{
	struct unwritten *u = find_unwritten(name);

	if (!u)
		return;
	LIST_REMOVE(u, entry);
	free(u);
}

/* Sorted by name, as hook_each_announced() wants them. */
static void keep_unwritten(const char *name, const char *facts)
{
	struct unwritten *new = malloc(sizeof(*new)), *u, *last = NULL;

	forget_unwritten(name);
	if (!new)
		return;
	snprintf(new->name, sizeof(new->name), "%s", name);
	snprintf(new->facts, sizeof(new->facts), "%s", facts);
	for (u = LIST_FIRST(&unwritten); u && strcmp(u->name, name) < 0; u = LIST_NEXT(u, entry))
		last = u;
	if (last)
		LIST_INSERT_AFTER(last, new, entry);
	else
		LIST_INSERT_HEAD(&unwritten, new, entry);
}

static int announced_path(const char *run_dir, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s" SUFFIX, run_dir, name) < PATH_MAX ? 0
										  : -ENAMETOOLONG;
}

char *hook_announced(const char *run_dir, const char *name)
{
	const struct unwritten *u = find_unwritten(name);
	char path[PATH_MAX], *text;
	ssize_t n;
	int fd;

	if (u)
		return strdup(u->facts);
	if (announced_path(run_dir, name, path))
		return NULL;
	/* a FIFO of that name would stop the event loop */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text = malloc(MAX_FACTS + 1);
	n = text ? read(fd, text, MAX_FACTS) : 0;
	close(fd);
	if (text)
		text[n > 0 ? n : 0] = '\0';
	return text;
}

void hook_tell(const char *run_dir, const char *name, const char *facts)
{
	char path[PATH_MAX];
	int ret = announced_path(run_dir, name, path) ?: write_file(path, facts);

	if (!ret) {
		forget_unwritten(name);
		return;
	}
	log_warning("cannot write the facts of %s: %s", name, strerror(-ret));
	keep_unwritten(name, facts);
}

void hook_untell(const char *run_dir, const char *name)
{
	char path[PATH_MAX];

	forget_unwritten(name);
	if (!announced_path(run_dir, name, path))
		unlink(path);
}

/* Sets "wwan0.1.v4" for "wwan0.1.v4.facts". */
static bool announced_name(const char *file, char name[NAME_MAX])
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);

	if (len <= suffix || strcmp(file + len - suffix, SUFFIX))
		return false;
	snprintf(name, NAME_MAX, "%.*s", (int)(len - suffix), file);
	return true;
}

static void each_unwritten(const char *dev,
			   void (*fn)(void *arg, const char *name, const char *facts), void *arg)
{
	struct unwritten *u, *next;
	char of[IFNAMSIZ];

	for (u = LIST_FIRST(&unwritten); u; u = next) {
		struct unwritten copy = *u; /* @fn may free it */

		next = LIST_NEXT(u, entry);
		hook_fact(copy.facts, "QMAP_DEV", of, sizeof(of));
		if (!strcmp(of, dev))
			fn(arg, copy.name, copy.facts);
	}
}

void hook_each_announced(const char *run_dir, const char *dev,
			 void (*fn)(void *arg, const char *name, const char *facts), void *arg)
{
	char name[NAME_MAX], of[IFNAMSIZ];
	struct dirent **files;
	int n = scandir(run_dir, &files, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char *facts = announced_name(files[i]->d_name, name) ? hook_announced(run_dir, name)
								     : NULL;

		hook_fact(facts, "QMAP_DEV", of, sizeof(of));
		if (facts && !strcmp(of, dev))
			fn(arg, name, facts);
		free(facts);
		free(files[i]);
	}
	if (n >= 0)
		free(files);
	each_unwritten(dev, fn, arg);
}

static void forget(void *arg, const char *name, const char *facts)
{
	hook_untell(arg, name);
}

void hook_forget(const char *run_dir, const char *dev)
{
	hook_each_announced(run_dir, dev, forget, (char *)run_dir);
}
