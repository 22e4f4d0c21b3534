/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that this program did not write itself: names of netdevs, strings of devices, words of a
 * modem, a client or a hook. At an output edge (terminal, log, JSON) it passes through here.
 */
#ifndef QMAP_PRINTABLE_H
#define QMAP_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/*
 * Replaces by '?', in place and byte by byte, what a terminal would obey and what is no UTF-8:
 * control characters (0x00-0x1f, 0x7f, and 0x80-0x9f raw or as UTF-8), line and paragraph
 * separators, changes of the writing direction, invalid sequences. Returns @s.
 */
char *printable(char *s);

/* Would printable() leave all @len bytes of @s as they are? */
bool is_printable(const char *s, size_t len);

/* printable() for every string value in @o, however deep. */
void printable_json(struct json_object *o);

/*
 * @o as JSON text that is valid UTF-8 and moves no terminal; @flags are json-c's, @len may be NULL.
 * The text is @o's and valid until its next use.
 */
const char *printable_json_text(struct json_object *o, int flags, size_t *len);

#endif
