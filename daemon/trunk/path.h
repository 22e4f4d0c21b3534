/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chooses the data path of a trunk, and says why. */
#ifndef QMAP_TRUNK_PATH_H
#define QMAP_TRUNK_PATH_H

struct error;
struct json_object;
struct trunk;

/* Looks which data paths work here; t->ops is the one for the first wish. */
int trunk_choose_datapath(struct trunk *t, struct error *err);
/*
 * The modem has granted @version: t->ops becomes the data path for it. -EOPNOTSUPP: the machine has none for
 * it any more. The session then fails, and the next one asks for versions that are carried now.
 */
int trunk_grant_datapath(struct trunk *t, int version, struct error *err);
/* Writes into t->setup which formats to ask for. */
void trunk_fill_wishes(struct trunk *t);
/* Logs what was chosen, why, and its cost; sets t->path_why. */
void trunk_explain_datapath(struct trunk *t);
/* Instructions of a received packet in percent of the cheapest data path's; 0: not known. */
int trunk_datapath_cost(const struct trunk *t);
/* Adds the keys datapath, datapath_cost and datapath_reason. */
void trunk_show_datapath(const struct trunk *t, struct json_object *o);

#endif
