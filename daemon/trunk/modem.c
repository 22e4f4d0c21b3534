// SPDX-License-Identifier: GPL-2.0-or-later
#include "modem.h"

#include <stdbool.h>
#include <stddef.h>

/* A modem that comes back must be served within two seconds: whoever does not answer is asked every
 * second. Asking is an open() then, or a message that nobody hears. */
#define BACKOFF_FIRST_MS   100
#define BACKOFF_MOST_MS	   1000
#define BACKOFF_REFUSED_MS 30000

struct line {
	bool used;
	struct trunk_step step;
};

#define GO(state, act)                                                                             \
	{                                                                                          \
		.used = true, .step = { TRUNK_##state, TRUNK_##act }                               \
	}

static const struct line table[TRUNK_STATES][TRUNK_INPUTS] =
	{
		[TRUNK_ABSENT] =
			{
				[TRUNK_IN_NETDEV] = GO(PRESENT, TRY),
				[TRUNK_IN_DETACH] = GO(DETACHING, CLOSE),
			},
		[TRUNK_PRESENT] =
			{
				[TRUNK_IN_CHANNEL] = GO(OPENING, NOTHING),
				/* the data path may stand from before */
				[TRUNK_IN_NETDEV_GONE] = GO(LOST, CLOSE),
				[TRUNK_IN_ANEW] = GO(LOST, CLOSE),
				[TRUNK_IN_DETACH] = GO(DETACHING, CLOSE),
			},
		[TRUNK_OPENING] =
			{
				[TRUNK_IN_OPENED] = GO(READY, SETTLE),
				[TRUNK_IN_FAILED] = GO(PRESENT, TRY),
				[TRUNK_IN_LOST] = GO(LOST, TRY),
				[TRUNK_IN_NETDEV_GONE] = GO(LOST, CLOSE),
				[TRUNK_IN_ANEW] = GO(LOST, CLOSE),
				[TRUNK_IN_DETACH] = GO(DETACHING, CLOSE),
			},
		[TRUNK_READY] =
			{
				[TRUNK_IN_LOST] = GO(LOST, TRY),
				[TRUNK_IN_NETDEV_GONE] = GO(LOST, CLOSE),
				[TRUNK_IN_ANEW] = GO(LOST, CLOSE),
				[TRUNK_IN_DETACH] = GO(DETACHING, CLOSE),
			},
		[TRUNK_LOST] =
			{
				[TRUNK_IN_CHANNEL] = GO(OPENING, NOTHING),
				[TRUNK_IN_NETDEV_GONE] = GO(LOST, CLOSE),
				[TRUNK_IN_ANEW] = GO(LOST, CLOSE),
				[TRUNK_IN_CLOSED] = GO(ABSENT, SEEK),
				[TRUNK_IN_DETACH] = GO(DETACHING, CLOSE),
			},
		[TRUNK_DETACHING] =
			{
				[TRUNK_IN_CLOSED] = GO(ABSENT, FORGET),
			},
};

const struct trunk_step *trunk_step(enum trunk_state state, enum trunk_input input)
{
	const struct line *l = &table[state][input];

	return l->used ? &l->step : NULL;
}

unsigned int trunk_backoff_ms(unsigned int n, int able)
{
	unsigned int most = able ? BACKOFF_MOST_MS : BACKOFF_REFUSED_MS, ms = BACKOFF_FIRST_MS;

	if (!n)
		return 0;
	while (--n && ms < most)
		ms *= 2;
	return ms < most ? ms : most;
}
