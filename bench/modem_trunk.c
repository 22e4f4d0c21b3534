// SPDX-License-Identifier: GPL-2.0-or-later
#include "modem_trunk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "daemon/cli/daemon.h"
#include "daemon/util/json_get.h"

/* --- requests --- */

/* Sends a request whose answer is an array of one object; new reference to that in @out. */
static int ask(const struct modem_trunk *t, struct json_object *request, unsigned int timeout,
	       struct json_object **out, struct error *err)
{
	const struct cli cli = {.socket = t->socket};
	struct json_object *array = NULL;
	int ret = cli_call(&cli, request, timeout, &array, err);

	*out = NULL;
	if (!ret && json_object_is_type(array, json_type_array))
		*out = json_object_get(json_object_array_get_idx(array, 0));
	json_object_put(array);
	if (!ret && !*out)
		ret = error_set(err, -ENODEV, "%s is not attached", t->dev);
	return ret;
}

static int refresh(struct modem_trunk *t, struct error *err)
{
	json_object_put(t->show);
	return ask(t, cli_request("show", t->dev), CLI_TIMEOUT, &t->show, err);
}

int modem_trunk_open(struct modem_trunk *t, const char *socket, const char *dev, struct error *err)
{
	struct json_object *request = cli_request("dump", dev);

	*t = (struct modem_trunk){.socket = socket, .dev = dev};
	json_object_object_add(request, "secrets", json_object_new_boolean(true));
	return ask(t, request, CLI_TIMEOUT, &t->config, err) ?: refresh(t, err);
}

void modem_trunk_close(struct modem_trunk *t)
{
	json_object_put(t->config);
	json_object_put(t->show);
	*t = (struct modem_trunk){0};
}

/* --- attaching --- */

static int attach(struct modem_trunk *t, struct json_object *config, struct error *err)
{
	struct json_object *request = cli_request("attach", NULL);

	json_object_object_add(request, "trunk", config);
	json_object_put(t->show);
	return ask(t, request, CLI_ATTACH_TIMEOUT, &t->show, err);
}

static int detach(struct modem_trunk *t, struct error *err)
{
	const struct cli cli = {.socket = t->socket};
	struct json_object *nothing = NULL;
	int ret = cli_call(&cli, cli_request("detach", t->dev), CLI_DETACH_TIMEOUT, &nothing, err);

	json_object_put(nothing);
	return ret == -ENODEV ? 0 : ret; /* an attach that was refused has left nothing */
}

int modem_trunk_use(struct modem_trunk *t, const char *datapath, struct error *err)
{
	const char *found = json_get_string(t->config, "datapath");
	struct json_object *config = NULL;
	int ret;

	if (t->show && datapath && !strcmp(datapath, json_get_string(t->show, "datapath") ?: ""))
		return refresh(t, err);
	ret = detach(t, err);
	if (!ret && json_object_deep_copy(t->config, &config, NULL))
		ret = error_set(err, -ENOMEM, "out of memory");
	if (ret)
		return ret;
	json_object_object_add(config, "datapath", json_object_new_string(datapath ?: found));
	return attach(t, config, err);
}

/* --- counters --- */

static uint64_t sum_drops(struct json_object *drops)
{
	uint64_t sum = 0;

	if (!drops)
		return 0;
	json_object_object_foreach (drops, name, value) {
		(void)name;
		sum += json_object_get_int64(value);
	}
	return sum;
}

int modem_trunk_counters(const struct modem_trunk *t, struct modem_counters *c, struct error *err)
{
	struct json_object *stats, *port;
	int ret = ask(t, cli_request("stats", t->dev), CLI_TIMEOUT, &stats, err);

	*c = (struct modem_counters){0};
	if (ret)
		return ret;
	c->aggregates = json_get_int(stats, "aggregates");
	c->frames = json_get_int(stats, "frames");
	c->drops = json_object_get(json_get_object(stats, "drops"));
	c->dropped = sum_drops(c->drops);
	for (size_t i = 0; (port = json_get_element(stats, "ports", i)); i++) {
		c->rx_packets += json_get_int(port, "rx_packets");
		c->rx_bytes += json_get_int(port, "rx_bytes");
		c->tx_packets += json_get_int(port, "tx_packets");
		c->tx_bytes += json_get_int(port, "tx_bytes");
	}
	json_object_put(stats);
	return 0;
}

