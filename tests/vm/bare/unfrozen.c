// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task that writes to the parameter `me` is not stopped when the machine is suspended. The emulator
 * of a modem has to answer while the kernel resumes the device, which is before it lets processes go on.
 */

#include <linux/module.h>
#include <linux/sched.h>

static int set_me(const char *value, const struct kernel_param *kp)
{
	current->flags |= PF_NOFREEZE;
	return 0;
}

static const struct kernel_param_ops me_ops = {.set = set_me};

module_param_cb(me, &me_ops, NULL, 0200);
MODULE_DESCRIPTION("Tasks that run on while devices are suspended");
MODULE_LICENSE("GPL");
