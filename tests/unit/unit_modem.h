/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The software modem (tests/modem) in the process of a test: its services answer the requests that
 * arrive on a unix socket in the test's own event loop, except where a rule changes the answer.
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
	NAS = 3,
	UIM = 0x0b,
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

struct request {
	uint8_t service, client;
	uint16_t transaction, message;
	uint8_t tlvs[512];
	size_t len;
};

struct modem;

struct fake_modem {
	struct event_base *base;
	struct event *listener, *reader;
	int listen_fd, fd;
	char dir[32], path[64];
	uint8_t buf[8192];
	size_t len;
	struct rule rules[FAKE_RULES];
	unsigned int nrules, used[FAKE_RULES];
	struct modem *modem;
	uint8_t last_id;      /* client ids count up over all services */
	uint8_t family[256];  /* of the last Start Network, by client id */
	uint32_t accepts;     /* bit n: aggregation protocol n */
	bool refuses_by_echo; /* refuses other protocols by success with aggregation off */
	unsigned int dl_bytes, ul_bytes; /* largest aggregates; 0: the model's */
	const char *model;
	const char *without; /* services that it lacks: "nas,uim" */
	struct request log[FAKE_LOG];
	unsigned int nlog;
	unsigned int connections;
	bool mute;
	uint8_t announced[1024]; /* indications that go out behind the answer */
	size_t announced_len;
	SLIST_HEAD(delayed_list, delayed) later;
};

void fake_open(struct fake_modem *f);
void fake_close(struct fake_modem *f);
void fake_hang_up(struct fake_modem *f);

struct rule *fake_add_rule(struct fake_modem *f, struct rule r);
/* FAKE_RULE(&modem, WDS, 0x20, .error = 14) */
#define FAKE_RULE(f, service_, message_, ...)                                                      \
	fake_add_rule(f, (struct rule){.service = service_, .message = message_, __VA_ARGS__})

/* Number of client ids in use. */
unsigned int fake_clients(struct fake_modem *f);
/* As a restart does. */
void fake_forget_clients(struct fake_modem *f);
/* Gives client id @id of @service out. */
void fake_give(struct fake_modem *f, uint8_t service, uint8_t id);
/* The IPv4 call of WDS client @id begins or ends, without an indication. */
void fake_call(struct fake_modem *f, uint8_t id, bool connected);

/* Builds a message. @kind: 1 response, 2 indication. Returns its length. */
size_t fake_message(uint8_t *b, uint8_t service, uint8_t client, int kind, uint16_t tid,
		    uint16_t message, const void *tlvs, size_t len);
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
