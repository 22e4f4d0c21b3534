// SPDX-License-Identifier: GPL-2.0-or-later
/* Repairs stop after frequent damage, and go on after occasional damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/trunk/fight.h"

static void again_and_again(void **state)
{
	struct trunk_fight f = {0};

	for (int i = 0; i < 3; i++)
		assert_int_equal(trunk_fight_judge(&f, 50000 + i), TRUNK_FIGHT_REPAIR);
	assert_int_equal(trunk_fight_judge(&f, 50003), TRUNK_FIGHT_GIVE_UP);
	assert_int_equal(trunk_fight_judge(&f, 50004), TRUNK_FIGHT_LEAVE);
	assert_int_equal(trunk_fight_judge(&f, 500000), TRUNK_FIGHT_LEAVE);
	f = (struct trunk_fight){0};
	assert_int_equal(trunk_fight_judge(&f, 500001), TRUNK_FIGHT_REPAIR);
}

static void now_and_then(void **state)
{
	struct trunk_fight f = {0};

	for (int i = 1; i <= 100; i++)
		assert_int_equal(trunk_fight_judge(&f, i * 4000), TRUNK_FIGHT_REPAIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(again_and_again),
		cmocka_unit_test(now_and_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
