// SPDX-License-Identifier: GPL-2.0-or-later
/* Configuration: the same words from text, file and JSON, and the errors for invalid ones. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "daemon/config/config.h"
#include "daemon/config/model.h"
#include "daemon/config/set.h"
#include "daemon/config/words.h"
#include "daemon/qmi/models.h"
#include "qmap/abi.h"

static struct config_trunk trunk;

static int setup(void **state)
{
	config_trunk_init(&trunk);
	return 0;
}

TEST_FIXTURE(setup, NULL);

TEST(defaults)
{
	const struct config_pdn *p = trunk.pdns;

	assert_int_equal(config_trunk_set(&trunk, "dev", "wwan0", NULL), 0);
	assert_int_equal(config_trunk_finish(&trunk, NULL), 0);
	assert_string_equal(trunk.dev, "wwan0");
	assert_string_equal(trunk.control, "");
	assert_int_equal(trunk.qmap, CONFIG_QMAP_AUTO);
	assert_int_equal(trunk.datapath, CONFIG_DATAPATH_AUTO);
	assert_int_equal(trunk.timeout, 10);
	assert_true(trunk.sync);
	assert_int_equal(trunk.npdns, 1);
	assert_int_equal(p->number, 1);
	assert_int_equal(p->mux, 0x81);
	assert_int_equal(p->ip, CONFIG_IPV4V6);
	assert_int_equal(p->auth, CONFIG_AUTH_AUTO);
	assert_int_equal(p->metric, 701);
	assert_true(p->default_route);
	assert_string_equal(p->apn, "");
}

TEST(trunk_words)
{
	static const struct {
		const char *key, *value;
		bool good;
	} table[] = {
		{"control", "/dev/cdc-wdm0", true},
		{"control", "none", true},
		{"qmap", "auto", true},
		{"qmap", "off", true},
		{"qmap", "v1", true},
		{"qmap", "v4", true},
		{"qmap", "v5", true},
		{"qmap", "v9", false},
		{"qmap", "V5", false},
		{"qmap", "", false},
		{"datapath", "xdp", true},
		{"datapath", "shim", true},
		{"datapath", "other", false},
		{"dl-max-bytes", "0", true},
		{"dl-max-bytes", "16384", true},
		{"dl_max_bytes", "16384", true},
		{"dl-max-bytes", "0x4000", true},
		{"dl-max-bytes", "65536", false},
		{"dl-max-bytes", "-1", false},
		{"dl-max-bytes", "+1", false},
		{"dl-max-bytes", " 1", false},
		{"dl-max-bytes", "1 ", false},
		{"dl-max-bytes", "1k", false},
		{"dl-max-bytes", "0x", false},
		{"dl-max-bytes", "", false},
		{"dl-max-bytes", "99999999999999999999999", false},
		{"dl-max-bytes", "4294967296", false},
		{"dl-max-datagrams", "255", true},
		{"dl-max-datagrams", "256", false},
		{"sync", "yes", true},
		{"sync", "off", true},
		{"sync", "maybe", false},
		{"timeout", "1", true},
		{"timeout", "0", false},
		{"timeout", "601", false},
		{"backoff-min", "9", false},
		{"backoff-max", "3600000", true},
		{"dev", "123456789012345", true},
		{"dev", "1234567890123456", false},
		{"dev", "wwan0\n", false},
		{"nonsense", "1", false},
		{"", "1", false},
		{"dl-max-bytesx", "1", false},
		{"dl-max-byte", "1", false},
		{"number", "1", false},
		{"apn", "x", false},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct error err = {0};
		int ret = config_trunk_set(&trunk, table[i].key, table[i].value, &err);

		assert_int_equal(ret, table[i].good ? 0 : -EINVAL);
		assert_int_equal(err.err, ret);
		if (!table[i].good) {
			assert_int_equal(err.exit, EXIT_USAGE);
			assert_true(err.text[0]);
		}
	}
}

TEST(numbers)
{
	assert_int_equal(config_trunk_set(&trunk, "dl-max-bytes", "0x4000", NULL), 0);
	assert_int_equal(trunk.dl_max_bytes, 0x4000);
	assert_int_equal(config_trunk_set(&trunk, "dl-max-bytes", "0010", NULL), 0);
	assert_int_equal(trunk.dl_max_bytes, 10);
	assert_int_equal(config_pdn_add(&trunk, "1,metric=4294967295", NULL), 0);
	assert_int_equal(trunk.pdns[0].metric, 4294967295U);
	assert_int_equal(config_trunk_set(&trunk, "sync", "no", NULL), 0);
	assert_false(trunk.sync);
	assert_int_equal(config_trunk_set(&trunk, "sync", "true", NULL), 0);
	assert_true(trunk.sync);
}

TEST(bad_value_keeps_the_old)
{
	assert_int_equal(config_trunk_set(&trunk, "timeout", "77", NULL), 0);
	assert_int_equal(config_trunk_set(&trunk, "timeout", "777", NULL), -EINVAL);
	assert_int_equal(trunk.timeout, 77);
}

TEST(errors_help)
{
	struct error err = {0};

	config_trunk_set(&trunk, "qmpa", "v5", &err);
	assert_string_equal(err.text, "a trunk has no setting \"qmpa\"");
	assert_string_equal(err.hint, "did you mean \"qmap\"?");
	memset(&err, 0, sizeof(err));
	config_trunk_set(&trunk, "zzzzzzzz", "v5", &err);
	assert_string_equal(err.hint, "there are control, qmap, datapath, dl-max-bytes, "
				      "dl-max-datagrams, sync, timeout, backoff-min, "
				      "backoff-max, retry-failed, radio, roaming, pin, poll, "
				      "watchdog, recover, steer, port, "
				      "hook, hook-timeout, keep-secrets");
	memset(&err, 0, sizeof(err));
	config_trunk_set(&trunk, "qmap", "v9", &err);
	assert_string_equal(err.text, "bad qmap \"v9\": allowed: auto, off, v1, v4, v5");
	memset(&err, 0, sizeof(err));
	config_pdn_add(&trunk, "1,mux=0", &err);
	assert_string_equal(err.text, "bad mux \"0\": allowed: a number from 1 to 254");
	memset(&err, 0, sizeof(err));
	config_pdn_add(&trunk, "1,default-route=2", &err);
	assert_string_equal(err.text, "bad default-route \"2\": allowed: yes or no");
}

TEST(pdn_text)
{
	const struct config_pdn *p = trunk.pdns;

	assert_int_equal(config_pdn_add(&trunk,
					"3,apn=internet,ip=v4,user=me,password=a\\,b=c\\\\d\\e,"
					"auth=chap,netns=blue,metric=5,mux=200,default-route=no",
					NULL),
			 0);
	assert_int_equal(trunk.npdns, 1);
	assert_int_equal(p->number, 3);
	assert_int_equal(p->mux, 200);
	assert_int_equal(p->ip, CONFIG_IPV4);
	assert_string_equal(p->apn, "internet");
	assert_string_equal(p->user, "me");
	assert_string_equal(p->password, "a,b=c\\d\\e");
	assert_int_equal(p->auth, CONFIG_AUTH_CHAP);
	assert_string_equal(p->netns, "blue");
	assert_int_equal(p->metric, 5);
	assert_false(p->default_route);
}

TEST(escapes)
{
	static const struct {
		const char *text, *password;
	} table[] = {
		{"1,password=a\\,b", "a,b"},
		{"1,password=\\,", ","},
		{"1,password=\\\\,apn=x", "\\"},
		{"1,password=\\n", "\\n"},
		{"1,password=a\\", "a\\"},
		{"1,password=\\,\\,\\\\\\,", ",,\\,"},
		{"1,password=", ""},
		{"1,password==", "="},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		config_trunk_init(&trunk);
		assert_int_equal(config_pdn_add(&trunk, table[i].text, NULL), 0);
		assert_string_equal(trunk.pdns[0].password, table[i].password);
	}
}

TEST(pdn_text_errors)
{
	static const struct {
		const char *text;
		int ret;
		const char *sentence;
	} table[] = {
		{"", -EINVAL, "a PDN begins with its number, not with \"\""},
		{"apn=x", -EINVAL, "a PDN begins with its number, not with \"apn=x\""},
		{"-1", -EINVAL, "a PDN begins with its number, not with \"-1\""},
		{"0", -EINVAL, "bad number \"0\": allowed: a number from 1 to 254"},
		{"255", -EINVAL, "bad number \"255\": allowed: a number from 1 to 254"},
		{"1x", -EINVAL, "bad number \"1x\": allowed: a number from 1 to 254"},
		{"1,", -EINVAL, "\"\" in a PDN is not key=value"},
		{"1,apn", -EINVAL, "\"apn\" in a PDN is not key=value"},
		{"1,apn=x,,", -EINVAL, "\"\" in a PDN is not key=value"},
		{"1,number=2", -EINVAL, "the number of a PDN cannot be set"},
		{"1,ip=6", -EINVAL, "bad ip \"6\": allowed: v4, v6, v4v6"},
		{"1,apm=x", -EINVAL, "a PDN has no setting \"apm\""},
		{"2", -EEXIST, "PDN 2 is given twice"},
	};

	assert_int_equal(config_pdn_add(&trunk, "2", NULL), 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct error err = {0};

		assert_int_equal(config_pdn_add(&trunk, table[i].text, &err), table[i].ret);
		assert_string_equal(err.text, table[i].sentence);
		assert_int_equal(trunk.npdns, 1);
	}
}

/* A secret must not appear in an error message. */
TEST(secrets_stay_secret)
{
	char text[300] = "1,password=";
	struct error err = {0};

	memset(text + strlen(text), 's', 128);
	assert_int_equal(config_pdn_add(&trunk, text, &err), -EINVAL);
	assert_null(strstr(err.text, "sss"));
	assert_non_null(strstr(err.text, "at most 127 characters"));
}

