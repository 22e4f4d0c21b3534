/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints results for people (tables on stdout) and for programs (JSON on stdout), and errors for
 * both.
 */
#ifndef QMAP_OUTPUT_H
#define QMAP_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct error;
struct json_object;

enum output_colour {
	OUTPUT_COLOUR_AUTO, /* on a terminal, unless $NO_COLOR is set */
	OUTPUT_COLOUR_ALWAYS,
	OUTPUT_COLOUR_NEVER,
	OUTPUT_COLOURS
};

/* Output options of a program; the caller fills in all but @printed. */
struct output {
	bool json;    /* -j, or -p */
	bool pretty;  /* -p */
	bool quiet;   /* -q: print no result */
	bool verbose; /* -v: print counters that are 0, too */
	enum output_colour colour;
	bool printed; /* a result has been printed, so with -j an error cannot be JSON as well */
};

/* @text prints @result for people (NULL: nothing); @result NULL counts as an empty array. */
void output_result(struct output *output, struct json_object *result,
		   void (*text)(const struct output *output, FILE *out,
				struct json_object *result));

/*
 * Prints "qmapctl: sentence" and the hint to stderr; with -j an object to stdout, if stdout is
 * empty.
 */
void output_error(const struct output *output, const struct error *err);

/* Print the text of `show`, `stats` and `probe`. */
void output_show(const struct output *output, FILE *out, struct json_object *trunks);
void output_stats(const struct output *output, FILE *out, struct json_object *trunks);
void output_probe(const struct output *output, FILE *out, struct json_object *subjects);

/*
 * Prints the data path (NULL: none), its cost in percent of the cheapest one's (0: not known) and the
 * reason for it, as one line.
 */
void output_choice(FILE *out, const char *datapath, int64_t percent, const char *why);

/* The lines of `show` about the trunk itself: data path and modem, network and signal. */
void output_show_head(FILE *out, struct json_object *trunk);

/* Prints one line of `monitor`. */
void output_event(const struct output *output, FILE *out, struct json_object *line);

#endif