/* Computes the difference; omits reasons that did not occur. */
static struct json_object *drops_since(struct json_object *after, struct json_object *before)
{
	struct json_object *o = json_object_new_object();

	if (!after)
		return o;
	json_object_object_foreach (after, name, value) {
		int64_t n = json_object_get_int64(value) - json_get_int(before, name);

		if (n)
			json_object_object_add(o, name, json_object_new_int64(n));
	}
	return o;
}

void modem_counters_since(struct modem_counters *c, const struct modem_counters *before)
{
	struct json_object *drops = drops_since(c->drops, before->drops);

	json_object_put(c->drops);
	c->drops = drops;
	c->dropped -= before->dropped;
	c->aggregates -= before->aggregates;
	c->frames -= before->frames;
	c->rx_packets -= before->rx_packets;
	c->rx_bytes -= before->rx_bytes;
	c->tx_packets -= before->tx_packets;
	c->tx_bytes -= before->tx_bytes;
}

void modem_counters_free(struct modem_counters *c)
{
	json_object_put(c->drops);
	c->drops = NULL;
}

/* --- ports --- */

/*
 * Returns the family of a PDN that is up, IPv4 before IPv6. NULL: not usable from this
 * namespace.
 */
static struct json_object *usable(struct json_object *pdn)
{
	struct json_object *family;

	if (json_get_string(pdn, "netns"))
		return NULL;
	for (size_t i = 0; (family = json_get_element(pdn, "families", i)); i++)
		if (!strcmp(json_get_string(family, "state") ?: "", "up") &&
		    json_get_string(family, "gateway"))
			return family;
	return NULL;
}

static int make_port(struct echo_port *p, struct json_object *pdn, struct json_object *family)
{
	const char *gateway = json_get_string(family, "gateway");
	bool v4 = json_get_int(family, "family") == 4;

	*p = (struct echo_port){0};
	snprintf(p->name, sizeof(p->name), "%s", json_get_string(pdn, "port") ?: "");
	p->to.sa.sa_family = v4 ? AF_INET : AF_INET6;
	if (v4) {
		p->to.v4.sin_port = htons(ECHO_PORT);
		return inet_pton(AF_INET, gateway, &p->to.v4.sin_addr);
	}
	p->to.v6.sin6_port = htons(ECHO_PORT);
	return inet_pton(AF_INET6, gateway, &p->to.v6.sin6_addr);
}

int modem_trunk_ports(const struct modem_trunk *t, struct echo_options *o, unsigned int *mtu,
		      struct error *err)
{
	struct json_object *pdn, *family;

	*mtu = UINT16_MAX;
	o->nports = 0;
	for (size_t i = 0; (pdn = json_get_element(t->show, "pdns", i)); i++) {
		family = usable(pdn);
		if (!family || o->nports == ECHO_PORTS ||
		    make_port(&o->ports[o->nports], pdn, family) != 1)
			continue;
		o->nports++;
		if (json_get_int(family, "mtu") < *mtu)
			*mtu = json_get_int(family, "mtu");
	}
	if (o->nports)
		return 0;
	error_set(err, -ENOTCONN, "no PDN of %s is connected in this network namespace", t->dev);
	error_hint(err, "`qmapctl show %s` says why", t->dev);
	return -ENOTCONN;
}

const char *modem_trunk_address(const struct modem_trunk *t)
{
	struct json_object *pdn, *family;

	for (size_t i = 0; (pdn = json_get_element(t->show, "pdns", i)); i++) {
		family = usable(pdn);
		if (family)
			return json_get_string(family, "address");
	}
	return NULL;
}
