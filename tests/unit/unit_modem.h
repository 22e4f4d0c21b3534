/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A modem for one test: a unix socket in the test's own event loop that answers the requests of a
 * dial-up, except where a rule changes the answer. It reads and writes messages with code of its
 * own.
 */
#ifndef UNIT_MODEM_H
#define UNIT_MODEM_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
	CTL = 0,
	WDS = 1,
	DMS = 2,
	WDA = 0x1a
};

/* Changes the answer to a message. */
struct rule {
	uint8_t service;
	uint16_t message;
	uint8_t family;	    /* of the call; 0: any */
	unsigned int skip;  /* number of requests that get the usual answer first */
	unsigned int count; /* number of requests that this rule answers; 0: unlimited */
	bool silent;
	uint16_t error;	     /* protocol error */
	const uint8_t *tlvs; /* after the result, in place of the usual ones */
	size_t tlvs_len;
	const uint8_t *before; /* raw bytes sent before the answer */
	size_t before_len;
	bool twice; /* sends the answer twice */
	unsigned int delay_ms;
};

#define FAKE_RULES 16
#define FAKE_LOG   512

struct fake_client {
	uint8_t service, id;
	bool bound;
	uint8_t mux, family;
	bool connected;
	uint32_t handle;
};

struct request {
	uint8_t service, client;
	uint16_t transaction, message;
	uint8_t tlvs[512];
	size_t len;
};

struct fake_modem {
	struct event_base *base;
	struct event *listener, *reader;
	int listen_fd, fd;
	char dir[32], path[64];
	uint8_t buf[8192];
	size_t len;
	struct rule rules[FAKE_RULES];
	unsigned int nrules, used[FAKE_RULES];
	struct fake_client clients[320];
	unsigned int nclients;
	uint8_t last_id;      /* client ids count up over all services */
	uint32_t accepts;     /* bit n: aggregation protocol n */
	bool refuses_by_echo; /* refuses other protocols by success with aggregation off */
	unsigned int dl_bytes;
	uint16_t ul_bytes; /* 0: 8192 */
	const char *model;
	struct request log[FAKE_LOG];
	unsigned int nlog;
	unsigned int connections;
	bool mute;
	SLIST_HEAD(delayed_list, delayed) later;
};

void fake_open(struct fake_modem *f);
void fake_close(struct fake_modem *f);
void fake_hang_up(struct fake_modem *f);

struct rule *fake_add_rule(struct fake_modem *f, struct rule r);

/* Builds a message. @kind: 1 response, 2 indication. Returns its length. */
size_t fake_message(uint8_t *b, uint8_t service, uint8_t client, int kind, uint16_t tid,
		    uint16_t message, const uint8_t *tlvs, size_t len);
void fake_send(struct fake_modem *f, const uint8_t *p, size_t len);
void fake_indicate(struct fake_modem *f, uint8_t service, uint8_t client, uint16_t message,
		   const uint8_t *tlvs, size_t len);

#define FAKE_INDICATE(f, service, client, message, ...)                                            \
	do {                                                                                       \
		static const uint8_t tlvs_[] = {__VA_ARGS__};                                      \
		fake_indicate(f, service, client, message, tlvs_, sizeof(tlvs_));                  \
	} while (0)

/* The value of a TLV of a request, and its length; NULL if there is none. */
const uint8_t *fake_tlv(const struct request *r, uint8_t type, size_t *len);
/* Number of requests for @message. */
unsigned int fake_asked(const struct fake_modem *f, uint8_t service, uint16_t message);

/* Sets the bool at @arg. */
void fake_timeout(evutil_socket_t fd, short what, void *arg);
/* Runs the loop until @done, at most for @ms. */
bool fake_run(struct fake_modem *f, const bool *done, unsigned int ms);

#endif
