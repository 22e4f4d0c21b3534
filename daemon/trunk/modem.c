// SPDX-License-Identifier: GPL-2.0-or-later
#include "modem.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A modem that comes back must be served within two seconds, so one that does not answer is tried
 * every second. An attempt is an open(), or a message without an answer.
 */
#define BACKOFF_FIRST_MS   100
#define BACKOFF_MOST_MS	   1000
#define BACKOFF_REFUSED_MS 30000

#define GO(leave, to, ...)                                                                         \
	{                                                                                          \
		true,                                                                              \
		{                                                                                  \
			TRUNK_##leave, TRUNK_##to,                                                 \
			{                                                                          \
				__VA_ARGS__                                                        \
			}                                                                          \
		}                                                                                  \
	}

/* One input a line: actions in the old state, next state, actions in the new one. */
/* clang-format off */
static const struct {
	bool used;
	struct trunk_step step;
} table[TRUNK_STATES][TRUNK_INPUTS] = {
	[TRUNK_ABSENT] = {
		[TRUNK_IN_NETDEV]       = GO(NOTHING, PRESENT, TRUNK_TRY),
		[TRUNK_IN_DETACH]       = GO(NOTHING, DETACHING, TRUNK_CLOSE),
	},
	/* the data path may exist from before */
	[TRUNK_PRESENT] = {
		[TRUNK_IN_CHANNEL]      = GO(NOTHING, OPENING, TRUNK_NOTHING),
		[TRUNK_IN_NETDEV_GONE]  = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_ANEW]         = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_DETACH]       = GO(NOTHING, DETACHING, TRUNK_CLOSE),
	},
	[TRUNK_OPENING] = {
		[TRUNK_IN_OPENED]       = GO(NOTHING, READY, TRUNK_SETTLE, TRUNK_NEWS),
		[TRUNK_IN_FAILED]       = GO(END, PRESENT, TRUNK_SAVE, TRUNK_TRY, TRUNK_NEWS),
		[TRUNK_IN_FAILED_FIRST] = GO(UNDO, ABSENT, TRUNK_REFUSE),
		[TRUNK_IN_LOST]         = GO(END, LOST, TRUNK_RELENT, TRUNK_SAVE, TRUNK_TRY),
		[TRUNK_IN_NETDEV_GONE]  = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_ANEW]         = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_DETACH]       = GO(NOTHING, DETACHING, TRUNK_CLOSE),
	},
	[TRUNK_READY] = {
		[TRUNK_IN_LOST]         = GO(END, LOST, TRUNK_RELENT, TRUNK_SAVE, TRUNK_TRY),
		[TRUNK_IN_NETDEV_GONE]  = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_ANEW]         = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_DETACH]       = GO(NOTHING, DETACHING, TRUNK_CLOSE),
	},
	[TRUNK_LOST] = {
		[TRUNK_IN_CHANNEL]      = GO(NOTHING, OPENING, TRUNK_NOTHING),
		[TRUNK_IN_NETDEV_GONE]  = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_ANEW]         = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_CLOSED]       = GO(END, ABSENT, TRUNK_SEEK),
		[TRUNK_IN_CLOSED_FIRST] = GO(END, ABSENT, TRUNK_UNDO, TRUNK_REFUSE),
		[TRUNK_IN_DETACH]       = GO(NOTHING, DETACHING, TRUNK_CLOSE),
	},
	[TRUNK_DETACHING] = {
		[TRUNK_IN_CLOSED]       = GO(END, ABSENT, TRUNK_FORGET),
		[TRUNK_IN_CLOSED_FIRST] = GO(END, ABSENT, TRUNK_FORGET),
	},
};
/* clang-format on */

const struct trunk_step *trunk_step(enum trunk_state state, enum trunk_input input)
{
	return table[state][input].used ? &table[state][input].step : NULL;
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
