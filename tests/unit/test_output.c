// SPDX-License-Identifier: GPL-2.0-or-later
/* Output for people: the text of results, made from the JSON that programs read. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "daemon/util/error_json.h"
#include "daemon/util/log.h"
#include "daemon/output/output.h"
#include "daemon/output/top.h"

typedef void (*print_fn)(const struct output *output, FILE *out, struct json_object *o);

static struct output output;

static int setup(void **state)
{
	memset(&output, 0, sizeof(output));
	return 0;
}

TEST_FIXTURE(setup, NULL);

static void expect(print_fn print, const char *json, const char *want)
{
	struct json_object *o = json_tokener_parse(json);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(o);
	print(&output, f, o);
	fclose(f);
	assert_string_equal(text, want);
	free(text);
	json_object_put(o);
}

#define V4(state, address) "{\"family\":4,\"state\":\"" state "\"" address ",\"call_end\":null}"
#define V6(state, address) "{\"family\":6,\"state\":\"" state "\"" address ",\"call_end\":null}"
#define ADDRESS4	   ",\"address\":\"10.0.0.2\",\"prefix\":30,\"mtu\":1430"
#define ADDRESS6	   ",\"address\":\"2001:db8::2\",\"prefix\":64,\"mtu\":1430"

TEST(show)
{
	expect(output_show,
	       "[{\"dev\":\"wwan0\",\"ifindex\":3,\"datapath\":\"xdp\",\"qmap\":\"v5\","
	       "\"dl_max_bytes\":16384,\"control\":\"/dev/cdc-wdm0\",\"model\":\"RG500Q-EA\","
	       "\"revision\":\"R11\",\"state\":\"attached\","
	       "\"network\":{\"registration\":\"registered\",\"roaming\":true,\"plmn\":\"001-01\","
	       "\"operator\":null,\"signal\":["
	       "{\"radio\":\"5gnr\",\"rssi\":null,\"rsrp\":-101,\"rsrq\":null,\"snr\":-2.5},"
	       "{\"radio\":\"gsm\",\"rssi\":-71,\"rsrp\":null,\"rsrq\":null,\"snr\":null}]},"
	       "\"pdns\":["
	       "{\"port\":\"wwan0.1\",\"number\":1,\"mux\":129,\"mtu\":1430,\"apn\":\"internet\","
	       "\"netns\":null,"
	       "\"resolv_conf\":\"/run/qmapd/wwan0.1.resolv.conf\",\"families\":[" V4(
		       "up",
		       ADDRESS4) "," V6("up",
					ADDRESS6) "]},"
						  "{\"port\":\"wwan0.2\",\"number\":2,\"mux\":130,"
						  "\"mtu\":1430,"
						  "\"apn\":null,\"netns\":\"blue\","
						  "\"resolv_conf\":null,\"families\":[" V4(
							  "up",
							  ADDRESS4) ","
								    "{\"family\":6,\"state\":"
								    "\"failed\",\"call_end\":{"
								    "\"reason\":1,\"name\":\"x\","
								    "\"verbose_type\":6,\"verbose_"
								    "type_name\":\"3GPP\","
								    "\"verbose_reason\":50,"
								    "\"verbose_name\":\"IPv4 "
								    "only\"}}]}]}]",
	       "wwan0: data path xdp, QMAP v5, aggregates up to 16384 bytes, RG500Q-EA R11, "
	       "control "
	       "/dev/cdc-wdm0, attached\n"
	       "wwan0: registered with 001-01, roaming, 5gnr, RSRP -101 dBm, SNR -2.5 dB, gsm, "
	       "RSSI -71 dBm\n"
	       "PORT    MUX  APN      STATE   IPV4        IPV6            MTU NETNS DNS\n"
	       "wwan0.1 0x81 internet up      10.0.0.2/30 2001:db8::2/64 1430 -     "
	       "/run/qmapd/wwan0.1.resolv.conf\n"
	       "wwan0.2 0x82 -        partial 10.0.0.2/30 failed         1430 blue  -\n"
	       "wwan0.2: IPv6 failed: IPv4 only (3GPP reason 50)\n");
}

TEST(show_other_states)
{
	expect(output_show, "[]", "Nothing is attached.\n");
	expect(output_show,
	       "[{\"dev\":\"wwan0\",\"datapath\":\"raw\",\"qmap\":\"off\",\"control\":\"none\","
	       "\"state\":\"lost\",\"reason\":\"the modem has "
	       "restarted\",\"daemon\":false,\"pdns\":["
	       "{\"port\":\"wwan0\",\"mux\":0,\"static\":true,\"families\":[]}]},"
	       "{\"dev\":\"wwan1\",\"datapath\":\"xdp\",\"qmap\":\"v1\",\"pdns\":["
	       "{\"port\":\"wwan1.1\",\"mux\":129,\"families\":["
	       "{\"family\":4,\"state\":\"backing-off\",\"call_end\":{\"reason\":2,"
	       "\"name\":\"client end\",\"verbose_type\":0}}]}]}]",
	       "wwan0: data path raw, raw IP, control none, lost, as qmapd left it: it is not "
	       "running\n"
	       "PORT  MUX  APN STATE  IPV4 IPV6 MTU NETNS DNS\n"
	       "wwan0 0x00 -   static -    -      - -     -\n"
	       "wwan0: the modem has restarted\n"
	       "\n"
	       "wwan1: data path xdp, QMAP v1\n"
	       "PORT    MUX  APN STATE IPV4        IPV6 MTU NETNS DNS\n"
	       "wwan1.1 0x81 -   down  backing-off -      - -     -\n"
	       "wwan1.1: IPv4 backing-off: client end (call end reason 2)\n");
}

/* The call is up, but unusable: the port lacks the network's settings. */
TEST(show_damage)
{
	expect(output_show,
	       "[{\"dev\":\"wwan0\",\"datapath\":\"xdp\",\"qmap\":\"v1\",\"pdns\":["
	       "{\"port\":\"wwan0.1\",\"mux\":129,\"mtu\":1500,\"damage\":[\"somebody has set it "
	       "down\"],"
	       "\"families\":[" V4("damaged", ADDRESS4) "," V6(
		       "damaged", ADDRESS6) "]},"
					    "{\"port\":\"wwan0.2\",\"mux\":130,\"mtu\":1280,"
					    "\"damage\":[\"no address\",\"no route\"],"
					    "\"families\":[" V4("up", ADDRESS4) "," V6(
						    "damaged", ADDRESS6) "]}]}]",
	       "wwan0: data path xdp, QMAP v1\n"
	       "PORT    MUX  APN STATE   IPV4        IPV6     MTU NETNS DNS\n"
	       "wwan0.1 0x81 -   damaged damaged     damaged 1500 -     -\n"
	       "wwan0.2 0x82 -   partial 10.0.0.2/30 damaged 1280 -     -\n"
	       "wwan0.1: somebody has set it down\n"
	       "wwan0.2: no address\n"
	       "wwan0.2: no route\n");
}

