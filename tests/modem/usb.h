/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modem on USB, in the place of control socket and TUN: QMI as CDC encapsulated commands,
 * aggregates as bulk transfers, so that the host's own drivers make cdc-wdm and wwan netdev of it.
 */
#ifndef MODEM_USB_H
#define MODEM_USB_H

#include "modem.h"

#include <json-c/json.h>

/* Plug in, at the options' speed. Does nothing, and is no error, where the modem is not on USB. */
int usb_new(struct modem *m);
void usb_free(struct modem *m);

/* 0; -EALREADY; -ENODEV where the modem is not on USB, or a negative errno of vhci_hcd. */
int usb_plug(struct modem *m);
int usb_unplug(struct modem *m);

/* One bulk transfer to the host. Counts what is lost. */
void usb_send_transfer(struct modem *m, const uint8_t *buf, size_t len);

/* Bytes for the control channel: a message at a time, each with a notification. */
void usb_send_message(struct modem *m, const uint8_t *buf, size_t len);

/* Does the host read slower than it is sent to: transfers, messages? */
bool usb_transfers_congested(const struct modem *m);
bool usb_messages_congested(const struct modem *m);

/* For stats; NULL where the modem is not on USB. */
struct json_object *usb_json(const struct modem *m);

#endif
