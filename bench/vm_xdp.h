/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data path `xdp` in a guest: loaded and wired by the daemon's own code. */
#ifndef VM_XDP_H
#define VM_XDP_H

#include <net/if.h>
#include <stdint.h>

#include "qmap/abi.h"

struct vm_xdp;

/* Sets it up on @trunk, with @ports connected PDNs whose mux ids start at 1; exits on failure. */
struct vm_xdp *vm_xdp_up(const char *trunk, unsigned int ports, int version);
void vm_xdp_down(struct vm_xdp **x);
void vm_xdp_port(const struct vm_xdp *x, unsigned int number, char name[IFNAMSIZ]);
/* The netdev below port @number, which counts packets before GRO. */
void vm_xdp_lower(const struct vm_xdp *x, unsigned int number, char name[IFNAMSIZ]);
void vm_xdp_drops(struct vm_xdp *x, uint64_t drops[QMAP_DROP_MAX]);

#endif
