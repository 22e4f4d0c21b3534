// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults.h"
#include "rules.h"
#include "util.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#define ANY -1

struct rule {
	struct rule *next;
	bool refuse;  /* rule for a call to refuse; else for an answer */
	int service;  /* ANY or QMI_SERVICE_* */
	int message;  /* ANY or id */
	int pdn;      /* ANY or number */
	int family;   /* ANY or enum family */
	char apn[64]; /* empty: any */
	int skip;     /* number of uses to ignore first */
	int left;     /* number of uses; negative: unlimited */
	struct fault fault;
	struct call_end end;
};

struct faults {
	struct rule *rules;
	uint32_t random;
};

int faults_new(struct modem *m)
{
	m->faults = calloc(1, sizeof(*m->faults));
	if (!m->faults)
		return -ENOMEM;
	m->faults->random = 1;
	return 0;
}

void faults_clear(struct modem *m)
{
	while (m->faults->rules) {
		struct rule *r = m->faults->rules;

		m->faults->rules = r->next;
		free(r);
	}
}

void faults_free(struct modem *m)
{
	if (!m->faults)
		return;
	faults_clear(m);
	free(m->faults);
	m->faults = NULL;
}

/* xorshift: the same seed gives the same bytes on every machine. */
uint32_t faults_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static struct rule *rule_new(struct modem *m, int count)
{
	struct rule **p = &m->faults->rules;
	struct rule *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	while (*p)
		p = &(*p)->next;
	*p = r;
	r->left = count;
	r->service = r->message = r->pdn = r->family = ANY;
	return r;
}

int faults_add_answer(struct modem *m, int service, int message, int skip, int count,
		      const struct fault *fault)
{
	struct rule *r = rule_new(m, count);

	if (!r)
		return -ENOMEM;
	r->service = service;
	r->message = message;
	r->skip = skip;
	r->fault = *fault;
	return 0;
}

int faults_add_refusal(struct modem *m, int pdn, const char *apn, int family, int count,
		       const struct call_end *end)
{
	struct rule *r = rule_new(m, count);

	if (!r)
		return -ENOMEM;
	r->refuse = true;
	r->pdn = pdn;
	r->family = family;
	r->end = *end;
	strncpy(r->apn, apn, sizeof(r->apn) - 1);
	return 0;
}

static bool use(struct rule *r)
{
	if (r->skip > 0) {
		r->skip--;
		return false;
	}
	if (!r->left)
		return false;
	if (r->left > 0)
		r->left--;
	return true;
}

struct fault faults_take(struct modem *m, uint8_t service, uint16_t id)
{
	struct fault f = {0};

	for (struct rule *r = m->faults->rules; r; r = r->next) {
		if (r->refuse || (r->service != ANY && r->service != service) ||
		    (r->message != ANY && r->message != id) || !use(r))
			continue;
		m->qmi.faulted++;
		f.never |= r->fault.never;
		f.twice |= r->fault.twice;
		if (r->fault.strike) {
			f.strike = r->fault.strike;
			f.reboot_ms = r->fault.reboot_ms;
			f.announce = r->fault.announce;
			f.host = r->fault.host;
		}
		if (r->fault.delayed) {
			f.delayed = true;
			f.delay_ms = r->fault.delay_ms;
		}
		if (r->fault.error)
			f.error = r->fault.error;
		if (r->fault.spoil)
			f.spoil = r->fault.spoil;
		if (r->fault.told) {
			f.told = true;
			f.ntlvs = r->fault.ntlvs;
			memcpy(f.tlvs, r->fault.tlvs, sizeof(f.tlvs));
		}
	}
	return f;
}

bool faults_refuse(struct modem *m, const struct pdn *pdn, const char *apn, enum family family,
		   struct call_end *end)
{
	for (struct rule *r = m->faults->rules; r; r = r->next) {
		if (!r->refuse || (r->pdn != ANY && r->pdn != (int)pdn->number) ||
		    (r->family != ANY && r->family != (int)family) ||
		    (r->apn[0] && strcasecmp(r->apn, apn)) || !use(r))
			continue;
		*end = r->end;
		return true;
	}
	return false;
}

/* Offsets inside the SDU of the length of the TLVs and of the first TLV's length. */
static void break_lengths(uint8_t *bad, size_t len, uint32_t random)
{
	size_t sdu = bad[4] == QMI_SERVICE_CTL ? 6 : 7;
	size_t where = 6 + sdu - 2;

	if (random & 1 && len >= 6 + sdu + 3)
		where = 6 + sdu + 1;
	put_le16(bad + where, get_le16(bad + where) + 1 + (random >> 1) % 5000);
}

size_t faults_spoil(struct modem *m, const struct fault *fault, const uint8_t *good, size_t len,
		    uint8_t *bad)
{
	uint32_t random = faults_random(&m->faults->random);

	memcpy(bad, good, len);
	switch (fault->spoil) {
	case SPOIL_GARBAGE:
		for (size_t i = 0; i < len; i++)
			bad[i] = faults_random(&m->faults->random);
		if (bad[0] == QMUX_MARKER)
			bad[0] = 0xff;
		break;
	case SPOIL_TRUNCATED:
		len = 6 + random % (len - 6);
		put_le16(bad + 1, len - 1);
		break;
	case SPOIL_LENGTH:
		break_lengths(bad, len, random);
		break;
	case SPOIL_MARKER:
		bad[0] = 0x02;
		break;
	case SPOIL_NONE:
		break;
	}
	return len;
}
