/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits how often the same damage is repaired. */
#ifndef QMAP_TRUNK_FIGHT_H
#define QMAP_TRUNK_FIGHT_H

#include <stdint.h>

/* All zeroes: no repairs so far. */
struct trunk_fight {
	int64_t since_ms; /* CLOCK_MONOTONIC */
	unsigned int repairs;
};

enum trunk_fight_verdict {
	TRUNK_FIGHT_REPAIR,
	TRUNK_FIGHT_GIVE_UP, /* the limit is reached; returned once */
	TRUNK_FIGHT_LEAVE,   /* given up before */
};

/* The damage has occurred again. @now: ms, CLOCK_MONOTONIC. */
enum trunk_fight_verdict trunk_fight_judge(struct trunk_fight *f, int64_t now);

#endif
