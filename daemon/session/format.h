/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data format: the owner's wishes are requested in their order until the modem agrees. Its
 * echoed values count, not its "success": EC25 accepts v5 and echoes "aggregation off".
 */
#ifndef QMAP_SESSION_FORMAT_H
#define QMAP_SESSION_FORMAT_H

#include <stdbool.h>

#include "clients.h"
#include "model/data_format.h"
#include "qmi/wda.h"
#include "session.h"

struct format;

/* NULL: out of memory. */
struct format *format_new(struct clients *clients, const struct session_setup *setup);
void format_free(struct format **f);

/* Finds model and data interface by the channel's device, or by the modem's strings. */
void format_identify(struct format *f, const char *model, const char *revision);
/* The first wish to request; -EOPNOTSUPP with @err if the model does not permit any. */
int format_first(struct format *f, const char *model, struct error *err);
void format_request(const struct format *f, struct qmi_request *r);
/* 0: agreed; 1: refused, request the next wish; negative with @err: none is left. */
int format_answer(struct format *f, const struct qmi_message *m, const struct qmi_result *res,
		  struct error *err);

/* The format that the modem has agreed to; NULL: none yet. */
const struct data_format *format_agreed(const struct format *f);
/* The same for one that an earlier process has negotiated. */
void format_set_agreed(struct format *f, const struct data_format *agreed);
/* The modem's data interface; after format_identify(). */
const struct qmi_endpoint *format_endpoint(const struct format *f);

#endif