/* Input from another version neither crashes the printers nor makes them invent values. */
TEST(show_nonsense)
{
	static const char *const table[] = {
		"[1]",
		"[{}]",
		"[null]",
		"[{\"pdns\":5}]",
		"[{\"pdns\":[5,null,{}]}]",
		"[{\"pdns\":[{\"families\":[5,{},null]}]}]",
		("[{\"dev\":1,\"qmap\":[],\"pdns\":[{\"families\":[{\"family\":\"4\",\"state\":3,"
		 "\"call_end\":{}}]}]}]"),
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		static const print_fn all[] = {output_show, output_stats, output_probe};

		for (size_t j = 0; j < 3; j++) {
			struct json_object *o = json_tokener_parse(table[i]);
			char *text = NULL;
			size_t size;
			FILE *f = open_memstream(&text, &size);

			all[j](&output, f, o);
			fclose(f);
			assert_null(strstr(text, "(null)"));
			free(text);
			json_object_put(o);
		}
	}
}

#define STATS                                                                                      \
	"[{\"dev\":\"wwan0\",\"datapath\":\"xdp\",\"aggregates\":10,\"bytes\":5000,\"frames\":"    \
	"105,"                                                                                     \
	"\"frames_per_aggregate\":10.5,\"commands\":2,\"drops\":{\"unknown_mux\":3,"               \
	"\"zero_length\":0},\"ports\":[{\"port\":\"wwan0.1\",\"mux\":129,\"rx_packets\":105,"      \
	"\"rx_bytes\":4000,\"tx_packets\":7,\"tx_bytes\":700,\"rx_csum_ok\":100,\"rx_csum_none\":" \
	"5,"                                                                                       \
	"\"rx_dropped\":1,\"tx_dropped\":2,\"commands\":0}]}]"

