/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the modem as one structure. */
#ifndef MODEM_H
#define MODEM_H

#include "counters.h"
#include "loop.h"
#include "model.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_PDNS     64
#define MAX_SERVICES 5
#define MAX_CLIENTS  254
#define MAX_APN	     100
#define MAX_TRANSFER 65536 /* bytes of the largest packet that a TUN passes, rounded up */

enum family {
	FAMILY_V4,
	FAMILY_V6,
	FAMILIES
};

/* Numbers of NAS. */
enum registration {
	NOT_REGISTERED = 0,
	REGISTERED = 1,
	SEARCHING = 2,
	DENIED = 3
};

enum radio {
	RADIO_GSM = 4,
	RADIO_UMTS = 5,
	RADIO_LTE = 8,
	RADIO_5GNR = 12
};

/* Why a call ended or was refused: Call End Reason and its verbose form (WDS TLVs 0x10, 0x11). */
struct call_end {
	uint16_t reason;
	uint16_t type;
	uint16_t verbose;
};

/* A PDN context: a data call per IP family, and a TUN towards the network side. */
/* False values for a PDN's settings. Zero: the true value. */
struct pdn_lies {
	bool mtu_told, mask_told, host6_told, prefix6_told;
	uint32_t mtu;
	struct in_addr host4, mask4;
	struct in6_addr host6;
	uint8_t prefix6;
};

struct pdn {
	struct pdn_lies lies;
	struct modem *modem;
	unsigned int number; /* 1... */
	struct event tun;
	bool drained;		      /* the TUN had no more packets in this round */
	uint8_t mux;		      /* valid while users[] are not both 0 */
	unsigned int users[FAMILIES]; /* number of clients in the call of this family */
	char apn[MAX_APN + 1];	      /* of the 3GPP profile of this number */
	uint32_t mtu;
	bool flow_off; /* the modem has asked the host to stop this PDN's uplink */
	struct in_addr host4, gateway4, dns4[2];
	struct in6_addr host6, gateway6, dns6[2];
	struct pdn_counters count;
};

/* A client id. WDS state follows `id`, then subscriptions to indications. */
struct client {
	bool used;
	uint8_t service;
	uint8_t id;
	bool bound;
	uint8_t mux;
	uint8_t ip_family; /* set by the host: 4, 6, 8 (unspecified); 0: not set */
	struct pdn *pdn;   /* in a call on it, else NULL */
	enum family family;
	uint32_t handle;
	bool stale; /* the host believes in a call that does not exist */
	/* in a call: the PDN's counters at its start; after it: those of that call */
	uint64_t tx_bytes, rx_bytes;
	uint32_t events;    /* subscriptions */
	bool signal_events; /* NAS: subscription to the signal: */
	/* when it has changed by so many tenths of dB; 0: see levels */
	uint16_t signal_delta;
	uint8_t signal_levels;	  /* or crossed one of so many levels */
	int16_t signal_level[32]; /* dBm, of RSRP */
	int signal_told;	  /* dBm, last value sent */
};

/* WDA data format in force. */
struct data_format {
	uint32_t link;
	uint32_t ul, dl; /* enum wda_aggregation */
	uint32_t dl_max_datagrams, dl_max_size, dl_padding;
	uint32_t ul_max_datagrams, ul_max_size;
	uint8_t qos, flow;
};

struct options {
	const char *protocols, *refuse; /* override the model's; NULL: do not */
	const char *trunk;
	const char *trunk_netns;
	const char *net_netns;
	const char *control;
	const char *faults;
	bool qmi_proxy;
	bool linear;
	bool urb_mtu; /* transfers larger than the trunk's MTU are lost */
	bool usb;     /* on vhci_hcd, instead of a TUN */
	bool high_speed;
	unsigned int pdns;
	unsigned int clients; /* per service */
	unsigned int latency_ms;
	unsigned int hold_us;
	unsigned int ul_rate; /* kbit/s of uplink on USB; 0: unlimited */
	unsigned int trunk_mtu;
	unsigned int interface;
	int ready_fd;
	const char *apns;    /* "internet=1,ims=2"; NULL: any APN, PDN by mux id */
	const char *pin;     /* NULL: disabled */
	const char *without; /* services that the modem lacks: "nas,uim"; NULL: none */
};

struct trunk;
struct control;
struct faults;
struct aggregator;
struct generator;
struct sink;
struct commands;
struct noise;
struct usb;
struct replay;

struct modem {
	struct loop loop;
	struct options options;
	struct model model; /* a copy: options may modify it */
	struct data_format format;
	struct pdn pdns[MAX_PDNS];
	struct pdn *by_mux[256]; /* PDN with a call up on this mux id */
	struct client clients[MAX_SERVICES][MAX_CLIENTS];
	uint8_t next_client[MAX_SERVICES];
	uint32_t next_handle;
	uint8_t operating_mode;
	bool radio_switch;    /* a hardware switch that keeps the radio off */
	uint8_t registration; /* enum registration */
	bool attached;	      /* to packet service, whatever its meaning */
	bool roaming;
	uint8_t radio; /* enum radio */
	uint16_t mnc;  /* of the network; its MCC is 001 */
	int rsrp;      /* dBm */
	bool sim_absent;
	uint8_t pin_retries;
	bool pin_verified;
	unsigned int card; /* number of the inserted card, 0 to 999: the end of its ICCID */
	struct {
		enum card_lie {
			CARD_TRUE,
			CARD_LOCKED,   /* the PIN is required, with `retries` attempts left */
			CARD_EMPTY,    /* no application on it */
			CARD_INACTIVE, /* no session for its application */
		} how;
		uint8_t retries;
	} card_lies; /* false states to report for the card */
	struct {
		unsigned int left; /* number of Start Networks that report success without a call */
		bool until_stop;   /* Stop Network ends it; else the release of the client id */
	} stale;
	bool silent;	    /* rebooting */
	bool announce_back; /* send a SYNC indication when the reboot is over */
	struct timer reboot;
	unsigned int lag;  /* number of QMI messages held back until others push them out */
	uint32_t loopback; /* number of times that every uplink packet comes back; 0: off */
	struct {
		uint32_t lose, damage;	/* one in so many packets; 0: none */
		uint32_t lost, damaged; /* good packets since then */
	} loop_faults;

	struct trunk *trunk;
	struct aggregator *aggregator;
	struct control *control;
	struct faults *faults;
	struct generator *generator;
	struct sink *sink;
	struct commands *commands;
	struct noise *noise;
	struct usb *usb;       /* NULL: not on USB */
	struct replay *replay; /* NULL: answers are its own */
	int net_socket;	       /* in the network side's namespace, for ioctls */
	bool net_held;	       /* its packets wait for the host */

	struct violations violations;
	struct warnings warnings;
	struct trunk_counters traffic;
	struct qmi_counters qmi;
};

#endif
