// SPDX-License-Identifier: GPL-2.0-or-later
/* Text from outside at the output edges: terminal controls, and invalid UTF-8. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "daemon/util/printable.h"

static const struct {
	const char *in, *want; /* @want NULL: unchanged */
} texts[] = {
	{"", NULL},
	{"wwan0.1", NULL},
	{"Größe 5 µs, 東京, 😀", NULL},
	{"\xc2\xa0|\xdf\xbf|\xe0\xa0\x80|\xed\x9f\xbf|\xee\x80\x80|\xf0\x90\x80\x80|"
	 "\xf4\x8f\xbf\xbf",
	 NULL},
	{"\x01\t\n\r\x1b[31m\x1f\x7f", "?????[31m??"},
	/* C1, as UTF-8 and raw */
	{"\xc2\x80\xc2\x9b\x31m\xc2\x9f", "????1m??"},
	{"a\x9b\x31mb\x80", "a?1mb?"},
	/* cut short, by the end and by another character */
	{"\xc3", "?"},
	{"\xe2\x82", "??"},
	{"\xf0\x9f\x98", "???"},
	{"\xe2\x82xy", "??xy"},
	{"\xf0\x9f\x98\xc3\xa4", "???\xc3\xa4"},
	/* continuations alone, overlong forms, surrogates, beyond U+10FFFF */
	{"\xbf\xbf", "??"},
	{"\xc0\x9b\xc1\xbf", "????"},
	{"\xe0\x82\x9b", "???"},
	{"\xf0\x80\x82\x9b", "????"},
	{"\xed\xa0\x80\xed\xbf\xbf", "??????"},
	{"\xf4\x90\x80\x80\xf8\x88\x80\x80\x80\xff\xfe", "???????????"},
	/* lines and directions */
	{"a\xe2\x80\xa8z\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8e\xef\xbb\xbf", "a???z????????????"},
};

TEST(in_place)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *want = texts[i].want ? texts[i].want : texts[i].in;
		char copy[128];

		snprintf(copy, sizeof(copy), "%s", texts[i].in);
		assert_ptr_equal(printable(copy), copy);
		assert_string_equal(copy, want);
		assert_true(is_printable(copy, strlen(copy)));
		assert_int_equal(is_printable(texts[i].in, strlen(texts[i].in)), !texts[i].want);
	}
	assert_false(is_printable("a\0b", 3));
}

/* Every sequence of four bytes from a few of each kind: never longer, printable, and stable. */
TEST(all_mixtures)
{
	static const uint8_t kinds[] = {'a',  0x1b, 0x7f, 0x80, 0x9b, 0xa0, 0xbf, 0xc0, 0xc2,
					0xdf, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xff};
	size_t n = sizeof(kinds);

	for (size_t i = 0; i < n * n * n * n; i++) {
		char s[5] = {(char)kinds[i % n], (char)kinds[i / n % n], (char)kinds[i / n / n % n],
			     (char)kinds[i / n / n / n]};
		char once[5];

		printable(s);
		assert_int_equal(strlen(s), 4);
		assert_true(is_printable(s, 4));
		memcpy(once, s, sizeof(s));
		assert_string_equal(printable(s), once);
	}
}

/* String values are sanitized at any depth; other values stay. */
TEST(json_values)
{
	struct json_object *o = json_object_new_object(), *a = json_object_new_array();
	struct json_object *inner = json_object_new_object();

	json_object_object_add(inner, "port", json_object_new_string("\x1b[31m"));
	json_object_array_add(a, inner);
	json_object_array_add(a, json_object_new_string("a\xff"));
	json_object_array_add(a, json_object_new_string_len("a\0b", 3));
	json_object_array_add(a, NULL);
	json_object_object_add(o, "list", a);
	json_object_object_add(o, "good", json_object_new_string("ü"));
	json_object_object_add(o, "n", json_object_new_int(27));
	printable_json(o);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
			    "{\"list\":[{\"port\":\"?[31m\"},\"a?\",\"a\",null],"
			    "\"good\":\"ü\",\"n\":27}");
	json_object_put(o);
	printable_json(NULL);
}

/* Programs get the control characters of ASCII escaped and otherwise unchanged. */
TEST(json_text)
{
	struct json_object *o = json_object_new_object();
	const char *text;
	size_t len;

	json_object_object_add(o, "a", json_object_new_string("\x1b\n\x7f\x9b\xc2\x9b\xffü\""));
	text = printable_json_text(o, JSON_C_TO_STRING_PLAIN, &len);
	assert_string_equal(text, "{\"a\":\"\\u001b\\n?????ü\\\"\"}");
	assert_int_equal(len, strlen(text));
	assert_string_equal(printable_json_text(o, JSON_C_TO_STRING_PRETTY, NULL),
			    "{\n  \"a\":\"\\u001b\\n?????ü\\\"\"\n}");
	json_object_put(o);
}
