/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QMI side of one trunk: one opening of one modem, its clients, and one data call per PDN and
 * IP family. A call that ends is redialled, one that cannot be dialled yet waits. The session knows
 * no netdev, BPF or rtnetlink: it reports the modem's messages to its owner.
 */
#ifndef QMAP_SESSION_H
#define QMAP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "model/data_format.h"
#include "model/states.h"
#include "util/error.h"
#include "qmap/abi.h"

struct event_base;
struct json_object;
struct qmi_message;
struct session;

/* Result of Get Runtime Settings for one family. Addresses in network byte order. */
struct ip_settings {
	int family;	     /* 4 or 6 */
	uint8_t address[16]; /* v4: the first four bytes */
	unsigned int prefix;
	bool has_gateway;
	uint8_t gateway[16];
	unsigned int ndns;
	uint8_t dns[2][16];
	unsigned int mtu; /* 0: not reported */
};

/* Why a call ended or was refused (peers: WDS TLVs 0x10, 0x11). */
struct call_end {
	unsigned int reason;	   /* call end reason, 0: none given */
	unsigned int verbose_type; /* 0: none given */
	unsigned int verbose_reason;
	unsigned int qmi_error; /* protocol error of a refused Start Network */
};

/* A call has changed its state. */
struct session_transition {
	unsigned int pdn;
	int family; /* 4 or 6 */
	enum call_state from, to;
	const char *reason; /* a sentence, valid during the callback; "": none */
};

/* A session may be stopped or freed from started() and lost(), not from the others. */
struct session_ops {
	/*
	 * The data format is agreed; the owner builds the data path now. No call has been started.
	 * Negative errno and @err abort.
	 */
	int (*format)(void *arg, const struct data_format *format, struct error *err);
	/* A family of a PDN is connected, or its settings have changed. */
	void (*up)(void *arg, unsigned int pdn, const struct ip_settings *settings);
	/* The family went down. Only called after up(). */
	void (*down)(void *arg, unsigned int pdn, int family, const struct call_end *why);
	/*
	 * The result of session_state() has changed; the owner must save it before any further
	 * request is sent.
	 */
	void (*changed)(void *arg);
	/* A call has changed its state; called after up(), down(). May be NULL. */
	void (*transition)(void *arg, const struct session_transition *t);
	/*
	 * Packets that ports have received, by mux id; 0 without a port. One call reads the
	 * counters of all. May be NULL: no watchdog.
	 */
	void (*rx_packets)(void *arg, uint64_t rx[QMAP_MAX_MUX]);
	/*
	 * PDN @pdn, which is up, has received nothing for half of config->watchdog seconds: called at each
	 * look until the time is over. May be NULL.
	 */
	void (*quiet)(void *arg, unsigned int pdn);
	/*
	 * PDN @pdn has received nothing for config->watchdog seconds, for the @times-th time in a row.
	 * Is it to be dialled again? May be NULL: yes.
	 */
	bool (*silent)(void *arg, unsigned int pdn, unsigned int times);
	/* It has received something since the last look. May be NULL. */
	void (*heard)(void *arg, unsigned int pdn);
	/*
	 * Directory for state that outlives this process and a detach: PINs that were tried. NULL,
	 * or no callback: none is saved.
	 */
	const char *(*run_dir)(void *arg);
	/* As that of struct qmi_channel_ops (qmi/client.h). */
	void (*message)(void *arg, bool from_modem, const struct qmi_message *m);
	/*
	 * The signal has changed by more than noise, @from one @to the other, in words; @dbm is the
	 * new level. May be NULL.
	 */
	void (*signal)(void *arg, const char *from, const char *to, int dbm);
	/*
	 * Start or adoption is over; called once. @err NULL: the data format is agreed and every
	 * call has settled for the first time: up, waiting, backing off or failed. Otherwise set-up
	 * has failed, or, unless config->persist, a PDN was refused for good; all ids in the modem
	 * have been released.
	 */
	void (*started)(void *arg, const struct error *err);
	/*
	 * The modem has restarted or the channel is gone: all calls and clients are lost (down()
	 * was called for each), the session is over.
	 */
	void (*lost)(void *arg, const char *why);
};

/* A data format to ask the modem for. */
struct session_wish {
	int version;		       /* enum qmap_version */
	unsigned int dl_max_bytes;     /* 0: what suits the modem */
	unsigned int dl_max_datagrams; /* 0: the usual number */
};

#define SESSION_WISHES 3

/* One opening of a modem: the configuration, and choices for values that it leaves open. */
struct session_setup {
	/* The caller's. It outlives the session, which has no copy; see session_set(). */
	const struct config_trunk *config;
	char control[108]; /* as config->control, but not empty */
	enum config_qmap qmap;
	struct session_wish wish[SESSION_WISHES]; /* in the order to ask in */
	unsigned int nwishes;
	bool persist; /* a PDN that is refused for good does not end the session */
};
/* All as configured. */
void session_setup_init(struct session_setup *setup, const struct config_trunk *config);

