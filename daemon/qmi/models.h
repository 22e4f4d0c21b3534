/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of modem models: one table, which a configuration can extend. */
#ifndef QMAP_QMI_MODELS_H
#define QMAP_QMI_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qmi_model {
	/* Prefixes of model or revision, separated by blanks; NULL: any other modem. */
	const char *names;
	uint16_t vendor, product; /* USB or PCI id; 0: identified by name only */
	bool pcie;		  /* PCI id; such lines are not searched by name */
	bool no_qmi;		  /* its chip is not Qualcomm's: neither QMI nor QMAP in any mode */
	bool forces_qmap;	  /* sends QMAP even if another format was negotiated */
	unsigned int qmap;	  /* highest enum qmap_version supported; 0: unknown */
	bool limits_qmap;	  /* do not request a higher version (set by configuration only) */
	unsigned int dl_max_bytes; /* preferred size of downlink aggregates */
	unsigned int interface;	   /* USB interface of its data endpoint; PCIe: endpoint number */
	const char *note;	   /* further advice, a sentence without a full stop; or NULL */
};

/*
 * Finds a model by the strings from DMS: the longest name that is a prefix of one. Many Quectel
 * modems report "QUECTEL Mobile Broadband Module" as model and begin their revision with the real
 * model, so both are compared. Never NULL.
 */
const struct qmi_model *qmi_model_find(const char *model, const char *revision);

/* Finds a model by USB or PCI id; NULL: not in the table. */
const struct qmi_model *qmi_model_find_id(uint16_t vendor, uint16_t product);

/* Selects from m->names the prefix of @text, else the first; "" if the model has none. */
void qmi_model_name(const struct qmi_model *m, const char *text, char *buf, size_t size);

/* Name of the vendor if all its devices under this USB or PCI vendor id are modems, else NULL. */
const char *qmi_model_maker(uint16_t vendor);

/*
 * The entry in this program's own table, without configured overrides, as the base for a change. An
 * unknown id gets the values of the catch-all entry.
 */
void qmi_model_builtin(struct qmi_model *m, uint16_t vendor, uint16_t product);

/*
 * Replaces or adds the entry for m->vendor and m->product; copies m->names and m->note. -ENOMEM.
 * Results of earlier find calls stay valid and unchanged.
 */
int qmi_model_override(const struct qmi_model *m);

/* Restores the program's own table. */
void qmi_model_forget_overrides(void);

#endif