TEST(stats)
{
	expect(output_stats, STATS,
	       "wwan0: data path xdp, 10 aggregates, 5000 bytes, 105 frames (10.5 per aggregate), "
	       "2 "
	       "commands\n"
	       "PORT    MUX  RX-PACKETS RX-BYTES RX-DROP CSUM-OK CSUM-NONE TX-PACKETS TX-BYTES "
	       "TX-DROP COMMANDS\n"
	       "wwan0.1 0x81        105     4000       1     100         5          7      700     "
	       "  "
	       "2        0\n"
	       "dropped 3 unknown_mux (no PDN has this mux id)\n");
}

/* Counters that rmnet does not have are absent, not zero. */
TEST(stats_of_rmnet)
{
	expect(output_stats,
	       "[{\"dev\":\"wwan0\",\"datapath\":\"rmnet\",\"aggregates\":10,\"bytes\":5000,"
	       "\"frames\":20,\"frames_per_aggregate\":2.0,\"ports\":[{\"port\":\"wwan0.1\","
	       "\"mux\":129,\"rx_packets\":20,\"rx_bytes\":4000,\"tx_packets\":7,"
	       "\"tx_bytes\":700,\"rx_csum_ok\":0,\"rx_csum_none\":20,\"tx_dropped\":0}]}]",
	       "wwan0: data path rmnet, 10 aggregates, 5000 bytes, 20 frames (2.0 per aggregate)\n"
	       "PORT    MUX  RX-PACKETS RX-BYTES RX-DROP CSUM-OK CSUM-NONE TX-PACKETS TX-BYTES "
	       "TX-DROP COMMANDS\n"
	       "wwan0.1 0x81         20     4000       -       0        20          7      700     "
	       "  0        -\n");
}

TEST(probe)
{
	expect(output_probe,
	       "[{\"dev\":null,\"checks\":[{\"name\":\"bpf\",\"ok\":true,\"detail\":\"6.1\"},"
	       "{\"name\":\"bpffs\",\"ok\":false,\"detail\":\"not mounted\"}],"
	       "\"datapath\":\"xdp\",\"datapath_reason\":\"shim: not loaded\","
	       "\"datapaths\":[{\"name\":\"xdp\",\"ok\":true,\"reason\":\"all there\","
	       "\"cost\":2405}]}]",
	       "no modem; this machine:\n"
	       "CHECK OK  DETAIL\n"
	       "bpf   yes 6.1\n"
	       "bpffs no  not mounted\n"
	       "DATAPATH OK  DETAIL\n"
	       "xdp      yes all there\n"
	       "auto: xdp takes 24.05 times the instructions of the cheapest data path; "
	       "shim: not loaded\n");
}

TEST(probe_modems)
{
	expect(output_probe,
	       "[{\"dev\":\"wwan0\",\"bus\":\"usb\",\"device\":\"1-1\",\"id\":\"2c7c:0800\","
	       "\"manufacturer\":\"Quectel\",\"product\":\"RG500Q-EA\",\"serial\":\"01AB\","
	       "\"model\":\"RG500\",\"qmap\":\"v5\",\"dl_max_bytes\":31744,\"forces_qmap\":true,"
	       "\"note\":\"has a note\",\"interface\":4,\"control\":\"/dev/cdc-wdm0\","
	       "\"driver\":\"qmi_wwan\",\"mode\":\"QMI\",\"usbnet\":0,\"next\":\"attach it\"},"
	       "{\"dev\":null,\"bus\":\"pcie\",\"device\":\"0000:01:00.0\",\"id\":\"1eac:1004\","
	       "\"next\":\"load its driver\"}]",
	       "DEVICE       ID        MODEL NETDEV CONTROL       DRIVER   MODE QMAP AGGREGATE\n"
	       "1-1          2c7c:0800 RG500 wwan0  /dev/cdc-wdm0 qmi_wwan QMI  v5       31744\n"
	       "0000:01:00.0 1eac:1004 -     -      -             -        -    -            -\n"
	       "wwan0: Quectel RG500Q-EA, serial 01AB, interface 4, forces QMAP\n"
	       "wwan0: has a note\n"
	       "wwan0: next: attach it\n"
	       "0000:01:00.0: next: load its driver\n"
	       "`qmapctl probe DEV` says what this machine has for one of them.\n");
}

