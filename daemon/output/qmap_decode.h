/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explains the bytes of a QMAP aggregate, using the walker that runs in the kernel. */
#ifndef QMAP_DECODE_H
#define QMAP_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

struct json_object;

/*
 * Decodes one downlink aggregate of QMAP @version (enum qmap_version; v5 also reads v1, unless the
 * v1 modem sets the bit that v5 gave a meaning).
 *
 * @out: new array, one object per frame, for every result but -ENOMEM: {offset, mux_id, length,
 * pad, next_header, header, payload_length, packet, command, checksum, drop, reason}. "length" is
 * the header's field; "packet" and "command" are objects or null; "checksum" is "ok" or "bad" where
 * the modem claims to have verified it (this function verifies it itself), else "absent"; "drop" is
 * a drop reason or null.
 *
 * -EBADMSG with offset and reason when a bad length ends the aggregate early; the last object of
 * @out is that frame.
 */
int qmap_decode(const uint8_t *data, size_t len, int version, struct json_object **out,
		struct error *err);

/* Prints the array as text. */
void qmap_decode_print(FILE *file, struct json_object *frames);

#endif
