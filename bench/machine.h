/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine of a measurement. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

struct json_object;

/*
 * Must be called in the machine's own network namespace: others do not see all of /proc/sys/net.
 *
 * Adds kernel, cpu, cpus, governor, jit, capabilities and versions (qmap, libbpf, the clang of the
 * BPF programs). Capabilities matter: without CAP_PERFMON the verifier adds Spectre masking to
 * programs (include/linux/bpf.h, bpf_bypass_spec_v1).
 */
void machine_describe(struct json_object *o);

#endif