/* Runs @fn with stdout and stderr redirected to files; returns their text. */
static void capture(void (*fn)(void), char out[512], char err[512])
{
	FILE *files[2] = {tmpfile(), tmpfile()};
	int saved[2] = {dup(1), dup(2)};
	char *text[2] = {out, err};

	fflush(stdout);
	dup2(fileno(files[0]), 1);
	dup2(fileno(files[1]), 2);
	fn();
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
		rewind(files[i]);
		text[i][fread(text[i], 1, 511, files[i])] = '\0';
		fclose(files[i]);
	}
}

static void say_error(void)
{
	struct error e = {0};

	error_set(&e, -ENODEV, "there is no \"wwan7\"");
	error_hint(&e, "plug it in");
	output_error(&output, &e);
}

static void say_result(void)
{
	struct json_object *o = json_tokener_parse("[{\"a\":\"x/y\",\"b\":5}]");

	output_result(&output, o, output_probe);
	json_object_put(o);
}

TEST(errors)
{
	char out[512], err[512];

	capture(say_error, out, err);
	assert_string_equal(out, "");
	assert_string_equal(err, "qmapctl: there is no \"wwan7\"\nhint: plug it in\n");
	output.json = true;
	capture(say_error, out, err);
	assert_string_equal(out, "{\"error\":\"there is no \\\"wwan7\\\"\",\"errno\":\"ENODEV\","
				 "\"hint\":\"plug it in\"}\n");
	assert_string_equal(err, "");
}

TEST(results)
{
	char out[512], err[512];

	output.json = true;
	capture(say_result, out, err);
	assert_string_equal(out, "[{\"a\":\"x/y\",\"b\":5}]\n");
	/* One document on stdout, not two. */
	capture(say_error, out, err);
	assert_string_equal(out, "");
	assert_true(err[0]);
	output.pretty = true;
	capture(say_result, out, err);
	assert_string_equal(out, "[\n  {\n    \"a\": \"x/y\",\n    \"b\": 5\n  }\n]\n");
	output.quiet = true;
	capture(say_result, out, err);
	assert_string_equal(out, "");
}

static void say_hostile(void)
{
	struct json_object *o = json_object_new_array(), *trunk = json_object_new_object();
	struct json_object *line = json_object_new_object();
	struct error e = {0};

	json_object_object_add(trunk, "dev", json_object_new_string("w\x1b[31m\x9bm\xff"));
	json_object_array_add(o, trunk);
	output_result(&output, o, output_show);
	json_object_put(o);
	json_object_object_add(line, "kind", json_object_new_string("netdev"));
	json_object_object_add(line, "time", json_object_new_string("now\x1b"));
	json_object_object_add(line, "port", json_object_new_string("p\a\xc2\x9b"));
	json_object_object_add(line, "to", json_object_new_string("x\x7f"));
	output_event(&output, stdout, line);
	json_object_put(line);
	output.printed = false;
	error_set(&e, -EINVAL, "no \"\x1b[2J\xe2\x82\"");
	error_hint(&e, "try \x9b");
	output_error(&output, &e);
}

/* Names and text from outside neither control the terminal nor reach a parser as invalid UTF-8. */
/* The driver for the modem is not known yet. */
TEST(show_waiting)
{
	expect(output_show,
	       "[{\"dev\":\"wwan0\",\"datapath\":\"\",\"qmap\":\"off\",\"state\":\"attaching\","
	       "\"modem\":{\"state\":\"present\"},\"pdns\":[]}]",
	       "wwan0: no data path yet, attaching, modem present\n");
}

