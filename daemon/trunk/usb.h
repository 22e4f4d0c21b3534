/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which driver has the modem's USB interface. */
#ifndef QMAP_TRUNK_USB_H
#define QMAP_TRUNK_USB_H

struct error;
struct trunk;

/*
 * Gives the modem's USB interface to the driver that t->ops needs, which may take
 * another netdev and control device into existence.
 */
int trunk_take_driver(struct trunk *t, struct error *err);
/* Gives it back to the driver that had it. The modem may be gone. */
int trunk_give_back_driver(struct trunk *t, struct error *err);
/* The netdev is gone: gives the interface back if another process has taken it from the driver. */
void trunk_look_driver(struct trunk *t);

#endif
