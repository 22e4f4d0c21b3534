/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds data path and ports, and takes them down. */
#ifndef QMAP_TRUNK_BUILD_H
#define QMAP_TRUNK_BUILD_H

#include <stdbool.h>

struct config_pdn;
struct error;
struct trunk;
struct trunk_port;

void trunk_port_init(const struct trunk *t, struct trunk_port *p, const struct config_pdn *pdn);
int trunk_add_port(struct trunk *t, const struct config_pdn *pdn, struct error *err);
void trunk_del_port(struct trunk *t, unsigned int pdn);
/* On failure, removes everything again. */
int trunk_build(struct trunk *t, struct error *err);
/*
 * Removes data path and ports, and restores the netdev; the pins stay. Continues after a failure;
 * @err gets the first one.
 */
int trunk_tear_down(struct trunk *t, struct error *err);
/* Opens or closes the gate for traffic. */
void trunk_set_flow(struct trunk *t, struct trunk_port *p, bool on);
void trunk_port_family_down(struct trunk *t, struct trunk_port *p, int family);
void trunk_ports_down(struct trunk *t);
/*
 * Takes down families whose calls ended while no daemon was running, for which no event will
 * come.
 */
void trunk_stale_families_down(struct trunk *t);
void trunk_listen_commands(struct trunk *t);
void trunk_ignore_commands(struct trunk *t);
void trunk_set_static_format(struct trunk *t);
int trunk_start_static(struct trunk *t, struct error *err);

#endif
