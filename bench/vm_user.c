// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm_user.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/walk.h"
#include "tests/modem/tun_open.h"
#include "user/kernel.h"
#include "vm_bench.h"

#define SLOT	  65536 /* of the ring: one aggregate */
#define SLOTS	  64
#define PORTS	  256
#define UL_BYTES  16384 /* as of rmnet in these guests */
#define UL_FRAMES 32
#define SUPER	  65536

/* Shared by the process that is measured and this one. */
struct counts {
	unsigned long long received, drops;
	bool runs;
};

struct vm_user {
	struct counts *counts;
	pid_t child;
	int version, packet;
	unsigned int n_ports;
	struct port ports[PORTS];
	uint8_t *ring;
	struct sockaddr_ll trunk;
	/* the uplink's aggregate */
	uint8_t ul[UL_BYTES];
	unsigned int ul_len, ul_frames;
	struct rx_queue q;
};

/* --- sums --- */

/* Adds @n bytes in ones' complement, in the byte order of memory. */
static uint64_t sum_of(const uint8_t *p, size_t n, uint64_t start)
{
	uint64_t sum = start, word;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&word, p, 8);
		sum += word;
		sum += sum < word;
	}
	word = 0;
	memcpy(&word, p, n);
	sum += word;
	return sum + (sum < word);
}

static uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static unsigned int ip_length(const uint8_t *p)
{
	return *p >> 4 == 6 ? 40 : (*p & 15) * 4;
}

static uint64_t pseudo_of(const uint8_t *p, unsigned int l4_bytes)
{
	bool v6 = *p >> 4 == 6;

	return sum_of(p + (v6 ? 8 : 12), v6 ? 32 : 8, 0) + htons(v6 ? p[6] : p[9]) +
	       htons(l4_bytes);
}

/* --- downlink --- */

static void deliver(struct vm_user *u, const struct port *port, struct iovec *iov, int n,
		    unsigned int packets)
{
	if (writev(port->fd, iov, n) > 0)
		u->counts->received += packets;
	else
		u->counts->drops += packets;
}

static void deliver_single(struct vm_user *u, const struct frame *f)
{
	struct virtio_net_hdr h = {};
	struct iovec iov[2] = {{&h, sizeof(h)}, {f->data, f->kind.length}};

	if (f->kind.flags & QMAP_SHIM_CSUM_OK)
		h.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	deliver(u, f->port, iov, 2, 1);
}

static bool verified(const struct frame *f, unsigned int l3)
{
	unsigned int n = f->kind.length - l3;

	return f->kind.flags & QMAP_SHIM_CSUM_OK ||
	       fold(sum_of(f->data + l3, n, pseudo_of(f->data, n))) == 0xffff;
}

static void deliver_chain(struct vm_user *u, struct frame *head)
{
	static struct iovec iov[RX_FRAMES + 2];
	static uint8_t headers[128];
	unsigned int l3 = ip_length(head->data), n = 2, segments = 0, len = head->headers;
	struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				   .gso_type = l3 == 40 ? VIRTIO_NET_HDR_GSO_TCPV6
							: VIRTIO_NET_HDR_GSO_TCPV4,
				   .hdr_len = head->headers,
				   .gso_size = head->kind.length - head->headers,
				   .csum_start = l3,
				   .csum_offset = 16};
	const struct frame *f, *last = head;
	struct iphdr *ip = (void *)headers;
	struct tcphdr *th = (void *)(headers + l3);

	for (f = head; f && verified(f, l3); f = f->next) {
		iov[n++] = (struct iovec){f->data + head->headers, f->kind.length - head->headers};
		len += f->kind.length - head->headers;
		segments++;
		last = f;
	}
	if (segments > 1) {
		memcpy(headers, head->data, head->headers);
		th->psh = !!(last->data[l3 + TCP_FLAGS] & TCPHDR_PSH);
		th->check = fold(pseudo_of(headers, len - l3));
		if (l3 == 40) {
			((struct ipv6hdr *)headers)->payload_len = htons(len - l3);
		} else {
			ip->tot_len = htons(len);
			ip->check = 0;
			ip->check = ip_fast_csum(ip, 5);
		}
		iov[0] = (struct iovec){&h, sizeof(h)};
		iov[1] = (struct iovec){headers, head->headers};
		deliver(u, head->port, iov, n, segments);
	} else if (segments) {
		deliver_single(u, head);
	}
	for (; f; f = f->next)
		deliver_single(u, f);
}

static void deliver_all(struct vm_user *u)
{
	for (unsigned int i = 0; i < u->q.n; i++) {
		struct frame *f = &u->q.frames[i];

		if (f->segments == 1)
			deliver_single(u, f);
		else if (f->segments)
			deliver_chain(u, f);
	}
	u->q.n = 0;
	chain_close_all(&u->q);
}

