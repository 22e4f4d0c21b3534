/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Invariants of a walk over arbitrary bytes: for the property tests and the fuzzer. */
#ifndef TESTS_WALK_CHECK_H
#define TESTS_WALK_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/walk.h"

static inline int walk_check_good(const uint8_t *data, const struct qmap_frame *f)
{
	if (f->command)
		return f->len >= sizeof(struct qmap_cmd);
	return f->len >= 20 && (data[f->payload] >> 4 == 4 || data[f->payload] >> 4 == 6);
}

/*
 * Walks [@data, @data + @size), which should be an allocation of its own, so that a sanitizer
 * detects reads behind it. Returns NULL, or a description of the violation.
 */
static inline const char *walk_check(const uint8_t *data, size_t size, int version)
{
	size_t off = 0, frames = 0;
	struct qmap_frame f;

	while (!qmap_walk(data, data + size, off, version, &f)) {
		if (frames++ > size / 5)
			return "more frames than fit";
		if (f.drop != QMAP_DROP_NONE && f.drop >= QMAP_DROP_MAX)
			return "no such drop reason";
		if (!f.next)
			return f.drop < QMAP_DROP_PAD_LENGTH ? NULL : "ends without a bad length";
		if (f.drop < QMAP_DROP_PAD_LENGTH)
			return "goes on after a bad length";
		if (f.next <= off || f.next > size || f.next > QMAP_MAX_AGGREGATE)
			return "next frame out of bounds";
		if (f.payload < off + 4 || f.payload + f.len > f.next)
			return "payload out of bounds";
		if (f.drop == QMAP_DROP_NONE && !walk_check_good(data, &f))
			return "not what a good frame holds";
		off = f.next;
	}
	return off >= size || off >= QMAP_MAX_AGGREGATE ? NULL : "ends too early";
}

#endif
