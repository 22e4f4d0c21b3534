/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What chain.c needs of it is in kernel.h. */
