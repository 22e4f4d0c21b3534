// SPDX-License-Identifier: GPL-2.0-or-later
#include "answer.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <strings.h>
#include <string.h>

#define NAME "ipv4only.arpa"

/* RFC 1035, 4.1: one question, recursion desired, type AAAA, class IN */
size_t clat_query(uint16_t id, uint8_t buf[CLAT_QUERY_MAX])
{
	static const uint8_t rest[] = {
		0x01, 0,   0,	1,   0, 0,   0,	  0,   0,   0, 8, 'i', 'p', 'v', '4',
		'o',  'n', 'l', 'y', 4, 'a', 'r', 'p', 'a', 0, 0, 28,  0,   1,
	};

	buf[0] = id >> 8;
	buf[1] = id;
	memcpy(buf + 2, rest, sizeof(rest));
	return 2 + sizeof(rest);
}

static bool is_our_question(ns_msg *msg)
{
	ns_rr rr;

	return ns_msg_count(*msg, ns_s_qd) == 1 && !ns_parserr(msg, ns_s_qd, 0, &rr) &&
	       ns_rr_type(rr) == ns_t_aaaa && ns_rr_class(rr) == ns_c_in &&
	       !strcasecmp(ns_rr_name(rr), NAME);
}

/* The owner's name is not compared: an alias may lead to another one. */
static int read_records(ns_msg *msg, struct clat_prefix *prefix, unsigned int *ttl)
{
	for (int i = 0; i < ns_msg_count(*msg, ns_s_an); i++) {
		ns_rr rr;

		if (ns_parserr(msg, ns_s_an, i, &rr))
			return -EBADMSG;
		if (ns_rr_type(rr) != ns_t_aaaa || ns_rr_rdlen(rr) != 16 || prefix->len)
			continue;
		if (!clat_prefix_of_answer(ns_rr_rdata(rr), prefix))
			*prefix = (struct clat_prefix){0};
		*ttl = ns_rr_ttl(rr);
	}
	return 0;
}

int clat_answer(uint16_t id, const uint8_t *bytes, size_t size, struct clat_prefix *prefix,
		unsigned int *ttl)
{
	ns_msg msg;

	*prefix = (struct clat_prefix){0};
	*ttl = 0;
	if (ns_initparse(bytes, (int)size, &msg) || ns_msg_id(msg) != id ||
	    !ns_msg_getflag(msg, ns_f_qr) || !is_our_question(&msg))
		return -EBADMSG;
	switch (ns_msg_getflag(msg, ns_f_rcode)) {
	case ns_r_noerror:
		return read_records(&msg, prefix, ttl);
	case ns_r_nxdomain:
		return 0;
	}
	return -EIO;
}
