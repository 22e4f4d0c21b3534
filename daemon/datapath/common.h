/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the data paths that carry QMAP share: what one of them knows, and how it begins and ends. */
#ifndef QMAP_DATAPATH_COMMON_H
#define QMAP_DATAPATH_COMMON_H

#include "datapath.h"
#include "pins.h"
#include "qmap/abi.h"

struct commands;
struct rtnl;
struct rtnl_link;

#define DATAPATH_PINS 10 /* at most */

/* Where a port is, by mux id; without a name there is none. */
struct datapath_place {
	char name[IFNAMSIZ];
	char netns[64];
};

struct datapath {
	struct pins *pins;
	struct rtnl *nl;
	unsigned int trunk;
	char base[IFNAMSIZ];	      /* what the names of netdevs begin with */
	const struct pins_entry *pin; /* table of its pins */
	unsigned int npins;
	int fd[DATAPATH_PINS];	   /* of each; -1: none */
	struct commands *commands; /* NULL until somebody listens */
	struct datapath_place places[QMAP_MAX_MUX];
	/* of rmnet */
	struct data_format format; /* all 0 when adopted: then the links' flags tell */
	bool told;		   /* that uplink is not aggregated */
};

int datapath_new(struct datapath **out, struct pins *pins, const char *trunk,
		 const struct pins_entry *pin, unsigned int npins, struct error *err);
/* The same with all that is pinned. */
int datapath_open(struct datapath **out, struct pins *pins, const struct pins_entry *pin,
		  unsigned int npins, struct error *err);
/* Pins @fd as number @pin of its table, and keeps a descriptor of our own. */
int datapath_keep(struct datapath *dp, unsigned int pin, int fd, struct error *err);

/* Members of datapath_ops. */
int datapath_adopt_port(struct datapath *dp, const struct datapath_port *port, struct error *err);
int datapath_events(struct datapath *dp, struct error *err);
void datapath_close(struct datapath **dp);

/*
 * Reads the @n entries of array map @fd, @size bytes each, into @values, in one system call where
 * the kernel has batches (Linux 5.6; of maps per CPU 5.13, where @size is that of all CPUs).
 */
int datapath_read_array(int fd, void *values, size_t size, unsigned int n, struct error *err);

/* Sums @n entries of a per-CPU array, whose values are @words 64-bit counters, into @sums. */
int datapath_sum_percpu(int fd, unsigned int n, size_t words, __u64 *sums, struct error *err);
/* Sets the counters of PDN @mux, a value of struct qmap_port_stats for each CPU, to zero. */
int datapath_zero_stats(int fd, __u32 mux, struct error *err);
/* Tells whether the modem has stopped the uplink of a PDN. */
bool datapath_flow_is_off(const struct qmap_port *port);

/*
 * Calls @fn with the netdev of each port in dp->places (NULL: it is gone): one dump of links for each
 * namespace. The first failure ends it.
 */
typedef int (*datapath_link_fn)(void *arg, unsigned int mux, const struct rtnl_link *link,
				struct error *err);
int datapath_each_link(struct datapath *dp, datapath_link_fn fn, void *arg, struct error *err);

/* As datapath_ops.rx_packets, by the counters of the ports' netdevs. */
int datapath_rx_packets(struct datapath *dp, uint64_t rx[QMAP_MAX_MUX], struct error *err);

/* QMAP commands come through the map that is pinned as @pin. @acknowledge: see commands_open().
 * Fd, or -1. */
int datapath_event_fd(struct datapath *dp, unsigned int pin, bool acknowledge);

#endif