TEST(longest_strings)
{
	char text[300];

	for (int extra = 0; extra < 2; extra++) {
		strcpy(text, "1,apn=");
		memset(text + 6, 'a', 100 + extra);
		text[106 + extra] = '\0';
		config_trunk_init(&trunk);
		assert_int_equal(config_pdn_add(&trunk, text, NULL), extra ? -EINVAL : 0);
		assert_int_equal(trunk.npdns, !extra);
	}
}

/* Values are printed again: in JSON, in the log, on terminals. */
TEST(text_is_utf8)
{
	static const char *const bad[] = {"\x1b", "\x7f", "\xff", "\xc3", "\xc2\x9b", "\x9b"};
	struct error err = {0};
	char text[32];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "1,apn=a%sb", bad[i]);
		assert_int_equal(config_pdn_add(&trunk, text, &err), -EINVAL);
	}
	assert_int_equal(config_pdn_add(&trunk, "1,apn=\xc3\xa4\xe6\x9d\xb1", NULL), 0);
}

TEST(too_many_pdns)
{
	struct error err = {0};
	char text[16];

	for (int i = 1; i <= CONFIG_MAX_PDNS + 1; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(config_pdn_add(&trunk, text, &err),
				 i <= CONFIG_MAX_PDNS ? 0 : -E2BIG);
	}
	assert_int_equal(trunk.npdns, CONFIG_MAX_PDNS);
}