/*
 * Opens the control channel and dials the PDNs of setup->config; reports progress through @ops.
 * -ENODEV, -EACCES, ... when the channel cannot be opened.
 */
int session_start(struct session **out, struct event_base *base, const struct session_setup *setup,
		  const struct session_ops *ops, void *arg, struct error *err);

/*
 * Adopts the @state of an earlier process: opens the channel, keeps client ids and call handles,
 * requests status and settings of each call, releases clients that were being allocated when that
 * process died. Calls that are up stay up; the others continue in their saved states, unless that
 * process was releasing. started() when done; with an error if the modem is silent, has restarted
 * meanwhile (it does not know the client ids) or goes away.
 */
int session_adopt(struct session **out, struct event_base *base, const struct session_setup *setup,
		  struct json_object *state, const struct session_ops *ops, void *arg,
		  struct error *err);

/*
 * Goes on with what session_left() has returned. The calls are adopted, unless the same proxy serves:
 * it has hung up because the modem has restarted. A session that got no further than its set-up
 * begins anew, and its client ids are released.
 */
int session_resume(struct session **out, struct event_base *base, const struct session_setup *setup,
		   struct json_object *left, const struct session_ops *ops, void *arg,
		   struct error *err);

/* Is it being stopped, has it failed, or is it over? It ends by itself, and takes no PDNs. */
bool session_is_ending(const struct session *s);

/*
 * Dials PDN @number, which the caller has added to the configuration: at once, or with the others
 * if the session is not that far. -ENOENT; -EEXIST if the session has it, or another with its mux
 * id; -ENOMEM; -ESHUTDOWN if the session is stopping or over.
 */
int session_add_pdn(struct session *s, unsigned int number, struct error *err);

/*
 * Ends the calls of PDN @number (down() follows) and releases their clients; the configuration must
 * keep the PDN until @done, which is called once, from the event loop, also if the modem does not
 * answer or is lost; but not after session_stop() or session_free(). -ENOENT, -ESHUTDOWN; -EALREADY
 * if it is being removed.
 */
int session_remove_pdn(struct session *s, unsigned int number,
		       void (*done)(void *arg, const struct error *err), void *arg,
		       struct error *err);

/*
 * The caller has changed words of the configuration other than PDNs; @old has their former values.
 * Applies those that matter while it runs: timeout, backoff-*, retry-failed, poll, watchdog, pin,
 * radio.
 */
void session_set(struct session *s, const struct config_trunk *old);

/*
 * Dials calls of PDN @number (0: all) that back off or have failed for good now; with 0 it also
 * checks calls that are up.
 */
void session_retry(struct session *s, unsigned int number);

/*
 * The same on the user's request: ends and redials calls that are up, and resets other budgets
 * (radio).
 */
void session_redial(struct session *s, unsigned int number);

/*
 * Switches the radio off and on again; restarts the modem. -ENODEV without a DMS client, -EBUSY while
 * the radio is being switched. The modem may refuse: the log says so.
 */
int session_cycle_radio(struct session *s);
int session_restart_modem(struct session *s);

/* CALL_GONE if there is no such call. @family: 4 or 6. */
enum call_state session_call_state(const struct session *s, unsigned int pdn, int family);

/* Is each call of PDN @number (0: all) up, waiting, backing off or failed? */
bool session_is_settled(const struct session *s, unsigned int number);

/*
 * For PDN @number (0: the first that is not): 0 if it is connected, or will be by itself; else
 * -ECONNREFUSED and the reason: refused for good, or the user must do something.
 */
int session_verdict(const struct session *s, unsigned int number, struct error *err);

/*
 * Ends every call and releases every client id, with deadlines; @done (err NULL: all was
 * acknowledged) is called exactly once, also if the modem is silent or gone. No other callback
 * after it, started() included. At any time: a Start Network that waits for the network is
 * abandoned.
 */
void session_stop(struct session *s, void (*done)(void *arg, const struct error *err), void *arg);

/* Closes the channel without a message to the modem: calls continue and can be adopted. */
void session_free(struct session **s);

/* Client ids, call handles, format, intents: the input of session_adopt(). New reference. */
struct json_object *session_state(const struct session *s);

/*
 * Of a session that is over because libqmi's qmi-proxy has ended, or is silent: what it has left in
 * a modem that goes on, for session_resume(). The session's own; NULL: nothing.
 */
struct json_object *session_left(const struct session *s);

/*
 * For `show`: model, revision, versions, format, and per PDN and family the state with its reason,
 * settings, call end reasons by name. New reference.
 */
struct json_object *session_show(const struct session *s);

#endif
