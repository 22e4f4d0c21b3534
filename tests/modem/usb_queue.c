// SPDX-License-Identifier: GPL-2.0-or-later
#include "usb_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_URBS 4096

int usb_urbs_add(struct usb_urbs *q, uint32_t seqnum, uint32_t length)
{
	struct usb_urb *u = q->count < MAX_URBS ? malloc(sizeof(*u)) : NULL;

	if (!u)
		return -ENOMEM;
	*u = (struct usb_urb){.seqnum = seqnum, .length = length};
	if (!q->first)
		q->end = &q->first;
	*q->end = u;
	q->end = &u->next;
	q->count++;
	return 0;
}

static void drop_urb(struct usb_urbs *q, struct usb_urb **at)
{
	struct usb_urb *u = *at;

	*at = u->next;
	if (!u->next)
		q->end = at;
	q->count--;
	free(u);
}

bool usb_urbs_take(struct usb_urbs *q, struct usb_urb *out)
{
	if (!q->first)
		return false;
	*out = *q->first;
	drop_urb(q, &q->first);
	return true;
}

bool usb_urbs_remove(struct usb_urbs *q, uint32_t seqnum)
{
	for (struct usb_urb **at = &q->first; *at; at = &(*at)->next) {
		if ((*at)->seqnum != seqnum)
			continue;
		drop_urb(q, at);
		return true;
	}
	return false;
}

void usb_urbs_clear(struct usb_urbs *q)
{
	while (q->first)
		drop_urb(q, &q->first);
}

int usb_blobs_add(struct usb_blobs *q, const uint8_t *data, size_t len)
{
	struct usb_blob *b = malloc(sizeof(*b) + len);

	if (!b)
		return -ENOMEM;
	b->next = NULL;
	b->len = len;
	memcpy(b->data, data, len);
	if (!q->first)
		q->end = &q->first;
	*q->end = b;
	q->end = &b->next;
	q->count++;
	return 0;
}

struct usb_blob *usb_blobs_take(struct usb_blobs *q)
{
	struct usb_blob *b = q->first;

	if (!b)
		return NULL;
	q->first = b->next;
	q->count--;
	return b;
}

void usb_blobs_clear(struct usb_blobs *q)
{
	struct usb_blob *b;

	while ((b = usb_blobs_take(q)))
		free(b);
}
