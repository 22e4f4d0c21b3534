/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds IP packets and aggregates. Multi-byte values are in host order unless stated otherwise. */
#ifndef VM_PACKETS_H
#define VM_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX    9000
#define AGGREGATE_MAX 65535

uint32_t random_u32(void);
void random_seed(uint64_t seed);
/* Uniform in [@low, @high]. */
unsigned int random_in(unsigned int low, unsigned int high);
bool chance(unsigned int percent);

uint16_t csum16(const void *data, size_t n, uint32_t sum);

/* Bytes of packet @i of IMIX: 7 x 40, 4 x 576, 1 x 1500. */
static inline unsigned int packet_imix(unsigned int i)
{
	static const uint16_t lens[] = {40, 576, 40, 40, 576, 40, 1500, 40, 576, 40, 40, 576};

	return lens[i % (sizeof(lens) / sizeof(lens[0]))];
}

/* Describes a TCP or UDP packet. */
struct packet_spec {
	bool v6, udp;
	unsigned int flow;     /* gives addresses and ports, if those below are zero */
	uint32_t saddr, daddr; /* IPv4 */
	uint16_t sport, dport;
	uint8_t tos, ttl, flags;
	uint16_t id, frag, window, urgent;
	uint32_t seq, ack;
	uint8_t options[40];
	unsigned int options_len; /* multiple of 4 */
	unsigned int payload;
	bool ae; /* TCP: the flag beside CWR, of AccECN */
	bool bad_csum, bad_ip_csum;
	bool no_csum, bad_length; /* UDP only */
};

/* Returns the length. The payload depends on flow and seq only. */
size_t packet_make(uint8_t *out, const struct packet_spec *s);

struct aggregate {
	int version; /* 1, 4, 5 */
	/* v4: frames get a trailer with their sum; v5: checksums are marked as verified */
	bool csum_ok;
	size_t len, max;
	uint8_t data[AGGREGATE_MAX];
};

/* Returns false if it does not fit. */
bool aggregate_add(struct aggregate *a, uint8_t mux, const uint8_t *packet, size_t len,
		   unsigned int pad);
bool aggregate_add_flow(struct aggregate *a, uint8_t mux, bool enable, uint32_t transaction);

#endif
