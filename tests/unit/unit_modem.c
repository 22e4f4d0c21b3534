// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit_modem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct delayed {
	SLIST_ENTRY(delayed) entry;
	struct fake_modem *f;
	struct event *timer;
	size_t len;
	uint8_t bytes[1024];
};

void fake_send(struct fake_modem *f, const uint8_t *p, size_t len)
{
	/* The peer may have closed; so few bytes are never written in part. */
	if (f->fd >= 0)
		send(f->fd, p, len, MSG_NOSIGNAL);
}

static void fake_forget(struct delayed *d)
{
	SLIST_REMOVE(&d->f->later, d, delayed, entry);
	event_free(d->timer);
	free(d);
}

static void fake_delayed(evutil_socket_t fd, short what, void *arg)
{
	struct delayed *d = arg;

	fake_send(d->f, d->bytes, d->len);
	fake_forget(d);
}

static void fake_send_later(struct fake_modem *f, const uint8_t *p, size_t len, unsigned int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct delayed *d = calloc(1, sizeof(*d));

	d->f = f;
	d->len = len;
	memcpy(d->bytes, p, len);
	d->timer = event_new(f->base, -1, 0, fake_delayed, d);
	event_add(d->timer, &tv);
	SLIST_INSERT_HEAD(&f->later, d, entry);
}

size_t fake_message(uint8_t *b, uint8_t service, uint8_t client, int kind, uint16_t tid,
		    uint16_t message, const uint8_t *tlvs, size_t len)
{
	size_t n = 0, total = 5 + (service == CTL ? 6 : 7) + len;

	b[n++] = 1;
	b[n++] = total & 0xff;
	b[n++] = total >> 8;
	b[n++] = 0x80;
	b[n++] = service;
	b[n++] = client;
	b[n++] = service == CTL ? kind : 2 * kind;
	b[n++] = tid & 0xff;
	if (service != CTL)
		b[n++] = tid >> 8;
	b[n++] = message & 0xff;
	b[n++] = message >> 8;
	b[n++] = len & 0xff;
	b[n++] = len >> 8;
	if (len)
		memcpy(b + n, tlvs, len);
	return n + len;
}

void fake_indicate(struct fake_modem *f, uint8_t service, uint8_t client, uint16_t message,
		   const uint8_t *tlvs, size_t len)
{
	uint8_t b[512];

	fake_send(f, b, fake_message(b, service, client, 2, 0, message, tlvs, len));
}

const uint8_t *fake_tlv(const struct request *r, uint8_t type, size_t *len)
{
	for (size_t i = 0; i + 3 <= r->len; i += 3 + *len) {
		*len = r->tlvs[i + 1] | r->tlvs[i + 2] << 8;
		if (r->tlvs[i] == type)
			return r->tlvs + i + 3;
	}
	return NULL;
}

static struct fake_client *fake_client(struct fake_modem *f, uint8_t service, uint8_t id)
{
	for (unsigned int i = 0; i < f->nclients; i++)
		if (f->clients[i].service == service && f->clients[i].id == id)
			return &f->clients[i];
	return NULL;
}

static size_t put(uint8_t *out, size_t n, uint8_t type, const void *v, uint8_t len)
{
	out[n] = type;
	out[n + 1] = len;
	out[n + 2] = 0;
	memcpy(out + n + 3, v, len);
	return n + 3 + len;
}

static size_t put32(uint8_t *out, size_t n, uint8_t type, uint32_t v)
{
	return put(out, n, type, ((uint8_t[]){v, v >> 8, v >> 16, v >> 24}), 4);
}

static size_t fake_ctl(struct fake_modem *f, const struct request *r, uint8_t *out, uint16_t *error)
{
	size_t len;
	const uint8_t *v = fake_tlv(r, 1, &len);

	switch (r->message) {
	case 0x0021: { /* versions */
		static const uint8_t list[] = {3, WDS, 1, 0,   67, 0, DMS, 1,
					       0, 14,  0, WDA, 1,  0, 16,  0};

		return put(out, 0, 1, list, sizeof(list));
	}
	case 0x0022:
		f->last_id = f->last_id % 254 + 1;
		f->clients[f->nclients++] = (struct fake_client){.service = v[0], .id = f->last_id};
		return put(out, 0, 1, ((uint8_t[]){v[0], f->last_id}), 2);
	case 0x0023: {
		struct fake_client *c = fake_client(f, v[0], v[1]);

		if (!c)
			*error = 7;
		else
			*c = f->clients[--f->nclients];
		return put(out, 0, 1, ((uint8_t[]){v[0], v[1]}), 2);
	}
	case 0x0027:
		f->nclients = 0;
		return 0;
	}
	*error = 71;
	return 0;
}

