/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of 464XLAT: NAT64 prefixes (RFC 6052), the port's own addresses (RFC 7335). */
#ifndef QMAP_CLAT_ADDRESS_H
#define QMAP_CLAT_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "qmap/clat.h"

/* Room for the text of a prefix. */
#define CLAT_PREFIX_TEXT (INET6_ADDRSTRLEN + 4)

struct clat_prefix {
	uint8_t bytes[16]; /* zero behind its length */
	unsigned int len;  /* bits; 0: none */
};

/*
 * Parses "64:ff9b::/96". False unless the length is one of RFC 6052, the bits behind it are zero, and so
 * is byte 8.
 */
bool clat_prefix_parse(const char *text, struct clat_prefix *out);
const char *clat_prefix_text(const struct clat_prefix *p, char buf[CLAT_PREFIX_TEXT]);

/*
 * The prefix in an IPv6 address of ipv4only.arpa (RFC 7050, 3): where one of that name's two IPv4
 * addresses is embedded, and nowhere else. False if it holds none.
 */
bool clat_prefix_of_answer(const uint8_t address[16], struct clat_prefix *out);

/*
 * Completes the constants of the programs: @local4 in network byte order, and of @own6 the first 64 bits
 * become those of the port's second IPv6 address. Its other bits make the programs leave checksums as
 * they are, where the prefix allows that.
 */
void clat_config_fill(struct qmap_clat_config *config, const struct clat_prefix *prefix,
		      const uint8_t own6[16], uint32_t local4);

/* Then the rest: the programs' path for netdevs with a link header of @l2_len bytes. */
void clat_config_set_link(struct qmap_clat_config *config, uint32_t l2_len);

#endif
