// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Effect of a refusal by the network or the modem on the next attempt. A refusal that is not known
 * to be for good is worth another attempt later: a network's trouble passes, and a router has no
 * user to start over.
 */
#include "util/array.h"
#include "call.h"

/* By verbose call end reason (3GPP TS 24.008, annex I; the modem's own for internal ones). */
static const struct {
	uint16_t type, reason;
	enum end_verdict verdict;
} reasons[] = {
	{QMI_WDS_END_3GPP, 8, END_FOR_GOOD},	       /* operator determined barring */
	{QMI_WDS_END_3GPP, 27, END_FOR_GOOD},	       /* unknown APN */
	{QMI_WDS_END_3GPP, 28, END_FOR_GOOD},	       /* unknown PDP address or type */
	{QMI_WDS_END_3GPP, 29, END_FOR_GOOD},	       /* authentication failed */
	{QMI_WDS_END_3GPP, 32, END_FOR_GOOD},	       /* service option not supported */
	{QMI_WDS_END_3GPP, 33, END_FOR_GOOD},	       /* not subscribed */
	{QMI_WDS_END_3GPP, 50, END_OTHER_FAMILY},      /* IPv4 only */
	{QMI_WDS_END_3GPP, 51, END_OTHER_FAMILY},      /* IPv6 only */
	{QMI_WDS_END_3GPP, 52, END_OTHER_FAMILY},      /* one address only */
	{QMI_WDS_END_3GPP, 55, END_FOR_GOOD},	       /* a second connection to one APN */
	{QMI_WDS_END_INTERNAL, 208, END_OTHER_FAMILY}, /* IPv4 disallowed */
	{QMI_WDS_END_INTERNAL, 210, END_OTHER_FAMILY}, /* IPv6 disallowed */
	{QMI_WDS_END_INTERNAL, 231, END_OTHER_FAMILY}, /* not an IP version of the profile */
	{QMI_WDS_END_INTERNAL, 253, END_FOR_GOOD},     /* APN has an invalid form */
};

/* Protocol errors without a network's reason that mean an invalid request. */
static const uint16_t errors_for_good[] = {
	1,  /* malformed message */
	10, /* invalid profile */
	17, /* missing argument */
	19, /* argument too long */
	34, /* authentication failed */
	43, /* interface not found */
	48, /* invalid argument */
	71, /* invalid command */
	94, /* not supported */
};

/*
 * The family that a reason permits: 50 and 210 IPv4, 51 and 208 IPv6, 52 the one that came
 * first.
 */
static bool leaves(const struct call *c, uint16_t reason)
{
	if (reason == 50 || reason == 210)
		return c->family == 4;
	if (reason == 51 || reason == 208)
		return c->family == 6;
	return false;
}

/*
 * One address only: of two families the second one is refused, and gives way. If the first has been
 * refused for good by then, there is no family to give way to.
 */
static enum end_verdict judge_family(const struct call *c)
{
	const struct call *other = call_sibling(c);

	if (leaves(c, c->end.verbose_reason))
		return END_TRANSIENT;
	if (!other)
		return c->end.verbose_reason == 52 ? END_TRANSIENT : END_FOR_GOOD;
	if (c->end.verbose_reason == 52 && other->state == CALL_FAILED)
		return END_TRANSIENT;
	return END_OTHER_FAMILY;
}

bool call_gave_way(const struct call *c)
{
	return c->state == CALL_FAILED && c->end.verbose_type == QMI_WDS_END_3GPP &&
	       c->end.verbose_reason == 52;
}

enum end_verdict call_verdict(const struct call *c)
{
	const struct call_end *e = &c->end;

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].type == e->verbose_type && reasons[i].reason == e->verbose_reason)
			return reasons[i].verdict == END_OTHER_FAMILY ? judge_family(c)
								      : reasons[i].verdict;
	if (e->verbose_type || e->reason)
		return END_TRANSIENT;
	for (size_t i = 0; i < ARRAY_SIZE(errors_for_good); i++)
		if (errors_for_good[i] == e->qmi_error)
			return END_FOR_GOOD;
	return END_TRANSIENT;
}