TEST(finish_errors)
{
	static const struct {
		const char *dev, *words[6], *pdns[3], *sentence;
	} table[] = {
		{"", {NULL}, {NULL}, "the name of the network device is missing"},
		{"a/b", {NULL}, {NULL}, "\"a/b\" is not a name of a network device"},
		{"a b", {NULL}, {NULL}, "\"a b\" is not a name of a network device"},
		{"..", {NULL}, {NULL}, "\"..\" is not a name of a network device"},
		{"wwan0", {NULL}, {"1", "2,mux=129"}, "PDNs 1 and 2 have the same mux id 0x81"},
		{"wwan0",
		 {NULL},
		 {"127"},
		 "PDN 127 needs a mux id of its own: 0x80 + 127 is above 254"},
		{"wwan0", {"qmap", "off"}, {"1", "2"}, "qmap=off carries one PDN, not 2"},
		{"wwan0",
		 {"control", "none"},
		 {"1,apn=x"},
		 "PDN 1: apn, user and password need a control channel"},
		{"wwan0",
		 {NULL},
		 {"1,netns=a/b"},
		 "PDN 1: \"a/b\" is not a name of a network namespace"},
		{"wwan0",
		 {"dl-max-bytes", "100"},
		 {NULL},
		 "bad dl-max-bytes 100: an aggregate below 1536 bytes cannot carry a packet of "
		 "full "
		 "size"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct error err = {0};

		config_trunk_init(&trunk);
		assert_int_equal(config_trunk_set(&trunk, "dev", table[i].dev, NULL), 0);
		for (size_t j = 0; table[i].words[j]; j += 2)
			assert_int_equal(config_trunk_set(&trunk, table[i].words[j],
							  table[i].words[j + 1], NULL),
					 0);
		for (size_t j = 0; table[i].pdns[j]; j++)
			assert_int_equal(config_pdn_add(&trunk, table[i].pdns[j], NULL), 0);
		assert_int_equal(config_trunk_finish(&trunk, &err), -EINVAL);
		assert_string_equal(err.text, table[i].sentence);
	}
}

TEST(finish_accepts)
{
	config_trunk_set(&trunk, "dev", "wwan0", NULL);
	config_trunk_set(&trunk, "control", "none", NULL);
	assert_int_equal(config_pdn_add(&trunk, "1,mux=0x81", NULL), 0);
	assert_int_equal(config_pdn_add(&trunk, "254,mux=1", NULL), 0);
	assert_int_equal(config_trunk_finish(&trunk, NULL), 0);
	assert_int_equal(config_trunk_finish(&trunk, NULL), 0);
	assert_int_equal(trunk.npdns, 2);
}

/* ---- JSON ---- */

static void full_trunk(void)
{
	config_trunk_set(&trunk, "dev", "wwan0", NULL);
	config_trunk_set(&trunk, "control", "/dev/cdc-wdm0", NULL);
	config_trunk_set(&trunk, "qmap", "v4", NULL);
	config_trunk_set(&trunk, "datapath", "xdp", NULL);
	config_trunk_set(&trunk, "dl-max-bytes", "16384", NULL);
	config_trunk_set(&trunk, "dl-max-datagrams", "32", NULL);
	config_trunk_set(&trunk, "sync", "no", NULL);
	config_trunk_set(&trunk, "timeout", "5", NULL);
	config_pdn_add(&trunk, "1,apn=a\"b\\c,ip=v6,user=\xc3\xa9,password=p\\,q\xc3\xbf,auth=pap",
		       NULL);
	config_pdn_add(&trunk, "7,netns=red,metric=9,default-route=no,mux=3", NULL);
	assert_int_equal(config_trunk_finish(&trunk, NULL), 0);
}

TEST(json_round_trip)
{
	struct config_trunk back;
	struct json_object *o, *parsed;

	full_trunk();
	o = config_trunk_to_json(&trunk, true);
	parsed = json_tokener_parse(json_object_to_json_string(o));
	assert_non_null(parsed);
	memset(&back, 0xaa, sizeof(back));
	assert_int_equal(config_trunk_from_json(&back, parsed, NULL), 0);
	assert_int_equal(back.npdns, trunk.npdns);
	assert_memory_equal(&back, &trunk, sizeof(back));
	json_object_put(parsed);
	json_object_put(o);
}

TEST(port_names)
{
	char name[IFNAMSIZ];

	assert_int_equal(config_port_name("wwan0-%n", 254, name), 0);
	assert_string_equal(name, "wwan0-254");
	assert_int_equal(config_port_name("%nq", 7, name), 0);
	assert_string_equal(name, "7q");
	assert_int_equal(config_port_name("internet", 7, name), 0);
	assert_string_equal(name, "internet");
	assert_int_equal(config_port_name("abcdefghijklmn%n", 9, name), 0);
	assert_int_equal(config_port_name("abcdefghijklmn%n", 10, name), -EINVAL);
}

TEST(json_text)
{
	struct json_object *o;

	config_trunk_set(&trunk, "dev", "wwan0", NULL);
	config_pdn_add(&trunk, "2,apn=x,password=geheim", NULL);
	o = config_trunk_to_json(&trunk, false);
	assert_string_equal(
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
		"{\"dev\":\"wwan0\",\"control\":\"\",\"qmap\":\"auto\",\"datapath\":\"auto\","
		"\"dl_max_bytes\":0,\"dl_max_datagrams\":0,\"sync\":true,\"timeout\":10,"
		"\"backoff_min\":1000,\"backoff_max\":60000,\"retry_failed\":3600,\"radio\":\"on\","
		"\"roaming\":\"on\","
		"\"poll\":30,"
		"\"watchdog\":0,\"recover\":\"redial,radio,reset,usb,hook\",\"steer\":\"auto\","
		"\"port\":\"\",\"hook\":\"\",\"hook_timeout\":30,\"keep_secrets\":false,"
		"\"pdns\":[{\"number\":2,\"mux\":130,\"ip\":\"v4v6\",\"apn\":\"x\",\"profile\":0,"
		"\"user\":\"\","
		"\"password\":true,\"auth\":\"auto\",\"netns\":\"\",\"metric\":702,\"failover\":0,"
		"\"quota\":0,"
		"\"default_route\":true,\"table\":0,\"vrf\":\"\",\"slaac\":false,\"passthrough\":"
		"\"\",\"lan\":\"\","
		"\"clat\":\"auto\",\"addresses\":\"qmapd\"}]}");
	json_object_put(o);
}

TEST(json_secrets)
{
	struct json_object *o, *pdn;

	full_trunk();
	o = config_trunk_to_json(&trunk, false);
	assert_null(strstr(json_object_to_json_string(o), "p,q"));
	pdn = json_object_array_get_idx(json_object_object_get(o, "pdns"), 0);
	assert_true(json_object_get_boolean(json_object_object_get(pdn, "password")));
	pdn = json_object_array_get_idx(json_object_object_get(o, "pdns"), 1);
	assert_null(json_object_object_get(pdn, "password"));
	json_object_put(o);
}

TEST(json_errors)
{
	static const char *const table[] = {
		"[]",
		"\"x\"",
		"{}",
		"{\"dev\":5}",
		"{\"dev\":null}",
		"{\"dev\":\"wwan0\",\"nonsense\":1}",
		"{\"dev\":\"wwan0\",\"timeout\":\"10\"}",
		"{\"dev\":\"wwan0\",\"timeout\":1.5}",
		"{\"dev\":\"wwan0\",\"timeout\":-5}",
		"{\"dev\":\"wwan0\",\"timeout\":99999999999999999999}",
		"{\"dev\":\"wwan0\",\"timeout\":[1]}",
		"{\"dev\":\"wwan0\",\"sync\":\"yes\"}",
		"{\"dev\":\"wwan0\",\"qmap\":5}",
		"{\"dev\":\"wwan0\",\"control\":\"a\\u0000b\"}",
		"{\"dev\":\"wwan0\",\"control\":\"a\\nb\"}",
		"{\"dev\":\"wwan0\",\"pdns\":{}}",
		"{\"dev\":\"wwan0\",\"pdns\":[1]}",
		"{\"dev\":\"wwan0\",\"pdns\":[{}]}",
		"{\"dev\":\"wwan0\",\"pdns\":[{\"number\":\"1\"}]}",
		"{\"dev\":\"wwan0\",\"pdns\":[{\"number\":0}]}",
		"{\"dev\":\"wwan0\",\"pdns\":[{\"number\":1,\"user\":true}]}",
		"{\"dev\":\"wwan0\",\"pdns\":[{\"number\":1,\"password\":1}]}",
		"{\"dev\":\"wwan0\",\"pdns\":[{\"number\":1},{\"number\":1}]}",
		"{\"dev\":\"wwan0\",\"pdns\":[null]}",
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct json_object *o = json_tokener_parse(table[i]);
		struct error err = {0};
		int ret = config_trunk_from_json(&trunk, o, &err);

		assert_true(ret == -EINVAL || ret == -EEXIST);
		assert_true(err.text[0]);
		json_object_put(o);
	}
	assert_int_equal(config_trunk_from_json(&trunk, NULL, NULL), -EINVAL);
}

/* ---- file ---- */

struct read_state {
	unsigned int n;
	struct config_trunk trunks[4];
	int answer;
};

static int take(const struct config_trunk *c, void *arg)
{
	struct read_state *r = arg;

	if (r->n < 4)
		r->trunks[r->n] = *c;
	r->n++;
	return r->answer;
}

static int read_text(const char *text, size_t len, struct read_state *r, struct error *err,
		     char path[64])
{
	int fd, ret;

	memset(r, 0, sizeof(*r));
	strcpy(path, "/tmp/qmap-config-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	ret = config_file_read(path, take, r, err);
	unlink(path);
	return ret;
}

static int take_model(const struct config_model *m, void *arg)
{
	struct config_set *set = arg;

	return config_set_add_model(set, m, NULL);
}

static int no_trunk(const struct config_trunk *c, void *arg)
{
	return -EINVAL;
}

static int read_set(const char *text, const struct config_file_ops *ops, struct config_set *set,
		    struct error *err)
{
	char path[] = "/tmp/qmap-config-XXXXXX";
	int ret, fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	ret = config_file_read_all(path, ops, set, err);
	unlink(path);
	return ret;
}

static int read_models(const char *text, struct config_set *set, struct error *err)
{
	static const struct config_file_ops ops = {.trunk = no_trunk, .model = take_model};

	return read_set(text, &ops, set, err);
}

TEST(models)
{
	struct config_set set = {.n = 0};
	struct config_model back;
	struct error err = {0};
	struct json_object *o;

	assert_int_equal(read_models("[model 2C7C:0800]\n"
				     "dl-max-bytes = 8192\n"
				     "[model 1234:5678]\n"
				     "name = XY7 XY8\nqmap = v1\nforced = yes\n"
				     "note = \"has a; semicolon\"\n",
				     &set, &err),
			 0);
	assert_int_equal(set.nmodels, 2);
	o = config_model_to_json(&set.models[0]);
	assert_int_equal(config_model_from_json(&back, o, &err), 0);
	assert_memory_equal(&back, &set.models[0], sizeof(back));
	json_object_put(o);
	assert_int_equal(config_set_use_models(&set, true, &err), 0);
	assert_int_equal(qmi_model_find_id(0x2c7c, 0x0800)->dl_max_bytes, 8192);
	assert_true(qmi_model_find_id(0x2c7c, 0x0800)->forces_qmap);
	assert_false(qmi_model_find_id(0x2c7c, 0x0800)->limits_qmap);
	assert_int_equal(qmi_model_find("XY800", "")->qmap, QMAP_V1);
	assert_true(qmi_model_find("XY800", "")->limits_qmap);
	assert_string_equal(qmi_model_find("XY800", "")->note, "has a; semicolon");
	config_set_clear(&set);
	assert_int_equal(config_set_use_models(&set, true, &err), 0);
	assert_int_equal(qmi_model_find_id(0x2c7c, 0x0800)->dl_max_bytes, 31744);
}

static int take_daemon(const struct config_daemon *d, void *arg)
{
	return config_set_daemon(arg, d, NULL);
}

static int read_daemon(const char *text, struct config_set *set, struct error *err)
{
	static const struct config_file_ops ops = {.trunk = no_trunk, .daemon = take_daemon};

	return read_set(text, &ops, set, err);
}

TEST(daemon_section)
{
	struct config_set set = {.n = 0};
	struct error err = {0};

	assert_int_equal(
		read_daemon("[qmapd]\nqmi-proxy = no\nqmi-proxy-group=modem\ntotals-minutes=90\n",
			    &set, &err),
		0);
	assert_int_equal(set.daemon.totals_minutes, 90);
	assert_true(set.has_daemon);
	assert_string_equal(set.daemon.qmi_proxy, "no");
	assert_string_equal(set.daemon.qmi_proxy_group, "modem");
	assert_int_equal(read_daemon("[qmapd]\n", &set, &err), -EEXIST);
	config_set_clear(&set);
	assert_int_equal(read_daemon("[qmapd]\n[qmapd]\n", &set, &err), -EEXIST);
	assert_non_null(strstr(err.text, ":2: section [qmapd] is there twice"));
	err = (struct error){0};
	assert_int_equal(read_daemon("[qmapd]\nqmi-prox = no\n", &set, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":2: a [qmapd] section has no setting \"qmi-prox\""));
	config_set_clear(&set);
}

TEST(bad_models)
{
	static const struct {
		const char *text, *says;
	} table[] = {
		{"[model]\n", ":1: unknown section [model]"},
		{"[model 2c7c]\n", ":1: \"2c7c\" is no USB or PCI id"},
		{"[model 2c7c:08000]\n", "is no USB or PCI id"},
		{"[model 0000:0800]\n", "is no USB or PCI id"},
		{"[model 2c7c:0800 x]\n", "unknown section"},
		{"[model 2c7c:0800]\n[model 2C7C:0800]\n",
		 ":2: section [model 2C7C:0800] is there"},
		{"[model 2c7c:0800]\nid = 1\n", ":2: \"id\" belongs into the section's name"},
		{"[model 2c7c:0800]\ninterfac = 1\n", ":2: a model has no setting \"interfac\""},
		{"[model 2c7c:0800]\nqmap = off\n", "allowed: auto, v1, v4, v5"},
		{"[model 2c7c:0800]\ndl-max-bytes = 100\n", "allowed: a number from 1536 to"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct config_set set = {.n = 0};
		struct error err = {0};

		assert_true(read_models(table[i].text, &set, &err) < 0);
		if (!strstr(err.text, table[i].says))
			fail_msg("\"%s\" is not in \"%s\"", table[i].says, err.text);
		config_set_clear(&set);
	}
}

TEST(file)
{
	static const char text[] = "\xef\xbb\xbf# comment\n"
				   "; another\n"
				   "[trunk wwan0]\n"
				   "control = /dev/cdc-wdm0\r\n"
				   "qmap=v5\n"
				   "\n"
				   "[trunk wwan0 pdn 1]\n"
				   "  apn = internet\n"
				   "\tuser = me\n"
				   "password = a,b # c\n"
				   "[ trunk  wwan0  pdn 2 ]\n"
				   "[trunk wwan1]\n"
				   "[trunk wwan2 pdn 5]\n"
				   "default-route = no"; /* without a newline */
	static struct read_state r;
	struct error err = {0};
	char path[64];

	assert_int_equal(read_text(text, sizeof(text) - 1, &r, &err, path), 0);
	assert_int_equal(r.n, 3);
	assert_string_equal(r.trunks[0].dev, "wwan0");
	assert_string_equal(r.trunks[0].control, "/dev/cdc-wdm0");
	assert_int_equal(r.trunks[0].qmap, CONFIG_QMAP_V5);
	assert_int_equal(r.trunks[0].npdns, 2);
	assert_string_equal(r.trunks[0].pdns[0].apn, "internet");
	assert_string_equal(r.trunks[0].pdns[0].user, "me");
	assert_string_equal(r.trunks[0].pdns[0].password, "a,b # c");
	assert_int_equal(r.trunks[0].pdns[1].number, 2);
	assert_string_equal(r.trunks[1].dev, "wwan1");
	assert_int_equal(r.trunks[1].npdns, 1);
	assert_string_equal(r.trunks[2].dev, "wwan2");
	assert_int_equal(r.trunks[2].pdns[0].number, 5);
	assert_false(r.trunks[2].pdns[0].default_route);
}

/* The example file as installed configures nothing, and with its settings uncommented two PDNs. */
TEST(example)
{
	static struct read_state r;
	char text[4096], uncommented[4096], path[64];
	struct error err = {0};
	FILE *f = fopen("system/qmap.conf", "re");
	size_t n, m = 0;

	if (!f)
		fail_msg("tests run in the top directory of the tree");
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	assert_int_equal(read_text(text, n, &r, &err, path), 0);
	assert_int_equal(r.n, 0);
	for (size_t i = 0; i < n; i++)
		if (text[i] != '#' || strchr(" \n", text[i + 1]))
			uncommented[m++] = text[i];
	if (read_text(uncommented, m, &r, &err, path))
		fail_msg("%s", err.text);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.trunks[0].pin, "1234");
	assert_int_equal(r.trunks[0].npdns, 2);
	assert_string_equal(r.trunks[0].pdns[0].apn, "internet");
	assert_false(r.trunks[0].pdns[1].default_route);
}

TEST(file_quotes)
{
	static const struct {
		const char *line, *user;
	} table[] = {
		{"user = \"a b\"\n", "a b"},
		{"user = \"a ;b\"\n", "a ;b"},
		{"user=\" a \" ; comment \"\r\n", " a "},
		{"user: \"a\\\"b\\\\\"", "a\"b\\"},
		{"user = \"\\n\"\n", "\\n"},
		{"user = \"\"\n", ""},
		{"user = a\"b\n", "a\"b"},
		{"user = a \"b\" ;c\n", "a \"b\""},
		{"user = a\\\\b\n", "a\\\\b"},
		{"  user = \"#[x]=\"\n", "#[x]="},
		{"user = =\"x\"\n", "=\"x\""},
	};
	static struct read_state r;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[200], path[64];

		snprintf(text, sizeof(text), "[trunk a pdn 1]\n%s", table[i].line);
		assert_int_equal(read_text(text, strlen(text), &r, NULL, path), 0);
		assert_string_equal(r.trunks[0].pdns[0].user, table[i].user);
	}
}

#define BAD_QUOTES                                                                                 \
	"a value that begins with a quote ends with one, and quotes in it are written \\\""

TEST(file_errors)
{
	static const struct {
		const char *text;
		int line;
		const char *sentence;
	} table[] = {
		{"control = x\n", 1, "\"control\" stands before the first section"},
		{"[trunk wwan0]\nqmap = v9\n", 2,
		 "bad qmap \"v9\": allowed: auto, off, v1, v4, v5"},
		{"\n\n[trunk wwan0]\n\nqmpa = v5\n", 5, "a trunk has no setting \"qmpa\""},
		{"[trunk wwan0]\nnonsense\n", 2, "neither a section nor key = value"},
		{"[trunk wwan0\nqmap = v5\n", 1, "neither a section nor key = value"},
		{"[modem wwan0]\n", 1, "unknown section [modem wwan0]"},
		{"[trunk]\n", 1, "unknown section [trunk]"},
		{"[trunk a b]\n", 1, "unknown section [trunk a b]"},
		{"[trunk a pdn]\n", 1, "unknown section [trunk a pdn]"},
		{"[trunk a pdn 1 x]\n", 1, "unknown section [trunk a pdn 1 x]"},
		{"[trunk a pdn 0]\n", 1, "bad number \"0\": allowed: a number from 1 to 254"},
		{"[trunk a]\n[trunk a]\n", 2, "section [trunk a] is there twice"},
		{"[trunk a pdn 1]\n[trunk a]\n[trunk a pdn 1]\n", 3, "PDN 1 is given twice"},
		{"[trunk a]\ndev = b\n", 2, "\"dev\" belongs into the section's name"},
		{"[trunk a]\nqmap = off\n[trunk a pdn 1]\n[trunk a pdn 2]\n", 1,
		 "qmap=off carries one PDN, not 2"},
		{"[trunk b]\n[trunk a/b]\n", 2, "\"a/b\" is not a name of a network device"},
		{"[trunk 1234567890123456]\n", 1,
		 "bad dev \"1234567890123456\": allowed: at most 15 characters of UTF-8, none of "
		 "them a control character"},
		{"[trunk a pdn 1]\napn = x\nip = v4\napn = y\n", 4,
		 "\"apn\" is there twice in this section"},
		{"[trunk a]\ndl-max-bytes = 2000\ndl_max_bytes = 3000\n", 3,
		 "\"dl_max_bytes\" is there twice in this section"},
		/* The first error is reported, by any of the checks. */
		{"[trunk a]\nqmap = v9\nnonsense\n", 2,
		 "bad qmap \"v9\": allowed: auto, off, v1, v4, v5"},
		{"[trunk a]\nnonsense\nqmap = v9\n", 2, "neither a section nor key = value"},
		{"[trunk a pdn 1]\nuser = \"a\nqmap = v9\n", 2, BAD_QUOTES},
		{"[trunk a pdn 1]\nuser = \"\n", 2, BAD_QUOTES},
		{"[trunk a pdn 1]\nuser = \"a\" b\n", 2, BAD_QUOTES},
		{"[trunk a pdn 1]\nuser = \"a\\\"\n", 2, BAD_QUOTES},
		{"[trunk a pdn 1]\nuser = \"a\x01\"\n", 2, BAD_QUOTES},
	};
	static struct read_state r;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct error err = {0};
		char path[64], want[512];

		assert_true(read_text(table[i].text, strlen(table[i].text), &r, &err, path) < 0);
		snprintf(want, sizeof(want), "%s:%d: %s", path, table[i].line, table[i].sentence);
		assert_string_equal(err.text, want);
		assert_int_equal(err.exit, EXIT_USAGE);
		assert_int_equal(r.n, 0);
	}
}

