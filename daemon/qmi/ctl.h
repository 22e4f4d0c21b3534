/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control service: clients and versions. Client id 0, no allocation needed. */
#ifndef QMAP_QMI_CTL_H
#define QMAP_QMI_CTL_H

#include "client.h"

#define QMI_CTL_GET_VERSION_INFO 0x0021
#define QMI_CTL_ALLOCATE_CID	 0x0022
#define QMI_CTL_RELEASE_CID	 0x0023
#define QMI_CTL_SET_DATA_FORMAT	 0x0026 /* the format request from before WDA */
/*
 * As a request, releases every client and ends every call of all programs: only if the channel is
 * ours alone. As an indication: the modem has restarted.
 */
#define QMI_CTL_SYNC 0x0027
/* never reaches a modem: libqmi and its proxy use it between them */
#define QMI_CTL_PROXY_OPEN 0xff00

void qmi_ctl_allocate_cid(struct qmi_request *r, uint8_t service);
void qmi_ctl_release_cid(struct qmi_request *r, uint8_t service, uint8_t id);

/* First message to a qmi-proxy: names the device to open. */
void qmi_ctl_proxy_open(struct qmi_request *r, const char *path);

/* The client id that Allocate CID returned. False: the response has none. */
bool qmi_ctl_allocated(const struct qmi_message *m, uint8_t *service, uint8_t *id);

/*
 * Parse requests of other programs: the service of Allocate CID, the path of Proxy Open (false if
 * it does not fit).
 */
bool qmi_ctl_asked_service(const struct qmi_message *m, uint8_t *service);
bool qmi_ctl_asked_device(const struct qmi_message *m, char *path, size_t size);

/*
 * Services in the list of Get Version Info, bit n for service n below 64. Negative: the response
 * has no list.
 */
int qmi_ctl_services(const struct qmi_message *m, uint64_t *services);

#endif
