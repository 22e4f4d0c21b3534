// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clat/address.h"
#include "recover/ladder.h"
#include "util/cpus.h"
#include "pdn.h"
#include "words.h"

/* A full-sized packet and its headers: a smaller aggregate could never carry one. */
#define MIN_AGGREGATE 1536

#define DEFAULT_TIMEOUT	     10
#define DEFAULT_BACKOFF_MIN  1000
#define DEFAULT_BACKOFF_MAX  60000
#define DEFAULT_RETRY_FAILED 3600
#define DEFAULT_HOOK_TIMEOUT 30
#define DEFAULT_POLL	     30
#define MIN_PIN		     4
#define DEFAULT_METRIC	     700
#define FIRST_MUX	     0x80
#define MAX_MUX		     254

void config_trunk_init(struct config_trunk *c)
{
	memset(c, 0, sizeof(*c));
	c->qmap = CONFIG_QMAP_AUTO;
	c->datapath = CONFIG_DATAPATH_AUTO;
	c->sync = true;
	c->timeout = DEFAULT_TIMEOUT;
	c->hook_timeout = DEFAULT_HOOK_TIMEOUT;
	c->backoff_min = DEFAULT_BACKOFF_MIN;
	c->backoff_max = DEFAULT_BACKOFF_MAX;
	c->retry_failed = DEFAULT_RETRY_FAILED;
	c->poll = DEFAULT_POLL;
	snprintf(c->recover, sizeof(c->recover), "redial,radio,reset,usb,hook");
	snprintf(c->steer, sizeof(c->steer), "auto");
}

int config_trunk_set(struct config_trunk *c, const char *key, const char *value, struct error *err)
{
	const struct config_word *w = config_word_find(CONFIG_TRUNK, key, err);

	return w ? config_word_set(w, c, value, err) : -EINVAL;
}

const struct config_pdn *config_find_pdn(const struct config_trunk *c, unsigned int number)
{
	for (unsigned int i = 0; i < c->npdns; i++) {
		if (c->pdns[i].number == number)
			return &c->pdns[i];
	}
	return NULL;
}

void config_pdn_init(struct config_pdn *p, unsigned int number)
{
	memset(p, 0, sizeof(*p));
	p->number = number;
	p->mux = number + FIRST_MUX <= MAX_MUX ? number + FIRST_MUX : 0;
	p->ip = CONFIG_IPV4V6;
	p->auth = CONFIG_AUTH_AUTO;
	p->metric = DEFAULT_METRIC + number;
	p->default_route = true;
	snprintf(p->clat, sizeof(p->clat), "auto");
}

int config_pdn_new(struct config_trunk *c, const char *number, struct config_pdn **out,
		   struct error *err)
{
	const struct config_word *w = config_word_find(CONFIG_PDN, "number", err);
	struct config_pdn *p = &c->pdns[c->npdns];
	struct config_pdn probe;

	if (config_word_set(w, &probe, number, err))
		return -EINVAL;
	if (config_find_pdn(c, probe.number)) {
		error_set(err, -EEXIST, "PDN %u is given twice", probe.number);
		error_exit(err, EXIT_USAGE);
		return -EEXIST;
	}
	if (c->npdns == CONFIG_MAX_PDNS) {
		error_set(err, -E2BIG, "more than %d PDNs on one trunk", CONFIG_MAX_PDNS);
		error_exit(err, EXIT_USAGE);
		return -E2BIG;
	}
	config_pdn_init(p, probe.number);
	c->npdns++;
	*out = p;
	return 0;
}

int config_pdn_set(struct config_pdn *p, const char *key, const char *value, struct error *err)
{
	const struct config_word *w = config_word_find(CONFIG_PDN, key, err);

	if (!w)
		return -EINVAL;
	if (w->identity)
		return error_set(err, -EINVAL, "the %s of a PDN cannot be set", w->key);
	return config_word_set(w, p, value, err);
}

/*
 * Cuts the next field off @rest, which is modified: "\," becomes a comma and "\\" a backslash; any
 * other backslash stands for itself. NULL at the end.
 */
static char *next_field(char **rest)
{
	char *in = *rest, *out = in, *field = in;

	if (!in)
		return NULL;
	while (*in && *in != ',') {
		if (in[0] == '\\' && (in[1] == ',' || in[1] == '\\'))
			in++;
		*out++ = *in++;
	}
	*rest = *in ? in + 1 : NULL;
	*out = '\0';
	return field;
}

static int parse_fields(struct config_pdn *p, char *rest, struct error *err)
{
	char *field;

	while ((field = next_field(&rest))) {
		char *value = strchr(field, '=');
		int ret;

		if (!value)
			return error_set(err, -EINVAL, "\"%.40s\" in a PDN is not key=value",
					 field);
		*value++ = '\0';
		ret = config_pdn_set(p, field, value, err);
		if (ret)
			return ret;
	}
	return 0;
}