static void split(struct vm_user *u, uint8_t *data, size_t len)
{
	struct qmap_frame found = {};
	uint32_t at = 0;

	do {
		struct frame *f = &u->q.frames[u->q.n];

		if (qmap_walk(data, data + len, at, u->version, &found))
			break;
		at = found.next;
		if (found.drop != QMAP_DROP_NONE || found.command || found.mux_id > u->n_ports ||
		    !found.mux_id) {
			u->counts->drops++;
			continue;
		}
		f->data = data + found.payload;
		f->port = &u->ports[found.mux_id];
		f->next = NULL;
		f->kind.length = found.len;
		f->kind.flags = found.csum == QMAP_CSUM_VERIFIED ? QMAP_SHIM_CSUM_OK : 0;
		f->segments = 1;
		chain_frame(&u->q, f);
		if (++u->q.n == RX_FRAMES)
			deliver_all(u);
	} while (found.next);
}

/* --- uplink --- */

static void send_aggregate(struct vm_user *u)
{
	if (u->ul_len && sendto(u->packet, u->ul, u->ul_len, 0, (struct sockaddr *)&u->trunk,
				sizeof(u->trunk)) != (ssize_t)u->ul_len)
		u->counts->drops += u->ul_frames;
	u->ul_len = u->ul_frames = 0;
}

/* Returns the place of a packet of @len bytes, behind its QMAP header. */
static uint8_t *add_frame(struct vm_user *u, uint8_t mux, unsigned int len)
{
	unsigned int pad = -len & 3, hlen = u->version == QMAP_V1 ? 4 : 8;
	uint8_t *p;

	if (u->ul_len + hlen + len + pad > UL_BYTES || u->ul_frames == UL_FRAMES)
		send_aggregate(u);
	p = u->ul + u->ul_len;
	memset(p, 0, hlen);
	p[0] = pad | (u->version == QMAP_V5 ? 0x40 : 0);
	p[1] = mux;
	p[2] = (len + pad) >> 8;
	p[3] = len + pad;
	p[4] = hlen > 4 && u->version == QMAP_V5 ? 0x04 : p[4];
	memset(p + hlen + len, 0, pad);
	u->ul_len += hlen + len + pad;
	u->ul_frames++;
	return p + hlen;
}

static void finish_sum(uint8_t *p, unsigned int start, unsigned int offset, unsigned int len)
{
	uint16_t sum = ~fold(sum_of(p + start, len - start, 0));

	sum = sum ?: 0xffff;
	memcpy(p + start + offset, &sum, 2);
}

/* One segment of a TCP super-packet. */
static void add_segment(struct vm_user *u, uint8_t mux, const uint8_t *super,
			const struct virtio_net_hdr *h, unsigned int at, unsigned int n, bool last)
{
	unsigned int l3 = h->csum_start, headers = l3 + (super[l3 + 12] >> 4) * 4,
		     i = at / h->gso_size;
	uint8_t *p = add_frame(u, mux, headers + n);
	struct iphdr *ip = (void *)p;
	struct tcphdr *th = (void *)(p + l3);

	memcpy(p, super, headers);
	memcpy(p + headers, super + headers + at, n);
	if (l3 == 40) {
		((struct ipv6hdr *)p)->payload_len = htons(headers + n - l3);
	} else {
		ip->tot_len = htons(headers + n);
		ip->id = htons(ntohs(ip->id) + i);
		ip->check = 0;
		ip->check = ip_fast_csum(ip, 5);
	}
	th->seq = htonl(ntohl(th->seq) + at);
	if (!last)
		p[l3 + TCP_FLAGS] &= ~0x09;
	th->check = fold(pseudo_of(p, headers + n - l3));
	finish_sum(p, l3, 16, headers + n);
}

static bool take_packet(struct vm_user *u, const struct port *port)
{
	static uint8_t buf[sizeof(struct virtio_net_hdr) + SUPER];
	const struct virtio_net_hdr *h = (void *)buf;
	ssize_t n = read(port->fd, buf, sizeof(buf)) - (ssize_t)sizeof(*h);
	uint8_t *packet = buf + sizeof(*h), *p;
	unsigned int headers, at;

	if (n <= 0)
		return false;
	if (h->gso_type == VIRTIO_NET_HDR_GSO_NONE) {
		p = add_frame(u, port->number, n);
		memcpy(p, packet, n);
		if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
			finish_sum(p, h->csum_start, h->csum_offset, n);
		return true;
	}
	headers = h->csum_start + (packet[h->csum_start + 12] >> 4) * 4;
	for (at = 0; at < n - headers; at += h->gso_size)
		add_segment(u, port->number, packet, h, at,
			    min_t(unsigned int, h->gso_size, n - headers - at),
			    at + h->gso_size >= n - headers);
	return true;
}

