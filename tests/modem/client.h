/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client ids: a limited number per service; they outlive the connection that allocated them. */
#ifndef MODEM_CLIENT_H
#define MODEM_CLIENT_H

#include "modem.h"
#include "qmux.h"

/* Index of a service's clients, -1 if the modem has no such service. */
int client_pool(uint8_t service);

enum qmi_error client_allocate(struct modem *m, uint8_t service, uint8_t *id);
struct client *client_find(struct modem *m, uint8_t service, uint8_t id);

/* Releases a client, and ends its call. */
void client_release(struct modem *m, struct client *c);
void client_release_all(struct modem *m);

/* Resets everything but the id, as the services' Reset message does. */
void client_reset(struct modem *m, struct client *c);

unsigned int client_count(struct modem *m, uint8_t service);

/* The next used client of a service after `c` (NULL: the first). */
struct client *client_next(struct modem *m, uint8_t service, struct client *c);

#define client_foreach(m, service, c)                                                              \
	for (struct client *c = client_next(m, service, NULL); c; c = client_next(m, service, c))

#endif
