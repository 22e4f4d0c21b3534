/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration of one trunk, with the same words on the command line, in a configuration file
 * and on the control socket.
 */
#ifndef QMAP_CONFIG_H
#define QMAP_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

struct json_object;

#define CONFIG_MAX_PDNS 64
#define CONFIG_PIN_SIZE 9 /* 8 digits (ETSI TS 102 221) */

enum config_ip {
	CONFIG_IPV4 = 1,
	CONFIG_IPV6 = 2,
	CONFIG_IPV4V6 = 3
}; /* bit 0: v4, bit 1: v6 */

/* The bits of TLV 0x16 of WDS Start Network; "auto" sends none. */
enum config_auth {
	CONFIG_AUTH_NONE = 0,
	CONFIG_AUTH_PAP = 1,
	CONFIG_AUTH_CHAP = 2,
	CONFIG_AUTH_BOTH = 3,
	CONFIG_AUTH_AUTO = 255
};

enum config_qmap {
	CONFIG_QMAP_AUTO = -1,
	CONFIG_QMAP_OFF = 0,
	CONFIG_QMAP_V1 = 1,
	CONFIG_QMAP_V4 = 4,
	CONFIG_QMAP_V5 = 5
};

enum config_datapath {
	CONFIG_DATAPATH_AUTO,
	CONFIG_DATAPATH_SHIM,
	CONFIG_DATAPATH_XDP,
	CONFIG_DATAPATH_RMNET,
	CONFIG_DATAPATH_QMIMUX,
	CONFIG_DATAPATH_USB
};

/* Which program sets the port's addresses, MTU and routes. */
enum config_addresses {
	CONFIG_ADDRESSES_QMAPD,
	CONFIG_ADDRESSES_NONE /* another program: netifd, NetworkManager, systemd-networkd */
};

/* One `--pdn N,key=value,...` or one [pdn N] section. */
struct config_pdn {
	unsigned int number; /* 1..254: N of port wwan0.N */
	/* mux id; 0x80 + N unless mux= says otherwise (N + 0x80 must be <= 254) */
	unsigned int mux;
	enum config_ip ip;    /* ip=v4|v6|v4v6, default v4v6 */
	char apn[101];	      /* empty: the modem's own profile decides */
	unsigned int profile; /* 3GPP profile to dial; 0: the modem's own choice */
	char user[128];
	char password[128];
	enum config_auth auth; /* auth=none|pap|chap|both; auto: none without user, else both */
	char netns[64];	       /* name as in `ip netns`; empty: the daemon's namespace */
	unsigned int metric;   /* of the default route; default 700 + N */
	/* added to it while the PDN's link is dead; 0: nothing is */
	unsigned int failover;
	bool default_route; /* default-route=yes|no, default yes */
	char vrf[IFNAMSIZ]; /* VRF that the port is put into; empty: none */
	unsigned int table; /* routing table of the default route; 0: main */
	bool slaac; /* slaac=yes|no: addresses from router advertisements, too; default no */
	char lan[IFNAMSIZ]; /* netdev to which the PDN's IPv6 prefix is given, by hooks; empty: none */
	/* netdev of the one host that gets the PDN's IPv4 address, by hooks; empty: none */
	char passthrough[IFNAMSIZ];
	/* NAT64 prefix of IPv4 on IPv6-only networks, as text; clat=auto|off|PREFIX, default auto */
	char clat[48];
	unsigned int quota;		 /* megabytes a month, both directions; 0: none */
	enum config_addresses addresses; /* addresses=qmapd|none, default qmapd */
};

/* May a radio that is off be switched on? */
enum config_radio {
	CONFIG_RADIO_ON,
	CONFIG_RADIO_KEEP
};

/* May calls be dialled and kept while the modem roams? */
enum config_roaming {
	CONFIG_ROAMING_ON,
	CONFIG_ROAMING_OFF
};

