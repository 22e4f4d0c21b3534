/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wait KEY OP VALUE`: a comparison of a value in stats, and a deadline. */
#ifndef MODEM_WAITFOR_H
#define MODEM_WAITFOR_H

#include "command.h"

struct waitfor;

/* NULL with a->error set if the words make no comparison. */
struct waitfor *waitfor_new(struct args *a);
void waitfor_free(struct waitfor **w);

/* The answer once the comparison holds or time is up; NULL until then. */
struct json_object *waitfor_result(struct modem *m, const struct waitfor *w);

#endif
