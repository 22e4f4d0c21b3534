// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moves the modem's USB interface to the driver of the data path `usb`, and back. The driver that had
 * it (t->home) is saved before the interface is moved: whichever step a process dies in, the next one
 * finds the interface by its path and gives it back, or goes on.
 */
#include <errno.h>
#include <string.h>

#include "rtnl/rtnl.h"
#include "util/log.h"
#include "qmi/transport.h"
#include "internal.h"
#include "path.h"
#include "pins.h"
#include "usb.h"

/* Does the configuration name the control device that comes and goes with the interface? */
static bool names_its_control(const struct trunk *t)
{
	const char *device = qmi_proxy_path(t->config.control);
	char its[80];

	device = device ? device : t->config.control;
	return !trunk_dev_control(t->dev.name, its, sizeof(its), NULL) && !strcmp(its, device);
}

static void keep_name(const char *now, const char *name)
{
	struct error err = {0};
	struct rtnl *nl = NULL;

	if (!strcmp(now, name) || if_nametoindex(name))
		return;
	if (rtnl_open(&nl, NULL, &err) || rtnl_link_set_name(nl, if_nametoindex(now), name, &err))
		log_warning("%s: %s", now, err.text);
	rtnl_close(&nl);
}

/* Opens the netdev that the interface has now, under the name of the former one. */
static int find_netdev(struct trunk *t, const struct trunk_dev *was, struct error *err)
{
	const char *name = was->name[0] ? was->name : t->config.dev;
	char now[IFNAMSIZ];
	int ret = trunk_dev_find(was->device, now);

	if (ret)
		return error_set(err, ret, "the modem's interface has no netdev");
	keep_name(now, name);
	ret = trunk_dev_find(was->device, now) ?: trunk_dev_open(&t->dev, now, err);
	/* the state to restore is that of the netdev which the user had */
	t->dev.was_up = was->was_up;
	t->dev.was_addrgen = was->was_addrgen;
	return ret;
}

static int move_to(struct trunk *t, const char *driver, struct error *err)
{
	struct trunk_dev was = t->dev;
	int ret = usb_driver_move(was.device, driver, err);
	int found = find_netdev(t, &was, ret ? NULL : err);

	if (!ret && !found)
		log_info("%s: driver %s has the modem now; addresses and settings that other "
			 "programs gave the netdev are gone with the former one",
			 t->config.dev, driver);
	return ret ?: found;
}

static int take(struct trunk *t, struct error *err)
{
	struct error why = {0};
	int ret;

	t->own_control = names_its_control(t);
	trunk_dev_driver(t->dev.name, t->home, sizeof(t->home));
	ret = trunk_move_pins(t, err);
	if (ret)
		return ret;
	trunk_save(t);
	ret = move_to(t, USB_DRIVER, &why);
	if (!ret)
		return 0;
	if (t->config.datapath != CONFIG_DATAPATH_AUTO || ret == -ENODEV)
		return error_pass(err, &why);
	log_warning("%s: %s; goes on without it", t->config.dev, why.text);
	t->no_usb = true;
	return trunk_choose_datapath(t, err);
}

int trunk_take_driver(struct trunk *t, struct error *err)
{
	bool usb = t->ops == &datapath_usb;
	char now[USB_DRIVER_SIZE];

	if (!usb_driver_of(t->dev.device, now) || usb == !strcmp(now, USB_DRIVER))
		return 0;
	if (usb)
		return take(t, err);
	if (t->home[0])
		return move_to(t, t->home, err);
	error_set(err, -EOPNOTSUPP,
		  "%s belongs to driver " USB_DRIVER ", which is for data path %s", t->dev.name,
		  datapath_usb.name);
	error_hint(err, "--datapath %s, or bind its interface to qmi_wwan", datapath_usb.name);
	return -EOPNOTSUPP;
}

static int go_home(struct trunk *t, struct error *err)
{
	int ret = move_to(t, t->home, err);

	if (ret)
		return ret;
	t->dev.prepared = true;
	trunk_dev_restore(&t->dev);
	return 0;
}

int trunk_give_back_driver(struct trunk *t, struct error *err)
{
	char now[USB_DRIVER_SIZE];
	int ret = 0;

	if (!t->home[0])
		return 0;
	if (usb_driver_of(t->dev.device, now) && (!now[0] || !strcmp(now, USB_DRIVER)))
		ret = go_home(t, err);
	else
		usb_driver_forget(t->dev.device);
	t->home[0] = '\0';
	return ret;
}

void trunk_look_driver(struct trunk *t)
{
	struct error err = {0};
	char now[USB_DRIVER_SIZE];

	if (!t->home[0])
		return;
	if (!usb_driver_of(t->dev.device, now))
		usb_driver_forget(t->dev.device);
	else if (!now[0] && go_home(t, &err))
		log_warning("%s: %s", t->config.dev, err.text);
}
