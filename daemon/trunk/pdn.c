// SPDX-License-Identifier: GPL-2.0-or-later
/* Adds, removes and changes PDNs while the trunk is attached, without affecting the others. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "clat.h"
#include "internal.h"
#include "pins.h"
#include "port_rows.h"

/* A removal, or the first half of a redial, that waits for the modem. */
struct removal {
	struct trunk *trunk;
	unsigned int number;
	bool again; /* it is to be dialled then */
	trunk_done done;
	void *arg;
};

static struct config_pdn *find_config(struct trunk *t, unsigned int number)
{
	for (unsigned int i = 0; i < t->config.npdns; i++)
		if (t->config.pdns[i].number == number)
			return &t->config.pdns[i];
	return NULL;
}

static int need(struct trunk *t, unsigned int number, struct config_pdn **out, struct error *err)
{
	if (modem_state(t->modem) == TRUNK_DETACHING)
		return trunk_check_idle(t, err);
	*out = find_config(t, number);
	if (*out)
		return 0;
	return error_set(err, -ENOENT, "%s has no PDN %u", t->config.dev, number);
}

static int make_port(struct trunk *t, const struct config_pdn *pdn, struct error *err)
{
	struct trunk_port *p;
	int ret = t->dp ? trunk_add_port(t, pdn, err) : 0;

	if (ret || !t->dp || trunk_has_control(t))
		return ret;
	p = trunk_find_port(t, pdn->number);
	ret = trunk_port_enable(p, err);
	if (!ret)
		trunk_set_flow(t, p, true);
	return ret;
}

int trunk_add_pdn(struct trunk *t, const struct config_pdn *pdn, struct error *err)
{
	struct config_trunk *c = &t->config;
	int ret;

	if (modem_state(t->modem) == TRUNK_DETACHING)
		return trunk_check_idle(t, err);
	if (find_config(t, pdn->number))
		return error_set(err, -EEXIST, "%s has a PDN %u already", c->dev, pdn->number);
	if (c->npdns == CONFIG_MAX_PDNS)
		return error_set(err, -E2BIG, "more than %d PDNs on one trunk", CONFIG_MAX_PDNS);
	c->pdns[c->npdns++] = *pdn;
	trunk_save(t); /* before there is anything that would have to be found again */
	if (t->closing)
		return 0; /* data path and session are made anew */
	ret = make_port(t, pdn, err);
	if (!ret && t->session && !session_is_ending(t->session))
		ret = session_add_pdn(t->session, pdn->number, err);
	if (ret) {
		trunk_del_port(t, pdn->number);
		c->npdns--;
	}
	trunk_save(t);
	return ret;
}

static void forget(struct trunk *t, unsigned int number)
{
	struct config_trunk *c = &t->config;
	struct config_pdn *pdn = find_config(t, number);

	trunk_del_port(t, number);
	if (!pdn)
		return;
	memmove(pdn, pdn + 1, (&c->pdns[c->npdns] - (pdn + 1)) * sizeof(*pdn));
	c->npdns--;
	explicit_bzero(&c->pdns[c->npdns], sizeof(*pdn));
	trunk_save(t);
}

static void on_removed(void *arg, const struct error *err)
{
	struct removal *r = arg;
	struct error why = err ? *err : (struct error){0};

	if (!r->again)
		forget(r->trunk, r->number);
	else if (r->trunk->session)
		session_add_pdn(r->trunk->session, r->number, &why);
	r->trunk->removal = NULL;
	r->done(r->arg, r->trunk, why.err ? &why : NULL);
	free(r);
}

void trunk_removal_over(struct trunk *t)
{
	if (t->removal)
		on_removed(t->removal, NULL);
}

static void on_later(void *arg)
{
	trunk_removal_over(arg);
}

/*
 * Ends the calls through the session if there is one; otherwise the PDN has none. A session that is
 * ending ends them all: trunk_removal_over() follows.
 */
static int remove_calls(struct trunk *t, struct removal what, struct error *err)
{
	struct removal *r;
	int ret = 0;

	if (t->removal)
		return error_set(err, -EBUSY, "another PDN of %s is being ended right now",
				 t->config.dev);
	r = malloc(sizeof(*r));
	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	*r = what;
	t->removal = r;
	if (!t->session)
		modem_call_later(t->modem, on_later);
	else if (!session_is_ending(t->session))
		ret = session_remove_pdn(t->session, r->number, on_removed, r, err);
	if (!ret)
		return 0;
	t->removal = NULL;
	free(r);
	return ret;
}

int trunk_remove_pdn(struct trunk *t, unsigned int number, trunk_done done, void *arg,
		     struct error *err)
{
	struct config_pdn *pdn;
	int ret = need(t, number, &pdn, err);

	return ret
		       ?: remove_calls(
				  t,
				  (struct removal){
					  .trunk = t, .number = number, .done = done, .arg = arg},
				  err);
}

int trunk_set_pdn(struct trunk *t, const struct config_pdn *pdn, struct error *err)
{
	struct trunk_port *p = trunk_find_port(t, pdn->number);
	struct config_pdn *c, old;
	int ret = need(t, pdn->number, &c, err);

	if (ret)
		return ret;
	old = *c;
	if (!trunk_has_control(t) || t->closing)
		p = NULL; /* its addresses and routes are not ours, or it is made anew */
	if (p && old.addresses != pdn->addresses) {
		/* Another program is to give the port its addresses, or no longer. */
		trunk_port_family_down(t, p, 4);
		trunk_port_family_down(t, p, 6);
	}
	*c = *pdn;
	ret = p ? trunk_port_reroute(p, &old, err) : 0;
	if (p && t->dp)
		trunk_clat_update(t, p);
	trunk_totals_look(t);
	explicit_bzero(&old, sizeof(old));
	trunk_save(t);
	return ret;
}

int trunk_redial_pdn(struct trunk *t, const struct config_pdn *pdn, trunk_done done, void *arg,
		     struct error *err)
{
	int ret = trunk_set_pdn(t, pdn, err);

	return ret
		       ?: remove_calls(t,
				       (struct removal){.trunk = t,
							.number = pdn->number,
							.again = true,
							.done = done,
							.arg = arg},
				       err);
}

int trunk_redial(struct trunk *t, unsigned int pdn, struct error *err)
{
	int ret = trunk_check_idle(t, err);

	if (!ret && pdn && !find_config(t, pdn))
		ret = error_set(err, -ENOENT, "%s has no PDN %u", t->config.dev, pdn);
	if (!ret && !trunk_has_control(t)) {
		ret = error_set(err, -EOPNOTSUPP, "%s has no control channel", t->config.dev);
		error_hint(err, "whoever dials there must dial again");
	}
	if (!ret && !t->session) {
		ret = error_set(err, -ENODEV, "%s has no modem now", t->config.dev);
		error_hint(err,
			   "its PDNs are dialled when the modem is back; `qmapctl show %s` tells",
			   t->config.dev);
	}
	if (!ret)
		session_redial(t->session, pdn);
	return ret;
}

void trunk_set(struct trunk *t, const struct config_trunk *config)
{
	const size_t head = offsetof(struct config_trunk, npdns);
	struct config_trunk old;

	memcpy(&old, &t->config, head);
	memcpy(&t->config, config, head);
	if (t->session)
		session_set(t->session, &old);
	for (unsigned int i = 0; i < t->nports; i++)
		trunk_port_steer(t, &t->ports[i]);
	explicit_bzero(&old, head);
	trunk_save(t);
}
