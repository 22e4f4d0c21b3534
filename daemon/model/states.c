// SPDX-License-Identifier: GPL-2.0-or-later
#include "states.h"

#include <stddef.h>
#include <string.h>

#define X(symbol, name) [symbol] = name,
static const char *const attachments[] = {ATTACHMENT_NAMES(X)};
static const char *const trunk_states[] = {TRUNK_STATE_NAMES(X)};
static const char *const call_states[] = {CALL_STATE_NAMES(X)};
static const char *const netdev_outcomes[] = {NETDEV_OUTCOME_NAMES(X)};
#undef X

const char *attachment_name(enum attachment a)
{
	return attachments[a];
}

const char *trunk_state_name(enum trunk_state state)
{
	return trunk_states[state];
}

const char *call_state_name(enum call_state state)
{
	return call_states[state];
}

const char *netdev_outcome_name(enum netdev_outcome o)
{
	return netdev_outcomes[o];
}

static int find(const char *const *names, int n, const char *name)
{
	for (int i = 0; name && i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

int attachment_find(const char *name)
{
	return find(attachments, ATTACHMENT_STATES, name);
}

int call_state_find(const char *name)
{
	return find(call_states, CALL_STATES, name);
}
