// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Input from clients of our qmi-proxy. The first byte selects: bytes after a good greeting, bytes
 * from the very first on, or a recipe for well-formed messages of two clients (see cook()). The
 * modem of this file checks: no malformed message may reach it, no request for an id that it has
 * not allocated, no SYNC; and when the clients are gone, all its ids are released.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/util/log.h"
#include "daemon/proxy/proxy.h"
#include "daemon/qmi/client.h"
#include "daemon/qmi/ctl.h"
#include "daemon/qmi/transport.h"
#include "daemon/qmi/wda.h"
#include "daemon/qmi/wds.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS 2

static char dir[] = "/tmp/qmap-fuzz-XXXXXX", path[64], name[32];
static struct event_base *base;
static struct qmi_channel *channel;
static struct proxy_modem *shared;
static struct event *reader;
static int modem = -1;
static struct qmi_stream stream;
static bool given[256][256];
static unsigned int ngiven;
static uint8_t next_id[256];

static void must(bool what)
{
	if (!what)
		abort();
}

static void turn(void)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* --- the modem --- */

static void reply(const struct qmi_message *m, uint16_t error, const uint8_t *pair)
{
	struct qmi_message r = *m;
	struct qmi_buf tlvs;
	uint8_t result[4] = {error != 0, 0, error}, out[256];
	int len;

	qmi_buf_init(&tlvs);
	qmi_put_tlv(&tlvs, QMI_TLV_RESULT, result, sizeof(result));
	if (pair)
		qmi_put_tlv(&tlvs, 1, pair, 2);
	r.type = QMI_RESPONSE;
	r.tlvs = (struct qmi_tlvs){.data = tlvs.data, .len = tlvs.len};
	len = qmi_message_write(&r, out, sizeof(out));
	must(len > 0 && send(modem, out, len, MSG_NOSIGNAL) == len);
}

static void give(const struct qmi_message *m)
{
	uint8_t service, pair[2];

	must(qmi_ctl_asked_service(m, &service) && service);
	do {
		next_id[service] = next_id[service] % 254 + 1;
	} while (given[service][next_id[service]]);
	pair[0] = service;
	pair[1] = next_id[service];
	given[service][pair[1]] = true;
	ngiven++;
	reply(m, 0, pair);
}

static void take_back(const struct qmi_message *m)
{
	uint8_t pair[2];

	must(qmi_ctl_allocated(m, &pair[0], &pair[1]) && given[pair[0]][pair[1]]);
	given[pair[0]][pair[1]] = false;
	ngiven--;
	reply(m, 0, pair);
}

static void on_request(const struct qmi_message *m)
{
	struct qmi_tlv t;

	must(m->type == QMI_REQUEST);
	if (m->service != QMI_CTL) {
		must(given[m->service][m->client]);
		must(m->service != QMI_WDA || m->id != QMI_WDA_SET_DATA_FORMAT);
		must(m->service != QMI_WDS || m->id != QMI_WDS_BIND_MUX_DATA_PORT ||
		     !qmi_tlv_find(m->tlvs, QMI_WDS_TLV_BIND_MUX, &t) || !t.len ||
		     t.value[0] != 0x81);
		reply(m, 0, NULL);
	} else if (m->id == QMI_CTL_ALLOCATE_CID) {
		give(m);
	} else if (m->id == QMI_CTL_RELEASE_CID) {
		take_back(m);
	} else {
		must(m->id == QMI_CTL_GET_VERSION_INFO);
		reply(m, 0, NULL);
	}
}

static void on_modem(evutil_socket_t fd, short what, void *arg)
{
	struct qmi_message m;
	struct qmi_bad bad;
	size_t size, off = 0;
	uint8_t *room = qmi_stream_room(&stream, &size);
	ssize_t n = read(fd, room, size);
	int len;

	must(n > 0);
	qmi_stream_filled(&stream, n);
	while (off < stream.len) {
		len = qmi_message_parse(stream.buf + off, stream.len - off, &m, &bad);
		if (len == -EAGAIN)
			break;
		must(len > 0 && stream.buf[off + 3] == 0);
		on_request(&m);
		off += len;
	}
	stream.off = off;
}

/* --- set-up --- */

static void on_changed(void *arg)
{
}

/* The modem of this file checks that no such request reaches it. */
static bool owns_mux(void *arg, uint8_t mux)
{
	return mux == 0x81;
}

static const struct proxy_owner owner = {.changed = on_changed, .owns_mux = owns_mux};

static void on_lost(void *arg, const char *why)
{
	abort();
}

static const struct qmi_channel_ops ops = {.lost = on_lost};

