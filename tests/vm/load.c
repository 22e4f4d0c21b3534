// SPDX-License-Identifier: GPL-2.0-or-later
#include "load.h"

#include <arpa/inet.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world.h"

unsigned int load_scale(void)
{
	const char *s = getenv("SCALE");

	return s ? strtoul(s, NULL, 0) : 1;
}

void load_fill(struct aggregate *a, unsigned int ports)
{
	static struct packet_spec s = {.ttl = 64, .flags = 0x10};
	uint8_t packet[PACKET_MAX];
	size_t len;

	do {
		if (chance(20)) {
			s.flow = random_in(1, 50);
			s.v6 = chance(30);
			s.udp = chance(20);
			s.payload = random_in(0, chance(70) ? 100 : 1400);
		}
		len = packet_make(packet, &s);
		s.seq += s.payload;
		s.id++;
		if (chance(3))
			aggregate_add_flow(a, random_u32(), chance(50), random_u32());
	} while (aggregate_add(a, chance(95) ? random_in(1, ports) : random_u32(), packet, len,
			       -len & 3));
}

void load_mutate(struct aggregate *a)
{
	unsigned int i, n = chance(30) ? random_in(100, 1000) : random_in(1, 10);
	size_t start = 0;

	if (chance(10)) {
		a->len = random_in(1, a->max);
		for (i = 0; i < a->len; i++)
			a->data[i] = chance(50) ? 0 : random_u32();
		return;
	}
	for (i = 0; i < n; i++) {
		if (chance(60)) /* changes in headers are the most harmful */
			start = (start + 1000) % a->len & ~3;
		a->data[(start + random_in(0, 63)) % a->len] =
			chance(30) ? random_u32() : random_in(0, 255);
	}
	if (chance(30))
		a->len = random_in(1, a->len);
}

/*
 * The load fills the time in which the test waits; at the test's own priority, its threads would
 * delay each change by all of theirs.
 */
static void give_way(void)
{
	if (nice(19) < 0)
		sched_yield();
}

static void *downlink(void *arg)
{
	static struct aggregate a;
	struct load *l = arg;

	give_way();
	while (!atomic_load(&l->stop)) {
		a = (struct aggregate){.version = 1, .max = 16384};
		load_fill(&a, l->w->n_ports);
		if (chance(5))
			load_mutate(&a);
		if (world_send(l->w, a.data, a.len))
			sched_yield();
		else
			l->down++;
	}
	return NULL;
}

static void *drain(void *arg)
{
	static uint8_t buf[AGGREGATE_MAX];
	struct load *l = arg;

	give_way();
	while (!atomic_load(&l->stop))
		if (world_recv(l->w, buf, sizeof(buf), 10))
			l->up++;
	return NULL;
}

/* Sends from the current owner of the address. */
static void *uplink(void *arg)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(4000),
				 .sin_addr.s_addr = htonl(LOAD_ADDR + 1)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	static const uint8_t data[1000];
	struct load *l = arg;

	give_way();
	while (!atomic_load(&l->stop))
		if (sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			sched_yield();
	close(fd);
	return NULL;
}

void load_start(struct load *l, const struct world *w)
{
	l->w = w;
	atomic_store(&l->stop, false);
	pthread_create(&l->threads[0], NULL, downlink, l);
	pthread_create(&l->threads[1], NULL, drain, l);
	pthread_create(&l->threads[2], NULL, uplink, l);
}

void load_stop(struct load *l)
{
	unsigned int i;

	atomic_store(&l->stop, true);
	for (i = 0; i < sizeof(l->threads) / sizeof(*l->threads); i++)
		pthread_join(l->threads[i], NULL);
}
