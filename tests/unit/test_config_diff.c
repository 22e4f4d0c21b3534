// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps from one configuration to another: as few as possible, none between equal ones. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "daemon/config/config.h"
#include "daemon/config/diff.h"
#include "daemon/config/words.h"

/* "qmap=v5 1,apn=x 2": words of the trunk, then PDNs. */
static void parse(struct config_trunk *c, const char *text)
{
	char copy[256], *save = NULL;

	config_trunk_init(c);
	config_trunk_set(c, "dev", "wwan0", NULL);
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *value = strchr(w, '=');

		if (w[0] >= '0' && w[0] <= '9') {
			assert_int_equal(config_pdn_add(c, w, NULL), 0);
			continue;
		}
		*value++ = '\0';
		assert_int_equal(config_trunk_set(c, w, value, NULL), 0);
	}
	assert_int_equal(config_trunk_finish(c, NULL), 0);
}

/* "redial_pdn 1: apn a>b, password ?>?; add_pdn 2" */
static void describe(const struct config_plan *plan, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < plan->n; i++) {
		const struct config_step *s = &plan->steps[i];

		assert_string_equal(s->dev, "wwan0");
		len += snprintf(buf + len, size - len, "%s%s", i ? "; " : "",
				config_step_name(s->kind));
		if (s->pdn)
			len += snprintf(buf + len, size - len, " %u", s->pdn);
		for (size_t j = 0; j < json_object_array_length(s->changes); j++) {
			struct json_object *o = json_object_array_get_idx(s->changes, j);
			struct json_object *from = json_object_object_get(o, "from");
			struct json_object *to = json_object_object_get(o, "to");

			len += snprintf(
				buf + len, size - len, "%s %s %s>%s", j ? "," : ":",
				json_object_get_string(json_object_object_get(o, "setting")),
				from ? json_object_get_string(from) : "?",
				to ? json_object_get_string(to) : "?");
		}
	}
}

TEST(steps)
{
	static const struct {
		const char *running, *wanted, *plan;
	} table[] = {
		{"1", "1", ""},
		{"", "1", ""},
		{"1,apn=x 2,ip=v4", "2,ip=v4 1,apn=x", ""},
		{"1", "1 2", "add_pdn 2"},
		{"1 2", "2", "remove_pdn 1"},
		{"1", "2", "remove_pdn 1; add_pdn 2"},
		{"1,apn=a", "1,apn=b", "redial_pdn 1: apn a>b"},
		{"1", "1,apn=b,user=u,password=p,auth=pap,ip=v4",
		 "redial_pdn 1: ip v4v6>v4, apn >b, user >u, password ?>?, auth auto>pap"},
		{"1", "1,metric=9", "change_pdn 1: metric 701>9"},
		{"1,default-route=no", "1", "change_pdn 1: default-route no>yes"},
		/* the heavier change includes the lighter one */
		{"1", "1,metric=9,apn=b", "redial_pdn 1: apn >b, metric 701>9"},
		{"1", "1,mux=9", "remove_pdn 1: mux 129>9; add_pdn 1"},
		{"1", "1,netns=red,apn=b", "remove_pdn 1: apn >b, netns >red; add_pdn 1"},
		/* two PDNs exchange mux ids: both are freed before either is used */
		{"1 2", "1,mux=130 2,mux=129",
		 "remove_pdn 1: mux 129>130; remove_pdn 2: mux 130>129; add_pdn 1; add_pdn 2"},
		{"1", "qmap=v4 1,apn=x 2", "reattach: qmap auto>v4"},
		{"1", "control=/x datapath=xdp dl-max-bytes=4096 dl-max-datagrams=3 1",
		 "reattach: control >/x, datapath auto>xdp, dl-max-bytes 0>4096, "
		 "dl-max-datagrams 0>3"},
		{"1", "datapath=rmnet 1", "change: datapath auto>rmnet"},
		{"1", "timeout=5 sync=no 1", "change: sync yes>no, timeout 10>5"},
		{"1 2 3 4,apn=a", "timeout=5 2,metric=1 3,mux=9 4,apn=b 5",
		 "remove_pdn 1; remove_pdn 3: mux 131>9; change: timeout 10>5; "
		 "change_pdn 2: metric 702>1; redial_pdn 4: apn a>b; add_pdn 3; add_pdn 5"},
		{"qmap=off 1", "qmap=off 2", "reattach"},
		{"qmap=off 1", "qmap=off 1,netns=a", "reattach: netns >a"},
		{"qmap=off 1", "qmap=off 1,apn=b", "redial_pdn 1: apn >b"},
	};
	static struct config_trunk running, wanted;
	char got[512];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct config_plan plan = {0};

		parse(&running, table[i].running);
		parse(&wanted, table[i].wanted);
		assert_int_equal(config_diff(&plan, &running, &wanted), 0);
		describe(&plan, got, sizeof(got));
		assert_string_equal(got, table[i].plan);
		config_plan_clear(&plan);
		assert_int_equal(config_diff(&plan, &wanted, &wanted), 0);
		assert_int_equal(plan.n, 0);
		config_plan_clear(&plan);
	}
}