int config_pdn_add(struct config_trunk *c, const char *text, struct error *err)
{
	unsigned int npdns = c->npdns;
	struct config_pdn *p;
	char *copy, *rest, *number;
	int ret;

	rest = copy = strdup(text);
	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	number = next_field(&rest);
	if (!isdigit((unsigned char)number[0])) {
		ret = error_set(err, -EINVAL, "a PDN begins with its number, not with \"%.40s\"",
				number);
		error_hint(err, "for instance: 1,apn=internet,ip=v4v6");
	} else {
		ret = config_pdn_new(c, number, &p, err);
		if (!ret)
			ret = parse_fields(p, rest, err);
	}
	if (ret)
		c->npdns = npdns;
	free(copy);
	return ret;
}

/* The rules of net/core/dev.c, dev_valid_name(). */
static bool valid_ifname(const char *s)
{
	if (!*s || !strcmp(s, ".") || !strcmp(s, ".."))
		return false;
	for (; *s; s++) {
		if (*s == '/' || *s == ':' || isspace((unsigned char)*s))
			return false;
	}
	return true;
}

int config_port_name(const char *template, unsigned int number, char name[IFNAMSIZ])
{
	const char *n = strstr(template, "%n");
	int len = n ? snprintf(name, IFNAMSIZ, "%.*s%u%s", (int)(n - template), template, number,
			       n + 2)
		    : snprintf(name, IFNAMSIZ, "%s", template);

	return len < IFNAMSIZ ? 0 : -EINVAL;
}

/*
 * The kernel would replace a second % (net/core/dev.c, dev_alloc_name()), and has directories "all" and
 * "default" among those of the netdevs (net/core/sysctl_net_core.c, sysctl_dev_name_is_allowed()).
 */
static int check_port_name(const struct config_trunk *c, unsigned int number, struct error *err)
{
	char name[IFNAMSIZ];

	if (config_port_name(c->port, number, name))
		return error_set(err, -EINVAL,
				 "bad port \"%s\": the name of PDN %u is longer than %d", c->port,
				 number, IFNAMSIZ - 1);
	if (!valid_ifname(name) || strchr(name, '%') || !strcmp(name, c->dev) ||
	    !strcmp(name, "lo") || !strcmp(name, "all") || !strcmp(name, "default"))
		return error_set(err, -EINVAL, "bad port \"%s\": \"%s\" is no name for a port",
				 c->port, name);
	return 0;
}

static int check_port_names(const struct config_trunk *c, struct error *err)
{
	int ret = 0;

	if (!c->port[0])
		return 0;
	if (c->qmap == CONFIG_QMAP_OFF)
		return error_set(err, -EINVAL,
				 "with qmap=off %s itself is the port: no port=", c->dev);
	if (c->npdns > 1 && !strstr(c->port, "%n")) {
		error_set(err, -EINVAL, "bad port \"%s\": all PDNs would have one name", c->port);
		error_hint(err, "put %%n where the number of the PDN goes: port=%s-%%n", c->port);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < c->npdns && !ret; i++)
		ret = check_port_name(c, c->pdns[i].number, err);
	return ret;
}

static int check_failover(const struct config_trunk *c, const struct config_pdn *p,
			  struct error *err)
{
	if (!p->failover)
		return 0;
	if (p->failover > UINT_MAX - p->metric)
		return error_set(err, -EINVAL, "PDN %u: metric=%u and failover=%u exceed %u",
				 p->number, p->metric, p->failover, UINT_MAX);
	if (c->watchdog && strcmp(c->control, "none"))
		return 0;
	error_set(err, -EINVAL,
		  "PDN %u: failover needs the watchdog, which finds that a link is dead",
		  p->number);
	error_hint(err, c->watchdog ? "it needs a control channel" : "add watchdog=SECONDS");
	return -EINVAL;
}

