// SPDX-License-Identifier: GPL-2.0-or-later
/* In place of top.c where there is no curses library (make CURSES=no). */
#include <errno.h>

#include "cli.h"

int cli_top(struct cli *cli, int argc, char **argv, struct error *err)
{
	error_set(err, -EOPNOTSUPP, "this qmapctl has been built without top");
	error_hint(err, "`qmapctl stats` prints the counters");
	return -EOPNOTSUPP;
}
