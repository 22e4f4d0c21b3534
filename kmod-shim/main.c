// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading. */

#include <linux/module.h>

#include "shim.h"

static int __init shim_init(void)
{
	int err;

	err = register_netdevice_notifier(&shim_notifier);
	if (err)
		return err;
	err = rtnl_link_register(&trunk_link_ops);
	if (err)
		goto unregister_notifier;
	err = rtnl_link_register(&trunk_usb_link_ops);
	if (err)
		goto unregister_trunk;
	err = rtnl_link_register(&port_link_ops);
	if (err)
		goto unregister_usb;
	return 0;

unregister_usb:
	rtnl_link_unregister(&trunk_usb_link_ops);
unregister_trunk:
	rtnl_link_unregister(&trunk_link_ops);
unregister_notifier:
	unregister_netdevice_notifier(&shim_notifier);
	return err;
}

static void __exit shim_exit(void)
{
	rtnl_link_unregister(&port_link_ops);
	rtnl_link_unregister(&trunk_usb_link_ops);
	rtnl_link_unregister(&trunk_link_ops);
	unregister_netdevice_notifier(&shim_notifier);
}

module_init(shim_init);
module_exit(shim_exit);
MODULE_DESCRIPTION("Splits and builds aggregates of cellular modems by XDP programs");
MODULE_LICENSE("GPL");
MODULE_ALIAS_RTNL_LINK(QMAP_SHIM_TRUNK_KIND);
MODULE_ALIAS_RTNL_LINK(QMAP_SHIM_PORT_KIND);
