/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command line. */
#ifndef MODEM_OPTIONS_H
#define MODEM_OPTIONS_H

#include "modem.h"

/* Fills in m->options and m->model; exits on --help, --version and errors. */
void options_parse(struct modem *m, int argc, char **argv);

/*
 * `qmap-modem ctl PATH COMMAND...`: sends one command to the faults socket; returns the exit
 * status.
 */
int ctl_main(int argc, char **argv);

#endif
