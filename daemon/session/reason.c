// SPDX-License-Identifier: GPL-2.0-or-later
/* Describes failures in a sentence with a next step. */
#include "call.h"

#include <stdio.h>
#include <string.h>

#include "hints.h"
#include "qmi/names.h"

const char *call_hint(const struct call *c)
{
	switch (c->state) {
	case CALL_WAIT_NETWORK:
		return facts_network_hint(c->all->env.facts);
	case CALL_BACKOFF:
	case CALL_FAILED:
		return hint_for_end(&c->end);
	default:
		return NULL;
	}
}

static const char *or_unnamed(const char *name)
{
	return name ? name : "no name known";
}

void call_refusal(const struct call *c, char *s, size_t size)
{
	const struct call_end *e = &c->end;
	const char *malformed = clients_malformed(c->all->env.clients);

	if (e->verbose_type)
		snprintf(s, size, "the network refused with %s (%s reason %u)",
			 or_unnamed(qmi_end_verbose_name(e->verbose_type, e->verbose_reason)),
			 or_unnamed(qmi_end_type_name(e->verbose_type)), e->verbose_reason);
	else if (e->reason)
		snprintf(s, size, "the network refused with %s (reason %u)",
			 or_unnamed(qmi_end_name(e->reason)), e->reason);
	else if (e->qmi_error)
		snprintf(s, size, "the modem refused with %s (error %u) while %s",
			 or_unnamed(qmi_error_name(e->qmi_error)), e->qmi_error,
			 call_doing(c->failed_in));
	else if (malformed && (c->error == -ETIMEDOUT || c->error == -ENOMSG))
		snprintf(s, size, "the modem's answer is malformed (%s) while %s", malformed,
			 call_doing(c->failed_in));
	else if (c->error == -ETIMEDOUT)
		snprintf(s, size, "the modem did not answer while %s", call_doing(c->failed_in));
	else if (c->error == -ECANCELED)
		snprintf(s, size, "another call was asked for");
	else if (c->error == -ENOLINK)
		snprintf(s, size, "nothing was received for %u s", c->all->config->watchdog);
	else if (c->error == -EPERM)
		snprintf(s, size, "the modem roams, and roaming=off");
	else if (c->error == -ENODATA)
		snprintf(s, size, "the modem gave it no address");
	else if (c->error)
		snprintf(s, size, "%s failed: %s", call_doing(c->failed_in), strerror(-c->error));
	else
		snprintf(s, size, "the network ended it at once without a reason");
}

/* Prints the families' refusals, or the one they share. Returns the first. */
static const struct call *print_refusals(const struct calls_pdn *pdn, char *text, size_t size)
{
	const struct call *first = pdn_call(pdn, 0), *other = pdn_call_next(first);

	if (other && strcmp(first->reason, other->reason))
		snprintf(text, size, "IPv%d: %s; IPv%d: %s", first->family, first->reason,
			 other->family, other->reason);
	else
		snprintf(text, size, "%s", first->reason);
	return first;
}

int call_error_pdn(const struct calls_pdn *pdn, struct error *err)
{
	const struct config_pdn *config = pdn_config(pdn);
	char text[700], apn[112] = "", until[160];
	const struct call *c = print_refusals(pdn, text, sizeof(text));

	if (*config->apn)
		snprintf(apn, sizeof(apn), " (APN \"%s\")", config->apn);
	error_set(err, -ECONNREFUSED, "PDN %u%s is not connected: %s", config->number, apn, text);
	call_until(c, until, sizeof(until));
	if (c->state == CALL_FAILED)
		error_hint(
			err, "%s",
			hint_for_end(&c->end)
				?: "check SIM, coverage and the operator's settings for this APN");
	else if (*until)
		error_hint(err, "it goes on %s", until);
	return -ECONNREFUSED;
}
