/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as people write and paste them. */
#ifndef QMAP_HEX_H
#define QMAP_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/*
 * Hexadecimal digits in pairs; blanks, newlines, ":", ",", "-" and "0x" may stand between them.
 * The bytes are the caller's to free. -EINVAL names the place.
 */
int hex_parse(const char *text, size_t len, uint8_t **out, size_t *outlen, struct error *err);

/* "01 0c 00"; cut off with "..." where @size ends. Returns @buf. */
const char *hex_format(const uint8_t *data, size_t len, char *buf, size_t size);

#endif
