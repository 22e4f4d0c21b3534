// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Facts about a trunk on their way out: the text of show, stats, probe and monitor, the facts for
 * hooks, and those read back from a file. qmapctl prints the output of a daemon of another version
 * and reads pins of an older one. The first byte selects the way.
 */
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/output/output.h"
#include "daemon/events/events.h"
#include "daemon/hooks/hook_facts.h"
#include "daemon/output/output.h"
#include "daemon/trunk/trunk.h"
#include "daemon/util/json_get.h"
#include "daemon/util/log.h"
#include "daemon/util/printable.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool what)
{
	if (!what)
		abort();
}

/* Lines are KEY=VALUE for any values: no value may add a line of its own. */
static void check_lines(const char *facts)
{
	for (const char *line = facts, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		must(end && !strncmp(line, "QMAP_", 5) && memchr(line, '=', end - line));
	}
}

static void copy(char *to, size_t size, struct json_object *o, const char *key)
{
	const char *v = json_get_string(o, key);

	snprintf(to, size, "%s", v ? v : "");
}

/* A PDN whose words are those of @show: the modem, the network and other users choose some. */
static void check_facts(struct json_object *show)
{
	struct json_object *o = json_get_element(show, "pdns", 0);
	struct config_pdn pdn = {.number = json_get_int(o, "number"),
				 .mux = json_get_int(o, "mux")};
	struct ip_settings s = {.ndns = json_get_int(o, "mux") & 1};
	char dev[IFNAMSIZ], port[IFNAMSIZ], path[128], value[64];
	struct trunk_family f = {TRUNK_FAMILY_UP, dev, port, 7, &pdn, &s, path};

	copy(dev, sizeof(dev), show, "dev");
	copy(port, sizeof(port), o, "port");
	copy(path, sizeof(path), o, "resolv_conf");
	copy(pdn.apn, sizeof(pdn.apn), o, "apn");
	copy(pdn.netns, sizeof(pdn.netns), o, "netns");
	for (s.family = 4; s.family <= 6; s.family += 2) {
		char *facts = hook_facts(&f);

		must(facts);
		check_lines(facts);
		hook_fact(facts, "QMAP_PORT", value, sizeof(value));
		hook_fact(facts, "QMAP_DNS", value, 4);
		must(strlen(value) < 4);
		free(facts);
	}
}

/* Terminal controls are replaced before the printers run, as output_result() does it. */
static void check_text(struct json_object *trunks)
{
	static void (*const printers[])(const struct output *, FILE *, struct json_object *) = {
		output_show, output_stats, output_probe};
	struct output output = {0};

	printable_json(trunks);
	for (size_t i = 0; i < sizeof(printers) / sizeof(printers[0]); i++) {
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		must(out);
		printers[i](&output, out, trunks);
		fclose(out);
		for (size_t at = 0; at < len; at++)
			must(text[at] == '\n' || text[at] == '\t' || (uint8_t)text[at] >= ' ');
		free(text);
	}
}

static void fuzz_show(struct json_object *o)
{
	if (!json_object_is_type(o, json_type_array))
		return;
	if (json_object_array_length(o))
		check_facts(json_object_array_get_idx(o, 0));
	check_text(o);
}

static void fuzz_event(struct json_object *o)
{
	struct output output = {0};
	struct events_entry e, again;
	struct json_object *back;
	char text[1024], *line = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&line, &len);

	must(out);
	output_event(&output, out, o);
	fclose(out);
	for (size_t at = 0; at < len; at++)
		must(line[at] == '\n' || line[at] == '\t' || (uint8_t)line[at] >= ' ');
	free(line);
	if (events_from_json(&e, o))
		return;
	events_text(&e, text, sizeof(text));
	back = events_to_json(&e);
	must(!events_from_json(&again, back));
	must(e.kind == again.kind && e.seq == again.seq && !strcmp(e.reason, again.reason));
	json_object_put(back);
}

static void fuzz_file(const char *text)
{
	static const char *const keys[] = {"QMAP_DEV", "QMAP_ADDRESS", "", "=", "QMAP"};
	char value[16];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		hook_fact(text, keys[i], value, sizeof(value));
		must(memchr(value, '\0', sizeof(value)) && !strchr(value, '\n'));
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *o;
	char *text;

	if (!size)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	must(text);
	o = json_tokener_parse(text);
	if (data[0] % 3 == 0)
		fuzz_show(o);
	else if (data[0] % 3 == 1)
		fuzz_event(o);
	else
		fuzz_file(text);
	json_object_put(o);
	free(text);
	return 0;
}
