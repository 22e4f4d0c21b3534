/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes secrets from recorded bytes, and all that identifies a person, a device or a place.
 *
 * Bytes that are not known to be harmless go: the value of a TLV that qmi/names_tlv.c does not describe,
 * and the payload of a packet, become zeroes. Lengths stay.
 */
#ifndef QMAP_RECORD_MASK_H
#define QMAP_RECORD_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alias.h"

struct record_mask {
	struct record_alias alias;
	bool hide_apn;
};

/* Masks one QMI message with QMUX header in place. Bytes that are none become zeroes. */
void record_mask_qmi(struct record_mask *k, uint8_t *buf, size_t len);

/*
 * Masks an aggregate of QMAP @version (enum qmap_version) in place: headers, checksum trailers and
 * QMAP commands stay. Returns how many of its @len bytes to keep: whole frames of up to @limit bytes
 * in all, or the start of the first frame. Checksums inside the packets are wrong afterwards, but
 * for that of the IPv4 header.
 */
size_t record_mask_qmap(struct record_mask *k, uint8_t *data, size_t len, int version,
			size_t limit);

#endif
