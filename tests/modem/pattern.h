/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP payloads that a receiver can compare byte by byte: sent downlink by `generate` of qmap-modem,
 * and expected uplink by its sink.
 *
 *   offset  size
 *        0     4  PATTERN_MAGIC
 *        4     2  stream: the PDN's number, or any number that the sender chooses
 *        6     2  length of the payload in bytes, this header included
 *        8     8  sequence number, from 0 per stream
 *       16        filler: byte at offset i is (i - 16 + sequence) % 251
 *
 * Integers are big endian. 251 is prime, so a shift by any power of two is detected.
 */
#ifndef MODEM_PATTERN_H
#define MODEM_PATTERN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PATTERN_MAGIC	0x514d5054 /* "QMPT" */
#define PATTERN_HEADER	16
#define PATTERN_MODULUS 251
/* UDP destination port at the host for downlink, and its source port */
#define PATTERN_DL_PORT	 7001
#define PATTERN_UL_PORT	 7002 /* UDP port on the network side whose datagrams the sink takes */
#define PATTERN_MAX_SIZE 65000

struct pattern {
	uint16_t stream;
	uint64_t sequence;
};

/* Writes `size` bytes (PATTERN_HEADER at least) of payload. */
static inline void pattern_fill(uint8_t *payload, size_t size, const struct pattern *p)
{
	uint32_t magic = htobe32(PATTERN_MAGIC);
	uint16_t stream = htobe16(p->stream), length = htobe16(size);
	uint64_t sequence = htobe64(p->sequence);
	size_t filler = size - PATTERN_HEADER, period = PATTERN_MODULUS;
	uint8_t *f = payload + PATTERN_HEADER;

	memcpy(payload, &magic, 4);
	memcpy(payload + 4, &stream, 2);
	memcpy(payload + 6, &length, 2);
	memcpy(payload + 8, &sequence, 8);
	for (size_t i = 0; i < filler && i < period; i++)
		f[i] = (i + p->sequence) % PATTERN_MODULUS;
	for (size_t done = period; done < filler; done += period)
		memcpy(f + done, f, filler - done < period ? filler - done : period);
}

/*
 * Reads the header of a payload of `size` bytes; only PATTERN_HEADER bytes need to be there. False
 * if it is not such a payload.
 */
static inline bool pattern_read(const uint8_t *payload, size_t size, struct pattern *p)
{
	uint32_t magic;
	uint16_t stream, length;
	uint64_t sequence;

	if (size < PATTERN_HEADER)
		return false;
	memcpy(&magic, payload, 4);
	memcpy(&stream, payload + 4, 2);
	memcpy(&length, payload + 6, 2);
	memcpy(&sequence, payload + 8, 8);
	p->stream = be16toh(stream);
	p->sequence = be64toh(sequence);
	return be32toh(magic) == PATTERN_MAGIC && be16toh(length) == size;
}

/* Compares the whole payload; *p gets its header. */
static inline bool pattern_check(const uint8_t *payload, size_t size, struct pattern *p)
{
	const uint8_t *f = payload + PATTERN_HEADER;
	size_t filler = size - PATTERN_HEADER, period = PATTERN_MODULUS;

	if (!pattern_read(payload, size, p))
		return false;
	for (size_t i = 0; i < filler && i < period; i++)
		if (f[i] != (i + p->sequence) % PATTERN_MODULUS)
			return false;
	return filler <= period || !memcmp(f + period, f, filler - period);
}

#endif
