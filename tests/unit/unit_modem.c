// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit_modem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/modem/client.h"
#include "tests/modem/control.h"
#include "tests/modem/faults.h"
#include "tests/modem/pdn.h"
#include "tests/modem/service.h"
#include "tests/modem/sim.h"
#include "tests/modem/wda.h"

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

	if (len > sizeof(d->bytes))
		abort();
	d->f = f;
	d->len = len;
	memcpy(d->bytes, p, len);
	d->timer = event_new(f->base, -1, 0, fake_delayed, d);
	event_add(d->timer, &tv);
	SLIST_INSERT_HEAD(&f->later, d, entry);
}

size_t fake_message(uint8_t *b, uint8_t service, uint8_t client, int kind, uint16_t tid,
		    uint16_t message, const void *tlvs, size_t len)
{
	const struct qmi_msg head = {.service = service,
				     .client = client,
				     .kind = kind,
				     .transaction = tid,
				     .id = message};
	struct qmi_tlvs all = {.len = len};

	if (len)
		memcpy(all.data, tlvs, len);
	return qmux_build(b, &head, &all, &(struct qmi_tlvs){});
}

void fake_indicate(struct fake_modem *f, uint8_t service, uint8_t client, uint16_t message,
		   const uint8_t *tlvs, size_t len)
{
	uint8_t b[QMUX_MAX];

	fake_send(f, b, fake_message(b, service, client, QMI_INDICATION, 0, message, tlvs, len));
}

const uint8_t *fake_tlv(const struct request *r, uint8_t type, size_t *len)
{
	const struct qmi_msg msg = {.tlvs = r->tlvs, .tlv_len = r->len};
	uint16_t n = 0;
	const uint8_t *v = qmi_find(&msg, type, &n);

	*len = n;
	return v;
}

/* --- the modem --- */

static struct fake_modem *answering;

/* Called by the services while a request is answered: indications come behind the answer. */
void control_indicate(struct modem *m, const uint8_t *buf, size_t len)
{
	if (!answering || answering->announced_len + len > sizeof(answering->announced))
		abort();
	memcpy(answering->announced + answering->announced_len, buf, len);
	answering->announced_len += len;
}

/* Rules of the test refuse calls. */
bool faults_refuse(struct modem *m, const struct pdn *pdn, const char *apn, enum family family,
		   struct call_end *end)
{
	return false;
}

static struct modem *modem_new(void)
{
	struct modem *m = calloc(1, sizeof(*m));

	m->options = (struct options){.pdns = MAX_PDNS, .clients = MAX_CLIENTS, .interface = 4};
	m->model = *model_find("RG500Q");
	m->registration = REGISTERED;
	m->radio = RADIO_LTE;
	m->pin_retries = SIM_PIN_RETRIES;
	m->next_handle = 0x86e00000;
	pdns_init(m);
	wda_reset(m);
	return m;
}

/* Takes over the changes of the test. */
static void configure(struct fake_modem *f)
{
	struct modem *m = f->modem;

	m->model = *model_find(f->model);
	m->model.protocols = f->accepts;
	m->model.refusal = f->refuses_by_echo ? REFUSE_OFF : REFUSE_ERROR;
	m->model.dl_max_size = f->dl_bytes ?: m->model.dl_max_size;
	m->model.ul_max_size = f->ul_bytes ?: m->model.ul_max_size;
	m->options.without = f->without;
	for (int i = 0; i < MAX_SERVICES; i++)
		m->next_client[i] = f->last_id % MAX_CLIENTS;
}

unsigned int fake_clients(struct fake_modem *f)
{
	static const uint8_t services[] = {WDS, DMS, NAS, UIM, WDA};
	unsigned int n = 0;

	for (size_t i = 0; i < sizeof(services); i++)
		n += client_count(f->modem, services[i]);
	return n;
}

void fake_forget_clients(struct fake_modem *f)
{
	client_release_all(f->modem);
}

void fake_give(struct fake_modem *f, uint8_t service, uint8_t id)
{
	f->modem->next_client[client_pool(service)] = id - 1;
	client_allocate(f->modem, service, &id);
}

