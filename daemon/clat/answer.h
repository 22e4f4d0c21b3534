/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DNS messages of RFC 7050: the question for ipv4only.arpa, and its answer. */
#ifndef QMAP_CLAT_ANSWER_H
#define QMAP_CLAT_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"

#define CLAT_QUERY_MAX 64

/* Writes the question with identification @id. Returns its bytes. */
size_t clat_query(uint16_t id, uint8_t buf[CLAT_QUERY_MAX]);

/*
 * Reads an answer to it. 0: @prefix is that of the first address that holds one (len 0: there is none),
 * @ttl the seconds for which that is true. -EBADMSG: no answer to this question. -EIO: the server could
 * not answer; another one may.
 */
int clat_answer(uint16_t id, const uint8_t *bytes, size_t size, struct clat_prefix *prefix,
		unsigned int *ttl);

#endif
