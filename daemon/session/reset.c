// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The last step of releasing. An allocation whose answer was lost, or a release without a
 * confirmation, may have left an id in the modem. If no other program uses the channel and all
 * clients are released, SYNC releases the unknown id.
 */
#include "internal.h"

#include "util/log.h"
#include "qmi/ctl.h"

static void on_synced(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct qmi_result res;

	if (!clients_read(s->clients, &err, m, &res))
		return;
	s->reset = RESET_OVER;
	if (err == -ETIMEDOUT)
		session_gave_up(s, err);
	else if (!err && !res.status) {
		ids_clear(s->ids);
		guests_clear(s->guests);
		clients_remove_all(s->clients);
		session_changed(s);
	}
	session_kick(s);
}

bool session_reset(struct session *s)
{
	struct qmi_request r;

	if (s->reset == RESET_NONE && (ids_unsure(s->ids) || guests_unsure(s->guests)) &&
	    clients_still_exclusive(s->clients)) {
		log_info("client ids are unaccounted for: the modem is told to forget all (SYNC)");
		s->reset = RESET_ASKED;
		qmi_request_init(&r, QMI_CTL_SYNC);
		clients_send(s->clients, ID_CTL, &r, on_synced, s);
	}
	return s->reset == RESET_ASKED;
}
