// SPDX-License-Identifier: GPL-2.0-or-later
/* Splitting a stream into messages: in pieces, together, cut short, among garbage. */
#include "test.h"

#include <string.h>

#include "daemon/qmi/message.h"

/* Status indications, identified by their client id; the shortest and a longer message. */
#define SHORT(n) 0x01, 0x0c, 0x00, 0x80, 0x01, n, 0x04, 0x00, 0x00, 0x22, 0x00, 0x00, 0x00
#define LONG(n)                                                                                    \
	0x01, 0x18, 0x00, 0x80, 0x01, n, 0x04, 0x00, 0x00, 0x22, 0x00, 0x0c, 0x00, 0x01, 0x02,     \
		0x00, 0x02, 0x00, 0x11, 0x04, 0x00, 0x06, 0x00, 0x1b, 0x00

static struct qmi_stream stream;

static int setup(void **state)
{
	memset(&stream, 0, sizeof(stream));
	return 0;
}

TEST_FIXTURE(setup, NULL);

/* Feeds one read; returns the client ids of the messages found, as digits. */
static const char *feed(const uint8_t *p, size_t len)
{
	static char out[64];
	struct qmi_message m;
	size_t size, n = 0;
	uint8_t *room = qmi_stream_room(&stream, &size);

	assert_true(size >= QMI_MAX_MESSAGE && len <= size);
	memcpy(room, p, len);
	qmi_stream_filled(&stream, len);
	while (qmi_stream_next(&stream, &m) && n < sizeof(out) - 1)
		out[n++] = '0' + m.client;
	out[n] = '\0';
	return out;
}

static uint64_t faults(void)
{
	uint64_t n = 0;

	for (int f = 0; f < QMI_FAULT_MAX; f++)
		n += stream.faults[f];
	return n;
}

#define FEED(...)                                                                                  \
	({                                                                                         \
		static const uint8_t bytes_[] = {__VA_ARGS__};                                     \
		feed(bytes_, sizeof(bytes_));                                                      \
	})

TEST(test_several_in_one)
{
	assert_string_equal(FEED(SHORT(1), LONG(2), SHORT(3)), "123");
	assert_int_equal(faults(), 0);
}

TEST(test_byte_by_byte)
{
	static const uint8_t bytes[] = {LONG(1), SHORT(2)};

	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_string_equal(feed(bytes + i, 1), i == 24			 ? "1"
							: i == sizeof(bytes) - 1 ? "2"
										 : "");
	assert_int_equal(faults(), 0);
	assert_int_equal(stream.skipped, 0);
}

TEST(test_split_everywhere)
{
	static const uint8_t bytes[] = {SHORT(1), LONG(2), LONG(3)};

	for (size_t i = 1; i < sizeof(bytes); i++) {
		size_t n = strlen(feed(bytes, i));

		assert_int_equal(n + strlen(feed(bytes + i, sizeof(bytes) - i)), 3);
	}
	assert_int_equal(faults(), 0);
}

TEST(test_garbage_before)
{
	assert_string_equal(FEED('g', 'a', 'r', SHORT(1)), "1");
	assert_int_equal(stream.faults[QMI_FAULT_MARKER], 1);
	assert_int_equal(stream.skipped, 3);
	assert_string_equal(FEED(SHORT(2)), "2");
}

TEST(test_garbage_between)
{
	assert_string_equal(FEED(SHORT(1), 0, 0xff, 0x02, SHORT(2)), "12");
	assert_int_equal(stream.faults[QMI_FAULT_MARKER], 1);
	assert_int_equal(stream.skipped, 3);
}

/* Garbage that looks like the beginning of a long message must not delay the messages behind it. */
TEST(test_false_beginning)
{
	assert_string_equal(FEED(0x01, 0xf0, 0x0f, 0x80, 0x01, 0x01), "");
	assert_string_equal(FEED(SHORT(2)), "2");
	assert_int_equal(stream.faults[QMI_FAULT_TRUNCATED], 1);
	assert_int_equal(stream.skipped, 6);
}

TEST(test_service16_marker)
{
	assert_string_equal(FEED(0x02, 0x0d, 0x00, 0x90, 0x01, 0x03, 0x02, 0x01, 0x00, 0x22, 0x00,
				 0x00, 0x00, 0x00, SHORT(4)),
			    "4");
	assert_int_equal(stream.faults[QMI_FAULT_MARKER], 1);
}

/* One message cut short at every byte, another right behind it, in one read or in two. */
TEST(test_cut_short)
{
	static const uint8_t whole[] = {LONG(1)}, next[] = {LONG(2)};
	uint8_t both[sizeof(whole) + sizeof(next)];

	for (size_t cut = 1; cut < sizeof(whole); cut++) {
		setup(NULL);
		assert_string_equal(feed(whole, cut), "");
		assert_string_equal(feed(next, sizeof(next)), "2");
		assert_int_equal(faults(), 1);
		setup(NULL);
		memcpy(both, whole, cut);
		memcpy(both + cut, next, sizeof(next));
		assert_string_equal(feed(both, cut + sizeof(next)), "2");
		assert_int_equal(faults(), 1);
		assert_int_equal(stream.skipped, cut);
	}
}

