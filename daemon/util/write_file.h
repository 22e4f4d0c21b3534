/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files for other programs to read. */
#ifndef QMAP_WRITE_FILE_H
#define QMAP_WRITE_FILE_H

/*
 * Makes @path hold @text, mode 0644: writes "@path.new" and renames it, so that no reader sees half
 * of it. Follows neither name if it is a link. On a negative errno no new file is left, and @path
 * is unchanged.
 */
int write_file(const char *path, const char *text);

#endif
