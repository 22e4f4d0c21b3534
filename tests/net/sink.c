// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/modem/pattern.h"

#define BATCH	64
#define LARGEST 65536 /* larger than any datagram */

int sink_start(struct sink_stream *s, unsigned int id, uint64_t count)
{
	sink_free(s);
	*s = (struct sink_stream){.id = id, .count = count, .seen = calloc(count, 1)};
	return s->seen ? 0 : -ENOMEM;
}

void sink_free(struct sink_stream *s)
{
	free(s->seen);
	s->seen = NULL;
}

void sink_judge(struct sink_stream *s, const uint8_t *payload, size_t len)
{
	struct pattern p = {0};

	if (!pattern_check(payload, len, &p))
		s->bad++;
	else if (p.stream != s->id || p.sequence >= s->count)
		s->foreign++;
	else if (s->seen[p.sequence]++)
		s->duplicate++;
	else {
		s->late += p.sequence < s->next;
		s->next = p.sequence + 1;
		s->ok++;
		s->bytes += len;
	}
}

unsigned int sink_drain(struct sink_stream *s, int fd)
{
	static uint8_t buf[BATCH][LARGEST];
	struct iovec iov[BATCH];
	struct mmsghdr m[BATCH] = {0};
	unsigned int all = 0;
	int n;

	for (unsigned int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){buf[i], sizeof(buf[i])};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while ((n = recvmmsg(fd, m, BATCH, MSG_DONTWAIT, NULL)) > 0) {
		for (int i = 0; i < n; i++)
			sink_judge(s, buf[i], m[i].msg_len);
		all += n;
	}
	return all;
}

bool sink_is_good(const struct sink_stream *s)
{
	return s->ok == s->count && !s->bad && !s->foreign && !s->duplicate;
}
