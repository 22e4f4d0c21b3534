// SPDX-License-Identifier: GPL-2.0-or-later
/* The frame walker on the host: the table of fixtures, and properties for arbitrary bytes. */

#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/walk.h"
#include "tests/bpf/fixture_group.h"
#include "tests/bpf/walk_check.h"

static void compare(const struct qmap_frame *f, const struct fixture_frame *want)
{
	assert_int_equal(f->drop, want->walk);
	assert_int_equal(f->mux_id, want->mux);
	assert_int_equal(f->next, want->next);
	if (want->walk != QMAP_DROP_NONE)
		return;
	assert_int_equal(f->payload, want->payload);
	assert_int_equal(f->len, want->len);
	assert_int_equal(f->csum, want->csum);
	assert_int_equal(f->command, want->command);
}

/* @data: the fixture's bytes, at any address. */
static void walk(const struct fixture *fix, const uint8_t *data)
{
	const uint8_t *end = data + fix->size;
	unsigned int packets = 0;
	struct qmap_frame f;
	uint64_t off = 0;

	for (unsigned int i = 0; i < fix->nframes; i++) {
		const struct fixture_frame *want = &fix->frames[i];

		assert_int_equal(off, want->at);
		assert_int_equal(qmap_walk(data, end, off, fix->version, &f), 0);
		compare(&f, want);
		if (want->drop == QMAP_DROP_NONE && !want->command)
			assert_memory_equal(data + f.payload, fix->packets[packets++].bytes, f.len);
		off = f.next;
	}
	assert_int_equal(packets, fix->npackets);
	if (off)
		assert_int_equal(qmap_walk(data, end, off, fix->version, &f), 1);
}

/*
 * A frame may have any address, and so may its fields: for the sanitizer, and for CPUs that
 * trap.
 */
static void walk_unaligned(const struct fixture *f)
{
	for (unsigned int shift = 1; shift < 4; shift++) {
		uint8_t *copy = malloc(f->size + shift);

		assert_non_null(copy);
		memcpy(copy + shift, f->bytes, f->size);
		walk(f, copy + shift);
		free(copy);
	}
}

static void test_row(void **state)
{
	unsigned int row = (uintptr_t)*state, variant = 0;
	struct fixture *f;

	for (; (f = fixture_new(row, variant)); variant++) {
		walk(f, f->bytes);
		walk_unaligned(f);
		assert_null(walk_check(f->bytes, f->size, f->version));
		fixture_free(&f);
	}
	assert_int_not_equal(variant, 0);
}

TEST_ROWS(test_row);

/* All relevant values of the first eight bytes, at every relevant length. */
TEST(test_headers)
{
	static const uint16_t lens[] = {0,  1,	3,  4,	7,  8,	19,  20,     21,
					39, 40, 62, 63, 64, 65, 255, 0xfffc, 0xffff};
	static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};

	for (unsigned int size = 1; size <= 80; size++) {
		uint8_t *data = calloc(1, size);

		assert_non_null(data);
		for (unsigned int i = 0; i < 256 * 18 * 3 * 4; i++) {
			uint16_t len = lens[i / 256 % 18];
			uint8_t head[9] = {
				i,    0x81, len >> 8, len, i / 256 / 18 / 3 << 1 | (i & 1),
				0x80, 0,    0,	      0x45};

			memcpy(data, head, size < sizeof(head) ? size : sizeof(head));
			assert_null(walk_check(data, size, versions[i / 256 / 18 % 3]));
		}
		free(data);
	}
}

/*
 * CVE-2026-64550 (rmnet): an aggregate that ends inside its headers was read beyond its end. Every
 * size up to the first byte of a packet, every value of the bytes that select headers.
 */
TEST(test_ends_inside_headers)
{
	static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};
	static const uint16_t lens[] = {0, 1, 4, 8, 20, 0xffff};

	for (unsigned int size = 1; size <= 12; size++) {
		uint8_t *data = malloc(size);

		assert_non_null(data);
		for (unsigned int i = 0; i < 256 * 256 * 6; i++) {
			uint16_t len = lens[i >> 16];
			uint8_t head[12] = {i, 0x81, len >> 8, len, i >> 8, 0x80, 0, 0, 0x45};

			memcpy(data, head, size);
			for (unsigned int v = 0; v < 3; v++)
				assert_null(walk_check(data, size, versions[v]));
		}
		free(data);
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Changes a few bytes, mostly in headers. */
static void mutate(struct fixture *f, uint32_t *seed)
{
	unsigned int n = 1 + next_random(seed) % 8;

	while (n--) {
		const struct fixture_frame *frame = &f->frames[next_random(seed) % f->nframes];
		uint32_t at = next_random(seed) % f->size;

		if (next_random(seed) % 4)
			at = frame->at + next_random(seed) % 9;
		if (at < f->size)
			f->bytes[at] = next_random(seed) % 3 ? next_random(seed) : 0xff * (at & 1);
	}
}

/* Cuts to exactly @size bytes, or fills up with noise. */
static void resize(struct fixture *f, uint32_t size, uint32_t *seed)
{
	uint8_t *bytes = malloc(size);

	assert_non_null(bytes);
	for (uint32_t i = 0; i < size; i++)
		bytes[i] = i < f->size ? f->bytes[i] : next_random(seed);
	free(f->bytes);
	f->bytes = bytes;
	f->size = size;
}

TEST(test_mutations)
{
	static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};
	uint32_t seed = 0x716d6170;
	unsigned int done = 0;

	while (done < 10000) {
		struct fixture *f = fixture_new(next_random(&seed) % fixture_rows(), 0);

		mutate(f, &seed);
		if (next_random(&seed) % 2)
			resize(f, 1 + next_random(&seed) % (f->size + 40), &seed);
		for (unsigned int i = 0; i < 3; i++, done++)
			assert_null(walk_check(f->bytes, f->size, versions[i]));
		fixture_free(&f);
	}
}

TEST(test_noise)
{
	uint32_t seed = 1;

	for (unsigned int i = 0; i < 10000; i++) {
		uint32_t size = 1 + next_random(&seed) % 300;
		uint8_t *data = malloc(size);

		assert_non_null(data);
		for (uint32_t j = 0; j < size; j++)
			data[j] = next_random(&seed) >> (j % 3 * 8);
		assert_null(walk_check(data, size, QMAP_V1));
		assert_null(walk_check(data, size, QMAP_V4));
		assert_null(walk_check(data, size, QMAP_V5));
		free(data);
	}
}

/* At and behind the end no frame is found, and nothing is read. */
TEST(test_behind_the_end)
{
	static const uint64_t offs[] = {4, 5, 0xffff, 0x10000, 0xffffffff, 0x100000000, UINT64_MAX};
	uint8_t *data = calloc(1, 4), *large = calloc(1, 70000);
	struct qmap_frame f;

	assert_true(data && large);
	for (unsigned int i = 0; i < sizeof(offs) / sizeof(offs[0]); i++)
		assert_int_equal(qmap_walk(data, data + 4, offs[i], QMAP_V1, &f), 1);
	assert_int_equal(qmap_walk(data, data, 0, QMAP_V5, &f), 1);
	assert_int_equal(qmap_walk(large, large + 70000, QMAP_MAX_AGGREGATE + 1, QMAP_V1, &f), 1);
	free(large);
	free(data);
}
