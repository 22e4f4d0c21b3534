/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often the same thing is repaired before it is left to whoever damages it. */
#ifndef QMAP_TRUNK_FIGHT_H
#define QMAP_TRUNK_FIGHT_H

#include <stdint.h>

/* All zeroes: a new beginning. */
struct trunk_fight {
	int64_t since_ms; /* CLOCK_MONOTONIC */
	unsigned int repairs;
};

enum trunk_fight_verdict {
	TRUNK_FIGHT_REPAIR,
	TRUNK_FIGHT_GIVE_UP, /* it has been enough; told once */
	TRUNK_FIGHT_LEAVE,   /* given up before */
};

/* It is damaged again. @now: ms, CLOCK_MONOTONIC. */
enum trunk_fight_verdict trunk_fight_judge(struct trunk_fight *f, int64_t now);

#endif