static void clean_up(void)
{
	event_free(reader);
	qmi_channel_free(&channel);
	proxy_modem_free(&shared);
	proxy_server_stop();
	event_base_free(base);
	unlink(path);
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	log_set_level(LOG_LEVEL_ERROR);
	signal(SIGPIPE, SIG_IGN);
	must(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/qmi", dir);
	snprintf(name, sizeof(name), "qmap-fuzz-%d", (int)getpid());
	strcpy(sa.sun_path, path);
	must(!bind(fd, (struct sockaddr *)&sa, sizeof(sa)) && !listen(fd, 1));
	base = event_base_new();
	must(!qmi_channel_open(&channel, base, path, &ops, NULL, NULL));
	modem = accept(fd, NULL, NULL);
	close(fd);
	reader = event_new(base, modem, EV_READ | EV_PERSIST, on_modem, NULL);
	must(reader && !event_add(reader, NULL));
	must(!proxy_server_start(base, name, NULL, NULL));
	shared = proxy_modem_new(path, &owner, NULL);
	must(shared);
	proxy_modem_open(shared, channel);
	atexit(clean_up);
	return 0;
}

/* --- clients --- */

static int dial(void)
{
	struct sockaddr_un sa;
	unsigned int len = qmi_proxy_address(&sa, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	must(!connect(fd, (struct sockaddr *)&sa, len));
	return fd;
}

static void feed(int fd, const uint8_t *data, size_t size)
{
	uint8_t sink[4096];

	while (size) {
		ssize_t n = send(fd, data, size > 3000 ? 3000 : size, MSG_NOSIGNAL);

		turn();
		if (n <= 0 && recv(fd, sink, sizeof(sink), MSG_PEEK) == 0)
			return;
		if (n < 0 && errno != EAGAIN)
			return;
		data += n > 0 ? n : 0;
		size -= n > 0 ? n : 0;
		while (recv(fd, sink, sizeof(sink), 0) > 0)
			;
	}
}

static void put(int fd, struct qmi_message *m, const struct qmi_buf *tlvs)
{
	uint8_t buf[QMI_MAX_MESSAGE];
	int len;

	m->tlvs = (struct qmi_tlvs){.data = tlvs->data, .len = tlvs->len};
	len = qmi_message_write(m, buf, sizeof(buf));
	if (len > 0)
		feed(fd, buf, len);
}

/* Leaves the answer unread. */
static void greet_only(int fd)
{
	struct qmi_message m = {.id = QMI_CTL_PROXY_OPEN, .transaction = 1};
	struct qmi_request r;
	uint8_t buf[256];
	int len;

	qmi_ctl_proxy_open(&r, path);
	m.tlvs = (struct qmi_tlvs){.data = r.tlvs.data, .len = r.tlvs.len};
	len = qmi_message_write(&m, buf, sizeof(buf));
	must(len > 0 && send(fd, buf, len, MSG_NOSIGNAL) == len);
	turn();
}

static void greet(int fd)
{
	uint8_t answer[64];

	greet_only(fd);
	recv(fd, answer, sizeof(answer), 0);
}

/*
 * Five bytes make one message: client and service; client id; message; length and first byte of its
 * TLV, which the following bytes fill. Services and messages are chosen from those with special
 * rules.
 */
static void cook(const int fds[CLIENTS], const uint8_t *p, size_t size)
{
	static const uint8_t services[] = {QMI_CTL, QMI_CTL, QMI_WDS, QMI_WDA, QMI_DMS, QMI_NAS};

	while (size >= 5) {
		struct qmi_message m = {
			.service = services[(p[0] >> 1) % sizeof(services)],
			.client = p[1],
			.id = p[0] & 0x80 ? QMI_CTL_PROXY_OPEN : 0x20 + p[2] % 8,
			.transaction = p[1],
		};
		size_t len = p[3] % 4 < size - 4 ? p[3] % 4 : size - 4;
		struct qmi_buf tlvs;

		qmi_buf_init(&tlvs);
		if (len)
			qmi_put_tlv(&tlvs, 1, p + 4, len);
		put(fds[p[0] & 1], &m, &tlvs);
		p += 4 + len;
		size -= 4 + len;
	}
}

/* All ids are released, and the next client is served. */
static void all_is_well(void)
{
	struct timespec t = {.tv_nsec = 100000};
	uint8_t answer[64];
	int fd;

	for (int i = 0; i < 10000 && (ngiven || proxy_modem_clients(shared)); i++) {
		turn();
		if (i > 100)
			nanosleep(&t, NULL);
	}
	must(!ngiven && !proxy_modem_clients(shared));
	fd = dial();
	greet_only(fd);
	must(recv(fd, answer, sizeof(answer), 0) == 19 && answer[17] == 0);
	close(fd);
	turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[CLIENTS];

	if (!size)
		return 0;
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = dial();
		turn();
		if (i || data[0] % 3 != 1)
			greet(fds[i]);
	}
	if (data[0] % 3 == 2)
		cook(fds, data + 1, size - 1);
	else
		feed(fds[0], data + 1, size - 1);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	turn();
	all_is_well();
	return 0;
}
