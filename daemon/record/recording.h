/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of a recording: text, one block for each message or aggregate, as text2pcap(1) of
 * Wireshark reads it (qmapctl(8), record):
 *
 *   I 2026-03-01T12:00:00.123456 qmi          I: from the modem, O: to it
 *   000000 01 17 00 80 ...                    offset and up to 32 bytes, all hexadecimal
 *   000020 ...
 *
 * The kind is qmi, or qmap-v1, -v4 or -v5. A line that begins with # is a remark.
 */
#ifndef QMAP_RECORD_RECORDING_H
#define QMAP_RECORD_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Appends a block with the present time, and flushes. */
void record_write(FILE *f, bool from_modem, const char *kind, const uint8_t *data, size_t len);

#endif
