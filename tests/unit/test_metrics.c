// SPDX-License-Identifier: GPL-2.0-or-later
/* Metrics made from results of `show` and `stats`, and their manual page. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "daemon/output/metrics.h"

/* New memory. */
static char *text_of(enum metrics_format format, const char *show, const char *stats)
{
	struct json_object *a = show ? json_tokener_parse(show) : NULL;
	struct json_object *b = stats ? json_tokener_parse(stats) : NULL, *families;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_true((a || !show) && (b || !stats));
	families = metrics_json(a, b, true);
	metrics_print(f, format, families);
	fclose(f);
	json_object_put(families);
	json_object_put(a);
	json_object_put(b);
	return text;
}

static void has(const char *text, const char *want)
{
	if (!strstr(text, want))
		fail_msg("not there: %s\nin: %s", want, text);
}

#define NOTHING                                                                                    \
	"# TYPE qmap_build info\n# HELP qmap_build version of qmapctl\n"                           \
	"qmap_build_info{version=\"" QMAP_VERSION "\"} 1\n"                                        \
	"# TYPE qmap_daemon_up gauge\n# HELP qmap_daemon_up 1: qmapd runs\nqmap_daemon_up 1\n"

TEST(nothing_attached)
{
	char *text = text_of(METRICS_OPENMETRICS, "[]", "[]");

	assert_string_equal(text, NOTHING "# EOF\n");
	free(text);
}

/* Results of another version, or of none. */
TEST(unexpected_results)
{
	static const char *const odd[] = {
		NULL, "{}", "[null,1,\"x\",[[]]]",
		"[{\"dev\":null,\"pdns\":{},\"network\":[1,{}],\"qmi\":3}]",
		"[{\"ports\":[null,{\"rx_packets\":\"7\"}],\"drops\":[]}]"};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (size_t j = 0; j < sizeof(odd) / sizeof(odd[0]); j++) {
			char *text = text_of(METRICS_OPENMETRICS, odd[i], odd[j]);

			has(text, NOTHING);
			has(text, "\n# EOF\n");
			free(text);
		}
}

#define SHOW                                                                                       \
	"[{\"dev\":\"wwan0\",\"state\":\"attached\",\"modem\":{\"state\":\"ready\"},"              \
	"\"model\":null,\"network\":{\"registration\":\"denied\",\"roaming\":true,\"signal\":["    \
	"{\"radio\":\"lte\",\"rsrp\":-90,\"rssi\":null,\"snr\":-2.5}]},"                           \
	"\"pdns\":[{\"number\":7,\"port\":\"lte7\",\"mux\":129,\"apn\":\"a\\\\b\\\"c\\nd\","       \
	"\"netns\":null,\"families\":[{\"family\":4,\"state\":\"damaged\"}]}]}]"
#define STATS                                                                                      \
	"[{\"dev\":\"wwan0\",\"drops\":{\"not_ip\":18446744073709551615},"                         \
	"\"unknown\":[{\"mux\":131,\"rx_dropped\":5}],"                                            \
	"\"ports\":[{\"port\":\"lte7\",\"up\":true,\"tx_bytes\":1}]}]"

TEST(values)
{
	char *text = text_of(METRICS_OPENMETRICS, SHOW, STATS);

	has(text, "\nqmap_signal_rsrp_dbm{trunk=\"wwan0\",radio=\"lte\"} -90\n");
	has(text, "\nqmap_signal_snr_db{trunk=\"wwan0\",radio=\"lte\"} -2.5\n");
	has(text, "\nqmap_network_registered{trunk=\"wwan0\"} 0\n");
	has(text, "\nqmap_network_roaming{trunk=\"wwan0\"} 1\n");
	has(text, "\nqmap_trunk_state{trunk=\"wwan0\",state=\"lost\"} 0\n");
	has(text, "\nqmap_modem_state{trunk=\"wwan0\",state=\"ready\"} 1\n");
	has(text, "\nqmap_call_state{trunk=\"wwan0\",pdn=\"7\",port=\"lte7\",family=\"4\","
		  "state=\"damaged\"} 1\n");
	has(text, "\nqmap_drops_total{trunk=\"wwan0\",reason=\"not_ip\"} 18446744073709551615\n");
	has(text, "\nqmap_unknown_mux_drops_total{trunk=\"wwan0\",mux=\"0x83\"} 5\n");
	has(text, "\n# UNIT qmap_port_bytes bytes\n");
	has(text, "\nqmap_port_bytes_total{trunk=\"wwan0\",pdn=\"7\",port=\"lte7\","
		  "direction=\"tx\"} 1\n");
	assert_null(strstr(text, "rssi"));
	assert_null(strstr(text, "direction=\"rx\""));
	free(text);
}

/* A newline would end the line, and begin one of the modem's or the network's choice. */
TEST(escapes)
{
	char *text = text_of(METRICS_OPENMETRICS, SHOW, STATS);

	has(text, "\nqmap_pdn_info{trunk=\"wwan0\",pdn=\"7\",port=\"lte7\",mux=\"0x81\","
		  "apn=\"a\\\\b\\\"c?d\"} 1\n");
	free(text);
}

/* The parser of the older format (prometheus/common, expfmt) refuses the type info. */
TEST(prometheus)
{
	char *text = text_of(METRICS_PROMETHEUS, SHOW, STATS);

	has(text, "# TYPE qmap_build_info gauge\n");
	has(text, "\n# TYPE qmap_port_bytes_total counter\n");
	assert_null(strstr(text, "# UNIT"));
	assert_null(strstr(text, "EOF"));
	free(text);
}

TEST(manual_page)
{
	static char page[65536];
	FILE *f = fopen("doc/qmap-metrics.7.rst", "re");
	char name[64], entry[1024], *end;
	const char *help;

	assert_non_null(f);
	assert_true(fread(page, 1, sizeof(page) - 1, f) > 0);
	fclose(f);
	/* entries go on in indented lines */
	while ((end = strstr(page, "\n    ")))
		memmove(end + 1, end + 5, strlen(end + 5) + 1), *end = ' ';
	for (size_t i = 0; metrics_describe(i, name, sizeof(name), &help); i++) {
		snprintf(entry, sizeof(entry), "\n:%s: %s", name, help);
		has(page, entry);
	}
}
