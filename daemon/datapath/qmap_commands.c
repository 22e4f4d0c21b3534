// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An answer is the same frame with its type changed, same mux id and transaction (kernel
 * drivers/net/ethernet/qualcomm/rmnet/rmnet_map_command.c, rmnet_map_send_ack). Unlike rmnet, which
 * does not answer unknown requests, we answer "unsupported".
 */
#include "qmap_commands.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/log.h"
#include "qmap/abi.h"
#include "qmap/wire.h"

struct commands {
	struct ring_buffer *ring;
	unsigned int trunk;
	int packet; /* socket for answers, or -1: send none */
	bool obey;  /* flow control is acknowledged */
};

struct answer {
	struct qmap_hdr hdr;
	__u8 body[QMAP_EVENT_BYTES];
};

static void send_answer(const struct commands *c, const struct qmap_event *ev, __u8 type)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(QMAP_ETHERTYPE),
				 .sll_ifindex = (int)c->trunk};
	size_t len = ev->len <= QMAP_EVENT_BYTES ? ev->len : sizeof(struct qmap_cmd);
	struct answer a = {.hdr = {.flags = QMAP_FLAG_COMMAND, .mux_id = ev->mux_id}};

	memcpy(a.body, ev->data, len);
	((struct qmap_cmd *)a.body)->type =
		(a.body[offsetof(struct qmap_cmd, type)] & ~QMAP_CMD_TYPE_MASK) | type;
	len = (len + QMAP_ALIGN - 1) & ~(size_t)(QMAP_ALIGN - 1);
	a.hdr.flags |= len - (ev->len <= QMAP_EVENT_BYTES ? ev->len : sizeof(struct qmap_cmd));
	a.hdr.len = htons(len);
	if (sendto(c->packet, &a, sizeof(a.hdr) + len, MSG_DONTWAIT, (struct sockaddr *)&to,
		   sizeof(to)) < 0)
		log_warning("Cannot answer a QMAP command: %s", strerror(errno));
}

static int on_event(void *arg, void *data, size_t size)
{
	const struct qmap_event *ev = data;
	const struct qmap_cmd *cmd = (const struct qmap_cmd *)ev->data;
	const struct commands *c = arg;
	bool known = c->obey &&
		     (cmd->name == QMAP_CMD_FLOW_DISABLE || cmd->name == QMAP_CMD_FLOW_ENABLE);

	if (size < sizeof(*ev) || ev->len < sizeof(*cmd))
		return 0;
	log_debug("QMAP command %u type %u transaction %u for mux id 0x%02x (%u bytes)", cmd->name,
		  cmd->type & QMAP_CMD_TYPE_MASK, ntohl(cmd->transaction), ev->mux_id, ev->len);
	if (c->packet >= 0 && (cmd->type & QMAP_CMD_TYPE_MASK) == QMAP_CMD_TYPE_REQUEST)
		send_answer(c, ev, known ? QMAP_CMD_TYPE_ACK : QMAP_CMD_TYPE_UNSUPPORTED);
	return 0;
}

int commands_open(struct commands **out, int ring, unsigned int trunk, bool answer,
		  struct error *err)
{
	struct commands *c = calloc(1, sizeof(*c));
	int ret = -ENOMEM;

	if (!c)
		return error_set(err, ret, "out of memory");
	c->trunk = trunk;
	c->obey = true;
	c->packet = answer ? socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	if (answer && c->packet < 0)
		ret = -errno;
	else
		c->ring = ring_buffer__new(ring, on_event, c, NULL);
	if (c->ring) {
		*out = c;
		return 0;
	}
	error_set(err, ret, "cannot listen to QMAP commands: %s", strerror(-ret));
	commands_close(&c);
	return ret;
}

void commands_close(struct commands **p)
{
	struct commands *c = *p;

	if (!c)
		return;
	ring_buffer__free(c->ring);
	if (c->packet >= 0)
		close(c->packet);
	free(c);
	*p = NULL;
}

int commands_fd(const struct commands *c)
{
	return ring_buffer__epoll_fd(c->ring);
}

void commands_obey(struct commands *c, bool obey)
{
	c->obey = obey;
}

int commands_read(struct commands *c, struct error *err)
{
	int ret = ring_buffer__consume(c->ring);

	return ret < 0 ? error_set(err, ret, "cannot read QMAP commands: %s", strerror(-ret)) : 0;
}
