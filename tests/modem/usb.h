/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modem on USB, in place of control socket and TUN: QMI as CDC encapsulated commands,
 * aggregates as bulk transfers, so that the host's own drivers create cdc-wdm and the wwan netdev.
 */
#ifndef MODEM_USB_H
#define MODEM_USB_H

#include "modem.h"

#include <json-c/json.h>

/* Plugs in at the options' speed. Does nothing, without an error, if the modem is not on USB. */
int usb_new(struct modem *m);
void usb_free(struct modem *m);

/* 0; -EALREADY; -ENODEV if the modem is not on USB, or a negative errno of vhci_hcd. */
int usb_plug(struct modem *m);
int usb_unplug(struct modem *m);

/* Sends one bulk transfer to the host. Counts losses. */
void usb_send_transfer(struct modem *m, const uint8_t *buf, size_t len);

/* Queues one message for the control channel, with a notification. */
void usb_send_message(struct modem *m, const uint8_t *buf, size_t len);

/* Is the host behind with reading transfers, or messages? */
bool usb_transfers_congested(const struct modem *m);
bool usb_messages_congested(const struct modem *m);

/* For stats; NULL if the modem is not on USB. */
struct json_object *usb_json(const struct modem *m);

#endif
