/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control service: clients and versions. Client id 0, no allocation needed. */
#ifndef QMAP_QMI_CTL_H
#define QMAP_QMI_CTL_H

#include "client.h"

#define QMI_CTL_GET_VERSION_INFO 0x0021
#define QMI_CTL_ALLOCATE_CID	 0x0022
#define QMI_CTL_RELEASE_CID	 0x0023
#define QMI_CTL_SET_DATA_FORMAT	 0x0026 /* the old way, before WDA */
#define QMI_CTL_SYNC		 0x0027 /* also an indication: the modem has restarted */
#define QMI_CTL_PROXY_OPEN	 0xff00 /* never reaches a modem: between libqmi and its proxy */

/* Releases every client and ends every call of every owner: only when the channel is ours alone. */
void qmi_ctl_sync(struct qmi_request *r);
void qmi_ctl_get_version_info(struct qmi_request *r);
void qmi_ctl_allocate_cid(struct qmi_request *r, uint8_t service);
void qmi_ctl_release_cid(struct qmi_request *r, uint8_t service, uint8_t id);

/* First message to a qmi-proxy: the device it is to open. */
void qmi_ctl_proxy_open(struct qmi_request *r, const char *path);

/* What Allocate CID gave out. False: the response does not say. */
bool qmi_ctl_allocated(const struct qmi_message *m, uint8_t *service, uint8_t *id);

/* What somebody else's requests ask for: the service of Allocate CID, the path of Proxy Open (false
 * if it does not fit). */
bool qmi_ctl_asked_service(const struct qmi_message *m, uint8_t *service);
bool qmi_ctl_asked_device(const struct qmi_message *m, char *path, size_t size);

/* Which services are in the list of Get Version Info, bit n for service n below 64; negative: there
 * is no list. */
int qmi_ctl_services(const struct qmi_message *m, uint64_t *services);

#endif
