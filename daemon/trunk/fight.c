// SPDX-License-Identifier: GPL-2.0-or-later
#include "fight.h"

/* After so many repairs of the same damage within this time, the change counts as deliberate. */
#define REPAIRS	  3
#define WINDOW_MS 10000

enum trunk_fight_verdict trunk_fight_judge(struct trunk_fight *f, int64_t now)
{
	if (f->repairs > REPAIRS)
		return TRUNK_FIGHT_LEAVE;
	if (now - f->since_ms > WINDOW_MS)
		*f = (struct trunk_fight){.since_ms = now};
	return ++f->repairs <= REPAIRS ? TRUNK_FIGHT_REPAIR : TRUNK_FIGHT_GIVE_UP;
}
