/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files for other programs to read. */
#ifndef QMAP_WRITE_FILE_H
#define QMAP_WRITE_FILE_H

/*
 * Makes @path hold @text, mode 0644: written beside as "@path.new" and renamed, so that no reader
 * sees half of it. Neither name is followed if it is a link. Negative errno; then nothing new is
 * left, and @path is as it was.
 */
int write_file(const char *path, const char *text);

#endif
