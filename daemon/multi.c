// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both programs in one file, for machines with little flash: qmapctl is a link to qmapd. Their
 * main() have been compiled under these names; see MULTI in the Makefile.
 */
#include <errno.h>
#include <string.h>

int qmapd_main(int argc, char **argv);
int qmapctl_main(int argc, char **argv);

int main(int argc, char **argv)
{
	if (!strcmp(program_invocation_short_name, "qmapctl"))
		return qmapctl_main(argc, argv);
	return qmapd_main(argc, argv);
}
