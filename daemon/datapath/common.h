/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the data paths that carry QMAP: their common state, and its setup and end. */
#ifndef QMAP_DATAPATH_COMMON_H
#define QMAP_DATAPATH_COMMON_H

#include "datapath.h"
#include "pins.h"
#include "qmap/abi.h"

struct bpf_object;
struct commands;
struct rtnl;
struct rtnl_link;

#define DATAPATH_PINS 10 /* upper bound */

/* Namespace and name of a port, by mux id; an empty name: no port. */
struct datapath_place {
	char name[IFNAMSIZ];
	char netns[64];
};

/* What datapath/hold.c does with the uplink of a port. */
struct datapath_hold {
	enum {
		HOLD_NONE,
		HOLD_ON,
		HOLD_EMPTYING
	} state;
	uint64_t dropped; /* by holds that have ended */
};

struct datapath {
	struct pins *pins;
	struct rtnl *nl;
	unsigned int trunk;
	char base[IFNAMSIZ];	      /* prefix of the names of netdevs */
	const struct pins_entry *pin; /* table of its pins */
	unsigned int npins;
	int fd[DATAPATH_PINS];	   /* one per pin; -1: not open */
	struct commands *commands; /* NULL until datapath_event_fd() */
	struct datapath_place places[QMAP_MAX_MUX];
	bool usb; /* for shim.c: the front end is the USB driver */
	/* for rmnet and qmimux */
	struct datapath_hold hold[QMAP_MAX_MUX];
	bool observed_anew; /* adopted without an observer, which has been added */
	bool cannot_hold, warned_hold;
	int wait_ms;		   /* as datapath_ops.wait_ms */
	struct data_format format; /* all 0: that of an adopted data path is not saved */
	/* for rmnet */
	bool warned; /* the log says already that uplink is not aggregated */
};

int datapath_new(struct datapath **out, struct pins *pins, const char *trunk,
		 const struct pins_entry *pin, unsigned int npins, struct error *err);
/* The same for an adopted data path: opens all pins. */
int datapath_open(struct datapath **out, struct pins *pins, const struct pins_entry *pin,
		  unsigned int npins, struct error *err);
/* Pins @fd as number @pin of its table, and keeps a duplicate descriptor. */
int datapath_keep(struct datapath *dp, unsigned int pin, int fd, struct error *err);
/* Keeps the maps of @obj that have the names of pins. */
int datapath_keep_maps(struct datapath *dp, const struct bpf_object *obj, struct error *err);
/* Makes @obj, which is not loaded yet, use the maps that outlive programs, if @dp has them. */
int datapath_reuse_maps(const struct datapath *dp, const struct bpf_object *obj);

/* Implementations of datapath_ops. */
int datapath_adopt_port(struct datapath *dp, const struct datapath_port *port, struct error *err);
int datapath_events(struct datapath *dp, struct error *err);
void datapath_close(struct datapath **dp);

/*
 * Reads the @n entries of array map @fd, @size bytes each, into @values, in one system call if the
 * kernel has batches (Linux 5.6; for maps per CPU 5.13, where @size is that of all CPUs).
 */
int datapath_read_array(int fd, void *values, size_t size, unsigned int n, struct error *err);

/* Sums @n entries of a per-CPU array, whose values are @words 64-bit counters, into @sums. */
int datapath_sum_percpu(int fd, unsigned int n, size_t words, __u64 *sums, struct error *err);
/* Sets the counters of PDN @mux, a value of struct qmap_port_stats for each CPU, to zero. */
int datapath_zero_stats(int fd, __u32 mux, struct error *err);
/* Tells whether the modem has stopped the uplink of a PDN. */
bool datapath_flow_is_off(const struct qmap_port *port);

/* Counts @n frames of port @p (NULL: unknown), so far good ones of the trunk, as dropped for @why. */
void datapath_count_lost(struct datapath_stats *out, struct datapath_port_stats *p,
			 enum qmap_drop why, uint64_t n);
/*
 * Aggregates that the kernel has dropped on the way from the trunk's driver to the data path: the
 * backlog of the driver's CPU was full (netif_rx()). The trunk's netdev counts them, and has counted
 * others before. The first function subtracts these from the trunk's counters, map @fd; the second
 * adds what @link (NULL: it is gone) has counted.
 */
int datapath_start_lost(const struct datapath *dp, int fd, struct error *err);
void datapath_add_lost(struct datapath_stats *out, const struct rtnl_link *link);
/*
 * Counts @n packets, which the netdev of port @p has received, as dropped: the kernel drops a packet
 * in front of its stack if a queue of the CPU that is to take it is full, the backlog with RPS
 * (net/core/dev.c, enqueue_to_backlog()) or that of GRO cells. One coalesced from several counts
 * once.
 */
void datapath_count_backlog(struct datapath_stats *out, struct datapath_port_stats *p, uint64_t n);

/*
 * Calls @fn with the netdev of each port in dp->places (NULL: it is gone): one dump of links for
 * each namespace. The first failure ends it.
 */
typedef int (*datapath_link_fn)(void *arg, unsigned int mux, const struct rtnl_link *link,
				struct error *err);
int datapath_each_link(struct datapath *dp, datapath_link_fn fn, void *arg, struct error *err);

/* As datapath_ops.rx_packets, by the counters of the ports' netdevs. */
int datapath_rx_packets(struct datapath *dp, uint64_t rx[QMAP_MAX_MUX], struct error *err);

/*
 * Opens the ring buffer pinned as @pin for QMAP commands. @acknowledge: see commands_open().
 * Returns a descriptor, or -1.
 */
int datapath_event_fd(struct datapath *dp, unsigned int pin, bool acknowledge);

#endif
