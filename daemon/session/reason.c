// SPDX-License-Identifier: GPL-2.0-or-later
/* Describes failures in a sentence with a next step. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "qmi/names.h"

/* Advice for reasons that a user can act on. */
static const struct {
	uint16_t type, reason;
	const char *hint;
} hints[] = {
	{QMI_WDS_END_3GPP, 8, "the operator has barred this SIM from data; ask the operator"},
	{QMI_WDS_END_3GPP, 26, "the network is short of resources; try again later"},
	{QMI_WDS_END_3GPP, 27, "check the APN's spelling; the operator knows the right one"},
	{QMI_WDS_END_3GPP, 28, "the network does not offer this IP version; try another ip="},
	{QMI_WDS_END_3GPP, 29, "check user=, password= and auth= of this PDN"},
	{QMI_WDS_END_3GPP, 32, "the subscription may not include this APN; ask the operator"},
	{QMI_WDS_END_3GPP, 33, "the subscription does not include this APN; ask the operator"},
	{QMI_WDS_END_3GPP, 50, "use ip=v4 for this PDN"},
	{QMI_WDS_END_3GPP, 51, "use ip=v6 for this PDN"},
	{QMI_WDS_END_3GPP, 55, "another PDN uses this APN already; leave one of them out"},
	{QMI_WDS_END_INTERNAL, 208, "the network does not allow IPv4 here; use ip=v6"},
	{QMI_WDS_END_INTERNAL, 209, "IPv4 was refused lately; wait some minutes"},
	{QMI_WDS_END_INTERNAL, 210, "the network does not allow IPv6 here; use ip=v4"},
	{QMI_WDS_END_INTERNAL, 211, "IPv6 was refused lately; wait some minutes"},
	{QMI_WDS_END_INTERNAL, 230, "another call uses this APN with other settings"},
	{QMI_WDS_END_INTERNAL, 231, "the modem's profile has another IP version; change ip="},
	{QMI_WDS_END_INTERNAL, 236, "another program has this call; stop it, or use its PDN"},
	{QMI_WDS_END_INTERNAL, 237, "another program uses this mux id; stop it, or use mux="},
	{QMI_WDS_END_INTERNAL, 239, "this APN is not for roaming; ask the operator"},
	{QMI_WDS_END_INTERNAL, 241, "another program has this call; stop it, or use its PDN"},
	{QMI_WDS_END_INTERNAL, 243, "the modem is too hot; let it cool down"},
	{QMI_WDS_END_INTERNAL, 253, "check the APN's spelling"},
	{QMI_WDS_END_INTERNAL, 255, "data is not allowed while roaming; ask the operator"},
	{QMI_WDS_END_INTERNAL, 262, "the modem has no more PDNs to give; attach fewer"},
	{QMI_WDS_END_CALL_MANAGER, 2001, "there is no coverage, or no SIM; check antenna and SIM"},
};

/* Protocol errors without a network's reason. */
static const struct {
	uint16_t error;
	const char *hint;
} error_hints[] = {
	{26, "the modem holds a call that it does not let go of; restart the modem"},
	{5, "the modem has no client ids left; other programs hold them or leaked them: "
	    "restart the modem"},
	{16, "the modem is not provisioned for data; check the SIM"},
	{34, "check user=, password= and auth= of this PDN"},
	{37, "the SIM is not ready; check that it is in and needs no PIN"},
	{43, "the modem does not know this data interface; the control channel may be "
	     "another modem's"},
	{52, "the modem is not ready; wait until it is registered and try again"},
	{82, "the modem does not allow this; is it in the right mode?"},
	{93, "the radio is off; switch it on first (AT+CFUN=1)"},
	{102, "there is no SIM in the modem"},
};

/* NULL: no advice. */
static const char *hint_for(const struct call_end *end)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].type == end->verbose_type && hints[i].reason == end->verbose_reason)
			return hints[i].hint;
	for (size_t i = 0; i < sizeof(error_hints) / sizeof(error_hints[0]); i++)
		if (error_hints[i].error == end->qmi_error)
			return error_hints[i].hint;
	return NULL;
}

