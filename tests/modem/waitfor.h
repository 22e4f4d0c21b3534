/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wait KEY OP VALUE`: compares a value in stats until it matches or the time is up. */
#ifndef MODEM_WAITFOR_H
#define MODEM_WAITFOR_H

#include "command.h"

struct waitfor;

/* NULL with a->error set if the words are no comparison. */
struct waitfor *waitfor_new(struct args *a);
void waitfor_free(struct waitfor **w);

/* Returns the answer once the comparison holds or the time is up; NULL until then. */
struct json_object *waitfor_result(struct modem *m, const struct waitfor *w);

#endif
