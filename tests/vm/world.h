/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The environment of a test: a TUN for the modem ("modem0"), a trunk device on it ("trunk0"), and
 * ports ("port1", ...) whose numbers from 1 on are also their mux ids.
 */
#ifndef VM_WORLD_H
#define VM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/libbpf.h>

#include "nl.h"
#include "packets.h"

struct shim;
struct usb_modem;

/* Source of the aggregates. */
enum world_modem {
	WORLD_TUN,	/* modem0 */
	WORLD_USB,	/* wwan0 of the stock qmi_wwan, passed through */
	WORLD_USB_MUX,	/* the same, split by qmi_wwan itself; its ports have the shim's names */
	WORLD_USB_OWN,	/* wwan0 of the shim's own USB driver: it is the trunk */
	WORLD_USB_BARE, /* no netdev: the driver of tests/vm/bare, which only moves transfers */
};

#define WORLD_PORTS 255

struct world {
	int modem; /* TUN with packet information; -1 on USB */
	struct usb_modem *usb;
	bool own;   /* wwan0 is the trunk */
	int second; /* TUN without; -1: none */
	unsigned int modem_ifindex, trunk_ifindex, second_ifindex;
	unsigned int n_ports;
	struct qmap_shim *skel;
	struct bpf_object *extra;
	struct bpf_link *rx;
	struct bpf_link *tx[WORLD_PORTS + 1];
};

struct world_options {
	int version;
	unsigned int ports;
	struct nl_trunk trunk;
	unsigned int avoid;
	bool no_program;
	enum world_modem modem;
	bool high_speed; /* of USB; otherwise SuperSpeed */
	bool modem_only; /* the modem's netdev and nothing else */
	bool napi;	 /* a TUN hands aggregates over in polls of a thread, as many as wait */
	unsigned int rx_bytes; /* of the largest aggregate, on USB with qmi_wwan; 0: 31744 */
};

/* 0 or -1, with a message on stderr. */
int world_new(struct world *w, const struct world_options *o);
void world_free(struct world *w);
/* Adds a port; its mux id is @number. If not @connected, the receive program drops its packets. */
int world_port(struct world *w, uint8_t number, bool connected);

/*
 * Creates a TUN, up, with the largest MTU; @flags: IFF_NO_PI or 0. Returns the file descriptor or
 * -1.
 */
int world_tun(const char *name, short flags, unsigned int *ifindex);
/* Creates a TUN without any offload, up, to which the shim's packets are forwarded. */
int world_second(struct world *w);
/* Loads vm.bpf.o with redirect_to set. */
int world_extra(struct world *w, unsigned int redirect_to);
int world_prog(const struct world *w, const char *name);
/* The shim's transmit program, for a port outside the world. */
struct bpf_program *world_tx_prog(const struct world *w);
/* Attaches program @name of vm.bpf.o at tc ingress of @dev. */
int world_tc_ingress(const struct world *w, const char *dev, const char *name);
int world_tc_egress(const struct world *w, const char *dev, const char *name);

/* trunk0, or wwan0 of the shim's own USB driver. */
const char *world_trunk(const struct world *w);
/* modem0 or wwan0. */
const char *world_modem(const struct world *w);
/* On USB: between these two, packets run and no process configures the host. */
void world_run(const struct world *w);
void world_configure(const struct world *w);

int world_send(const struct world *w, const void *aggregate, size_t len);
/* Reads one aggregate sent by the shim. Returns its length, 0 after @ms without one. */
size_t world_recv(const struct world *w, void *buf, size_t size, int ms);
/* Opens a packet socket for packets that arrive at @dev. */
int world_tap(const char *dev);
/* Is there something to read within @ms? */
bool world_readable(int fd, int ms);
/* Bytes read, 0 after @ms without any. */
size_t world_read(int fd, void *buf, size_t size, int ms);
/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t world_ms(void);
/* A counter of `ethtool -S @dev`; UINT64_MAX if there is none of this name. */
uint64_t world_counter(const char *dev, const char *name);
/*
 * Waits until the counter is @value at least: if another thread runs the NAPI, a write to the modem
 * returns before the shim has handled the aggregate. Returns the counter.
 */
uint64_t world_counter_reaches(const char *dev, const char *name, uint64_t value);
/* Packets that a program of vm.bpf.o has counted in `seen`; waits until they are @all. */
uint64_t world_seen(const struct world *w, uint64_t all);
int world_feature(const char *dev, uint32_t command, bool on);
/* By the name in ethtool(8). */
int world_named_feature(const char *dev, const char *feature, bool on);

#endif
