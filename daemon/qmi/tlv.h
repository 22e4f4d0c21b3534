/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMI TLVs: one byte type, two bytes length, value; all integers little endian. Their order does
 * not matter, and readers skip unknown ones.
 */
#ifndef QMAP_QMI_TLV_H
#define QMAP_QMI_TLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest message, headers included: the buffer of cdc-wdm (drivers/net/usb/qmi_wwan.c). */
#define QMI_MAX_MESSAGE 4096

/* Type of the TLV that carries the result of every response. */
#define QMI_TLV_RESULT 0x02

static inline uint16_t qmi_get_le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static inline uint32_t qmi_get_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void qmi_put_le16(uint8_t *p, uint16_t v)
{
	p[0] = v;
	p[1] = v >> 8;
}

static inline void qmi_put_le32(uint8_t *p, uint32_t v)
{
	qmi_put_le16(p, v);
	qmi_put_le16(p + 2, v >> 16);
}

struct qmi_tlv {
	uint8_t type;
	uint16_t len;
	const uint8_t *value; /* points into the message */
};

/* Iterator over a block of TLVs. */
struct qmi_tlvs {
	const uint8_t *data;
	size_t len;
	size_t off; /* of the next TLV; after -EBADMSG: of the TLV that does not fit */
};

/* 1: @t is the next TLV; 0: the block ends here; -EBADMSG: a header or value is cut short. */
int qmi_tlv_next(struct qmi_tlvs *w, struct qmi_tlv *t);

/* Walks @block (struct qmi_tlvs, by value) up to its end or to the first TLV that does not fit. */
#define qmi_tlv_foreach(t, block)                                                                  \
	for (struct qmi_tlvs walk_ = (block); qmi_tlv_next(&walk_, (t)) > 0;)

/* Finds the first TLV of @type in @block. */
bool qmi_tlv_find(struct qmi_tlvs block, uint8_t type, struct qmi_tlv *t);

/*
 * Reads fields from a TLV's value. Reading beyond the end returns zeroes and sets @bad, so that a
 * parser checks once, at its end.
 */
struct qmi_cursor {
	const uint8_t *p;
	size_t left;
	bool bad;
};

struct qmi_cursor qmi_cursor_of(const struct qmi_tlv *t);
uint8_t qmi_read_u8(struct qmi_cursor *c);
uint16_t qmi_read_le16(struct qmi_cursor *c);
uint32_t qmi_read_le32(struct qmi_cursor *c);
uint64_t qmi_read_le64(struct qmi_cursor *c);
/* Returns @len bytes of the value, NULL if fewer are left. */
const uint8_t *qmi_read_bytes(struct qmi_cursor *c, size_t len);

/*
 * Read one integer from @block; false if the TLV is missing or too short. A longer one is accepted,
 * because later firmware appends fields.
 */
bool qmi_tlv_u8(struct qmi_tlvs block, uint8_t type, uint8_t *v);
bool qmi_tlv_le16(struct qmi_tlvs block, uint8_t type, uint16_t *v);
bool qmi_tlv_le32(struct qmi_tlvs block, uint8_t type, uint32_t *v);
/*
 * Reads a string, always terminated, cut to @size. Control characters, which some firmware leaves
 * at the end, become blanks, and trailing blanks are removed.
 */
bool qmi_tlv_string(struct qmi_tlvs block, uint8_t type, char *s, size_t size);

/*
 * Writes TLVs. A TLV that does not fit sets @overflow and is dropped: builders need not check every
 * call, the sender checks once.
 */
struct qmi_buf {
	uint8_t data[QMI_MAX_MESSAGE];
	size_t len;
	bool overflow;
};

void qmi_buf_init(struct qmi_buf *b);
void qmi_put_tlv(struct qmi_buf *b, uint8_t type, const void *value, size_t len);
void qmi_put_tlv_u8(struct qmi_buf *b, uint8_t type, uint8_t v);
void qmi_put_tlv_le16(struct qmi_buf *b, uint8_t type, uint16_t v);
void qmi_put_tlv_le32(struct qmi_buf *b, uint8_t type, uint32_t v);
void qmi_put_tlv_string(struct qmi_buf *b, uint8_t type, const char *s);

#endif