static int check_pdn(const struct config_trunk *c, const struct config_pdn *p, struct error *err)
{
	struct clat_prefix prefix;

	if (!p->mux) {
		error_set(err, -EINVAL, "PDN %u needs a mux id of its own: 0x80 + %u is above %d",
			  p->number, p->number, MAX_MUX);
		error_hint(err, "add mux=ID");
		return -EINVAL;
	}
	if (!strcmp(p->netns, ".") || !strcmp(p->netns, "..") || strchr(p->netns, '/'))
		return error_set(err, -EINVAL,
				 "PDN %u: \"%s\" is not a name of a network namespace", p->number,
				 p->netns);
	if (p->vrf[0] && (!valid_ifname(p->vrf) || !strcmp(p->vrf, c->dev)))
		return error_set(err, -EINVAL, "PDN %u: \"%s\" is not a name of a VRF", p->number,
				 p->vrf);
	if (p->table == RT_TABLE_LOCAL)
		return error_set(err, -EINVAL,
				 "PDN %u: table=%u is the kernel's table of local addresses; a "
				 "default route there would come before all other routes",
				 p->number, p->table);
	if (p->vrf[0] && p->table)
		return error_set(err, -EINVAL,
				 "PDN %u: table=%u beside vrf=%s, whose routing table is used",
				 p->number, p->table, p->vrf);
	if (p->lan[0] && !valid_ifname(p->lan))
		return error_set(err, -EINVAL, "PDN %u: \"%s\" is not a name of a network device",
				 p->number, p->lan);
	if (p->passthrough[0] && !valid_ifname(p->passthrough))
		return error_set(err, -EINVAL, "PDN %u: \"%s\" is not a name of a network device",
				 p->number, p->passthrough);
	if (p->passthrough[0] && p->netns[0])
		return error_set(err, -EINVAL,
				 "PDN %u: passthrough=%s is in another namespace than netns=%s",
				 p->number, p->passthrough, p->netns);
	if (strcmp(p->clat, "auto") && strcmp(p->clat, "off") &&
	    !clat_prefix_parse(p->clat, &prefix)) {
		error_set(err, -EINVAL, "PDN %u: clat=%s is not a NAT64 prefix", p->number,
			  p->clat);
		error_hint(err,
			   "auto, off, or a prefix such as 64:ff9b::/96, of 32, 40, 48, 56, 64 or "
			   "96 bits");
		return -EINVAL;
	}
	if (!strcmp(c->control, "none") && (p->apn[0] || p->user[0] || p->password[0])) {
		error_set(err, -EINVAL, "PDN %u: apn, user and password need a control channel",
			  p->number);
		error_hint(err, "with control=none somebody else dials");
		return -EINVAL;
	}
	return check_failover(c, p, err);
}

static int check_mux_ids(const struct config_trunk *c, struct error *err)
{
	unsigned int owner[256] = {0};

	for (unsigned int i = 0; i < c->npdns; i++) {
		const struct config_pdn *p = &c->pdns[i];

		if (owner[p->mux])
			return error_set(err, -EINVAL, "PDNs %u and %u have the same mux id 0x%02x",
					 owner[p->mux], p->number, p->mux);
		owner[p->mux] = p->number;
	}
	return 0;
}

/* An absolute path names the same program in any working directory. */
static int check_hooks(const struct config_trunk *c, struct error *err)
{
	char copy[sizeof(c->hook)], *save = NULL;

	memcpy(copy, c->hook, sizeof(copy));
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save))
		if (p[0] != '/')
			return error_set(err, -EINVAL, "bad hook \"%.60s\": not a path from /", p);
	return 0;
}

static int check_trunk(const struct config_trunk *c, struct error *err)
{
	if (!c->dev[0])
		return error_set(err, -EINVAL, "the name of the network device is missing");
	if (!valid_ifname(c->dev))
		return error_set(err, -EINVAL, "\"%s\" is not a name of a network device", c->dev);
	if (check_hooks(c, err))
		return -EINVAL;
	if (c->dl_max_bytes && c->dl_max_bytes < MIN_AGGREGATE)
		return error_set(err, -EINVAL,
				 "bad dl-max-bytes %u: an aggregate below %d bytes cannot carry a "
				 "packet of full size",
				 c->dl_max_bytes, MIN_AGGREGATE);
	if (*c->pin && (strlen(c->pin) < MIN_PIN || strspn(c->pin, "0123456789") != strlen(c->pin)))
		return error_set(err, -EINVAL, "bad pin: 4 to 8 digits are wanted");
	if (c->backoff_min > c->backoff_max)
		return error_set(err, -EINVAL, "bad backoff-min %u: it is above backoff-max %u",
				 c->backoff_min, c->backoff_max);
	if (c->qmap == CONFIG_QMAP_OFF && c->npdns > 1) {
		error_set(err, -EINVAL, "qmap=off carries one PDN, not %u", c->npdns);
		error_hint(err, "several PDNs need the mux ids of QMAP: qmap=auto");
		return -EINVAL;
	}
	return 0;
}

static int check_recover(const struct config_trunk *c, struct error *err)
{
	unsigned int rungs;

	if (ladder_parse(c->recover, &rungs))
		return 0;
	error_set(err, -EINVAL, "bad recover \"%s\"", c->recover);
	error_hint(err, "off, or some of redial,radio,reset,usb,hook");
	return -EINVAL;
}

static int check_steer(const struct config_trunk *c, struct error *err)
{
	cpu_set_t cpus;

	if (!strcmp(c->steer, "auto") || !strcmp(c->steer, "off") || cpus_parse(c->steer, &cpus))
		return 0;
	error_set(err, -EINVAL, "bad steer \"%s\"", c->steer);
	error_hint(err, "auto, off, or CPUs such as 1-3 or 0,2");
	return -EINVAL;
}

int config_trunk_finish(struct config_trunk *c, struct error *err)
{
	struct config_pdn *p;

	if (!c->npdns && config_pdn_new(c, "1", &p, err))
		return -EINVAL;
	if (check_trunk(c, err) || check_recover(c, err) || check_steer(c, err))
		return -EINVAL;
	for (unsigned int i = 0; i < c->npdns; i++) {
		if (check_pdn(c, &c->pdns[i], err))
			return -EINVAL;
	}
	return check_port_names(c, err) ?: check_mux_ids(c, err);
}