void fake_call(struct fake_modem *f, uint8_t id, bool connected)
{
	struct client *c = client_find(f->modem, WDS, id);
	struct call_end end;

	if (connected)
		pdn_connect(f->modem, c, pdn_choose(f->modem, c, "", 0, &end), FAMILY_V4, &end);
	else
		pdn_leave(f->modem, c);
}

/* --- requests --- */

static const struct rule *fake_rule(struct fake_modem *f, const struct request *r)
{
	for (unsigned int i = 0; i < f->nrules; i++) {
		const struct rule *rule = &f->rules[i];

		if (rule->service != r->service || rule->message != r->message ||
		    (rule->family && rule->family != f->family[r->client]))
			continue;
		f->used[i]++;
		if (f->used[i] > rule->skip &&
		    (!rule->count || f->used[i] <= rule->skip + rule->count))
			return rule;
	}
	return NULL;
}

/* The modem's own result and TLVs. */
static enum qmi_error fake_usual(struct fake_modem *f, const struct request *r,
				 struct qmi_tlvs *out)
{
	const struct qmi_msg msg = {.service = r->service,
				    .client = r->client,
				    .transaction = r->transaction,
				    .id = r->message,
				    .tlvs = r->tlvs,
				    .tlv_len = r->len};
	enum qmi_error err;

	configure(f);
	answering = f;
	err = service_run(f->modem, &msg, out);
	answering = NULL;
	if (!err && r->service == CTL && r->message == 0x0022)
		f->last_id = out->data[4];
	return err;
}

static void send_all(struct fake_modem *f, const uint8_t *p, size_t len, unsigned int delay_ms)
{
	if (delay_ms)
		fake_send_later(f, p, len, delay_ms);
	else
		fake_send(f, p, len);
}

static void fake_answer(struct fake_modem *f, const struct request *r)
{
	static const struct rule usual;
	const struct rule *rule = fake_rule(f, r) ?: &usual;
	struct qmi_msg head = {.service = r->service,
			       .client = r->client,
			       .kind = QMI_RESPONSE,
			       .transaction = r->transaction,
			       .id = r->message};
	struct qmi_tlvs result = {}, tlvs = {.len = rule->tlvs_len};
	uint8_t out[QMUX_MAX];
	enum qmi_error error = rule->error;
	size_t len;

	if (f->mute || rule->silent)
		return;
	f->announced_len = 0;
	if (rule->tlvs)
		memcpy(tlvs.data, rule->tlvs, rule->tlvs_len);
	else if (!error)
		error = fake_usual(f, r, &tlvs);
	qmi_put_result(&result, error);
	len = qmux_build(out, &head, &result, &tlvs);
	if (rule->before)
		fake_send(f, rule->before, rule->before_len);
	for (int i = 0; i < (rule->twice ? 2 : 1); i++)
		send_all(f, out, len, rule->delay_ms);
	if (f->announced_len)
		send_all(f, f->announced, f->announced_len, rule->delay_ms);
}

/* Takes one complete request off the buffer. */
static bool fake_take(struct fake_modem *f, struct request *r)
{
	int total = qmux_length(f->buf, f->len);
	struct qmi_msg msg;

	if (!total)
		return false;
	if (total < 0 || qmux_parse(f->buf, total, &msg) || msg.kind != QMI_REQUEST ||
	    f->buf[3] != 0 || msg.tlv_len > sizeof(r->tlvs))
		abort(); /* not a request */
	*r = (struct request){.service = msg.service,
			      .client = msg.client,
			      .transaction = msg.transaction,
			      .message = msg.id,
			      .len = msg.tlv_len};
	memcpy(r->tlvs, msg.tlvs, msg.tlv_len);
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
	ssize_t got = read(fd, f->buf + f->len, sizeof(f->buf) - f->len);
	struct request r;
	size_t n;

	if (got <= 0) {
		fake_hang_up(f);
		return;
	}
	f->len += got;
	while (f->fd >= 0 && fake_take(f, &r)) {
		if (f->nlog == FAKE_LOG)
			abort();
		f->log[f->nlog++] = r;
		if (r.service == WDS && r.message == 0x0020)
			f->family[r.client] = *fake_tlv(&r, 0x19, &n);
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
	f->model = "RG500Q";
	f->modem = modem_new();
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
	free(f->modem);
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
