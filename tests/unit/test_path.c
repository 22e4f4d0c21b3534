// SPDX-License-Identifier: GPL-2.0-or-later
/* Which data path a trunk gets for the QMAP version that its modem has granted. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "daemon/trunk/internal.h"
#include "daemon/trunk/path.h"

static struct trunk t;
static struct error err;

static int setup(void **state)
{
	t = (struct trunk){
		.ops = &datapath_rmnet,
		.choice = {.n = 2,
			   .wish = {{QMAP_V5, &datapath_rmnet}, {QMAP_V1, &datapath_qmimux}}},
	};
	err = (struct error){0};
	return 0;
}

TEST_FIXTURE(setup, NULL);

TEST(the_granted_version_decides)
{
	assert_int_equal(trunk_grant_datapath(&t, QMAP_V1, &err), 0);
	assert_ptr_equal(t.ops, &datapath_qmimux);
	assert_int_equal(trunk_grant_datapath(&t, QMAP_V5, &err), 0);
	assert_ptr_equal(t.ops, &datapath_rmnet);
}

/*
 * A modem is only asked for versions that the data path in use carries. When that one is gone (its
 * module was unloaded) and the modem comes back with another format, the rest may carry fewer.
 */
TEST(a_version_that_no_data_path_carries_any_more)
{
	assert_int_equal(trunk_grant_datapath(&t, QMAP_V4, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "no data path of this machine carries QMAP v4");
	assert_ptr_equal(t.ops, &datapath_rmnet);
}

TEST(without_qmap_the_trunk_is_the_port)
{
	assert_int_equal(trunk_grant_datapath(&t, QMAP_OFF, &err), 0);
	assert_ptr_equal(t.ops, &datapath_raw);
}

/* The next attempt leaves the modem to its own driver. */
TEST(data_path_usb_needs_qmap)
{
	t.ops = &datapath_usb;
	assert_int_equal(trunk_grant_datapath(&t, QMAP_OFF, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "does not agree to QMAP"));
	assert_string_equal(err.hint, "--qmap off");
	assert_true(t.no_usb);
}