/* A data path that has become cheaper joins what is planned for the trunk. */
TEST(datapath_changes)
{
	static const struct {
		const char *running, *wanted, *plan;
	} table[] = {
		{"1", "1", "change: datapath xdp>shim"},
		{"1", "1 2", "add_pdn 2; change: datapath xdp>shim"},
		{"1", "timeout=5 1", "change: timeout 10>5, datapath xdp>shim"},
		{"1", "qmap=v4 1", "reattach: qmap auto>v4"},
	};
	static struct config_trunk running, wanted;
	char got[512];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct config_plan plan = {0};

		parse(&running, table[i].running);
		parse(&wanted, table[i].wanted);
		assert_int_equal(config_diff(&plan, &running, &wanted), 0);
		assert_int_equal(config_plan_datapath(&plan, wanted.dev, "xdp", "shim"), 0);
		describe(&plan, got, sizeof(got));
		assert_string_equal(got, table[i].plan);
		config_plan_clear(&plan);
	}
}

/* Another format needs another attach, whatever else was planned. */
TEST(attached_again)
{
	static struct config_trunk running, wanted;
	struct config_plan plan = {0};
	char got[512];

	parse(&running, "1");
	parse(&wanted, "datapath=qmimux 1,apn=b 2");
	assert_int_equal(config_diff(&plan, &running, &wanted), 0);
	config_plan_reattach(&plan, 0);
	describe(&plan, got, sizeof(got));
	assert_string_equal(got, "reattach: datapath auto>qmimux");
	config_plan_clear(&plan);
	config_plan_reattach(&plan, 0);
	assert_int_equal(plan.n, 0);
}

TEST(come_and_go)
{
	static struct config_trunk c;
	struct config_plan plan = {0};
	char got[128];

	parse(&c, "1 2");
	assert_int_equal(config_diff(&plan, &c, NULL), 0);
	assert_int_equal(config_diff(&plan, NULL, &c), 0);
	describe(&plan, got, sizeof(got));
	assert_string_equal(got, "detach; attach");
	config_plan_clear(&plan);
	assert_int_equal(plan.n, 0);
}

/* A new setting without an entry here would be stored and never applied. */
TEST(every_word_says_what_it_takes)
{
	const struct config_word *w = NULL;

	while ((w = config_word_next(CONFIG_TRUNK, w)))
		assert_true(w->identity || w->change || !strcmp(w->key, "keep-secrets"));
	while ((w = config_word_next(CONFIG_PDN, w)))
		assert_true(w->identity || w->change);
}

TEST(kept_secrets_are_no_difference)
{
	static struct config_trunk running, wanted;
	struct config_plan plan = {0};

	parse(&running, "1,user=u,password=p 2");
	wanted = running;
	config_trunk_drop_secrets(&wanted);
	assert_true(wanted.keep_secrets);
	config_trunk_take_secrets(&wanted, &running);
	assert_int_equal(config_diff(&plan, &running, &wanted), 0);
	assert_int_equal(plan.n, 0);
}

TEST(as_json)
{
	static struct config_trunk running, wanted;
	struct config_plan plan = {0};
	struct json_object *o;

	parse(&running, "1,password=p");
	parse(&wanted, "1,metric=5");
	assert_int_equal(config_diff(&plan, &running, &wanted), 0);
	assert_int_equal(plan.n, 1);
	o = config_step_to_json(&plan.steps[0]);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
			    "{\"step\":\"redial_pdn\",\"dev\":\"wwan0\",\"pdn\":1,\"changes\":["
			    "{\"setting\":\"password\",\"from\":null,\"to\":null},"
			    "{\"setting\":\"metric\",\"from\":\"701\",\"to\":\"5\"}]}");
	json_object_put(o);
	config_plan_clear(&plan);
}
