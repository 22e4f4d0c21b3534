// SPDX-License-Identifier: GPL-2.0-or-later
#include "message.h"

#include <errno.h>
#include <string.h>

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
	s->len += len;
}

/* Does a whole and sound message from the modem begin at @p? */
static bool message_at(const uint8_t *p, size_t len)
{
	struct qmi_message m;
	struct qmi_bad bad;

	return len > 3 && p[0] == QMI_MARKER && p[3] == QMI_FROM_MODEM &&
	       qmi_message_parse(p, len, &m, &bad) > 0;
}

/* Could the bytes at @p be the beginning of a message of which more is to come? */
static bool beginning_at(const uint8_t *p, size_t len)
{
	struct qmi_message m;
	struct qmi_bad bad;

	return p[0] == QMI_MARKER && (len < 4 || p[3] == QMI_FROM_MODEM) &&
	       qmi_message_parse(p, len, &m, &bad) == -EAGAIN;
}

static void drop(struct qmi_stream *s, enum qmi_fault fault, size_t len)
{
	s->faults[fault]++;
	s->skipped += len;
	s->off += len;
}

/* Bytes up to the next message, or beginning of one, after the first @from bytes of @p. */
static size_t resync(const uint8_t *p, size_t from, size_t len)
{
	size_t i;

	for (i = from; i < len; i++)
		if (message_at(p + i, len - i))
			return i;
	for (i = from; i < len; i++)
		if (beginning_at(p + i, len - i))
			return i;
	return len;
}

/*
 * Where, inside the @len bytes at @p, a whole message begins; 0: nowhere. A modem that stops in the
 * middle of a message and begins another leaves no other trace.
 */
static size_t message_inside(const uint8_t *p, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (message_at(p + i, len - i))
			return i;
	return 0;
}

/* Bytes to drop because the message of @total bytes at @p was cut short; 0: it was not. */
static size_t cut_short(const uint8_t *p, size_t total, size_t left)
{
	if (left == total)
		return 0;
	if (left > total &&
	    (message_at(p + total, left - total) || beginning_at(p + total, left - total)))
		return 0;
	return message_inside(p, left);
}

int qmi_stream_next(struct qmi_stream *s, struct qmi_message *m)
{
	while (s->off < s->len) {
		const uint8_t *p = s->buf + s->off;
		size_t left = s->len - s->off, cut;
		struct qmi_bad bad;
		int r = qmi_message_parse(p, left, m, &bad);

		if (r == -EBADMSG) {
			drop(s, bad.fault, resync(p, 1, left));
			continue;
		}
		cut = cut_short(p, r < 0 ? QMI_MAX_MESSAGE + 1 : (size_t)r, left);
		if (cut && (r < 0 || cut < (size_t)r)) {
			drop(s, QMI_FAULT_TRUNCATED, cut);
			continue;
		}
		if (r < 0)
			return 0;
		s->off += r;
		return 1;
	}
	return 0;
}
