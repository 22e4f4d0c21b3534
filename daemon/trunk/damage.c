// SPDX-License-Identifier: GPL-2.0-or-later
#include "damage.h"

#include <json-c/json.h>

static const char *const texts[TRUNK_FIGHTS] = {
	[TRUNK_FIGHT_NETDEV] = "somebody has deleted it",
	[TRUNK_FIGHT_VRF] = "somebody has taken it out of its VRF",
	[TRUNK_FIGHT_MTU] = "somebody has lowered its MTU",
	[TRUNK_FIGHT_ADDRESS] = "somebody has deleted its address",
	[TRUNK_FIGHT_ROUTE] = "somebody has deleted its default route",
	[TRUNK_FIGHT_ROUTER] = "somebody has let it obey router advertisements",
};

const char *trunk_damage_text(enum trunk_fight_about about)
{
	return texts[about];
}

/* Damage to the netdev, which affects both families. */
static const char *of_netdev(const struct trunk_port *p)
{
	if (p->away)
		return "somebody has moved it to another namespace";
	if (p->seen.homeless)
		return "its network namespace is gone";
	if (p->lost || p->seen.gone)
		return texts[TRUNK_FIGHT_NETDEV];
	return trunk_port_is_up(p) && !p->seen.up ? "somebody has set it down" : NULL;
}

const char *trunk_damage_of_family(const struct trunk_port *p, int family)
{
	int i = family == 6;

	if (!p->settings[i].family)
		return NULL;
	if (p->fault[i][0])
		return p->fault[i];
	return of_netdev(p) ?: p->seen.bare[i] ? texts[TRUNK_FIGHT_ADDRESS] : NULL;
}

static void add(struct json_object *a, const char *text)
{
	if (text && text[0])
		json_object_array_add(a, json_object_new_string(text));
}

struct json_object *trunk_damage_list(const struct trunk_port *p)
{
	struct json_object *a = json_object_new_array();

	add(a, of_netdev(p));
	for (int i = 0; i < 2; i++)
		add(a, p->fault[i]);
	for (int i = 0; i < TRUNK_FIGHTS; i++)
		add(a, p->seen.wrong & 1U << i ? texts[i] : NULL);
	add(a, p->complaint);
	return a;
}
