/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by data paths with BPF programs: attaching, pinning, libbpf's messages. */
#ifndef QMAP_XDP_LINK_H
#define QMAP_XDP_LINK_H

#include "util/error.h"
#include "datapath.h"
#include "pins.h"

/* Passes libbpf's messages to our log, one level lower. */
void bpf_log_to_ours(void);

/* The constants of the programs for a trunk of this ifindex and format. */
struct qmap_config bpf_config(unsigned int trunk, const struct data_format *format);

/*
 * Attaches XDP program @prog_fd to @ifindex with @flags (XDP_FLAGS_*). Returns the link's
 * descriptor, or -EBUSY if another program is there.
 */
int xdp_link_attach(int prog_fd, unsigned int ifindex, unsigned int flags, struct error *err);

/* Pins @fd as @name and keeps a duplicate descriptor in *@out. */
int bpf_keep(const struct pins *pins, const char *name, int fd, int *out, struct error *err);

/* Keeps a duplicate of @fd in *@kept, and closes the previous one (-1: none). */
int bpf_replace_fd(int *kept, int fd, struct error *err);

/* A table of descriptors, one per pin: marks all as closed; opens all named by @pin; closes all. */
void bpf_fds_init(int *fds, unsigned int n);
int bpf_fds_get(const struct pins *pins, const struct pins_entry *pin, int *fds, unsigned int n,
		struct error *err);
void bpf_fds_close(int *fds, unsigned int n);

/*
 * Sets "the kernel refused the BPF programs" with a hint. @needs: a kernel version. Returns
 * @ret.
 */
int bpf_load_error(int ret, const char *needs, struct error *err);

#endif
