// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink.h"
#include "checksum.h"
#include "pattern.h"
#include "util.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

struct sink {
	struct {
		struct sink_counters count;
		uint64_t next[FAMILIES]; /* sequence numbers expected */
	} pdn[MAX_PDNS];
};

int sink_new(struct modem *m)
{
	m->sink = calloc(1, sizeof(*m->sink));
	return m->sink ? 0 : -ENOMEM;
}

void sink_free(struct modem *m)
{
	free(m->sink);
	m->sink = NULL;
}

struct sink_counters sink_counters(const struct modem *m, const struct pdn *pdn)
{
	return m->sink->pdn[pdn->number - 1].count;
}

void sink_reset(struct modem *m)
{
	memset(m->sink, 0, sizeof(*m->sink));
}

static void count(struct sink_counters *n, uint64_t *next, uint64_t sequence)
{
	if (sequence < *next) {
		n->late++;
		n->missing -= n->missing > 0;
		return;
	}
	n->missing += sequence - *next;
	*next = sequence + 1;
}

bool sink_take(struct modem *m, const struct pdn *pdn, const uint8_t *packet, size_t len)
{
	struct transport t = checksum_transport(packet, len);
	enum family family = packet[0] >> 4 == 6 ? FAMILY_V6 : FAMILY_V4;
	struct sink_counters *n = &m->sink->pdn[pdn->number - 1].count;
	struct pattern p;

	if (!t.checked || t.protocol != IPPROTO_UDP ||
	    get_be16(packet + t.offset + 2) != PATTERN_UL_PORT)
		return false;
	if (get_be16(packet + t.offset + 4) != t.len || !checksum_good(packet, &t) ||
	    !pattern_check(packet + t.offset + 8, t.len - 8, &p)) {
		n->bad++;
		return true;
	}
	n->ok++;
	count(n, &m->sink->pdn[pdn->number - 1].next[family], p.sequence);
	return true;
}