/* Malformed inside, valid outside: that message is dropped, its neighbours are not. */
TEST(test_bad_inside)
{
	assert_string_equal(FEED(SHORT(1), 0x01, 0x10, 0x00, 0x80, 0x01, 5, 0x04, 0x00, 0x00, 0x22,
				 0x00, 0x04, 0x00, 0x01, 0x09, 0x00, 0x02, SHORT(2)),
			    "12");
	assert_int_equal(stream.faults[QMI_FAULT_TLV], 1);
	assert_string_equal(FEED(0x01, 0x0c, 0x00, 0x80, 0x01, 5, 0x04, 0x00, 0x00, 0x22, 0x00,
				 0x07, 0x00, SHORT(3)),
			    "3");
	assert_int_equal(stream.faults[QMI_FAULT_TLV_BLOCK], 1);
	assert_string_equal(FEED(0x01, 0x0c, 0x00, 0x80, 0x01, 5, 0x07, 0x00, 0x00, 0x22, 0x00,
				 0x00, 0x00, SHORT(4)),
			    "4");
	assert_int_equal(stream.faults[QMI_FAULT_TYPE], 1);
	assert_string_equal(FEED(0x01, 0x05, 0x00, 0x80, 0x01, 5, SHORT(5)), "5");
	assert_int_equal(stream.faults[QMI_FAULT_SHORT_LENGTH], 1);
	/* shorter than its header, and even less of it present */
	assert_string_equal(FEED(0x01, 0x0b, 0x00, 0x80, 0x01, 5), "");
	assert_string_equal(FEED(SHORT(5)), "5");
	assert_int_equal(stream.faults[QMI_FAULT_SHORT_LENGTH], 2);
	assert_string_equal(FEED(0x01, 0xff, 0xff, 0x80, 0x01, 5, SHORT(6)), "6");
	assert_int_equal(stream.faults[QMI_FAULT_LONG_LENGTH], 1);
}

/* Malformed messages in one read are counted one by one, as long as their headers are right. */
TEST(test_each_counted)
{
	static const uint8_t bad[] = {0x01, 0x10, 0x00, 0x80, 0x01, 5,	  0x04, 0x00, 0x00,
				      0x22, 0x00, 0x04, 0x00, 0x01, 0x09, 0x00, 0x02};
	uint8_t many[100 * sizeof(bad) + 13] = {0};
	static const uint8_t last[] = {SHORT(1)};

	for (int i = 0; i < 100; i++) {
		memcpy(many + i * sizeof(bad), bad, sizeof(bad));
		if (i % 2)
			many[i * sizeof(bad) + 6] = 0x07;
	}
	memcpy(many + 100 * sizeof(bad), last, sizeof(last));
	assert_string_equal(feed(many, sizeof(many)), "1");
	assert_int_equal(stream.faults[QMI_FAULT_TLV], 50);
	assert_int_equal(stream.faults[QMI_FAULT_TYPE], 50);
	assert_int_equal(faults(), 100);
}

/* A buffer full of garbage is dropped, not kept. */
TEST(test_only_garbage)
{
	static uint8_t garbage[QMI_MAX_MESSAGE];

	for (int i = 0; i < 10; i++) {
		memset(garbage, i, sizeof(garbage));
		assert_string_equal(feed(garbage, sizeof(garbage)), "");
	}
	assert_string_equal(FEED(SHORT(1)), "1");
	assert_true(stream.skipped >= 9 * sizeof(garbage));
}

/* Headers in headers, none of them a message: the cost must not grow with the cube of the bytes. */
TEST(test_nested_headers)
{
	static const uint8_t next[] = {SHORT(7)};
	uint8_t buf[QMI_MAX_MESSAGE] = {0}, *at = buf;

	for (size_t left = sizeof(buf) - sizeof(next); left > 16; left -= 4, at += 4) {
		at[0] = 0x01;
		at[1] = (left - 7) & 0xff; /* it ends where no message begins */
		at[2] = (left - 7) >> 8;
		at[3] = 0x80;
	}
	memcpy(buf + sizeof(buf) - sizeof(next), next, sizeof(next));
	feed(buf, sizeof(buf));
	assert_in_range(stream.looks, 1, QMI_STREAM_LOOKS * 4);
	/* valid messages behind them are found */
	assert_string_equal(FEED(SHORT(3), SHORT(4)), "34");
}

TEST(test_largest)
{
	static uint8_t big[QMI_MAX_MESSAGE] = {0x01, 0xff, 0x0f, 0x80, 0x01, 7,	   0x02, 1,
					       0,    0x24, 0,	 0xf3, 0x0f, 0x30, 0xf0, 0x0f};

	assert_string_equal(feed(big, 4000), "");
	assert_string_equal(feed(big + 4000, sizeof(big) - 4000), "7");
	assert_string_equal(feed(big, sizeof(big)), "7");
	assert_int_equal(faults(), 0);
}
