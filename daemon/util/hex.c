// SPDX-License-Identifier: GPL-2.0-or-later
#include "hex.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Length of the separator at @text; 0: none. */
static size_t separator(const char *text, size_t len)
{
	if (len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return 2;
	return len && *text && (isspace((unsigned char)*text) || strchr(":,-", *text)) ? 1 : 0;
}

int hex_parse(const char *text, size_t len, uint8_t **out, size_t *outlen, struct error *err)
{
	uint8_t *buf = malloc(len / 2 + 1);
	size_t n = 0, i = 0, skip;

	if (!buf)
		return error_set(err, -ENOMEM, "out of memory");
	while (i < len) {
		skip = separator(text + i, len - i);
		if (skip) {
			i += skip;
			continue;
		}
		if (digit(text[i]) < 0 || i + 1 == len || digit(text[i + 1]) < 0)
			goto bad;
		buf[n++] = digit(text[i]) << 4 | digit(text[i + 1]);
		i += 2;
	}
	if (!n)
		goto bad;
	*out = buf;
	*outlen = n;
	return 0;
bad:
	free(buf);
	if (!n && i == len)
		return error_set(err, -EINVAL, "no bytes given");
	error_set(err, -EINVAL, "not a pair of hexadecimal digits at character %zu: \"%.*s\"",
		  i + 1, (int)(len - i < 8 ? len - i : 8), text + i);
	return -EINVAL;
}

const char *hex_format(const uint8_t *data, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (n + 8 > size) {
			snprintf(buf + n, size - n, "...");
			break;
		}
		n += snprintf(buf + n, size - n, "%s%02x", i ? " " : "", data[i]);
	}
	return buf;
}
