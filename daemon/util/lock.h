/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locks that exclude other processes, and that the death of their owner releases. */
#ifndef QMAP_LOCK_H
#define QMAP_LOCK_H

/*
 * Locks the file or directory open as @fd, as flock(2) does, until all copies of @fd are closed.
 * Waits up to a second after the first call, for all calls together, so that a process which keeps
 * its lock does not hold up this one: a lock outlives a killed process for some milliseconds. A child
 * that the killed process has just spawned has copies of its descriptors. The kernel resumes a parent in
 * vfork() before it closes those that are close-on-exec (fs/exec.c: begin_new_exec()), so that
 * even the return of posix_spawn(3) does not mean that they are closed.
 *
 * Returns 0, -EWOULDBLOCK if another process keeps the lock, or another error of flock(2).
 */
int lock_exclusive(int fd);

#endif
