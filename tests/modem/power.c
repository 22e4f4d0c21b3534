// SPDX-License-Identifier: GPL-2.0-or-later
#include "power.h"
#include "client.h"
#include "generate.h"
#include "service.h"
#include "sim.h"
#include "usb.h"
#include "util.h"
#include "wda.h"

#include <err.h>
#include <errno.h>

void power_on(struct modem *m)
{
	m->operating_mode = 0;
	m->registration = REGISTERED;
	m->radio = RADIO_LTE;
	m->mnc = 1;
	m->rsrp = -90;
	m->roaming = false;
	m->attached = false;
	m->pin_retries = SIM_PIN_RETRIES;
	m->pin_verified = false;
	wda_reset(m);
}

static void come_back(struct modem *m)
{
	int err = usb_plug(m);

	if (err && err != -EALREADY)
		warnx("cannot come back on USB: %s", strerror(-err));
}

static void back(struct timer *timer)
{
	struct modem *m = container_of(timer, struct modem, reboot);

	m->silent = false;
	if (m->usb)
		come_back(m);
	if (m->announce_back)
		service_announce(m);
}

static void lose_all(struct modem *m)
{
	generate_stop(m);
	client_release_all(m);
	power_on(m);
}

int power_unplug(struct modem *m)
{
	int err = usb_unplug(m);

	if (!err)
		lose_all(m);
	return err;
}

void power_reboot(struct modem *m, unsigned int ms, unsigned int announce)
{
	if (announce & ANNOUNCE_BEFORE)
		service_announce(m);
	usb_unplug(m);
	lose_all(m);
	m->silent = true;
	m->announce_back = announce & ANNOUNCE_AFTER;
	m->reboot.fire = back;
	loop_arm(&m->loop, &m->reboot, now_us() + 1000ull * ms);
}
