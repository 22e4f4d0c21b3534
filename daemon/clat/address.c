// SPDX-License-Identifier: GPL-2.0-or-later
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

static const unsigned int lengths[] = {32, 40, 48, 56, 64, 96};

#define LENGTHS ARRAY_SIZE(lengths)

static bool is_length(unsigned long len)
{
	for (size_t i = 0; i < LENGTHS; i++)
		if (lengths[i] == len)
			return true;
	return false;
}

/* RFC 6052, 2.2: the first byte behind the 64th bit is reserved. */
static bool is_valid(const struct clat_prefix *p)
{
	for (unsigned int i = p->len / 8; i < 16; i++)
		if (p->bytes[i])
			return false;
	return is_length(p->len) && !p->bytes[8];
}

bool clat_prefix_parse(const char *text, struct clat_prefix *out)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN], *end;

	*out = (struct clat_prefix){0};
	if (!slash || slash - text >= (int)sizeof(address) || slash[1] < '0' || slash[1] > '9')
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	out->len = strtoul(slash + 1, &end, 10);
	return !*end && inet_pton(AF_INET6, address, out->bytes) == 1 && is_valid(out);
}

const char *clat_prefix_text(const struct clat_prefix *p, char buf[CLAT_PREFIX_TEXT])
{
	inet_ntop(AF_INET6, p->bytes, buf, CLAT_PREFIX_TEXT);
	snprintf(buf + strlen(buf), CLAT_PREFIX_TEXT - strlen(buf), "/%u", p->len);
	return buf;
}

/* The four bytes behind a prefix of @len bits, byte 8 left out. */
static uint32_t embedded(const uint8_t address[16], unsigned int len)
{
	uint32_t v4 = 0;

	for (unsigned int i = 0, at = len / 8; i < 4; i++, at++) {
		if (at == 8)
			at++;
		v4 = v4 << 8 | address[at];
	}
	return v4;
}

/* RFC 7050, 2.2 */
static bool is_well_known(uint32_t v4)
{
	return v4 == 0xc00000aa || v4 == 0xc00000ab; /* 192.0.0.170, .171 */
}

bool clat_prefix_of_answer(const uint8_t address[16], struct clat_prefix *out)
{
	unsigned int len = 0;

	for (size_t i = 0; i < LENGTHS; i++) {
		if (!is_well_known(embedded(address, lengths[i])))
			continue;
		if (len)
			return false; /* ambiguous */
		len = lengths[i];
	}
	*out = (struct clat_prefix){.len = len};
	memcpy(out->bytes, address, len / 8);
	return len && is_valid(out);
}

static uint32_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint32_t sum_words(const uint8_t *bytes, unsigned int n)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < n; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	return fold(sum);
}

/*
 * An interface identifier with the universal bit unset, and a mark that addresses of other origin hardly
 * have: the letters "xlat". Its last 16 bits balance the sum of prefix and addresses.
 */
static void make_local6(uint8_t local6[16], const struct clat_prefix *prefix,
			const uint8_t own6[16], const uint8_t local4[4])
{
	static const uint8_t mark[8] = {0x00, 0x00, 'x', 'l', 'a', 't'};
	uint32_t sum;

	memcpy(local6, own6, 8);
	memcpy(local6 + 8, mark, 8);
	sum = sum_words(local4, 4) + (uint16_t)~sum_words(prefix->bytes, 16) +
	      (uint16_t)~sum_words(local6, 16);
	sum = fold(sum);
	local6[14] = sum >> 8;
	local6[15] = sum;
}

void clat_config_fill(struct qmap_clat_config *config, const struct clat_prefix *prefix,
		      const uint8_t own6[16], uint32_t local4)
{
	uint8_t v4[4], local6[16];

	memcpy(v4, &local4, sizeof(v4));
	make_local6(local6, prefix, own6, v4);
	memcpy(config->prefix, prefix->bytes, sizeof(config->prefix));
	memcpy(config->local6, local6, sizeof(config->local6));
	config->local4 = local4;
	config->prefix_len = prefix->len;
	/* the sum over an embedded IPv4 address is its own only where its bytes stand in pairs as there */
	config->neutral = prefix->len == 96 || prefix->len == 32;
}

void clat_config_set_link(struct qmap_clat_config *config, uint32_t l2_len)
{
	config->l2_len = l2_len;
	config->fast = QMAP_CLAT_HELPERS;
	if (config->neutral && config->prefix_len == 96)
		config->fast = l2_len ? QMAP_CLAT_ETHERNET : QMAP_CLAT_RAW;
}
