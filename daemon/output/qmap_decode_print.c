// SPDX-License-Identifier: GPL-2.0-or-later
#include "qmap_decode.h"

#include <json-c/json.h>
#include <string.h>

#include "util/json_get.h"

static void print_endpoint(FILE *file, struct json_object *packet, const char *address,
			   const char *port)
{
	const char *text = json_get_string(packet, address);
	struct json_object *v;
	bool v6 = json_get_int(packet, "version") == 6;

	if (!json_object_object_get_ex(packet, port, &v))
		fprintf(file, "%s", text);
	else
		fprintf(file, v6 ? "[%s]:%d" : "%s:%d", text, json_object_get_int(v));
}

static void print_command(FILE *file, struct json_object *command)
{
	struct json_object *v;

	fprintf(file, "command %s, %s, transaction %u", json_get_string(command, "name"),
		json_get_string(command, "type"),
		(unsigned int)json_get_int(command, "transaction"));
	if (json_object_object_get_ex(command, "sequence", &v))
		fprintf(file, ", family %d, sequence %d, qos id %u",
			(int)json_get_int(command, "ip_family"), json_object_get_int(v),
			(unsigned int)json_get_int(command, "qos_id"));
}

static void print_frame(FILE *file, struct json_object *frame)
{
	struct json_object *packet = json_get_object(frame, "packet");
	struct json_object *command = json_get_object(frame, "command"), *v;
	const char *drop = json_get_string(frame, "drop");

	fprintf(file, "%6d  ", (int)json_get_int(frame, "offset"));
	if (json_object_object_get_ex(frame, "mux_id", &v))
		fprintf(file, "mux 0x%02x  length %5d  pad %2d  ", json_object_get_int(v),
			(int)json_get_int(frame, "length"), (int)json_get_int(frame, "pad"));
	if (packet) {
		fprintf(file, "IPv%d %s ", (int)json_get_int(packet, "version"),
			json_get_string(packet, "protocol"));
		print_endpoint(file, packet, "src", "src_port");
		fprintf(file, " > ");
		print_endpoint(file, packet, "dst", "dst_port");
		fprintf(file, ", %d bytes, checksum %s", (int)json_get_int(packet, "length"),
			json_get_string(frame, "checksum"));
	} else if (command) {
		print_command(file, command);
	} else if (drop) {
		fprintf(file, "DROP %s: %s", drop, json_get_string(frame, "reason"));
	} else {
		fprintf(file, "packet with a broken IP header");
	}
	fputc('\n', file);
}

void qmap_decode_print(FILE *file, struct json_object *frames)
{
	for (size_t i = 0; i < json_object_array_length(frames); i++)
		print_frame(file, json_object_array_get_idx(frames, i));
}
