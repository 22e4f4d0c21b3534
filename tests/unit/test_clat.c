// SPDX-License-Identifier: GPL-2.0-or-later
/* The messages by which a NAT64 prefix is found: of DNS (RFC 7050) and of routers (RFC 8781). */

#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clat/answer.h"
#include "clat/pref64.h"

#define ID 0x4321

struct text {
	uint8_t bytes[512];
	size_t len;
};

/* An answer with @rcode to our question, without records. */
static struct text answer(uint8_t rcode)
{
	struct text t;

	t.len = clat_query(ID, t.bytes);
	t.bytes[2] |= 0x80;
	t.bytes[3] |= 0x80 | rcode;
	return t;
}

static void add_record(struct text *t, uint16_t type, uint32_t ttl, const void *data, uint16_t len)
{
	const uint8_t head[12] = {0xc0,	     12,	type >> 8, type, 0,	   1,
				  ttl >> 24, ttl >> 16, ttl >> 8,  ttl,	 len >> 8, len};

	memcpy(t->bytes + t->len, head, sizeof(head));
	memcpy(t->bytes + t->len + sizeof(head), data, len);
	t->len += sizeof(head) + len;
	t->bytes[7]++;
}

static void add_aaaa(struct text *t, const char *address, uint32_t ttl)
{
	uint8_t bytes[16];

	assert_int_equal(inet_pton(AF_INET6, address, bytes), 1);
	add_record(t, 28, ttl, bytes, sizeof(bytes));
}

static int read_answer(const struct text *t, struct clat_prefix *prefix, unsigned int *ttl)
{
	/* exactly so many bytes: a sanitizer sees a read behind them */
	uint8_t *copy = malloc(t->len ?: 1);
	int ret;

	assert_non_null(copy);
	memcpy(copy, t->bytes, t->len);
	ret = clat_answer(ID, copy, t->len, prefix, ttl);
	free(copy);
	return ret;
}

static void expect_prefix(const struct text *t, const char *prefix, unsigned int ttl)
{
	char text[CLAT_PREFIX_TEXT];
	struct clat_prefix p;
	unsigned int told;

	assert_int_equal(read_answer(t, &p, &told), 0);
	if (!prefix) {
		assert_int_equal(p.len, 0);
		return;
	}
	assert_string_equal(clat_prefix_text(&p, text), prefix);
	assert_int_equal(told, ttl);
}

/* RFC 1035, 4.1, byte by byte. */
TEST(test_query)
{
	static const uint8_t wanted[] =
		"\x43\x21\x01\0\0\1\0\0\0\0\0\0\x08ipv4only\4arpa\0\0\x1c\0\1";
	uint8_t query[CLAT_QUERY_MAX];

	assert_int_equal(clat_query(ID, query), sizeof(wanted) - 1);
	assert_memory_equal(query, wanted, sizeof(wanted) - 1);
}

TEST(test_prefixes)
{
	struct text t = answer(0);

	add_aaaa(&t, "64:ff9b::c000:aa", 300);
	add_aaaa(&t, "64:ff9b::c000:ab", 300);
	expect_prefix(&t, "64:ff9b::/96", 300);
	t = answer(0);
	add_aaaa(&t, "2001:db8:122:344:c0:0:aa00::", 7);
	expect_prefix(&t, "2001:db8:122:344::/64", 7);
}

TEST(test_no_prefix)
{
	struct text t = answer(0);

	expect_prefix(&t, NULL, 0);
	add_aaaa(&t, "2001:db8::1", 300); /* none of the name's addresses */
	expect_prefix(&t, NULL, 0);
	t = answer(3); /* no such name */
	expect_prefix(&t, NULL, 0);
}

/* An alias in front of the address; an address of another length; one without a prefix. */
TEST(test_other_records)
{
	struct text t = answer(0);

	add_record(&t, 5, 60, "\1x\0", 3);
	add_record(&t, 28, 60, "\1\2\3\4", 4);
	add_aaaa(&t, "2001:db8::1", 60);
	add_aaaa(&t, "64:ff9b::c000:ab", 90);
	expect_prefix(&t, "64:ff9b::/96", 90);
}

TEST(test_server_fails)
{
	static const uint8_t rcodes[] = {1, 2, 4, 5};
	struct clat_prefix p;
	unsigned int ttl;

	for (size_t i = 0; i < sizeof(rcodes); i++) {
		struct text t = answer(rcodes[i]);

		assert_int_equal(read_answer(&t, &p, &ttl), -EIO);
	}
}

TEST(test_not_our_answer)
{
	struct clat_prefix p;
	struct text t = answer(0);
	unsigned int ttl;

	t.bytes[0]++; /* another identification */
	assert_int_equal(read_answer(&t, &p, &ttl), -EBADMSG);
	t = answer(0);
	t.bytes[2] &= 0x7f; /* a question */
	assert_int_equal(read_answer(&t, &p, &ttl), -EBADMSG);
	t = answer(0);
	t.bytes[13] ^= 1; /* another name */
	assert_int_equal(read_answer(&t, &p, &ttl), -EBADMSG);
	t = answer(0);
	t.bytes[t.len - 3] = 1; /* another type */
	assert_int_equal(read_answer(&t, &p, &ttl), -EBADMSG);
}

