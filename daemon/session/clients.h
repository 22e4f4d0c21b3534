/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control channel of a session with the session's own clients on it, and the rules that all of
 * its requests follow: the configured deadline, which is shorter while the session is releasing,
 * and how the end of the channel or of the modem's memory shows in an answer.
 */
#ifndef QMAP_SESSION_CLIENTS_H
#define QMAP_SESSION_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"
#include "qmi/client.h"
#include "util/error.h"

struct event_base;

/* Limit for one answer while releasing: a user who detaches must not wait long for a dead modem. */
#define GIVE_BACK_MS 5000

/* Protocol errors with special treatment. */
#define QMI_INVALID_CLIENT_ID 7
#define QMI_OUT_OF_CALL	      15
#define QMI_NO_EFFECT	      26

/* Services whose client ids are allocated and released. Each call has a WDS client of its own. */
enum id_service {
	ID_WDS,
	ID_WDA,
	ID_DMS,
	ID_NAS,
	ID_UIM,
	ID_SERVICES,
	ID_CTL, /* its client needs no id */
};

struct clients;

struct clients_owner {
	/* The modem has restarted, or (@rebooted false) the channel is gone. May come repeatedly. */
	void (*lost)(void *arg, bool rebooted, const char *why);
	/* The modem sends Sync of CTL by itself. */
	void (*synced)(void *arg);
	/* An answer on CTL came after its deadline. */
	void (*late)(void *arg, const struct qmi_message *m);
	/* As that of struct qmi_channel_ops. */
	void (*message)(void *arg, bool from_modem, const struct qmi_message *m);
};

/* Opens the channel @control with a CTL client. Errors as qmi_channel_open(); -ENOMEM. */
int clients_open(struct clients **out, struct event_base *base, const char *control,
		 const struct config_trunk *config, const struct clients_owner *owner, void *arg,
		 struct error *err);
/* Closes the channel, which frees all clients on it. */
void clients_close(struct clients *c);
void clients_free(struct clients **c);

/* NULL after clients_close(). */
struct qmi_channel *clients_channel(const struct clients *c);

/* Number of the service in QMI. */
uint8_t clients_service(enum id_service service);
/* Adds the client of @service, which has none yet. -ENOMEM. */
int clients_add(struct clients *c, enum id_service service, uint8_t id, qmi_indication_fn fn,
		void *arg);
/* Frees it without a message to the modem. */
void clients_remove(struct clients *c, enum id_service service);
void clients_remove_all(struct clients *c);
/* The id was released: frees the client, if the session has one with it. */
void clients_released(struct clients *c, uint8_t service, uint8_t id);
/* The client's id; 0: there is none. */
uint8_t clients_id(const struct clients *c, enum id_service service);
bool clients_have(const struct clients *c, uint8_t service, uint8_t id);

/* Sends on the client of @service; @fn gets the answer within clients_timeout_ms(). */
void clients_send(struct clients *c, enum id_service service, struct qmi_request *r,
		  qmi_reply_fn fn, void *arg);
/* The same within @ms. */
void clients_send_within(struct clients *c, enum id_service service, struct qmi_request *r,
			 unsigned int ms, qmi_reply_fn fn, void *arg);
/* The same for a request whose answer only shows whether the modem still knows the client. */
void clients_send_only(struct clients *c, enum id_service service, struct qmi_request *r);
/* Drops open requests on CTL. */
void clients_cancel_ctl(struct clients *c);

/*
 * Reads a reply to one of the session's requests. False: the channel is gone, and the owner's
 * lost() follows. True: *@err is 0 and @res is set, or *@err is negative.
 */
bool clients_read(struct clients *c, int *err, const struct qmi_message *m, struct qmi_result *res);
/* After a clients_read() that has set *@err: message and fault of a malformed answer, or NULL. */
const char *clients_malformed(const struct clients *c);
/*
 * Does @res say that the modem does not know the client? Then it has restarted, and the owner's
 * lost() was called.
 */
bool clients_forgotten(struct clients *c, const struct qmi_result *res);
/* Both: false if there is nothing to do but to wait for the end of the session. */
bool clients_answer(struct clients *c, int *err, const struct qmi_message *m,
		    struct qmi_result *res);
/* Has the modem answered at least once? */
bool clients_answered(const struct clients *c);

/* From now on the session releases what it has. */
void clients_give_back(struct clients *c);
bool clients_giving_back(const struct clients *c);
unsigned int clients_timeout_ms(const struct clients *c);

/* @mask: bit n is set if the modem has service n; 0: unknown. */
void clients_set_services(struct clients *c, uint64_t mask);
uint64_t clients_services(const struct clients *c);
bool clients_lack(const struct clients *c, enum id_service service);

/* Had no other process the channel open when it was opened? */
bool clients_alone(const struct clients *c);
/* ... and may SYNC be sent, by the configuration? */
bool clients_exclusive(const struct clients *c);
/* ... and is that still so? Then ids may be guessed, and SYNC be sent. */
bool clients_still_exclusive(const struct clients *c);
/* Are answers certainly ours? Programs that share a device get each other's answers. */
bool clients_get_own_answers(const struct clients *c);

/* The process that serves as libqmi's qmi-proxy; 0: the channel has none. */
pid_t clients_proxy(const struct clients *c);

#endif
