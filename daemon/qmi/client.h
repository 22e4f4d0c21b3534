/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control channel of one modem, its clients and their transactions.
 *
 * A request gets exactly one reply: the modem's response, or a negative errno when its deadline
 * passes, the channel is lost, or it could not be sent. Replies come from the event loop, never
 * from inside qmi_client_send(). A reply or indication callback may free clients and channel.
 */
#ifndef QMAP_QMI_CLIENT_H
#define QMAP_QMI_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"
#include "message.h"

struct event_base;
struct qmi_channel;
struct qmi_client;

/* Id and TLVs of a request; channel and client add the rest. */
struct qmi_request {
	uint16_t id;
	struct qmi_buf tlvs;
};

void qmi_request_init(struct qmi_request *r, uint16_t id);

/*
 * @err 0: @m is the response, valid during the call; the callback checks its result. Otherwise @m
 * is NULL: -ETIMEDOUT, -ENODEV or -EPIPE (channel lost), -ENOBUFS, -EMSGSIZE.
 */
typedef void (*qmi_reply_fn)(void *arg, int err, const struct qmi_message *m);
typedef void (*qmi_indication_fn)(void *arg, const struct qmi_message *m);

/* X(field, meaning) */
#define QMI_COUNTERS(X)                                                                            \
	X(requests, "sent")                                                                        \
	X(responses, "matched with a request")                                                     \
	X(indications, "handed to a client")                                                       \
	X(timeouts, "requests without a response in time")                                         \
	X(late, "responses to a request that is over")                                             \
	X(mismatched, "responses with another message id than requested")                          \
	X(unknown_client, "messages for a client id that is not ours")                             \
	X(unexpected, "requests from the modem")

struct qmi_counters {
#define X(field, text) uint64_t field;
	QMI_COUNTERS(X)
#undef X
};

struct qmi_channel_ops {
	/*
	 * A message crosses the channel, other programs' included: from the modem, or to it. May be
	 * NULL. Must not free the channel.
	 */
	void (*message)(void *arg, bool from_modem, const struct qmi_message *m);
	/* A response to one of our clients for which no request waits; may be NULL. */
	void (*late)(void *arg, const struct qmi_message *m);
	/* The channel is gone. Every open request has got its -ENODEV before. */
	void (*lost)(void *arg, const char *why);
};

int qmi_channel_open(struct qmi_channel **out, struct event_base *base, const char *path,
		     const struct qmi_channel_ops *ops, void *arg, struct error *err);
/* Gets the messages for other programs that share the channel. */
struct qmi_tap {
	/*
	 * A response or indication for a client id that is not ours, or an indication to all.
	 * Returns false for a response that no program waits for.
	 */
	bool (*message)(void *arg, const struct qmi_message *m);
	/* The channel is gone or closing: nothing may be sent any more. Called once. */
	void (*closed)(void *arg);
};

/* Sets the tap; there is one at a time. @tap NULL: removes it. */
void qmi_channel_tap(struct qmi_channel *ch, const struct qmi_tap *tap, void *arg);

/* Sends another program's request unchanged. Errors as qmi_transport_send(); -EMSGSIZE. */
int qmi_channel_forward(struct qmi_channel *ch, const struct qmi_message *m);

/* Frees the clients, too; their open requests get no reply. */
void qmi_channel_free(struct qmi_channel **ch);

const struct qmi_counters *qmi_channel_counters(const struct qmi_channel *ch);
/* Counters of malformed messages by enum qmi_fault; @skipped gets the number of bytes skipped. */
const uint64_t *qmi_channel_faults(const struct qmi_channel *ch, uint64_t *skipped);
/*
 * For a callback that gets -ETIMEDOUT: "WDS message 0x0020: " and the fault, if a malformed response
 * has come; else "".
 */
const char *qmi_channel_malformed(const struct qmi_channel *ch);

struct qmi_transport;
const struct qmi_transport *qmi_channel_transport(const struct qmi_channel *ch);

/*
 * Adds a client of @service with an @id that the modem has allocated (0 for CTL, which may have
 * several clients: they share transaction numbers). @fn gets its indications and those to all
 * clients of the service; may be NULL.
 */
int qmi_client_new(struct qmi_client **out, struct qmi_channel *ch, uint8_t service, uint8_t id,
		   qmi_indication_fn fn, void *arg);
/* Frees the client and its open requests, without a message to the modem. */
void qmi_client_free(struct qmi_client **c);
/* Drops the client's open requests without a reply; their responses will count as late. */
void qmi_client_cancel(struct qmi_client *c);
uint8_t qmi_client_id(const struct qmi_client *c);

/*
 * Sends @r; @fn gets the reply after @timeout_ms at the latest. If the request cannot be queued,
 * the event loop delivers the reason as its reply. The TLVs in @r are cleared: they may hold a
 * password or a PIN.
 */
void qmi_client_send(struct qmi_client *c, struct qmi_request *r, unsigned int timeout_ms,
		     qmi_reply_fn fn, void *arg);

#endif
