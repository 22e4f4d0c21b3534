/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes in the notations that people write and paste. */
#ifndef QMAP_HEX_H
#define QMAP_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/*
 * Parses pairs of hexadecimal digits; blanks, newlines, ":", ",", "-" and "0x" may stand between
 * them. The caller frees the bytes. -EINVAL names the position.
 */
int hex_parse(const char *text, size_t len, uint8_t **out, size_t *outlen, struct error *err);

/* Writes "01 0c 00", cut off with "..." if @size is too small. Returns @buf. */
const char *hex_format(const uint8_t *data, size_t len, char *buf, size_t size);

#endif
