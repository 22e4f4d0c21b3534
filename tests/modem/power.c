// SPDX-License-Identifier: GPL-2.0-or-later
#include "power.h"
#include "client.h"
#include "generate.h"
#include "service.h"
#include "sim.h"
#include "util.h"
#include "wda.h"

void power_on(struct modem *m)
{
	m->operating_mode = 0;
	m->pin_retries = SIM_PIN_RETRIES;
	m->pin_verified = false;
	wda_reset(m);
}

static void back(struct timer *timer)
{
	struct modem *m = container_of(timer, struct modem, reboot);

	m->silent = false;
	if (m->announce_back)
		service_announce(m);
}

void power_reboot(struct modem *m, unsigned int ms, unsigned int announce)
{
	if (announce & ANNOUNCE_BEFORE)
		service_announce(m);
	generate_stop(m);
	client_release_all(m);
	power_on(m);
	m->silent = true;
	m->announce_back = announce & ANNOUNCE_AFTER;
	m->reboot.fire = back;
	loop_arm(&m->loop, &m->reboot, now_us() + 1000ull * ms);
}
