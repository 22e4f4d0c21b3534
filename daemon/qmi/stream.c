// SPDX-License-Identifier: GPL-2.0-or-later
#include "message.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define QMUX_HEADER 6

uint8_t *qmi_stream_room(struct qmi_stream *s, size_t *size)
{
	if (s->off) {
		memmove(s->buf, s->buf + s->off, s->len - s->off);
		s->len -= s->off;
		s->off = 0;
	}
	*size = sizeof(s->buf) - s->len;
	return s->buf + s->len;
}

void qmi_stream_filled(struct qmi_stream *s, size_t len)
{
	assert(len <= sizeof(s->buf) - s->len);
	s->len += len;
	s->looks = 0;
}

/* Does a whole and valid message from the modem begin at @p? */
static bool message_at(const uint8_t *p, size_t len)
{
	struct qmi_message m;
	struct qmi_bad bad;

	return len > 3 && p[0] == QMI_MARKER && p[3] == QMI_FROM_MODEM &&
	       qmi_message_parse(p, len, &m, &bad) > 0;
}

/*
 * Could a message from the modem begin at @p, judging by as much of its QMUX header as is there?
 * The bytes behind the header may be malformed or missing.
 */
static bool beginning_at(const uint8_t *p, size_t len)
{
	size_t total = len > 2 ? qmi_get_le16(p + 1) + 1 : QMUX_HEADER;

	return p[0] == QMI_MARKER && total >= QMUX_HEADER && total <= QMI_MAX_MESSAGE &&
	       (len < 4 || p[3] == QMI_FROM_MODEM);
}

static void drop(struct qmi_stream *s, enum qmi_fault fault, size_t len)
{
	s->faults[fault]++;
	s->skipped += len;
	s->off += len;
}

/*
 * Number of bytes up to the next possible start of a message, ignoring the first @from bytes
 * of @p.
 */
static size_t resync(const uint8_t *p, size_t from, size_t len)
{
	size_t i;

	for (i = from; i < len; i++)
		if (beginning_at(p + i, len - i))
			return i;
	return len;
}

/*
 * Offset inside the @len bytes at @p where a valid message begins; 0: nowhere. Nothing else shows
 * that a modem stopped in the middle of a message and began another. Headers inside headers would
 * make the cost cubic in the bytes read, so the search gives up after a number of headers; then
 * resync() alone finds the next message.
 */
static size_t message_inside(struct qmi_stream *s, const uint8_t *p, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (!beginning_at(p + i, len - i))
			continue;
		if (++s->looks > QMI_STREAM_LOOKS)
			return 0;
		if (message_at(p + i, len - i))
			return i;
	}
	return 0;
}

/*
 * How many of the @total bytes that the header of the message at @p claims belong to it? Fewer than
 * @total if a valid message begins in them and none behind them.
 */
static size_t extent(struct qmi_stream *s, const uint8_t *p, size_t total, size_t left)
{
	size_t inside;

	if (left == total || (left > total + 3 && beginning_at(p + total, left - total)))
		return total;
	inside = message_inside(s, p, left);
	return inside && inside < total ? inside : total;
}

/* Drops malformed bytes at the front of @s, up to the next possible start of a message. */
static void drop_bad(struct qmi_stream *s, enum qmi_fault fault)
{
	const uint8_t *p = s->buf + s->off;
	size_t left = s->len - s->off, total = beginning_at(p, left) ? qmi_get_le16(p + 1) + 1 : 0;

	/* The header may be valid although the bytes behind it are not. */
	if (!total || extent(s, p, total, left) < total ||
	    (left > total && !beginning_at(p + total, left - total)))
		total = resync(p, 1, left);
	drop(s, fault, total < left ? total : left);
}

int qmi_stream_next(struct qmi_stream *s, struct qmi_message *m)
{
	while (s->off < s->len) {
		const uint8_t *p = s->buf + s->off;
		size_t left = s->len - s->off, own;
		struct qmi_bad bad;
		int r = qmi_message_parse(p, left, m, &bad);

		if (r == -EBADMSG) {
			if (s->malformed &&
			    (bad.fault == QMI_FAULT_TLV_BLOCK || bad.fault == QMI_FAULT_TLV))
				s->malformed(s->arg, m, bad.fault);
			drop_bad(s, bad.fault);
			continue;
		}
		own = extent(s, p, r < 0 ? SIZE_MAX / 2 : (size_t)r, left);
		if (own <= left && (r < 0 || own < (size_t)r)) {
			drop(s, QMI_FAULT_TRUNCATED, own);
			continue;
		}
		if (r < 0)
			return 0;
		s->off += r;
		return 1;
	}
	return 0;
}
