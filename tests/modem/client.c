// SPDX-License-Identifier: GPL-2.0-or-later
#include "client.h"
#include "pdn.h"
#include "util.h"

static const uint8_t pools[MAX_SERVICES] = {
	QMI_SERVICE_WDS, QMI_SERVICE_DMS, QMI_SERVICE_NAS, QMI_SERVICE_UIM, QMI_SERVICE_WDA,
};

int client_pool(uint8_t service)
{
	for (size_t i = 0; i < ARRAY_SIZE(pools); i++)
		if (pools[i] == service && service != QMI_SERVICE_CTL)
			return i;
	return -1;
}

/* Ids are allocated round robin, so that the use of a released one is noticed. */
enum qmi_error client_allocate(struct modem *m, uint8_t service, uint8_t *id)
{
	int pool = client_pool(service);
	unsigned int size = m->options.clients;

	if (pool < 0)
		return QMI_INVALID_SERVICE;
	for (unsigned int i = 0; i < size; i++) {
		unsigned int slot = (m->next_client[pool] + i) % size;
		struct client *c = &m->clients[pool][slot];

		if (c->used)
			continue;
		*c = (struct client){.used = true, .service = service, .id = slot + 1};
		m->next_client[pool] = (slot + 1) % size;
		*id = c->id;
		return QMI_OK;
	}
	return QMI_CLIENTS_EXHAUSTED;
}

struct client *client_find(struct modem *m, uint8_t service, uint8_t id)
{
	int pool = client_pool(service);
	struct client *c;

	if (pool < 0 || !id || id > m->options.clients)
		return NULL;
	c = &m->clients[pool][id - 1];
	return c->used ? c : NULL;
}

void client_release(struct modem *m, struct client *c)
{
	pdn_leave(m, c);
	c->used = false;
}

void client_reset(struct modem *m, struct client *c)
{
	pdn_leave(m, c);
	*c = (struct client){.used = true, .service = c->service, .id = c->id};
}

void client_release_all(struct modem *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(pools); i++)
		client_foreach(m, pools[i], c) client_release(m, c);
}

unsigned int client_count(struct modem *m, uint8_t service)
{
	unsigned int n = 0;

	client_foreach(m, service, c) n++;
	return n;
}

struct client *client_next(struct modem *m, uint8_t service, struct client *c)
{
	int pool = client_pool(service);

	if (pool < 0)
		return NULL;
	for (unsigned int i = c ? c->id : 0; i < m->options.clients; i++)
		if (m->clients[pool][i].used)
			return &m->clients[pool][i];
	return NULL;
}
