// SPDX-License-Identifier: GPL-2.0-or-later
/* The life of a modem: every state with every input. */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/trunk/modem.h"

static const char *const inputs[TRUNK_INPUTS] = {
	[TRUNK_IN_NETDEV] = "netdev",	[TRUNK_IN_NETDEV_GONE] = "netdev gone",
	[TRUNK_IN_CHANNEL] = "channel", [TRUNK_IN_OPENED] = "opened",
	[TRUNK_IN_FAILED] = "failed",	[TRUNK_IN_FAILED_FIRST] = "failed at first",
	[TRUNK_IN_LOST] = "lost",	[TRUNK_IN_ANEW] = "anew",
	[TRUNK_IN_CLOSED] = "closed",	[TRUNK_IN_CLOSED_FIRST] = "closed at first",
	[TRUNK_IN_DETACH] = "detach",
};

/* The table a second time, by requirement: "" for no change. */
#define ABSENT	  "absent"
#define PRESENT	  "present"
#define OPENING	  "opening"
#define READY	  "ready"
#define LOST	  "lost"
#define DETACHING "detaching"

static const char *const expected[TRUNK_STATES][TRUNK_INPUTS] = {
	/* netdev, gone, channel, opened, failed, failed first, lost, anew, closed, closed first,
	 * detach */
	[TRUNK_ABSENT] = {PRESENT, "", "", "", "", "", "", "", "", "", DETACHING},
	[TRUNK_PRESENT] = {"", LOST, OPENING, "", "", "", "", LOST, "", "", DETACHING},
	[TRUNK_OPENING] = {"", LOST, "", READY, PRESENT, ABSENT, LOST, LOST, "", "", DETACHING},
	[TRUNK_READY] = {"", LOST, "", "", "", "", LOST, LOST, "", "", DETACHING},
	[TRUNK_LOST] = {"", LOST, OPENING, "", "", "", "", LOST, ABSENT, ABSENT, DETACHING},
	[TRUNK_DETACHING] = {"", "", "", "", "", "", "", "", ABSENT, ABSENT, ""},
};

TEST(every_input)
{
	for (int s = 0; s < TRUNK_STATES; s++) {
		for (int i = 0; i < TRUNK_INPUTS; i++) {
			const struct trunk_step *step = trunk_step(s, i);
			const char *to = step ? trunk_state_name(step->to) : "";

			if (strcmp(to, expected[s][i]))
				fail_msg("%s, %s: \"%s\" instead of \"%s\"", trunk_state_name(s),
					 inputs[i], to, expected[s][i]);
		}
	}
}

/* Does @step take @action, in the old state or in the new one? */
static bool takes(const struct trunk_step *step, enum trunk_action action)
{
	for (int i = 0; i < TRUNK_ENTER_MAX; i++)
		if (step->enter[i] == action)
			return true;
	return step->leave == action;
}

/*
 * When the netdev goes, open operations are closed first; every state is left by a detach that ends
 * in nothing.
 */
TEST(closes_before_it_ends)
{
	for (int s = 0; s < TRUNK_STATES; s++) {
		const struct trunk_step *gone = trunk_step(s, TRUNK_IN_NETDEV_GONE);
		const struct trunk_step *detach = trunk_step(s, TRUNK_IN_DETACH);

		if (gone)
			assert_true(takes(gone, TRUNK_CLOSE));
		if (s != TRUNK_DETACHING)
			assert_true(takes(detach, TRUNK_CLOSE));
	}
	assert_true(takes(trunk_step(TRUNK_DETACHING, TRUNK_IN_CLOSED), TRUNK_FORGET));
	assert_true(takes(trunk_step(TRUNK_DETACHING, TRUNK_IN_CLOSED_FIRST), TRUNK_FORGET));
	assert_true(takes(trunk_step(TRUNK_LOST, TRUNK_IN_CLOSED), TRUNK_SEEK));
}

/* Every failure leads to another attempt; but an attempt that the user waits for is the only one. */
TEST(tries_again)
{
	static const struct {
		enum trunk_state state;
		enum trunk_input input;
	} failures[] = {{TRUNK_ABSENT, TRUNK_IN_NETDEV},
			{TRUNK_OPENING, TRUNK_IN_FAILED},
			{TRUNK_OPENING, TRUNK_IN_LOST},
			{TRUNK_READY, TRUNK_IN_LOST}};
	const struct trunk_step *step;

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		step = trunk_step(failures[i].state, failures[i].input);
		assert_true(takes(step, TRUNK_TRY));
	}
	step = trunk_step(TRUNK_OPENING, TRUNK_IN_FAILED_FIRST);
	assert_true(takes(step, TRUNK_UNDO) && takes(step, TRUNK_REFUSE));
	step = trunk_step(TRUNK_LOST, TRUNK_IN_CLOSED_FIRST);
	assert_true(takes(step, TRUNK_UNDO) && takes(step, TRUNK_REFUSE));
}

/* Wherever a session has run, it is ended before the next state; nothing follows an answer that may
 * free the trunk, and what a crash must not lose is written before the next attempt. */
TEST(in_order)
{
	for (int s = 0; s < TRUNK_STATES; s++) {
		for (int i = 0; i < TRUNK_INPUTS; i++) {
			const struct trunk_step *step = trunk_step(s, i);

			for (int n = 0; step && n + 1 < TRUNK_ENTER_MAX; n++) {
				enum trunk_action a = step->enter[n];

				if (a == TRUNK_REFUSE || a == TRUNK_FORGET || a == TRUNK_NEWS)
					assert_int_equal(step->enter[n + 1], TRUNK_NOTHING);
				if (step->enter[n + 1] == TRUNK_TRY)
					assert_int_equal(a, TRUNK_SAVE);
			}
		}
	}
	assert_int_equal(trunk_step(TRUNK_READY, TRUNK_IN_LOST)->leave, TRUNK_END);
	assert_int_equal(trunk_step(TRUNK_OPENING, TRUNK_IN_FAILED)->leave, TRUNK_END);
	assert_int_equal(trunk_step(TRUNK_LOST, TRUNK_IN_CLOSED)->leave, TRUNK_END);
}

/* At once, then with a pause that doubles; for a missing modem, every second. */
TEST(backoff)
{
	static const unsigned int able[] = {0, 100, 200, 400, 800, 1000, 1000};
	static const unsigned int refused[] = {0,    100,  200,	  400,	 800,	1600,
					       3200, 6400, 12800, 25600, 30000, 30000};

	for (unsigned int n = 0; n < sizeof(able) / sizeof(able[0]); n++)
		assert_int_equal(trunk_backoff_ms(n, 1), able[n]);
	for (unsigned int n = 0; n < sizeof(refused) / sizeof(refused[0]); n++)
		assert_int_equal(trunk_backoff_ms(n, 0), refused[n]);
	assert_int_equal(trunk_backoff_ms(UINT32_MAX, 1), 1000);
	assert_int_equal(trunk_backoff_ms(UINT32_MAX, 0), 30000);
}