TEST(hostile)
{
	char out[512], err[512];

	capture(say_hostile, out, err);
	assert_non_null(strstr(out, "w?[31m?m?: "));
	assert_non_null(strstr(out, "now? p???: x?\n"));
	assert_null(strpbrk(out, "\x1b\a\x7f\x9b\xff"));
	assert_string_equal(err, "qmapctl: no \"?[2J??\"\nhint: try ?\n");
	output.json = true;
	capture(say_hostile, out, err);
	assert_string_equal(out, "[{\"dev\":\"w\\u001b[31m?m?\"}]\n"
				 "{\"kind\":\"netdev\",\"time\":\"now\\u001b\","
				 "\"port\":\"p\\u0007??\",\"to\":\"x?\"}\n"
				 "{\"error\":\"no \\\"\\u001b[2J??\\\"\",\"errno\":\"EINVAL\","
				 "\"hint\":\"try ?\"}\n");
}

/* ---- errors themselves ---- */

TEST(error_basics)
{
	static const struct {
		int err;
		enum exit_code exit;
		const char *symbol;
	} table[] = {
		{-EPERM, EXIT_PERMISSION, "EPERM"},
		{-EACCES, EXIT_PERMISSION, "EACCES"},
		{-ENODEV, EXIT_NO_DEVICE, "ENODEV"},
		{-ENOENT, EXIT_NO_DEVICE, "ENOENT"},
		{-EOPNOTSUPP, EXIT_UNSUPPORTED, "EOPNOTSUPP"},
		{-EINVAL, EXIT_USAGE, "EINVAL"},
		{-EBUSY, EXIT_REFUSED, "EBUSY"},
		{-ETIMEDOUT, EXIT_REFUSED, "ETIMEDOUT"},
		{-4000, EXIT_REFUSED, "EUNKNOWN"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct error e = {0}, back = {0};
		struct json_object *o;

		assert_int_equal(error_set(&e, table[i].err, "first %d", 1), table[i].err);
		assert_int_equal(error_set(&e, -EIO, "second"), -EIO);
		assert_int_equal(e.err, table[i].err);
		assert_int_equal(e.exit, table[i].exit);
		assert_string_equal(e.text, "first 1");
		assert_string_equal(error_symbol(table[i].err), table[i].symbol);
		error_hint(&e, "one");
		error_hint(&e, "two");
		assert_string_equal(e.hint, "one");
		error_exit(&e, EXIT_UNSUPPORTED);
		o = error_to_json(&e);
		if (strcmp(table[i].symbol, "EUNKNOWN")) {
			assert_int_equal(error_from_json(&back, o), table[i].err);
			assert_memory_equal(&back, &e, sizeof(e));
		} else {
			assert_int_equal(error_from_json(&back, o), -EPROTO);
		}
		json_object_put(o);
	}
	assert_int_equal(error_set(NULL, -EIO, "nobody listens"), -EIO);
	error_hint(NULL, "nobody");
	error_exit(NULL, EXIT_USAGE);
}

/* ---- diagnostics ---- */

static void log_plain(void)
{
	log_set_level(LOG_LEVEL_INFO);
	log_error("e %d", 1);
	log_warning("two\nlines\x1b[m\x9b");
	log_info("i");
	log_debug("not shown");
}

/* $JOURNAL_STREAM names stderr itself: only then do lines carry a priority. */
static void log_journal(void)
{
	struct stat st;
	char text[64];

	assert_int_equal(fstat(2, &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	log_error("e");
	log_info("i");
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_warning("w");
	unsetenv("JOURNAL_STREAM");
}

TEST(diagnostics)
{
	char out[512], err[512];

	capture(log_plain, out, err);
	assert_string_equal(out, "");
	assert_string_equal(err, "test_output: error: e 1\ntest_output: warning: "
				 "two?lines?[m?\ntest_output: i\n");
	capture(log_journal, out, err);
	assert_string_equal(err, "<3>e\n<6>i\ntest_output: warning: w\n");
}

/*
 * The reader of the log may stop: the daemon goes on, and reports later how many lines are
 * missing.
 */
TEST(log_to_a_full_pipe)
{
	char buf[8192] = {0};
	int fds[2], old = dup(2);

	log_set_level(LOG_LEVEL_INFO);
	assert_int_equal(pipe(fds), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
	assert_int_equal(dup2(fds[1], 2), 2);
	alarm(20); /* a hang would be the fault */
	for (int i = 0; i < 1000; i++)
		log_info("line %d of many that nobody reads", i);
	alarm(0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	while (read(fds[0], buf, sizeof(buf)) > 0)
		;
	log_info("read again");
	memset(buf, 0, sizeof(buf));
	assert_true(read(fds[0], buf, sizeof(buf) - 1) > 0);
	dup2(old, 2);
	close(old);
	close(fds[0]);
	close(fds[1]);
	assert_non_null(strstr(buf, "test_output: warning: "));
	assert_non_null(strstr(buf, " lines of log were lost: nobody read them\n"));
	assert_non_null(strstr(buf, "test_output: read again\n"));
}

static void say_often(void)
{
	for (int i = 0; i < 10; i++)
		log_limited(LOG_LEVEL_WARNING, 3, "again %d", i);
}

static void say_often_twice(void)
{
	say_often();
	say_often();
}

TEST(log_of_what_others_do)
{
	struct log_limit l = {.since = 1, .n = 7}; /* more than a minute ago */
	char out[512], err[512];

	capture(say_often_twice, out, err);
	assert_string_equal(err, "test_output: warning: again 0\ntest_output: warning: again 1\n"
				 "test_output: warning: again 2\n");
	assert_true(log_allows(&l, 3));
	assert_int_equal(l.n, 1);
}

static void expect_top(const char *before, const char *now, double seconds, const char *want)
{
	struct json_object *show = json_tokener_parse(
		"[{\"dev\":\"w0\",\"datapath\":\"xdp\",\"dl_max_bytes\":1000,\"pdns\":["
		"{\"port\":\"w0.1\",\"families\":[{\"state\":\"starting\"},{\"state\":\"up\"}]},"
		"{\"port\":null,\"families\":[{\"state\":\"waiting-for-registration\"}]}]}]");
	struct json_object *a = before ? json_tokener_parse(before) : NULL;
	struct json_object *b = now ? json_tokener_parse(now) : NULL;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	output_top(f, show, a, b, seconds);
	fclose(f);
	assert_string_equal(text, want);
	free(text);
	json_object_put(show);
	json_object_put(a);
	json_object_put(b);
}

#define TOP_HEAD  "w0: data path xdp, aggregates up to 1000 bytes\n"
#define TOP_TABLE "  PORT            STATE        RX-BIT/S RX-PKT/S TX-BIT/S TX-PKT/S DROPS/S\n"
#define TOP_PORT  "  w0.1            up           "
#define TOP_WAITS "  -               waiting-for-        0        0        0        0       0\n\n"
#define TOP_STATS(aggregates, bytes, frames, drops, rx, tx)                                        \
	"[{\"dev\":\"w0\",\"aggregates\":" aggregates ",\"bytes\":" bytes ",\"frames\":" frames    \
	",\"drops\":{\"not_ip\":" drops "},\"ports\":[{\"port\":\"w0.1\",\"flow_off\":true,"       \
	"\"rx_packets\":" rx ",\"rx_bytes\":" rx "000,\"tx_packets\":" tx ",\"tx_bytes\":" tx      \
	"00,\"tx_dropped\":" drops "}]}]"

TEST(top)
{
	expect_top(TOP_STATS("100", "50000", "1000", "0", "1000", "0"),
		   TOP_STATS("300", "150000", "3500", "8", "3500", "1999"), 2,
		   TOP_HEAD "  100 aggregates/s, 12.5 frames each, 500 bytes (50 % of 1000), "
			    "4 drops/s\n" TOP_TABLE TOP_PORT
			    "   10.0M     1.2k   799.6k     1.0k       4 stopped\n" TOP_WAITS);
}

/* The first time, on a new attach, and without counters. */
TEST(top_without_rates)
{
	const char *none =
		TOP_HEAD "  0 aggregates/s, 0.0 frames each, 0 bytes (0 % of 1000), "
			 "0 drops/s\n" TOP_TABLE TOP_PORT
			 "       0        0        0        0       0 stopped\n" TOP_WAITS;
	const char *many = TOP_STATS("9", "9", "9", "9", "9", "9");

	expect_top(NULL, many, 0, none);
	expect_top(many, TOP_STATS("1", "1", "1", "1", "1", "1"), 1, none);
	expect_top(many, many, 0, none);
	expect_top(many, NULL, 1,
		   TOP_HEAD TOP_TABLE TOP_PORT
		   "       0        0        0        0       0\n" TOP_WAITS);
}
