/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and directories that only root, or the user of this process, can have put where they are.
 */
#ifndef QMAP_TRUSTED_H
#define QMAP_TRUSTED_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct stat;

/*
 * Does what @st describes belong to root or to the user of this process, and can no other user
 * write to it? Others may write to a sticky directory if @sticky, because they cannot replace in
 * it what is not theirs.
 */
bool trusted_stat(const struct stat *st, bool sticky);

/*
 * Opens @path for looking (O_PATH). Every directory on the way, of symbolic links too, and what is
 * found at the end must be as trusted_stat() wants it, every link must be root's or ours: who could
 * rename a part of the path could put anything there. @real, of PATH_MAX bytes, gets the path
 * without links; only root and we can change what it means afterwards.
 *
 * A descriptor, -EACCES with the part that others can change, -ELOOP, -ENAMETOOLONG, or what
 * openat(2) says.
 */
int trusted_open(const char *path, char *real, struct error *err);

/*
 * The same for a directory in which we make files: nobody else may write to it, sticky or not. The
 * descriptor can be locked and read.
 */
int trusted_directory(const char *path, struct error *err);

#endif