/* --- the process --- */

static bool take_slots(struct vm_user *u, unsigned int *slot)
{
	bool any = false;

	for (;;) {
		struct tpacket2_hdr *h = (void *)(u->ring + (size_t)*slot * SLOT);

		if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			return any;
		split(u, (uint8_t *)h + h->tp_net, h->tp_snaplen);
		deliver_all(u); /* frames point into the slot */
		__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		*slot = (*slot + 1) % SLOTS;
		any = true;
	}
}

static void run(struct vm_user *u)
{
	const struct sched_param none = {};
	struct pollfd fds[PORTS + 1] = {{.fd = u->packet, .events = POLLIN}};
	unsigned int slot = 0, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sched_setscheduler(0, SCHED_OTHER, &none);
	for (i = 1; i <= u->n_ports; i++)
		fds[i] = (struct pollfd){.fd = u->ports[i].fd, .events = POLLIN};
	__atomic_store_n(&u->counts->runs, true, __ATOMIC_RELEASE);
	while (poll(fds, u->n_ports + 1, -1) > 0) {
		if (fds[0].revents)
			take_slots(u, &slot);
		for (i = 1; i <= u->n_ports; i++)
			while (fds[i].revents && take_packet(u, &u->ports[i]))
				;
		send_aggregate(u);
	}
	_exit(1);
}

static void open_ring(struct vm_user *u, const char *trunk)
{
	struct tpacket_req req = {.tp_block_size = SLOT,
				  .tp_block_nr = SLOTS,
				  .tp_frame_size = SLOT,
				  .tp_frame_nr = SLOTS};
	int version = TPACKET_V2, on = 1;

	u->trunk = (struct sockaddr_ll){.sll_family = AF_PACKET,
					.sll_protocol = htons(QMAP_ETHERTYPE),
					.sll_ifindex = if_nametoindex(trunk)};
	u->packet = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (u->packet < 0 ||
	    setsockopt(u->packet, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(u->packet, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) ||
	    setsockopt(u->packet, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    setsockopt(u->packet, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)))
		DIE("packet socket");
	u->ring = mmap(NULL, SLOT * SLOTS, PROT_READ | PROT_WRITE, MAP_SHARED, u->packet, 0);
	if (u->ring == MAP_FAILED ||
	    bind(u->packet, (struct sockaddr *)&u->trunk, sizeof(u->trunk)))
		DIE("ring");
}

static void open_port(struct port *port, unsigned int number)
{
	char name[IFNAMSIZ];

	port->number = number;
	port->dev = &port->netdev;
	snprintf(name, sizeof(name), "port%u", number);
	port->fd = tun_open(name, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, O_NONBLOCK);
	if (port->fd < 0 || ioctl(port->fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) ||
	    nl_set_u32(name, IFLA_TXQLEN, 4096) || nl_up(name, true) || nl_wait_running(name))
		DIE("%s", name);
}

struct vm_user *vm_user_up(const char *trunk, unsigned int ports, int version)
{
	struct vm_user *u = calloc(1, sizeof(*u));

	if (!u)
		DIE("memory");
	u->version = version;
	u->n_ports = ports;
	u->counts = mmap(NULL, sizeof(*u->counts), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	open_ring(u, trunk);
	for (unsigned int i = 1; i <= ports; i++)
		open_port(&u->ports[i], i);
	fflush(stdout);
	u->child = fork();
	if (u->child < 0)
		DIE("fork");
	if (!u->child)
		run(u);
	while (!__atomic_load_n(&u->counts->runs, __ATOMIC_ACQUIRE))
		sched_yield();
	return u;
}

void vm_user_down(struct vm_user **u)
{
	struct vm_user *old = *u;

	if (!old)
		return;
	kill(old->child, SIGKILL);
	waitpid(old->child, NULL, 0);
	for (unsigned int i = 1; i <= old->n_ports; i++)
		close(old->ports[i].fd);
	munmap(old->ring, SLOT * SLOTS);
	munmap(old->counts, sizeof(*old->counts));
	close(old->packet);
	free(old);
	*u = NULL;
}

unsigned long long vm_user_received(const struct vm_user *u)
{
	return __atomic_load_n(&u->counts->received, __ATOMIC_RELAXED);
}

unsigned long long vm_user_drops(const struct vm_user *u)
{
	struct tpacket_stats ring = {};
	socklen_t len = sizeof(ring);

	/* aggregates that found the ring full; reading clears them */
	if (getsockopt(u->packet, SOL_PACKET, PACKET_STATISTICS, &ring, &len))
		DIE("ring");
	return __atomic_load_n(&u->counts->drops, __ATOMIC_RELAXED) + ring.tp_drops;
}
