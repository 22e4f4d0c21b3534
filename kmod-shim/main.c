// SPDX-License-Identifier: GPL-2.0-only
/* Loading, unloading, and the end of the netdev below. */

#include <linux/module.h>

#include "shim.h"

/*
 * A netdev that goes away takes the trunk on top of it along. One that only moves to another
 * namespace is told of with the same event, and keeps it.
 */
static int shim_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *lower = netdev_notifier_info_to_dev(ptr);
	LIST_HEAD(kill);
	struct trunk *trunk;

	if (event != NETDEV_UNREGISTER || lower->reg_state != NETREG_UNREGISTERING ||
	    rcu_access_pointer(lower->rx_handler) != rx_handle)
		return NOTIFY_DONE;
	trunk = rtnl_dereference(lower->rx_handler_data);
	trunk_link_ops.dellink(trunk->dev, &kill);
	unregister_netdevice_many(&kill);
	return NOTIFY_DONE;
}

static struct notifier_block shim_notifier = {
	.notifier_call = shim_event,
};

static int __init shim_init(void)
{
	int err;

	err = register_netdevice_notifier(&shim_notifier);
	if (err)
		return err;
	err = rtnl_link_register(&trunk_link_ops);
	if (err)
		goto unregister_notifier;
	err = rtnl_link_register(&port_link_ops);
	if (err)
		goto unregister_trunk;
	return 0;

unregister_trunk:
	rtnl_link_unregister(&trunk_link_ops);
unregister_notifier:
	unregister_netdevice_notifier(&shim_notifier);
	return err;
}

static void __exit shim_exit(void)
{
	rtnl_link_unregister(&port_link_ops);
	rtnl_link_unregister(&trunk_link_ops);
	unregister_netdevice_notifier(&shim_notifier);
}

module_init(shim_init);
module_exit(shim_exit);
MODULE_DESCRIPTION("Splits and builds aggregates of cellular modems by XDP programs");
MODULE_LICENSE("GPL");
MODULE_ALIAS_RTNL_LINK(QMAP_SHIM_TRUNK_KIND);
MODULE_ALIAS_RTNL_LINK(QMAP_SHIM_PORT_KIND);