/* Names of ports, of two trunks in one set. */
TEST(ports_of_two_trunks)
{
	static const struct {
		const char *a, *b, *sentence;
	} table[] = {
		{"port=cell%n", "port=cell%n",
		 "PDN 1 of a and PDN 1 of b would have one port, cell1"},
		{"port=cell%n", "port=cel%n", NULL},
		{"port=cell%n", "port=cell1%n", NULL},
		{"port=cell%n", "port=cell1",
		 "PDN 1 of a and PDN 1 of b would have one port, cell1"},
		{"port=b.%n", "port=", "PDN 1 of a and PDN 1 of b would have one port, b.1"},
		{"port=b", "port=", "the port of PDN 1 of a would be called b, as a trunk is"},
		{"port=", "port=a", "the port of PDN 1 of b would be called a, as a trunk is"},
		{"port=b", "qmap=off", "the port of PDN 1 of a would be called b, as a trunk is"},
		{"qmap=off", "port=a.%n", NULL},
		{"port=w,netns=x", "port=w,netns=y", NULL},
		{"port=w,netns=x", "port=w,netns=x",
		 "PDN 1 of a and PDN 1 of b would have one port, w"},
		{"port=w,netns=x", "port=w", "PDN 1 of a and PDN 1 of b would have one port, w"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *const words[] = {table[i].a, table[i].b};
		struct config_set set = {.n = 0};
		struct error err = {0};
		int ret = 0;

		for (int j = 0; j < 2; j++) {
			char text[64], *netns;
			struct config_trunk c;

			snprintf(text, sizeof(text), "%s", words[j]);
			netns = strchr(text, ',');
			config_trunk_init(&c);
			assert_int_equal(config_trunk_set(&c, "dev", j ? "b" : "a", NULL), 0);
			if (netns)
				*netns++ = '\0';
			*strchr(text, '=') = '\0';
			assert_int_equal(config_trunk_set(&c, text, text + strlen(text) + 1, NULL),
					 0);
			snprintf(text, sizeof(text), "1%s%s", netns ? "," : "", netns ?: "");
			assert_int_equal(config_pdn_add(&c, text, NULL), 0);
			assert_int_equal(config_trunk_finish(&c, NULL), 0);
			ret = config_set_add(&set, &c, &err);
		}
		assert_int_equal(ret, table[i].sentence ? -EEXIST : 0);
		assert_string_equal(err.text, table[i].sentence ?: "");
		config_set_clear(&set);
	}
}

TEST(file_long_line)
{
	static struct read_state r;
	char text[1000] = "[trunk a]\ncontrol = ", path[64];
	struct error err = {0};

	memset(text + strlen(text), 'x', 500);
	strcat(text, "\nqmap = v5\n");
	assert_int_equal(read_text(text, strlen(text), &r, &err, path), -EINVAL);
	assert_non_null(strstr(err.text, ":2: line longer than"));
}

/* The longest values allowed fit a line. */
TEST(file_longest_value)
{
	static struct read_state r;
	char text[400] = "[trunk a pdn 1]\npassword = ", path[64];

	memset(text + strlen(text), 'x', 127);
	assert_int_equal(read_text(text, strlen(text), &r, NULL, path), 0);
	assert_int_equal(strlen(r.trunks[0].pdns[0].password), 127);
}

TEST(file_missing)
{
	static struct read_state r;
	struct error err = {0};

	assert_int_equal(config_file_read("/nonexistent/qmapd.conf", take, &r, &err), -ENOENT);
	assert_string_equal(err.text,
			    "cannot open /nonexistent/qmapd.conf: No such file or directory");
	memset(&err, 0, sizeof(err));
	assert_true(config_file_read("/tmp", take, &r, &err) < 0);
}

TEST(file_empty)
{
	static struct read_state r;
	char path[64];

	assert_int_equal(read_text("", 0, &r, NULL, path), 0);
	assert_int_equal(read_text("# nothing\n", 10, &r, NULL, path), 0);
	assert_int_equal(r.n, 0);
}

static int refuse(const struct config_trunk *c, void *arg)
{
	++*(int *)arg;
	return -EBUSY;
}

TEST(file_callback_error)
{
	char path[] = "/tmp/qmap-config-XXXXXX";
	int fd = mkstemp(path), calls = 0;

	assert_int_equal(write(fd, "[trunk a]\n[trunk b]\n", 20), 20);
	close(fd);
	assert_int_equal(config_file_read(path, refuse, &calls, NULL), -EBUSY);
	assert_int_equal(calls, 1);
	unlink(path);
}

/* ---- the table itself ---- */

TEST(table_is_sound)
{
	char text[128];

	for (int scope = CONFIG_TRUNK; scope <= CONFIG_PDN; scope++) {
		const struct config_word *w = NULL;

		while ((w = config_word_next(scope, w))) {
			assert_int_equal(w->scope, scope);
			assert_ptr_equal(config_word_find(scope, w->key, NULL), w);
			assert_true(w->help && *w->help);
			config_word_allowed(w, text, sizeof(text));
			assert_true(*text && strlen(text) < sizeof(text) - 1);
			config_word_metavar(w, text, sizeof(text));
			assert_true(*text && strlen(text) < 40);
		}
	}
}
