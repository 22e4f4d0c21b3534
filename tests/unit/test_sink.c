// SPDX-License-Identifier: GPL-2.0-or-later
/* The sink of pattern-tool: each datagram arrived once and unchanged. */
#include "test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/sink.h"
#include "tests/modem/pattern.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define STREAM 5

static struct sink_stream s;

static int setup(void **state)
{
	return sink_start(&s, STREAM, 100);
}

static int teardown(void **state)
{
	sink_free(&s);
	return 0;
}

TEST_FIXTURE(setup, teardown);

static void judge(unsigned int stream, uint64_t sequence, size_t len, int flip)
{
	const struct pattern p = {.stream = stream, .sequence = sequence};
	uint8_t payload[1500];

	pattern_fill(payload, len, &p);
	if (flip >= 0)
		payload[flip] ^= 0x80;
	sink_judge(&s, payload, len);
}

static void check_counts(uint64_t ok, uint64_t bad, uint64_t foreign, uint64_t duplicate,
			 uint64_t late)
{
	assert_int_equal(s.ok, ok);
	assert_int_equal(s.bad, bad);
	assert_int_equal(s.foreign, foreign);
	assert_int_equal(s.duplicate, duplicate);
	assert_int_equal(s.late, late);
}

TEST(test_accounts)
{
	judge(STREAM, 0, 1000, -1);
	judge(STREAM, 2, 1000, -1);
	judge(STREAM, 1, 16, -1);
	check_counts(3, 0, 0, 0, 1);
	judge(STREAM, 2, 1000, -1);
	judge(STREAM + 1, 3, 1000, -1);
	judge(STREAM, 100, 1000, -1);
	check_counts(3, 0, 2, 1, 1);
	assert_int_equal(s.bytes, 2016);
	assert_false(sink_is_good(&s));
}

/* Each changed byte is noticed. */
TEST(test_notices_damage)
{
	for (int i = 0; i < 400; i++)
		judge(STREAM, 7, 400, i);
	assert_int_equal(s.ok, 0);
	assert_int_equal(s.bad + s.foreign, 400);
}

TEST(test_short_ones_are_bad)
{
	const uint8_t nothing[PATTERN_HEADER + 1] = {0};

	for (size_t len = 0; len <= sizeof(nothing); len++)
		sink_judge(&s, nothing, len);
	check_counts(0, sizeof(nothing) + 1, 0, 0, 0);
}

TEST(test_good)
{
	for (unsigned int i = 0; i < 100; i++)
		judge(STREAM, i, 40, -1);
	assert_true(sink_is_good(&s));
	judge(STREAM, 0, 40, -1);
	assert_false(sink_is_good(&s));
}

/* By socket: lengths are those of the datagrams. */
TEST(test_drain)
{
	static const size_t sizes[] = {16, 1372, 60000, 65507};
	const struct pattern p = {.stream = STREAM, .sequence = 3};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(at);
	static uint8_t payload[65507];

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i];

		assert_int_equal(sink_start(&s, STREAM, 10), 0);
		pattern_fill(payload, size, &p);
		assert_int_equal(sendto(fd, payload, size, 0, (struct sockaddr *)&at, len), size);
		assert_int_equal(sink_drain(&s, fd), 1);
		check_counts(1, 0, 0, 0, 0);
		assert_int_equal(s.bytes, size);
		assert_int_equal(sink_drain(&s, fd), 0);
	}
	close(fd);
}
