/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and directories that only root or the user of this process can have put in place. */
#ifndef QMAP_TRUSTED_H
#define QMAP_TRUSTED_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct stat;

/*
 * Does the file described by @st belong to root or to the user of this process, and can no other
 * user write to it? With @sticky, a sticky directory may be writable for others, because they
 * cannot replace files of other users in it.
 */
bool trusted_stat(const struct stat *st, bool sticky);

/*
 * Opens @path with O_PATH. Every directory on the way, also on the way of a symbolic link, and the
 * file itself must satisfy trusted_stat(), and every link must belong to root or to us, since a
 * user who can rename a part of the path could substitute any file. @real, of PATH_MAX bytes, gets
 * the path without links; afterwards only root and we can change its meaning.
 *
 * Returns a descriptor, -EACCES naming the part that other users can change, -ELOOP, -ENAMETOOLONG,
 * or the error of openat(2).
 */
int trusted_open(const char *path, char *real, struct error *err);

/*
 * Opens a directory in which the daemon creates files: no other user may write to it, sticky or
 * not. The descriptor can be locked and read.
 */
int trusted_directory(const char *path, struct error *err);

#endif
