/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text from outside this program: names of netdevs, strings of devices, text of a modem, a client
 * or a hook. It passes through here at each output edge (terminal, log, JSON).
 */
#ifndef QMAP_PRINTABLE_H
#define QMAP_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/*
 * Replaces by '?', in place and byte by byte, bytes that a terminal would interpret and bytes that
 * are not UTF-8: control characters (0x00-0x1f, 0x7f, and 0x80-0x9f raw or as UTF-8), line and
 * paragraph separators, changes of the writing direction, invalid sequences. Returns @s.
 */
char *printable(char *s);

/* Would printable() leave all @len bytes of @s unchanged? */
bool is_printable(const char *s, size_t len);

/* Applies printable() to every string value in @o at any depth. */
void printable_json(struct json_object *o);

/*
 * Returns @o as JSON text that is valid UTF-8 and controls no terminal; @flags are json-c's, @len
 * may be NULL. @o owns the text, which is valid until its next use.
 */
const char *printable_json_text(struct json_object *o, int flags, size_t *len);

#endif
