// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QMAP commands of the modem. The BPF program has already acted on them; here they are logged and
 * answered: the same frame with its type changed, same mux id and transaction
 * (kernel drivers/net/ethernet/qualcomm/rmnet/rmnet_map_command.c, rmnet_map_send_ack). Unlike
 * rmnet, which is silent, an unknown request is answered "unsupported".
 */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../log.h"
#include "qmap/wire.h"
#include "xdp.h"

struct answer {
	struct qmap_hdr hdr;
	__u8 body[QMAP_EVENT_BYTES];
};

static void send_answer(struct datapath *dp, const struct qmap_event *ev, __u8 type)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(QMAP_ETHERTYPE),
				 .sll_ifindex = (int)dp->trunk};
	size_t len = ev->len <= QMAP_EVENT_BYTES ? ev->len : sizeof(struct qmap_cmd);
	struct answer a = {.hdr = {.flags = QMAP_FLAG_COMMAND, .mux_id = ev->mux_id}};

	memcpy(a.body, ev->data, len);
	((struct qmap_cmd *)a.body)->type =
		(a.body[offsetof(struct qmap_cmd, type)] & ~QMAP_CMD_TYPE_MASK) | type;
	len = (len + QMAP_ALIGN - 1) & ~(size_t)(QMAP_ALIGN - 1);
	a.hdr.flags |= len - (ev->len <= QMAP_EVENT_BYTES ? ev->len : sizeof(struct qmap_cmd));
	a.hdr.len = htons(len);
	if (sendto(dp->packet, &a, sizeof(a.hdr) + len, MSG_DONTWAIT, (struct sockaddr *)&to,
		   sizeof(to)) < 0)
		log_warning("Cannot answer a QMAP command: %s", strerror(errno));
}

static int on_event(void *arg, void *data, size_t size)
{
	const struct qmap_event *ev = data;
	const struct qmap_cmd *cmd = (const struct qmap_cmd *)ev->data;
	struct datapath *dp = arg;
	bool known = cmd->name == QMAP_CMD_FLOW_DISABLE || cmd->name == QMAP_CMD_FLOW_ENABLE;

	if (size < sizeof(*ev) || ev->len < sizeof(*cmd))
		return 0;
	log_debug("QMAP command %u type %u transaction %u for mux id 0x%02x (%u bytes)", cmd->name,
		  cmd->type & QMAP_CMD_TYPE_MASK, ntohl(cmd->transaction), ev->mux_id, ev->len);
	if ((cmd->type & QMAP_CMD_TYPE_MASK) == QMAP_CMD_TYPE_REQUEST)
		send_answer(dp, ev, known ? QMAP_CMD_TYPE_ACK : QMAP_CMD_TYPE_UNSUPPORTED);
	return 0;
}

int xdp_event_fd(struct datapath *dp)
{
	if (!dp->events) {
		dp->packet = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		dp->events = ring_buffer__new(dp->fd[XDP_EVENTS], on_event, dp, NULL);
	}
	if (dp->packet < 0 || !dp->events) {
		log_warning("QMAP commands will not be answered: %s", strerror(errno));
		xdp_events_close(dp);
		return -1;
	}
	return ring_buffer__epoll_fd(dp->events);
}

int xdp_events(struct datapath *dp, struct error *err)
{
	int ret = dp->events ? ring_buffer__consume(dp->events) : 0;

	return ret < 0 ? error_set(err, ret, "cannot read QMAP commands: %s", strerror(-ret)) : 0;
}

void xdp_events_close(struct datapath *dp)
{
	ring_buffer__free(dp->events);
	dp->events = NULL;
	if (dp->packet >= 0)
		close(dp->packet);
	dp->packet = -1;
}