struct config_trunk {
	char dev[IFNAMSIZ];
	/*
	 * Character device or unix socket; "qmi-proxy[:DEVICE]"; "none"; empty: find it
	 * from dev.
	 */
	char control[108];
	enum config_qmap qmap;
	enum config_datapath datapath;
	/* largest aggregate to request; 0: as model and data path prefer */
	unsigned int dl_max_bytes;
	unsigned int dl_max_datagrams; /* frames per aggregate to request; 0: as above */
	/* may SYNC be sent if the channel is ours alone (sync=yes|no, default yes) */
	bool sync;
	/* seconds to wait for a QMI answer (Start Network has its own limit), default 10 */
	unsigned int timeout;
	/* ms before a call is redialled: first, and at most */
	unsigned int backoff_min, backoff_max;
	/* most seconds until a call refused for good is retried; 0: never */
	unsigned int retry_failed;
	unsigned int poll;     /* seconds between requests for the signal; 0: none */
	unsigned int watchdog; /* seconds without a packet until a call is redialled; 0: off */
	char recover[48];      /* rungs of the ladder, by name; "off" */
	char steer[64];	       /* CPUs of the ports' packets: auto, off, a list; default auto */
	enum config_radio radio;
	enum config_roaming roaming; /* default on */
	char pin[CONFIG_PIN_SIZE];   /* of the SIM; empty: do not enter one */
	char port[32];		     /* names of ports, %n for the PDN; empty: DEV.%n */
	char hook[256];		     /* programs, blanks between them */
	unsigned int hook_timeout;   /* seconds for each program, default 30 */
	/*
	 * The trunk comes from a file: a netdev, modem or network that is absent or refuses is
	 * waited for. Otherwise an attach that fails is undone.
	 */
	bool persist;
	bool keep_secrets; /* empty secrets stand for those of the running trunk */
	unsigned int npdns;
	struct config_pdn pdns[CONFIG_MAX_PDNS];
};

/* Settings of qmapd itself. Empty or 0: not set. */
struct config_daemon {
	char qmi_proxy[64]; /* yes, no, or the name of the socket */
	char qmi_proxy_group[64];
	unsigned int totals_minutes;
};

#define CONFIG_TOTALS_MINUTES 10 /* the default */

/* Sets defaults: no PDNs, @dev empty. */
void config_trunk_init(struct config_trunk *c);

/*
 * Sets one word ("control", "qmap", "dl-max-bytes", ...) of the trunk from text. -EINVAL with a
 * sentence that names the word, the value and the values allowed.
 */
int config_trunk_set(struct config_trunk *c, const char *key, const char *value, struct error *err);

/* Adds a PDN from "N,key=value,..."; a comma inside a value is written "\,". -EINVAL, -EEXIST,
 * -E2BIG. */
int config_pdn_add(struct config_trunk *c, const char *text, struct error *err);

/* Name of PDN @number's netdev by @template, in which %n is the number. -EINVAL: too long. */
int config_port_name(const char *template, unsigned int number, char name[IFNAMSIZ]);

/* Returns NULL if there is no PDN with this number. */
const struct config_pdn *config_find_pdn(const struct config_trunk *c, unsigned int number);

/*
 * Checks the whole configuration: two PDNs with one mux id, qmap=off with two PDNs, control=none
 * with apn=, a device name missing or too long. Adds PDN 1 if there is none.
 */
int config_trunk_finish(struct config_trunk *c, struct error *err);

/*
 * JSON form, lossless both ways, for the control socket and the pins' state. With @secrets false,
 * to_json leaves passwords out ("password": true if one is set).
 */
struct json_object *config_trunk_to_json(const struct config_trunk *c, bool secrets);
int config_trunk_from_json(struct config_trunk *c, struct json_object *o, struct error *err);

/*
 * Reads one file: [trunk wwan0] and, for its PDNs, [trunk wwan0 pdn N] sections, keys as above.
 * Calls @fn for every trunk, finished. Errors name file and line. @path "-" is standard input.
 */
int config_file_read(const char *path, int (*fn)(const struct config_trunk *c, void *arg),
		     void *arg, struct error *err);

/*
 * The same, and passes [model VID:PID] sections to @model, [qmapd] to @daemon (NULL: only
 * checked).
 */
struct config_model;
struct config_file_ops {
	int (*trunk)(const struct config_trunk *c, void *arg);
	int (*model)(const struct config_model *m, void *arg);
	int (*daemon)(const struct config_daemon *d, void *arg);
};
int config_file_read_all(const char *path, const struct config_file_ops *ops, void *arg,
			 struct error *err);

/*
 * Writes @c as sections for config_file_read(), secrets included, defaults left out. -EINVAL: the
 * name of the device cannot be written in a section's brackets.
 */
int config_file_write(FILE *f, const struct config_trunk *c, struct error *err);

/* Clears every secret and sets keep_secrets if there was one. */
void config_trunk_drop_secrets(struct config_trunk *c);

/* The reverse: copies the secrets that @c keeps from @from, PDN by PDN, and clears keep_secrets. */
void config_trunk_take_secrets(struct config_trunk *c, const struct config_trunk *from);

#endif
