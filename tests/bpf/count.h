/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts the instructions that a tc program executes for one packet, by interpreting them. */
#ifndef TESTS_COUNT_H
#define TESTS_COUNT_H

#include <stddef.h>
#include <stdint.h>

struct bpf_program;

/* What the program sees, and leaves. */
struct count_packet {
	uint8_t bytes[4096];
	uint32_t len;
	uint16_t protocol; /* in network byte order */
};

struct count_result {
	unsigned int instructions,
		calls; /* calls of helpers, which count as one instruction each */
	int verdict;
};

/*
 * Interprets @prog, which is loaded, with @rodata as its constants. Knows only the helpers that an
 * ordinary packet needs, and changes of size at the start of the packet; the test ends at any other.
 */
void count_run(const struct bpf_program *prog, const void *rodata, uint32_t l2_len,
	       struct count_packet *packet, struct count_result *result);

#endif
