// SPDX-License-Identifier: GPL-2.0-or-later
#include "replay.h"
#include "control.h"
#include "faults.h"
#include "trunk.h"
#include "util.h"

#include <errno.h>
#include <qmap/wire.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message or an aggregate. */
struct entry {
	bool from_modem, qmi, used;
	size_t len;
	uint8_t *data;
	struct qmi_msg msg; /* if @qmi */
};

struct replay {
	struct entry *entries;
	size_t n;
};

static struct entry *add(struct replay *r, const char *line)
{
	struct entry *bigger = realloc(r->entries, (r->n + 1) * sizeof(*bigger));

	if (!bigger)
		return NULL;
	r->entries = bigger;
	bigger[r->n] = (struct entry){.from_modem = *line == 'I', .qmi = strstr(line, " qmi\n")};
	return &bigger[r->n++];
}

/* Appends the bytes of a line behind its offset. */
static int add_bytes(struct entry *e, const char *line)
{
	const char *p = strchr(line, ' ');
	unsigned int byte;
	int n;

	for (; p && sscanf(p, " %2x%n", &byte, &n) == 1; p += n) {
		uint8_t *bigger = realloc(e->data, e->len + 1);

		if (!bigger)
			return -ENOMEM;
		e->data = bigger;
		bigger[e->len++] = byte;
	}
	return 0;
}

static int read_line(struct replay *r, struct entry **e, const char *line)
{
	if (*line == '#' || *line == '\n')
		return 0;
	if (*line == 'I' || *line == 'O') {
		*e = add(r, line);
		return *e ? 0 : -ENOMEM;
	}
	return *e ? add_bytes(*e, line) : -EINVAL;
}

/* Also checks that every message is one, and that there is a request. */
static int parse_messages(struct replay *r)
{
	bool any = false;

	for (size_t i = 0; i < r->n; i++) {
		struct entry *e = &r->entries[i];

		if (e->qmi && (qmux_length(e->data, e->len) != (int)e->len ||
			       qmux_parse(e->data, e->len, &e->msg)))
			return -EINVAL;
		any |= e->qmi && !e->from_modem;
	}
	return any ? 0 : -EINVAL;
}

int replay_new(struct modem *m, const char *path)
{
	FILE *f = fopen(path, "r");
	struct entry *e = NULL;
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	if (!f)
		return -errno;
	m->replay = calloc(1, sizeof(*m->replay));
	if (!m->replay)
		err = -ENOMEM;
	while (!err && getline(&line, &size, f) > 0)
		err = read_line(m->replay, &e, line);
	free(line);
	fclose(f);
	return err ?: parse_messages(m->replay);
}

void replay_free(struct modem *m)
{
	if (!m->replay)
		return;
	for (size_t i = 0; i < m->replay->n; i++)
		free(m->replay->entries[i].data);
	free(m->replay->entries);
	free(m->replay);
	m->replay = NULL;
}

static bool same(const struct qmi_msg *a, const struct qmi_msg *b)
{
	return a->tlv_len == b->tlv_len && !memcmp(a->tlvs, b->tlvs, a->tlv_len);
}

/*
 * Index of the recorded request that @req stands for: one that has not been answered yet before the
 * last one that has been, and one with the same TLVs before others (a recording has no secrets, the
 * request may). Those of CTL name a service: they must be the same. -1: there is none.
 */
static ssize_t find_request(const struct replay *r, const struct qmi_msg *req)
{
	int best_rank = -1;
	ssize_t best = -1;

	for (size_t i = 0; i < r->n; i++) {
		const struct entry *e = &r->entries[i];
		int rank;

		if (!e->qmi || e->from_modem || e->msg.service != req->service ||
		    e->msg.id != req->id)
			continue;
		if (req->service == QMI_SERVICE_CTL && !same(&e->msg, req))
			continue;
		rank = 2 * !e->used + same(&e->msg, req);
		if (rank > best_rank || (rank == best_rank && e->used)) {
			best_rank = rank;
			best = i;
		}
	}
	return best;
}

/* Index of the answer to request @i; r->n: the recorded modem did not answer. */
static size_t find_response(const struct replay *r, size_t i)
{
	const struct qmi_msg *req = &r->entries[i].msg;

	for (i++; i < r->n; i++) {
		const struct entry *e = &r->entries[i];

		if (e->qmi && e->from_modem && e->msg.kind == QMI_RESPONSE &&
		    e->msg.service == req->service && e->msg.client == req->client &&
		    e->msg.transaction == req->transaction && e->msg.id == req->id)
			break;
	}
	return i;
}

/* Sends those up to the next request behind entry @i, each once. */
static void send_indications(struct modem *m, size_t i)
{
	struct replay *r = m->replay;

	for (size_t j = 0; j < r->n; j++) {
		struct entry *e = &r->entries[j];

		if (j > i && e->qmi && !e->from_modem)
			break;
		if (!e->qmi || !e->from_modem || e->used || e->msg.kind != QMI_INDICATION)
			continue;
		e->used = true;
		control_indicate(m, e->data, e->len);
	}
}

bool replay_answer(struct modem *m, struct conn *conn, const struct qmi_msg *req)
{
	struct replay *r = m->replay;
	ssize_t i = find_request(r, req);
	struct fault none = {0};
	uint8_t buf[QMUX_MAX];
	size_t answer;

	if (i < 0)
		return false;
	r->entries[i].used = true;
	answer = find_response(r, i);
	if (answer == r->n)
		return true; /* silent, as it was */
	memcpy(buf, r->entries[answer].data, r->entries[answer].len);
	buf[5] = req->client;
	if (req->service == QMI_SERVICE_CTL)
		buf[7] = req->transaction;
	else
		put_le16(buf + 7, req->transaction);
	control_answer(m, conn, buf, r->entries[answer].len, &none);
	send_indications(m, answer);
	return true;
}

unsigned int replay_aggregates(struct modem *m)
{
	unsigned int n = 0;

	for (size_t i = 0; m->replay && i < m->replay->n; i++) {
		const struct entry *e = &m->replay->entries[i];

		if (!e->qmi && e->from_modem) {
			trunk_send(m, QMAP_ETHERTYPE, e->data, e->len);
			n++;
		}
	}
	return n;
}
