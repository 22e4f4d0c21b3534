/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The observer of rmnet and qmimux in a guest, as the daemon attaches it. */
#ifndef VM_OBSERVE_H
#define VM_OBSERVE_H

#include <stdbool.h>

struct observer;

/*
 * Attaches it to @trunk, with @ports connected PDNs whose mux ids start at 1. @is_split: the driver is
 * qmi_wwan. NULL, with a message on stderr.
 */
struct observer *observer_up(const char *trunk, unsigned int ports, int version, bool is_split);
void observer_down(struct observer **o);
/* Frames counted as good so far. */
unsigned long long observer_good(const struct observer *o);
/* Frames counted so far, as delivered or by the reason why they were dropped. */
unsigned long long observer_frames(const struct observer *o);

#endif
