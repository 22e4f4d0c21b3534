/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the headers of an IP packet. */
#ifndef QMAP_PACKET_H
#define QMAP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet {
	unsigned int version; /* 4 or 6 */
	unsigned int protocol;
	size_t header_len;	  /* of the IP header without IPv6 extension headers */
	size_t len;		  /* length in the IP header; may differ from the bytes present */
	uint8_t src[16], dst[16]; /* network byte order; IPv4: the first four bytes */
	bool fragment;		  /* IPv4: offset or more-fragments set */
	bool has_ports;
	uint16_t src_port, dst_port;
};

/* False if @data is not an IP packet with a complete header. */
bool packet_parse(const uint8_t *data, size_t len, struct packet *p);

/* "tcp", "udp", "icmp", "icmpv6"; NULL for others. */
const char *packet_protocol_name(unsigned int protocol);

enum packet_csum {
	PACKET_CSUM_NONE, /* no checksum to verify: other protocol, fragment, truncated */
	PACKET_CSUM_OK,
	PACKET_CSUM_BAD,
};

/* Verifies the IPv4 header's checksum and that of TCP, UDP, ICMP or ICMPv6. */
enum packet_csum packet_checksum(const uint8_t *data, size_t len, const struct packet *p);

/* RFC 1071: the ones' complement sum over @len bytes, added to @sum, folded to 16 bits. */
uint16_t packet_sum(uint32_t sum, const uint8_t *data, size_t len);

#endif
