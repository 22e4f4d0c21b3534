/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prototype of a data path in user space: a process takes aggregates from the ring of a packet socket,
 * coalesces with the chain rules of the shim (kmod-shim/chain.c) and writes super-packets to the ports,
 * which are TUNs; it takes super-packets from them, segments and aggregates.
 */
#ifndef VM_USER_H
#define VM_USER_H

struct vm_user;

/* Creates port1 to port@ports for mux ids 1 to @ports. Exits on failure. */
struct vm_user *vm_user_up(const char *trunk, unsigned int ports, int version);
void vm_user_down(struct vm_user **u);
/* Packets that were written to the ports. */
unsigned long long vm_user_received(const struct vm_user *u);
/* Frames, packets and aggregates that did not get on, both directions together. */
unsigned long long vm_user_drops(const struct vm_user *u);

#endif