static size_t fake_wda(struct fake_modem *f, const struct request *r, uint8_t *out, uint16_t *error)
{
	static const uint8_t zero[4], raw_ip[] = {2, 0, 0, 0}, ul_count[] = {11, 0, 0, 0};
	size_t len, n;
	const uint8_t *dl = fake_tlv(r, 0x13, &len), *max = fake_tlv(r, 0x16, &len);
	bool ok = f->accepts & 1u << dl[0];

	if (!ok && !f->refuses_by_echo) {
		*error = 48;
		return 0;
	}
	n = put(out, 0, 0x11, raw_ip, 4);
	n = put(out, n, 0x12, ok ? dl : zero, 4);
	n = put(out, n, 0x13, ok ? dl : zero, 4);
	if (!ok || !dl[0])
		return put(out, n, 0x16, zero, 4);
	n = put(out, n, 0x15, fake_tlv(r, 0x15, &len), 4);
	n = f->dl_bytes ? put32(out, n, 0x16, f->dl_bytes) : put(out, n, 0x16, max, 4);
	n = put(out, n, 0x17, ul_count, 4);
	return put(out, n, 0x18,
		   ((uint8_t[]){f->ul_bytes & 0xff, f->ul_bytes ? f->ul_bytes >> 8 : 0x20, 0, 0}),
		   4);
}

static size_t fake_settings(const struct fake_client *c, uint8_t *out)
{
	uint8_t v6[17] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, c->mux, 0, 0, 0, 0, 0, 0, 0, 2, 64};
	size_t n = put(out, 0, 0x29, ((uint8_t[]){0xdc, 5, 0, 0}), 4);

	if (c->family == 4) {
		n = put(out, n, 0x15, ((uint8_t[]){8, 8, 8, 8}), 4);
		n = put(out, n, 0x1e, ((uint8_t[]){2, c->mux, 0, 10}), 4);
		n = put(out, n, 0x20, ((uint8_t[]){1, c->mux, 0, 10}), 4);
		return put(out, n, 0x21, ((uint8_t[]){0xfc, 0xff, 0xff, 0xff}), 4);
	}
	n = put(out, n, 0x25, v6, 17);
	v6[15] = 1;
	return put(out, n, 0x26, v6, 17);
}

static size_t fake_wds(struct fake_client *c, const struct request *r, uint8_t *out,
		       uint16_t *error)
{
	size_t len;

	switch (r->message) {
	case 0x00a2:
		c->bound = true;
		c->mux = fake_tlv(r, 0x11, &len)[0];
		return 0;
	case 0x004d:
		return 0;
	case 0x0020:
		c->connected = true;
		c->family = fake_tlv(r, 0x19, &len)[0];
		c->handle = 0x1000 + c->id;
		return put32(out, 0, 1, c->handle);
	case 0x0021:
		c->connected = false;
		return 0;
	case 0x0022:
		return put(out, 0, 1, c->connected ? "\2" : "\1", 1);
	case 0x002d:
		if (!c->connected)
			*error = 15;
		return c->connected ? fake_settings(c, out) : 0;
	}
	*error = 71;
	return 0;
}

/* TLVs of the usual answer, without the result. */
static size_t fake_usual(struct fake_modem *f, const struct request *r, uint8_t *out,
			 uint16_t *error)
{
	struct fake_client *c = fake_client(f, r->service, r->client);

	if (r->service == CTL)
		return fake_ctl(f, r, out, error);
	if (!c) {
		*error = 7;
		return 0;
	}
	if (r->service == WDA)
		return fake_wda(f, r, out, error);
	if (r->service == WDS)
		return fake_wds(c, r, out, error);
	return put(out, 0, 1, f->model, strlen(f->model));
}

static const struct rule *fake_rule(struct fake_modem *f, const struct request *r)
{
	struct fake_client *c = fake_client(f, r->service, r->client);
	size_t len;
	const uint8_t *start = r->message == 0x0020 ? fake_tlv(r, 0x19, &len) : NULL;

	for (unsigned int i = 0; i < f->nrules; i++) {
		const struct rule *rule = &f->rules[i];

		if (rule->service != r->service || rule->message != r->message)
			continue;
		if (rule->family && rule->family != (start ? *start : c ? c->family : 0))
			continue;
		f->used[i]++;
		if (f->used[i] > rule->skip &&
		    (!rule->count || f->used[i] <= rule->skip + rule->count))
			return rule;
	}
	return NULL;
}

