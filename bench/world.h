/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with and without a modem: a trunk with the xdp data path and one port, and a plain TUN
 * beside it, in a network namespace of their own.
 */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/datapath/datapath.h"
#include "daemon/datapath/pins.h"
#include "daemon/util/error.h"

struct linear;
struct rtnl;

#define WORLD_MUX	 0x81
#define WORLD_PORT_ADDR	 0xc0000202u /* 192.0.2.2, on the port */
#define WORLD_PLAIN_ADDR 0xc6336402u /* 198.51.100.2, on the plain TUN */
#define WORLD_UDP_PORT	 5000

struct world {
	struct rtnl *nl;
	int trunk;    /* TUN with packet information; XDP sees packets written to it */
	int injector; /* TUN whose egress leads into the trunk */
	int packet;   /* AF_PACKET socket of the injector: linear buffers */
	int injector_ifindex;
	int plain; /* TUN without packet information */
	struct linear *linear;
	struct pins pins;
	struct datapath *dp;
	struct datapath_port port;
	unsigned int trunk_ifindex, plain_ifindex;
	int drop_all; /* tc program */
};

/* Moves the process to namespaces of its own and to one CPU. 0 or a negative errno and @err. */
int world_new(struct world *w, int version, struct error *err);
void world_free(struct world *w);

/* Send one aggregate into the trunk. */
int world_send_paged(const struct world *w, const void *aggregate, size_t size);
int world_send_linear(const struct world *w, const void *aggregate, size_t size);

/*
 * Makes an IPv4 packet of @len bytes for world_socket(), from the address below @to. Returns
 * @len.
 */
size_t world_packet(uint8_t *p, unsigned int len, uint32_t to);

/*
 * Opens a non-blocking UDP socket at WORLD_UDP_PORT of @addr. Returns a descriptor or a negative
 * errno.
 */
int world_socket(uint32_t addr);
#define WORLD_SOCKET_BUFFER (64 << 20) /* requested; the kernel doubles it */

/* Makes tc drop every packet that a device receives, or stops that. 0 or a negative errno. */
int world_drop_all(const struct world *w, unsigned int ifindex, bool on);

/* Number of packets that a device has received so far. */
uint64_t world_received(const struct world *w, unsigned int ifindex);

#endif
