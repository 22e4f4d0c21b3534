/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A data path turns aggregates on the trunk into packets on ports, and back. Each has a file of its
 * own; the rest of the daemon only knows this interface.
 */
#ifndef QMAP_DATAPATH_H
#define QMAP_DATAPATH_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "keep/keep.h"
#include "model/data_format.h"
#include "qmap/abi.h"
#include "util/error.h"

struct datapath;
struct pins;

/* Limits for Set Data Format with this data path. 0: none. */
struct datapath_limits {
	unsigned int dl_max_bytes;
	unsigned int dl_max_datagrams;
};

struct datapath_port {
	unsigned int number; /* PDN */
	unsigned int mux;
	char netns[64];	      /* namespace of the port; empty: ours */
	char name[IFNAMSIZ];  /* of the netdev, chosen by the caller; raw: out */
	unsigned int ifindex; /* out */
};

struct datapath_stats {
	/*
	 * A program counted every frame: drops, commands and flow control are known. Otherwise the
	 * counters are those of netdevs: of struct qmap_trunk_stats only aggregates, bytes and
	 * frames are set; of struct qmap_port_stats all but rx_dropped and commands.
	 */
	bool by_frame;
	struct qmap_trunk_stats trunk;
	/* Frames dropped by mux id, of ids that no port has. */
	uint64_t unknown[QMAP_MAX_MUX];
	unsigned int nports;
	struct datapath_port_stats {
		unsigned int mux;    /* 0: the trunk itself is the port (raw) */
		char name[IFNAMSIZ]; /* of the port; the data path leaves it empty */
		bool up;
		bool flow_off; /* the modem has stopped the uplink */
		struct qmap_port_stats count;
	} ports[QMAP_MAX_MUX]; /* by mux id, without holes */
};

/* All functions return 0 or a negative errno with @err filled in; a failure undoes everything. */
struct datapath_ops {
	const char *name;
	struct datapath_limits limits;
	/* Wait in ms before a port that is gone is added again: the trunk may disappear next. */
	unsigned int gone_ms;

	/*
	 * The netdev on whose receive path the packets of a port come, in the namespace of the trunk:
	 * the letter behind datapath_port_base(), a dot and the number. 0: the port itself.
	 */
	char receiver;

	/*
	 * The netdevs that it cannot work without, besides trunk and ports: the letters behind
	 * datapath_port_base() and a dot. Ends with NULL; NULL: there are none.
	 */
	const char *const *inner;

	/* Its programs and filters, with the struct datapath as argument. NULL: there are none. */
	const struct keep_row *rows;

	/*
	 * Is it made for netdevs like @trunk? Otherwise it is no choice, and needs no reason for that.
	 * NULL: for any.
	 */
	bool (*fits)(const char *trunk);
	/* Can it be used on this machine and @trunk (NULL: any)? @why gets the reason in either case. */
	int (*probe)(const char *trunk, struct error *why);
	/* Can it carry QMAP @version on this kernel? 0 or -EOPNOTSUPP. NULL: every version. */
	int (*carries)(int version, struct error *why);
	/* Builds and pins everything but the ports. @pins belong to the caller and outlive @out. */
	int (*attach)(struct datapath **out, struct pins *pins, const char *trunk,
		      const struct data_format *format, struct error *err);
	/* Opens the pins of an earlier process. */
	int (*adopt)(struct datapath **out, struct pins *pins, struct error *err);
	/* Creates the port's netdev, down; it carries no traffic until flow() allows it. */
	int (*add_port)(struct datapath *dp, struct datapath_port *port, struct error *err);
	/*
	 * Replaces the running programs of an adopted data path by those of this process if their
	 * code differs, without losing a packet. @changed: was any replaced? NULL: there are no
	 * programs.
	 */
	int (*renew)(struct datapath *dp, bool *changed, struct error *err);
	/* Adds a port that an earlier process has created; name and namespace are known. */
	int (*adopt_port)(struct datapath *dp, const struct datapath_port *port, struct error *err);
	int (*del_port)(struct datapath *dp, unsigned int mux, struct error *err);
	/*
	 * Does the netdev of a port still exist, in any namespace? NULL: rmnet's driver keeps that to
	 * itself; a port out of sight counts as deleted, unless its move has been seen.
	 */
	bool (*has_port)(struct datapath *dp, unsigned int mux);
	/* Opens or closes the gate for a PDN's traffic (call connected or not). */
	int (*flow)(struct datapath *dp, unsigned int mux, bool on, struct error *err);
	/*
	 * Reports whether the netdev of an open PDN is up, so that frames that it cannot receive
	 * count as dropped. NULL: the kernel's driver does that.
	 */
	int (*running)(struct datapath *dp, unsigned int mux, bool up, struct error *err);
	int (*stats)(struct datapath *dp, struct datapath_stats *out, struct error *err);
	/*
	 * Packets received for each mux id, as cheaply as the kernel reports them, for a caller
	 * that only needs to know whether there were more. They may differ from stats(), which
	 * omits packets lost behind the counter. @rx is all 0 at first.
	 */
	int (*rx_packets)(struct datapath *dp, uint64_t rx[QMAP_MAX_MUX], struct error *err);
	/*
	 * Descriptor that is readable when QMAP commands are pending, or -1; events() handles them.
	 * NULL: the driver does not report them.
	 */
	int (*event_fd)(struct datapath *dp);
	int (*events)(struct datapath *dp, struct error *err);
	/* Milliseconds after which to call events() again without a command; -1: none. May be NULL. */
	int (*wait_ms)(const struct datapath *dp);
	/*
	 * Removes links and netdevs that still exist; the pins are the caller's. Continues after a
	 * failure and returns the first one.
	 */
	int (*detach)(struct datapath *dp, struct error *err);
	/* Frees the object and leaves the kernel unchanged. */
	void (*close)(struct datapath **dp);
};

/* Aggregates split by XDP in the kernel shim (include/qmap/shim.h). */
extern const struct datapath_ops datapath_shim;
/* The same on qmap_usb, the module's own USB driver, which must have the modem's interface. */
extern const struct datapath_ops datapath_usb;
/* XDP on a stock kernel. */
extern const struct datapath_ops datapath_xdp;
/* The kernel's own driver rmnet. */
extern const struct datapath_ops datapath_rmnet;
/* The multiplexer inside qmi_wwan. */
extern const struct datapath_ops datapath_qmimux;
/* Remove netdevs of a trunk that were left by a process that died in attach(). */
void datapath_xdp_sweep(const char *trunk, unsigned int ifindex);
void datapath_shim_sweep(const char *trunk);
/* No QMAP: the trunk itself is the one port (`--qmap off`). */
extern const struct datapath_ops datapath_raw;

/* Finds a data path by its name in pins and configuration; NULL if there is none. */
const struct datapath_ops *datapath_by_name(const char *name);

/*
 * Bytes of the largest packet that fits into an uplink aggregate of @ul_max_bytes (0: no limit
 * reported) with its headers and pad. A limit below IPv6's minimum MTU counts as none.
 */
unsigned int datapath_max_packet(unsigned int ul_max_bytes);

/*
 * Prefix of the names of a data path's netdevs: the trunk's name if ".254" and one more letter fit
 * behind it (IFNAMSIZ), else "qmap" and a hash of that name, which is the same each time the modem
 * comes back.
 */
void datapath_port_base(const char *trunk, char base[IFNAMSIZ]);

/* Name of the @i-th of ops->inner; false behind the last. */
bool datapath_inner_name(const struct datapath_ops *ops, const char *trunk, unsigned int i,
			 char name[IFNAMSIZ]);

#endif