static void fake_answer(struct fake_modem *f, const struct request *r)
{
	static const struct rule usual;
	const struct rule *rule = fake_rule(f, r);
	uint8_t tlvs[512], out[1024];
	uint16_t error = 0;
	size_t n = 0, len;

	rule = rule ? rule : &usual;
	if (f->mute || rule->silent)
		return;
	if (!rule->tlvs && !rule->error)
		n = fake_usual(f, r, tlvs + 7, &error);
	if (rule->tlvs)
		memcpy(tlvs + 7, rule->tlvs, n = rule->tlvs_len);
	if (rule->error)
		error = rule->error;
	put(tlvs, 0, 2, ((uint8_t[]){!!error, 0, error & 0xff, error >> 8}), 4);
	len = fake_message(out, r->service, r->client, 1, r->transaction, r->message, tlvs, n + 7);
	if (rule->before)
		fake_send(f, rule->before, rule->before_len);
	for (int i = 0; i < (rule->twice ? 2 : 1); i++)
		if (rule->delay_ms)
			fake_send_later(f, out, len, rule->delay_ms);
		else
			fake_send(f, out, len);
}

/* Takes one complete request off the buffer. */
static bool fake_take(struct fake_modem *f, struct request *r)
{
	size_t total = f->len >= 3 ? (size_t)(f->buf[1] | f->buf[2] << 8) + 1 : 0, head, n = 6;

	if (!total || f->len < total)
		return false;
	r->service = f->buf[4];
	r->client = f->buf[5];
	head = r->service == CTL ? 12 : 13;
	if (f->buf[0] != 1 || f->buf[3] != 0 || f->buf[n++] != 0)
		abort(); /* not a request */
	r->transaction = f->buf[n++];
	if (r->service != CTL)
		r->transaction |= f->buf[n++] << 8;
	r->message = f->buf[n] | f->buf[n + 1] << 8;
	r->len = total - head;
	if ((size_t)(f->buf[n + 2] | f->buf[n + 3] << 8) != r->len || r->len > sizeof(r->tlvs))
		abort();
	memcpy(r->tlvs, f->buf + head, r->len);
	f->len -= total;
	memmove(f->buf, f->buf + total, f->len);
	return true;
}

void fake_hang_up(struct fake_modem *f)
{
	if (f->reader)
		event_free(f->reader);
	f->reader = NULL;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->len = 0;
}

static void fake_readable(evutil_socket_t fd, short what, void *arg)
{
	struct fake_modem *f = arg;
	ssize_t n = read(fd, f->buf + f->len, sizeof(f->buf) - f->len);
	struct request r;

	if (n <= 0) {
		fake_hang_up(f);
		return;
	}
	f->len += n;
	while (f->fd >= 0 && fake_take(f, &r)) {
		if (f->nlog == FAKE_LOG)
			abort();
		f->log[f->nlog++] = r;
		fake_answer(f, &r);
	}
}

static void fake_accept(evutil_socket_t fd, short what, void *arg)
{
	struct fake_modem *f = arg;

	fake_hang_up(f);
	f->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	f->connections++;
	f->reader = event_new(f->base, f->fd, EV_READ | EV_PERSIST, fake_readable, f);
	event_add(f->reader, NULL);
}

void fake_open(struct fake_modem *f)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	memset(f, 0, sizeof(*f));
	f->fd = -1;
	f->accepts = 1u << 5 | 1u << 8 | 1u << 9;
	f->model = "RG500Q-EA";
	f->base = event_base_new();
	snprintf(f->dir, sizeof(f->dir), "/tmp/fake-modem-XXXXXX");
	if (!mkdtemp(f->dir))
		abort();
	snprintf(f->path, sizeof(f->path), "%s/qmi", f->dir);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", f->path);
	f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(f->listen_fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(f->listen_fd, 1))
		abort();
	f->listener = event_new(f->base, f->listen_fd, EV_READ | EV_PERSIST, fake_accept, f);
	event_add(f->listener, NULL);
}

void fake_close(struct fake_modem *f)
{
	fake_hang_up(f);
	while (!SLIST_EMPTY(&f->later))
		fake_forget(SLIST_FIRST(&f->later));
	event_free(f->listener);
	close(f->listen_fd);
	event_base_free(f->base);
	unlink(f->path);
	rmdir(f->dir);
}

struct rule *fake_add_rule(struct fake_modem *f, struct rule r)
{
	if (f->nrules == FAKE_RULES)
		abort();
	f->rules[f->nrules] = r;
	return &f->rules[f->nrules++];
}

unsigned int fake_asked(const struct fake_modem *f, uint8_t service, uint16_t message)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < f->nlog; i++)
		n += f->log[i].service == service && f->log[i].message == message;
	return n;
}

void fake_timeout(evutil_socket_t fd, short what, void *arg)
{
	*(bool *)arg = true;
}

bool fake_run(struct fake_modem *f, const bool *done, unsigned int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	bool timeout = false;
	struct event *timer = event_new(f->base, -1, 0, fake_timeout, &timeout);

	event_add(timer, &tv);
	while (!*done && !timeout)
		event_base_loop(f->base, EVLOOP_ONCE);
	event_free(timer);
	return *done;
}
