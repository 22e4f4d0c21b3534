/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends requests to qmapd, with fallbacks for when no daemon is running. */
#ifndef QMAP_CLI_DAEMON_H
#define QMAP_CLI_DAEMON_H

#include <signal.h>

#include "cli.h"

/* Replaces the daemon if none is running. */
typedef int (*cli_local_fn)(struct json_object **out, const char *dev, struct error *err);

/*
 * Sends @command with "dev" (may be NULL), or calls @local (may be NULL) if no daemon is running.
 * New reference in @out.
 */
int cli_ask(const struct cli *cli, const char *command, const char *dev, cli_local_fn local,
	    struct json_object **out, struct error *err);

/*
 * Asks for the results of `show` and `stats`, of @dev or of all trunks (NULL). @stats stays NULL if
 * @dev has no counters now. New references, also of @show alone on failure.
 */
int cli_show_and_stats(const struct cli *cli, const char *dev, struct json_object **show,
		       struct json_object **stats, struct error *err);

/* Does a qmapd answer on the socket? */
bool cli_daemon_runs(const struct cli *cli);

/* {"command": @command, "dev": @dev}. New reference. */
struct json_object *cli_request(const char *command, const char *dev);

/* As cli_ask(), for a request with more arguments; takes over its reference. */
int cli_ask_request(const struct cli *cli, struct json_object *request, cli_local_fn local,
		    struct json_object **out, struct error *err);

/* Sends a request of any kind; takes over the reference to @request. */
int cli_call(const struct cli *cli, struct json_object *request, unsigned int timeout,
	     struct json_object **out, struct error *err);

/*
 * As control_stream(), with the daemon's socket, until SIGINT, SIGTERM or the end of qmapd: then 0.
 * -EPIPE from @fn is no error either. Takes over the reference to @request.
 */
int cli_stream(const struct cli *cli, struct json_object *request, const int *also,
	       int (*fn)(void *arg, struct json_object *line), void *arg, struct error *err);

/* Seconds. An attach takes as long as the network needs to answer each of its calls. */
#define CLI_TIMEOUT	   30
#define CLI_DETACH_TIMEOUT 120
#define CLI_ATTACH_TIMEOUT 600
#define CLI_APPLY_TIMEOUT  3600

/*
 * Searches @trunks, a result of `show`, for PDN @number (0: any) that is not connected and will not
 * be without the user. Sets the error of the first such PDN; 0: there is none.
 */
int cli_failed_pdn(struct json_object *trunks, unsigned int number, struct error *err);

#endif
