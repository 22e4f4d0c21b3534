/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The observer of rmnet and qmimux in a guest, as the daemon attaches it. */
#ifndef VM_OBSERVE_H
#define VM_OBSERVE_H

#include <stdbool.h>

struct vm_observe;

/*
 * Attaches it to @trunk, with @ports connected PDNs whose mux ids start at 1; exits on failure.
 * @is_split: the driver is qmi_wwan.
 */
struct vm_observe *vm_observe_up(const char *trunk, unsigned int ports, int version, bool is_split);
void vm_observe_down(struct vm_observe **o);
/* Frames counted so far, as delivered or by the reason why they were dropped. */
unsigned long long vm_observe_frames(const struct vm_observe *o);

#endif
