// SPDX-License-Identifier: GPL-2.0-or-later
#include "packet.h"

#include <netinet/in.h>
#include <string.h>

#define IPV4_MIN    20
#define IPV6_HEADER 40

static uint16_t be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static bool parse_v4(const uint8_t *d, size_t len, struct packet *p)
{
	if (len < IPV4_MIN)
		return false;
	p->header_len = (d[0] & 0x0f) * 4;
	if (p->header_len < IPV4_MIN || p->header_len > len)
		return false;
	p->len = be16(d + 2);
	p->fragment = be16(d + 6) & 0x3fff;
	p->protocol = d[9];
	memcpy(p->src, d + 12, 4);
	memcpy(p->dst, d + 16, 4);
	return true;
}

static bool parse_v6(const uint8_t *d, size_t len, struct packet *p)
{
	if (len < IPV6_HEADER)
		return false;
	p->header_len = IPV6_HEADER;
	p->len = IPV6_HEADER + be16(d + 4);
	p->protocol = d[6];
	memcpy(p->src, d + 8, 16);
	memcpy(p->dst, d + 24, 16);
	return true;
}

/* Only the first fragment begins with the ports; later ones begin in the middle of the data. */
static void parse_ports(const uint8_t *d, size_t len, struct packet *p)
{
	bool later = p->version == 4 && be16(d + 6) & 0x1fff;

	if ((p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP) || later ||
	    len < p->header_len + 4)
		return;
	p->has_ports = true;
	p->src_port = be16(d + p->header_len);
	p->dst_port = be16(d + p->header_len + 2);
}

bool packet_parse(const uint8_t *data, size_t len, struct packet *p)
{
	bool ok;

	memset(p, 0, sizeof(*p));
	if (!len)
		return false;
	p->version = data[0] >> 4;
	if (p->version == 4)
		ok = parse_v4(data, len, p);
	else
		ok = p->version == 6 && parse_v6(data, len, p);
	if (ok)
		parse_ports(data, len, p);
	return ok;
}

const char *packet_protocol_name(unsigned int protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	default:
		return NULL;
	}
}

uint16_t packet_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	for (; len > 1; data += 2, len -= 2) {
		sum += be16(data);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (len)
		sum += data[0] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static uint32_t pseudo_header(const struct packet *p, size_t payload)
{
	size_t size = p->version == 4 ? 4 : 16;
	uint32_t sum = p->protocol + (payload & 0xffff) + (payload >> 16);

	return packet_sum(packet_sum(sum, p->src, size), p->dst, size);
}

/* Offset of the checksum in the transport header; 0: the protocol has none. */
static size_t checksum_offset(const struct packet *p)
{
	switch (p->protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
		return p->version == 4 ? 2 : 0;
	case IPPROTO_ICMPV6:
		return p->version == 6 ? 2 : 0;
	default:
		return 0;
	}
}

enum packet_csum packet_checksum(const uint8_t *data, size_t len, const struct packet *p)
{
	size_t offset = checksum_offset(p), payload;
	const uint8_t *transport = data + p->header_len;
	uint32_t sum = 0;

	if (p->version == 4 && packet_sum(0, data, p->header_len) != 0xffff)
		return PACKET_CSUM_BAD;
	if (!offset || p->fragment || p->len > len || p->len < p->header_len + offset + 2)
		return PACKET_CSUM_NONE;
	payload = p->len - p->header_len;
	/* RFC 768: zero means that the sender has computed no checksum. */
	if (p->version == 4 && p->protocol == IPPROTO_UDP && !be16(transport + offset))
		return PACKET_CSUM_NONE;
	/* ICMP's checksum does not cover the addresses (RFC 792). */
	if (p->protocol != IPPROTO_ICMP)
		sum = pseudo_header(p, payload);
	return packet_sum(sum, transport, payload) == 0xffff ? PACKET_CSUM_OK : PACKET_CSUM_BAD;
}
