/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocations that fail: the debug kernel's fault injection. Other kernels ignore these calls. */
#ifndef VM_FAULTS_H
#define VM_FAULTS_H

#include <stdbool.h>

/*
 * @percent of the allocations of @kind ("failslab", "fail_page_alloc") fail: if @sleepers, those of
 * tasks whose make-it-fail is set; otherwise those that may not sleep, as in softirqs.
 */
void faults_start(const char *kind, unsigned int percent, bool sleepers);
void faults_stop(const char *kind);
void faults_set(const char *kind, const char *file, long value);

/* Do allocations of this thread fail, for kinds with "sleepers"? */
void faults_of_thread(bool on);

#endif
