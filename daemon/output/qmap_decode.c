// SPDX-License-Identifier: GPL-2.0-or-later
#include "qmap_decode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "bpf/walk.h"
#include "datapath/counters.h"
#include "util/json_add.h"
#include "util/hex.h"
#include "packet.h"

static void add_address(struct json_object *o, const char *key, unsigned int version,
			const uint8_t *address)
{
	char text[INET6_ADDRSTRLEN];

	json_add_string(o, key,
			inet_ntop(version == 4 ? AF_INET : AF_INET6, address, text, sizeof(text)));
}

static struct json_object *packet_json(const struct packet *p)
{
	struct json_object *o = json_object_new_object();
	const char *name = packet_protocol_name(p->protocol);
	char number[8];

	snprintf(number, sizeof(number), "%u", p->protocol);
	json_add_int(o, "version", p->version);
	json_add_string(o, "protocol", name ? name : number);
	add_address(o, "src", p->version, p->src);
	add_address(o, "dst", p->version, p->dst);
	if (p->has_ports) {
		json_add_int(o, "src_port", p->src_port);
		json_add_int(o, "dst_port", p->dst_port);
	}
	json_add_int(o, "length", p->len);
	return o;
}

static const char *command_name(uint8_t name)
{
	switch (name) {
	case QMAP_CMD_FLOW_DISABLE:
		return "flow_disable";
	case QMAP_CMD_FLOW_ENABLE:
		return "flow_enable";
	default:
		return NULL;
	}
}

static const char *command_type(uint8_t type)
{
	static const char *const names[QMAP_CMD_TYPE_MASK + 1] = {
		[QMAP_CMD_TYPE_REQUEST] = "request",
		[QMAP_CMD_TYPE_ACK] = "ack",
		[QMAP_CMD_TYPE_UNSUPPORTED] = "unsupported",
		[QMAP_CMD_TYPE_INVALID] = "invalid",
	};

	return names[type & QMAP_CMD_TYPE_MASK];
}

static struct json_object *command_json(const uint8_t *data, size_t len)
{
	struct json_object *o = json_object_new_object();
	struct qmap_cmd cmd;
	struct qmap_cmd_flow flow;
	char number[8];

	memcpy(&cmd, data, sizeof(cmd));
	snprintf(number, sizeof(number), "%u", cmd.name);
	json_add_string(o, "name", command_name(cmd.name) ? command_name(cmd.name) : number);
	json_add_string(o, "type", command_type(cmd.type));
	json_add_int(o, "transaction", ntohl(cmd.transaction));
	if (command_name(cmd.name) && len >= sizeof(cmd) + sizeof(flow)) {
		memcpy(&flow, data + sizeof(cmd), sizeof(flow));
		json_add_int(o, "ip_family", flow.ip_family & 3);
		json_add_int(o, "sequence", ntohs(flow.sequence));
		json_add_int(o, "qos_id", ntohl(flow.qos_id));
	}
	return o;
}

/*
 * The v4 trailer holds the complement of the sum over the packet, as checksums do (kernel
 * drivers/net/ethernet/qualcomm/rmnet/rmnet_map_data.c, rmnet_map_ipv4_dl_csum_trailer()).
 */
static bool trailer_agrees(const uint8_t *data, const struct qmap_frame *f)
{
	struct qmap_v4_trailer t;
	size_t start, len;
	uint16_t sum;

	memcpy(&t, data + f->next - sizeof(t), sizeof(t));
	start = ntohs(t.csum_start);
	len = ntohs(t.csum_len);
	if (start > f->len || len > f->len - start)
		return false;
	sum = ~packet_sum(0, data + f->payload + start, len);
	return sum == ntohs(t.csum);
}

static const char *checksum_state(const uint8_t *data, const struct qmap_frame *f,
				  const struct packet *p)
{
	enum packet_csum real;

	if (f->csum == QMAP_CSUM_NONE)
		return "absent";
	if (f->csum == QMAP_CSUM_SUM && !trailer_agrees(data, f))
		return "bad";
	real = packet_checksum(data + f->payload, f->len, p);
	if (real == PACKET_CSUM_NONE)
		return "absent";
	return real == PACKET_CSUM_OK ? "ok" : "bad";
}

static void add_payload(struct json_object *o, const uint8_t *data, const struct qmap_frame *f)
{
	struct json_object *packet = NULL, *command = NULL;
	const char *checksum = "absent";
	struct packet p;

	if (f->drop == QMAP_DROP_NONE && f->command) {
		command = command_json(data + f->payload, f->len);
	} else if (f->drop == QMAP_DROP_NONE && packet_parse(data + f->payload, f->len, &p)) {
		packet = packet_json(&p);
		checksum = checksum_state(data, f, &p);
	}
	json_object_object_add(o, "packet", packet);
	json_object_object_add(o, "command", command);
	json_add_string(o, "checksum", checksum);
}

static void add_header(struct json_object *o, const uint8_t *data, size_t left)
{
	struct qmap_hdr h;
	char text[16];

	if (left < sizeof(h)) {
		json_add_string(o, "header", hex_format(data, left, text, sizeof(text)));
		return;
	}
	memcpy(&h, data, sizeof(h));
	json_add_int(o, "mux_id", h.mux_id);
	json_add_int(o, "length", ntohs(h.len));
	json_add_int(o, "pad", h.flags & QMAP_PAD_MASK);
	json_add_bool(o, "next_header", h.flags & QMAP_FLAG_NEXT_HEADER);
	json_add_string(o, "header", hex_format(data, sizeof(h), text, sizeof(text)));
}

static struct json_object *frame_json(const uint8_t *data, size_t len, size_t off,
				      const struct qmap_frame *f)
{
	struct json_object *o = json_object_new_object();

	json_add_int(o, "offset", off);
	add_header(o, data + off, len - off);
	if (f->drop == QMAP_DROP_NONE)
		json_add_int(o, "payload_length", f->len);
	add_payload(o, data, f);
	json_add_string(o, "drop", f->drop == QMAP_DROP_NONE ? NULL : qmap_drop_name(f->drop));
	json_add_string(o, "reason", f->drop == QMAP_DROP_NONE ? NULL : qmap_drop_text(f->drop));
	return o;
}

int qmap_decode(const uint8_t *data, size_t len, int version, struct json_object **out,
		struct error *err)
{
	struct qmap_frame f;
	size_t off = 0;

	*out = json_object_new_array();
	if (!*out)
		return error_set(err, -ENOMEM, "out of memory");
	while (!qmap_walk(data, data + len, off, version, &f)) {
		json_object_array_add(*out, frame_json(data, len, off, &f));
		if (!f.next)
			return error_set(err, -EBADMSG, "malformed at offset %zu: %s", off,
					 qmap_drop_text(f.drop));
		off = f.next;
	}
	if (off < len)
		return error_set(err, -EBADMSG,
				 "malformed at offset %zu: beyond the %d bytes that an "
				 "aggregate may have",
				 off, QMAP_MAX_AGGREGATE);
	return 0;
}
