/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A data path turns aggregates on the trunk into packets on ports, and back. One file per way of
 * doing it; this is all the rest of the daemon knows of them.
 */
#ifndef QMAP_DATAPATH_H
#define QMAP_DATAPATH_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/format.h"
#include "qmap/abi.h"
#include "util/error.h"

struct datapath;
struct pins;

/* What Set Data Format should ask for, so that this data path carries it well. 0: anything. */
struct datapath_limits {
	unsigned int dl_max_bytes;
	unsigned int dl_max_datagrams;
	int version; /* enum qmap_version: it knows no other */
};

struct datapath_port {
	unsigned int number; /* PDN */
	unsigned int mux;
	char netns[64];	      /* where the port goes; empty: it stays */
	char name[IFNAMSIZ];  /* of the netdev, as it is to be; raw: out */
	unsigned int ifindex; /* out */
};

struct datapath_stats {
	/*
	 * Every frame was counted by a program: drops, commands and flow control are known. Else
	 * these are the counters of netdevs, and of struct qmap_trunk_stats there are aggregates,
	 * bytes and frames; of struct qmap_port_stats all but rx_dropped and commands.
	 */
	bool by_frame;
	struct qmap_trunk_stats trunk;
	unsigned int nports;
	struct datapath_port_stats {
		unsigned int mux;    /* 0: the trunk itself, whatever the mux id of its PDN */
		char name[IFNAMSIZ]; /* of the port; the data path leaves it empty */
		bool up;
		bool flow_off; /* the modem wants no packets */
		struct qmap_port_stats count;
	} ports[QMAP_MAX_MUX]; /* by mux id, without holes */
};

/*
 * All functions return 0 or a negative errno with @err filled in; a failure leaves nothing behind.
 */
struct datapath_ops {
	const char *name;
	struct datapath_limits limits;
	/* A port that is gone is made again after so long (ms): the trunk may be about to follow.
	 */
	unsigned int gone_ms;

	/* Can this machine do it on this trunk? @why gets the reason, also of a yes. */
	int (*probe)(const char *trunk, struct error *why);
	/* Builds and pins everything but the ports. @pins belong to the caller and outlive @out. */
	int (*attach)(struct datapath **out, struct pins *pins, const char *trunk,
		      const struct data_format *format, struct error *err);
	/* Finds what an earlier process has pinned. */
	int (*adopt)(struct datapath **out, struct pins *pins, struct error *err);
	/* The port's netdev exists afterwards, down, and carries no traffic until flow() says so.
	 */
	int (*add_port)(struct datapath *dp, struct datapath_port *port, struct error *err);
	/*
	 * Puts the programs of this process in the place of those that an adopted data path runs,
	 * where their code differs; no packet is lost. @changed tells whether any did. NULL where
	 * there are no programs.
	 */
	int (*renew)(struct datapath *dp, bool *changed, struct error *err);
	/*
	 * Looks whether all programs are where they were put, and puts back those that somebody has
	 * taken away. @where gets the netdevs concerned, apart by ", "; empty: nothing was missing.
	 * NULL where there are no programs.
	 */
	int (*mend)(struct datapath *dp, char *where, size_t size, struct error *err);
	/* Tells of a port that an earlier process has added; name and namespace are known. */
	int (*adopt_port)(struct datapath *dp, const struct datapath_port *port, struct error *err);
	int (*del_port)(struct datapath *dp, unsigned int mux, struct error *err);
	/* Lets traffic of a PDN pass (call connected) or not. */
	int (*flow)(struct datapath *dp, unsigned int mux, bool on, struct error *err);
	/*
	 * Tells whether the netdev of a PDN that flow() lets pass is up, so that what it cannot
	 * receive counts as dropped. NULL where the kernel's driver sees to it.
	 */
	int (*running)(struct datapath *dp, unsigned int mux, bool up, struct error *err);
	int (*stats)(struct datapath *dp, struct datapath_stats *out, struct error *err);
	/*
	 * Packets received for each mux id, nothing else, as cheaply as the kernel tells them: for
	 * who only wants to know whether there were more. Not always the same as in stats(), which
	 * leaves out those that were lost behind the counter. @rx is all 0 at first.
	 */
	int (*rx_packets)(struct datapath *dp, uint64_t rx[QMAP_MAX_MUX], struct error *err);
	/* Fd that polls readable when QMAP commands wait, or -1; events() hands them over. NULL
	 * where nobody tells of them. */
	int (*event_fd)(struct datapath *dp);
	int (*events)(struct datapath *dp, struct error *err);
	/*
	 * Removes links and netdevs, as far as they still exist; the pins are the caller's. Goes on
	 * after a failure and returns the first.
	 */
	int (*detach)(struct datapath *dp, struct error *err);
	/* Forgets the object, leaves the kernel as it is. */
	void (*close)(struct datapath **dp);
};

/* Aggregates split by XDP in the kernel shim (include/qmap/shim.h). */
extern const struct datapath_ops datapath_shim;
/* The same on a stock kernel. */
extern const struct datapath_ops datapath_xdp;
/* The kernel's own driver, configured. */
extern const struct datapath_ops datapath_rmnet;
/* The multiplexer that qmi_wwan has inside, configured. */
extern const struct datapath_ops datapath_qmimux;
/* Removes netdevs of a trunk that a process left when it died in the middle of attach(). */
void datapath_xdp_sweep(const char *trunk, unsigned int ifindex);
/* Not QMAP at all: the trunk itself is the one port (`--qmap off`). */
extern const struct datapath_ops datapath_raw;

/* Those that carry QMAP, the best first; the last is NULL. */
extern const struct datapath_ops *const datapath_choice[];

/*
 * The first of them that works on @trunk; @why tells what the better ones lack, also after a
 * success (then its err is not 0 unless *best is the first). -EOPNOTSUPP if none does.
 */
int datapath_best(const char *trunk, const struct datapath_ops **best, struct error *why);

/* By name, as in pins and configuration; NULL if there is none. */
const struct datapath_ops *datapath_by_name(const char *name);

/*
 * Bytes of the largest packet that fits into an uplink aggregate of @ul_max_bytes (0: no limit
 * told) with its headers and pad. A limit below what any link of IPv6 must carry is none.
 */
unsigned int datapath_max_packet(unsigned int ul_max_bytes);

/*
 * What the names of a data path's netdevs begin with: the trunk's name where ".254" and one more
 * letter fit behind it (IFNAMSIZ), else "qmap" and a number made of that name, which is the same
 * whenever the modem comes back.
 */
void datapath_port_base(const char *trunk, char base[IFNAMSIZ]);

#endif