/* Cut off anywhere, and with any one byte changed: no prefix that the answer does not hold. */
TEST(test_broken)
{
	struct text whole = answer(0);
	struct clat_prefix p;
	unsigned int ttl;

	add_aaaa(&whole, "64:ff9b::c000:aa", 300);
	for (size_t len = 0; len < whole.len; len++) {
		struct text t = whole;

		t.len = len;
		assert_int_equal(read_answer(&t, &p, &ttl), -EBADMSG);
	}
	for (size_t at = 0; at < whole.len; at++)
		for (unsigned int value = 0; value < 256; value++) {
			struct text t = whole;

			t.bytes[at] = value;
			if (!read_answer(&t, &p, &ttl))
				assert_true(p.len == 0 || p.len >= 32);
		}
}

/* --- router advertisements --- */

static const uint8_t ra_header[16] = {134, 0, 0, 0, 64};

/* An MTU option and a PREF64 option with @scaled lifetime and code. */
static struct text advert(uint16_t scaled, const char *address)
{
	static const uint8_t mtu[8] = {5, 1, 0, 0, 0, 0, 5, 220};
	uint8_t option[16] = {38, 2, scaled >> 8, scaled}, prefix[16];
	struct text t = {.len = sizeof(ra_header) + sizeof(mtu) + sizeof(option)};

	assert_int_equal(inet_pton(AF_INET6, address, prefix), 1);
	memcpy(option + 4, prefix, 12);
	memcpy(t.bytes, ra_header, sizeof(ra_header));
	memcpy(t.bytes + 16, mtu, sizeof(mtu));
	memcpy(t.bytes + 24, option, sizeof(option));
	return t;
}

static int read_advert(const struct text *t, struct clat_prefix *prefix, unsigned int *lifetime)
{
	uint8_t *copy = malloc(t->len ?: 1);
	int ret;

	assert_non_null(copy);
	memcpy(copy, t->bytes, t->len);
	ret = pref64_parse(copy, t->len, prefix, lifetime);
	free(copy);
	return ret;
}

TEST(test_pref64)
{
	static const struct {
		const char *address, *prefix;
		unsigned int code;
	} cases[] = {
		{"64:ff9b::", "64:ff9b::/96", 0},
		{"2001:db8:1:2::", "2001:db8:1:2::/64", 1},
		{"2001:db8:1:200::", "2001:db8:1:200::/56", 2},
		/* bits behind the prefix do not count */
		{"2001:db8:1:2:3:4::", "2001:db8:1::/48", 3},
		{"2001:db8:100::", "2001:db8:100::/40", 4},
		{"2001:db8::", "2001:db8::/32", 5},
	};
	struct clat_prefix prefix;
	unsigned int lifetime;
	char text[CLAT_PREFIX_TEXT];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text t = advert(600 | cases[i].code, cases[i].address);

		assert_int_equal(read_advert(&t, &prefix, &lifetime), 0);
		assert_string_equal(clat_prefix_text(&prefix, text), cases[i].prefix);
		assert_int_equal(lifetime, 600);
	}
}

TEST(test_pref64_unusable)
{
	static const struct {
		const char *address;
		uint16_t scaled;
	} cases[] = {
		{"64:ff9b::", 0},	     /* withdrawn */
		{"64:ff9b::", 600 | 6},	     /* no such length */
		{"64:ff9b::", 600 | 7},	     /* likewise */
		{"2001:db8:0:0:100::", 600}, /* byte 8 is not zero */
	};
	struct clat_prefix prefix;
	unsigned int lifetime;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text t = advert(cases[i].scaled, cases[i].address);

		assert_int_equal(read_advert(&t, &prefix, &lifetime), -ENOENT);
	}
}

/* A second option stands in for a first that cannot be used. */
TEST(test_pref64_second)
{
	struct text t = advert(0, "64:ff9b::"), other = advert(800, "2001:db8:ffff::");
	struct clat_prefix prefix;
	unsigned int lifetime;
	char text[CLAT_PREFIX_TEXT];

	memcpy(t.bytes + t.len, other.bytes + 24, 16);
	t.len += 16;
	assert_int_equal(read_advert(&t, &prefix, &lifetime), 0);
	assert_string_equal(clat_prefix_text(&prefix, text), "2001:db8:ffff::/96");
}

TEST(test_pref64_broken)
{
	struct text t = advert(600, "64:ff9b::"), cut = t;
	struct clat_prefix prefix;
	unsigned int lifetime;

	for (cut.len = 0; cut.len < t.len; cut.len++)
		assert_int_equal(read_advert(&cut, &prefix, &lifetime),
				 cut.len == 16 || cut.len == 24 ? -ENOENT : -EBADMSG);
	cut = t;
	cut.bytes[17] = 0; /* an option of no length */
	assert_int_equal(read_advert(&cut, &prefix, &lifetime), -EBADMSG);
	cut = t;
	cut.bytes[25] = 3; /* beyond the end */
	assert_int_equal(read_advert(&cut, &prefix, &lifetime), -EBADMSG);
	cut = t;
	cut.bytes[0] = 133;
	assert_int_equal(read_advert(&cut, &prefix, &lifetime), -EBADMSG);
	cut = t;
	cut.bytes[1] = 1;
	assert_int_equal(read_advert(&cut, &prefix, &lifetime), -EBADMSG);
}