const char *call_hint(const struct call *c)
{
	switch (c->state) {
	case CALL_WAIT_NETWORK:
		return network_hint(c->session->network);
	case CALL_BACKOFF:
	case CALL_FAILED:
		return hint_for(&c->end);
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
	else if (c->error == -ETIMEDOUT)
		snprintf(s, size, "the modem did not answer while %s", call_doing(c->failed_in));
	else if (c->error == -ECANCELED)
		snprintf(s, size, "another call was asked for");
	else if (c->error == -ENOLINK)
		snprintf(s, size, "nothing was received for %u s", c->session->config->watchdog);
	else if (c->error == -ENODATA)
		snprintf(s, size, "the modem gave it no address");
	else if (c->error)
		snprintf(s, size, "%s failed: %s", call_doing(c->failed_in), strerror(-c->error));
	else
		snprintf(s, size, "the network ended it at once without a reason");
}

/* Prints the families' refusals, or the one they share. Returns the first. */
static const struct call *print_refusals(const struct session_pdn *pdn, char *text, size_t size)
{
	const struct call *first = pdn_call(pdn, 0), *other = pdn_call_next(first);

	if (other && strcmp(first->reason, other->reason))
		snprintf(text, size, "IPv%d: %s; IPv%d: %s", first->family, first->reason,
			 other->family, other->reason);
	else
		snprintf(text, size, "%s", first->reason);
	return first;
}

int session_error_pdn(const struct session_pdn *pdn, struct error *err)
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
			hint_for(&c->end)
				?: "check SIM, coverage and the operator's settings for this APN");
	else if (*until)
		error_hint(err, "it goes on %s", until);
	return -ECONNREFUSED;
}

void session_error_silent(struct session *s)
{
	error_set(&s->error, -ETIMEDOUT, "modem does not answer QMI on %s within %u s",
		  s->setup.control, s->config->timeout);
	error_hint(&s->error,
		   "check that this is the QMI port, that the modem is in QMI mode "
		   "(AT+QCFG=\"usbnet\",0) and that its driver sets DTR (qmi_wwan does)");
}

void session_error_step(struct session *s, const char *doing, int err, uint16_t qmi_error)
{
	const struct call_end end = {.qmi_error = qmi_error};

	if (qmi_error) {
		error_set(&s->error, -ECONNREFUSED, "modem refused with %s (error %u) while %s",
			  or_unnamed(qmi_error_name(qmi_error)), qmi_error, doing);
		error_hint(&s->error, "%s", hint_for(&end) ?: "restart the modem and try again");
	} else if (err == -ETIMEDOUT) {
		error_set(&s->error, err, "modem did not answer within %u s while %s",
			  s->config->timeout, doing);
		error_hint(&s->error, "unplug the modem and plug it in again");
	} else {
		error_set(&s->error, err < 0 ? err : -EPROTO, "modem failed while %s: %s", doing,
			  err < 0 ? strerror(-err) : "its answer makes no sense");
	}
}

void session_error_format(struct session *s)
{
	const char *what = s->setup.qmap == CONFIG_QMAP_AUTO  ? "any version of QMAP"
			   : s->setup.qmap == CONFIG_QMAP_OFF ? "raw IP without QMAP"
							      : "the version of QMAP asked for";
	const struct call_end end = {.qmi_error = s->refusal.qmi_error};
	const char *echoed = qmi_enum_name("aggregation", s->refusal.echoed);
	char why[128];

	if (s->refusal.qmi_error)
		snprintf(why, sizeof(why), "it answers with %s (error %u)",
			 or_unnamed(qmi_error_name(s->refusal.qmi_error)), s->refusal.qmi_error);
	else
		snprintf(why, sizeof(why), "it answers with aggregation %s",
			 echoed ? echoed : "not told");
	error_set(&s->error, -EOPNOTSUPP, "modem does not accept %s: %s", what, why);
	error_exit(&s->error, EXIT_REFUSED);
	if (hint_for(&end))
		error_hint(&s->error, "%s", hint_for(&end));
	else if (s->setup.qmap == CONFIG_QMAP_AUTO)
		error_hint(&s->error, "try qmap=off with one PDN, or newer modem firmware");
	else
		error_hint(&s->error, "leave qmap at auto");
}
