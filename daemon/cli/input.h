/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes to decode: from arguments, standard input or a file. */
#ifndef QMAP_CLI_INPUT_H
#define QMAP_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define CLI_INPUT_MAX (1 << 20) /* bytes of input: many times the largest aggregate in hex */

/*
 * @argv: hexadecimal digits, or "-" for standard input, or, with @files, the name of a file. Input
 * from the latter two is hexadecimal if it consists of digits and separators only, else raw bytes.
 * The caller frees @out.
 */
int cli_input(int argc, char **argv, bool files, uint8_t **out, size_t *len, struct error *err);

#endif
