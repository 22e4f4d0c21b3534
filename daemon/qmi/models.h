/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known about modems before asking them: one table, which a configuration can add to. */
#ifndef QMAP_QMI_MODELS_H
#define QMAP_QMI_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qmi_model {
	/* Beginnings of model or revision, separated by blanks; NULL: any other modem. */
	const char *names;
	uint16_t vendor, product; /* USB or PCI id; 0: known by name only */
	bool pcie;		  /* the id is PCI's; such lines are not found by name */
	bool no_qmi;		  /* its chip is not Qualcomm's: neither QMI nor QMAP in any mode */
	bool forces_qmap;	  /* sends QMAP whatever it was told */
	unsigned int qmap;	  /* highest enum qmap_version it speaks; 0: not known */
	bool limits_qmap;	  /* ask for no more than that (only by configuration) */
	unsigned int dl_max_bytes; /* aggregate that it likes to send */
	unsigned int interface;	   /* USB interface of its data endpoint; PCIe: endpoint number */
	const char *note;	   /* what else to know, a sentence without a full stop; or NULL */
};

/*
 * By what DMS says of itself: the longest name that it begins with. Quectel modems tend to give
 * "QUECTEL Mobile Broadband Module" as model and the real one as the beginning of the revision, so
 * both are looked at. Never NULL.
 */
const struct qmi_model *qmi_model_find(const char *model, const char *revision);

/* By USB or PCI id; NULL: not in the table. */
const struct qmi_model *qmi_model_find_id(uint16_t vendor, uint16_t product);

/* One of m->names: the one that @text begins with, else the first; "" if there is none. */
void qmi_model_name(const struct qmi_model *m, const char *text, char *buf, size_t size);

/* Who makes nothing but modems under this USB or PCI vendor id; NULL: somebody else. */
const char *qmi_model_maker(uint16_t vendor);

/* The table of this program, without what a configuration has added: where a change starts from.
 * What is unknown there gets the values of any other modem. */
void qmi_model_builtin(struct qmi_model *m, uint16_t vendor, uint16_t product);

/*
 * Replaces the line of m->vendor and m->product, or adds one; m->names and m->note are copied.
 * -ENOMEM. What find() has returned earlier stays valid and as it was.
 */
int qmi_model_override(const struct qmi_model *m);

/* Back to the program's own table. */
void qmi_model_forget_overrides(void);

#endif
