// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front end that owns a modem's transfers: a USB driver for QMI interfaces, qmap_usb.ko. Its
 * netdev is the trunk, of link kind "qmap_usb"; the control channel is cdc-wdm's, as with qmi_wwan.
 */

#include <linux/module.h>
#include <linux/usb.h>
#include <linux/usb/cdc.h>
#include <linux/usb/cdc-wdm.h>

#include "shim.h"

#define RX_BYTES_DEFAULT 31744	     /* what most modems send at most */
#define RX_IN_FLIGHT	 (31 * 1024) /* times 8 at SuperSpeed, 4 below: bytes that wait for data */
#define RX_URBS_MAX	 32	     /* in flight */
#define RX_LENT_MAX	 SZ_8M	     /* bytes of buffers that packets may keep busy */
#define RX_LENT_LOOKS	 4	     /* at lent buffers, for each that is fetched */
#define RX_ALIGN	 64	     /* of buffers; its bytes in front are the aggregate's room */
#define TX_URBS		 16	     /* in flight */
#define TX_WAITING	 256	     /* transfers that wait for one of these */
#define WDM_BYTES	 4096	     /* of the largest message of QMI */
#define BACKOFF_MS_MAX	 128

static char interfaces[256];
module_param_string(interfaces, interfaces, sizeof(interfaces), 0644);
MODULE_PARM_DESC(interfaces, "USB interfaces that this driver may bind, as 1-1:1.4,1-2:1.4");

#ifdef SHIM_DEBUG
static unsigned int no_memory;
module_param(no_memory, uint, 0644);
MODULE_PARM_DESC(no_memory, "Percentage of the buffers and requests that there is no memory for");

static bool memory_is_short(void)
{
	return get_random_u32() % 100 < no_memory;
}
#else
static bool memory_is_short(void)
{
	return false;
}
#endif

enum usb_counter {
	RX_URBS,
	RX_BYTES,
	RX_EMPTY,
	RX_OVERFLOWS,
	RX_STALLS,
	RX_ERRORS,
	RX_NO_MEMORY,
	RX_STARVED,
	RX_LENT,
	RX_LENT_BYTES,
	RX_NOT_LENT,
	TX_IN_FLIGHT,
	TX_STALLS,
	TX_ERRORS,
	TX_NO_MEMORY,
	TX_DROPPED,
	HALTS_CLEARED,
	USB_COUNTER_MAX,
};

static const char usb_counter_names[USB_COUNTER_MAX][ETH_GSTRING_LEN] = {
	[RX_URBS] = "usb_rx_urbs", /* in flight */
	[RX_BYTES] = "usb_rx_urb_bytes", /* of one of them */
	[RX_EMPTY] = "usb_rx_empty",
	[RX_OVERFLOWS] = "usb_rx_overflows",
	[RX_STALLS] = "usb_rx_stalls",
	[RX_ERRORS] = "usb_rx_errors",
	[RX_NO_MEMORY] = "usb_rx_no_memory",
	[RX_STARVED] = "usb_rx_starved", /* no buffer was free for the next request */
	[RX_LENT] = "usb_rx_lent", /* buffers that packets refer to or did refer to */
	[RX_LENT_BYTES] = "usb_rx_lent_bytes", /* of those that they may refer to now */
	[RX_NOT_LENT] = "usb_rx_not_lent", /* too many were, or there was no memory for another */
	[TX_IN_FLIGHT] = "usb_tx_urbs",
	[TX_STALLS] = "usb_tx_stalls",
	[TX_ERRORS] = "usb_tx_errors",
	[TX_NO_MEMORY] = "usb_tx_no_memory",
	[TX_DROPPED] = "usb_tx_dropped",
	[HALTS_CLEARED] = "usb_halts_cleared",
};

struct usb_front;

static int usb_submit(struct urb *urb)
{
	return memory_is_short() ? -ENOMEM : usb_submit_urb(urb, GFP_ATOMIC);
}

/* A buffer and its request for downlink. Idle, in flight, full, fetched, or lent. */
struct usb_rx {
	struct aggregate aggregate; /* its list: of idle or of full ones */
	struct usb_front *usb;
	struct urb *urb;
	struct page *page;
	unsigned int order, bytes;
};

struct usb_tx {
	struct list_head list; /* of free ones */
	struct usb_front *usb;
	struct urb *urb;
	struct sk_buff *skb;
};

/* One direction. URBs are submitted with the lock held, which keeps transfers in order. */
struct usb_pipe {
	spinlock_t lock; /* completions take it in any context */
	struct usb_anchor flying;
	unsigned int pipe, in_flight;
	unsigned int failures; /* in a row */
	bool open;	       /* between ndo_open and ndo_stop */
	bool asleep;	       /* suspended, or about to be */
	bool held;	       /* until usb_recover() has run */
	bool halted;	       /* the endpoint has stalled */
};

struct usb_front {
	struct trunk trunk; /* first: the netdev's private data */
	struct usb_device *udev;
	struct usb_interface *intf;
	struct usb_driver *wdm;
	atomic_t power; /* users of remote wakeup */
	struct delayed_work recover;
	u64 n[USB_COUNTER_MAX]; /* of a direction: under its lock */

	struct usb_pipe rx;
	struct list_head idle, full;
	unsigned int n_idle;
	struct list_head lent;
	unsigned int lent_bytes; /* of these, and of those fetched that may be lent */
	unsigned int promised;	 /* number of the latter */
	unsigned int rx_urbs;  /* that are to be in flight */
	unsigned int rx_bytes; /* of buffers that are not to be freed */

	struct usb_pipe tx;
	struct usb_tx tx_urbs[TX_URBS];
	struct list_head tx_free;
	struct sk_buff_head waiting; /* usb_suspend() waits for these, and for those in flight */
	bool waking; /* a user of runtime PM, until the device is awake */
};

static struct usb_front *usb_of(struct trunk *trunk)
{
	return container_of(trunk, struct usb_front, trunk);
}

static bool pipe_runs(const struct usb_pipe *p)
{
	return p->open && !p->asleep && !p->held;
}

/* Lets a direction rest, the longer the more often it has failed in a row. Under its lock. */
static void pipe_hold(struct usb_front *usb, struct usb_pipe *p)
{
	unsigned int ms = min(1U << min(p->failures++, 10U), (unsigned int)BACKOFF_MS_MAX);

	p->held = true;
	schedule_delayed_work(&usb->recover, msecs_to_jiffies(ms));
}

/*
 * What an URB has come back with, or was refused with: counts from @stalls on, in the order of enum
 * usb_counter, and lets the direction rest if that is called for. Under its lock.
 */
static void pipe_failed(struct usb_front *usb, struct usb_pipe *p, int status,
			enum usb_counter stalls)
{
	switch (status) {
	case -ENOENT:
	case -ECONNRESET:
	case -ESHUTDOWN:
	case -ENODEV:
	case -EHOSTUNREACH:
	case -EPERM:
		return; /* taken back, unplugged or suspended */
	case -EPIPE:
		p->halted = true;
		usb->n[stalls]++;
		break;
	case -ENOMEM:
		usb->n[stalls + RX_NO_MEMORY - RX_STALLS]++;
		break;
	default:
		usb->n[stalls + RX_ERRORS - RX_STALLS]++;
	}
	pipe_hold(usb, p);
}

static_assert(TX_NO_MEMORY - TX_STALLS == RX_NO_MEMORY - RX_STALLS);
static_assert(TX_ERRORS - TX_STALLS == RX_ERRORS - RX_STALLS);

/* ---- downlink ---- */

static void rx_free(struct usb_rx *rx)
{
	usb_free_urb(rx->urb);
	if (rx->page)
		put_page(rx->page); /* packets may still refer to it */
	kfree(rx);
}

static struct usb_rx *rx_new(struct usb_front *usb, unsigned int bytes, gfp_t gfp)
{
	struct usb_rx *rx = memory_is_short() ? NULL : kzalloc(sizeof(*rx), gfp);

	BUILD_BUG_ON(RX_ALIGN < FRONT_ROOM);
	if (!rx)
		return NULL;
	rx->usb = usb;
	rx->bytes = bytes;
	rx->order = get_order(RX_ALIGN + bytes);
	rx->urb = usb_alloc_urb(0, gfp);
	rx->page = alloc_pages(gfp | __GFP_COMP | __GFP_NOWARN | __GFP_NOMEMALLOC, rx->order);
	if (rx->urb && rx->page)
		return rx;
	rx_free(rx);
	return NULL;
}

static void rx_free_all(struct list_head *list)
{
	struct usb_rx *rx, *next;

	list_for_each_entry_safe(rx, next, list, aggregate.list)
		rx_free(rx);
	INIT_LIST_HEAD(list);
}

/* Requests that are to be in flight: as many bytes at any size, but no less than 8 or 4 requests. */
static unsigned int rx_depth(const struct usb_front *usb, unsigned int bytes)
{
	unsigned int least = usb->udev->speed >= USB_SPEED_SUPER ? 8 : 4;

	return clamp(least * RX_IN_FLIGHT / bytes, least, (unsigned int)RX_URBS_MAX);
}

/*
 * The bytes of a request for aggregates of at most @aggregate bytes. It ends where a packet does, or
 * a modem that sends more than it may would babble; and the largest aggregate fills it where that is
 * such a size, so that it does not wait for the zero-length packet that some modems do not send.
 */
static unsigned int rx_request(const struct usb_front *usb, unsigned int aggregate)
{
	return roundup(aggregate, usb_maxpacket(usb->udev, usb->rx.pipe));
}

/* Twice as many buffers as are in flight: the others are being read meanwhile. */
static int rx_alloc(struct usb_front *usb, unsigned int bytes, struct list_head *list)
{
	unsigned int i, n = 2 * rx_depth(usb, bytes);
	struct usb_rx *rx;

	for (i = 0; i < n; i++) {
		rx = rx_new(usb, bytes, GFP_KERNEL);
		if (!rx) {
			rx_free_all(list);
			return -ENOMEM;
		}
		list_add_tail(&rx->aggregate.list, list);
	}
	return 0;
}

/* A buffer that is not in use; those of a former size go, and those beyond need. Under the lock. */
static void rx_park(struct usb_front *usb, struct usb_rx *rx)
{
	if (rx->bytes != usb->rx_bytes || usb->n_idle >= 4 * usb->rx_urbs) {
		rx_free(rx);
		return;
	}
	list_add(&rx->aggregate.list, &usb->idle);
	usb->n_idle++;
}

static unsigned int rx_size(const struct usb_rx *rx)
{
	return PAGE_SIZE << rx->order;
}

/*
 * Looks at @looks lent buffers, and takes back those that no packet refers to any more. Under the
 * lock.
 */
static void rx_reclaim(struct usb_front *usb, unsigned int looks)
{
	struct usb_rx *rx;

	while (looks-- && !list_empty(&usb->lent)) {
		rx = list_first_entry(&usb->lent, struct usb_rx, aggregate.list);
		list_move_tail(&rx->aggregate.list, &usb->lent);
		if (page_ref_count(rx->page) > 1)
			continue;
		list_del(&rx->aggregate.list);
		usb->lent_bytes -= rx_size(rx);
		rx_park(usb, rx);
	}
}

/*
 * May packets keep @rx? Not if readers, queues and captures would keep too much memory by that, or
 * if there is no other buffer for the next request. Under the lock.
 */
static bool rx_may_lend(struct usb_front *usb, const struct usb_rx *rx)
{
	struct usb_rx *fresh;

	if (usb->lent_bytes + rx_size(rx) <= RX_LENT_MAX) {
		if (usb->n_idle > usb->promised)
			return true;
		fresh = rx_new(usb, usb->rx_bytes, GFP_NOWAIT);
		if (fresh) {
			rx_park(usb, fresh);
			return true;
		}
	}
	usb->n[RX_NOT_LENT]++;
	return false;
}

static void rx_complete(struct urb *urb);

/* Under the lock. */
static void rx_refill(struct usb_front *usb)
{
	struct usb_rx *rx;
	int err;

	while (pipe_runs(&usb->rx) && usb->rx.in_flight < usb->rx_urbs) {
		rx = list_first_entry_or_null(&usb->idle, struct usb_rx, aggregate.list);
		if (!rx) {
			usb->n[RX_STARVED]++;
			return;
		}
		usb_fill_bulk_urb(rx->urb, usb->udev, usb->rx.pipe,
				  page_address(rx->page) + RX_ALIGN, rx->bytes, rx_complete, rx);
		usb_anchor_urb(rx->urb, &usb->rx.flying);
		err = usb_submit(rx->urb);
		if (err) {
			usb_unanchor_urb(rx->urb);
			pipe_failed(usb, &usb->rx, err, RX_STALLS);
			return;
		}
		list_del(&rx->aggregate.list);
		usb->n_idle--;
		usb->rx.in_flight++;
	}
}

/* Takes what a request has come back with. Under the lock. True: an aggregate. */
static bool rx_take(struct usb_front *usb, struct usb_rx *rx)
{
	const struct urb *urb = rx->urb;

	usb->rx.in_flight--;
	if (!urb->status && urb->actual_length) {
		usb->rx.failures = 0;
		rx->aggregate.data = urb->transfer_buffer;
		rx->aggregate.len = urb->actual_length;
		list_add_tail(&rx->aggregate.list, &usb->full);
		return true;
	}
	if (!urb->status)
		usb->n[RX_EMPTY]++; /* the end of a transfer that filled the request before */
	else if (urb->status == -EOVERFLOW)
		usb->n[RX_OVERFLOWS]++; /* more than the modem may send: lost whole */
	else
		pipe_failed(usb, &usb->rx, urb->status, RX_STALLS);
	rx_park(usb, rx);
	return false;
}

/*
 * Most host controllers complete requests in a bottom half. One that does so in a thread (vhci_hcd)
 * would leave the poll to ksoftirqd, which would have to be woken up for each aggregate.
 */
static void rx_schedule(struct usb_front *usb)
{
	bool thread = in_task() && !irqs_disabled();

	if (thread)
		local_bh_disable();
	qmap_trunk_schedule(&usb->trunk, 0);
	if (thread)
		local_bh_enable();
}

static void rx_complete(struct urb *urb)
{
	struct usb_rx *rx = urb->context;
	struct usb_front *usb = rx->usb;
	unsigned long flags;
	bool filled;

	usb_mark_last_busy(usb->udev);
	spin_lock_irqsave(&usb->rx.lock, flags);
	filled = rx_take(usb, rx);
	rx_refill(usb);
	spin_unlock_irqrestore(&usb->rx.lock, flags);
	if (filled)
		rx_schedule(usb);
}

static struct aggregate *usb_fetch(struct trunk *trunk, unsigned int queue)
{
	struct usb_front *usb = usb_of(trunk);
	unsigned long flags;
	struct usb_rx *rx;

	spin_lock_irqsave(&usb->rx.lock, flags);
	rx = list_first_entry_or_null(&usb->full, struct usb_rx, aggregate.list);
	if (rx) {
		list_del(&rx->aggregate.list);
		rx_reclaim(usb, RX_LENT_LOOKS);
		rx->aggregate.page = rx_may_lend(usb, rx) ? rx->page : NULL;
		if (rx->aggregate.page) {
			usb->lent_bytes += rx_size(rx);
			usb->promised++;
		}
	}
	spin_unlock_irqrestore(&usb->rx.lock, flags);
	return rx ? &rx->aggregate : NULL;
}

static bool usb_waiting(struct trunk *trunk, unsigned int queue)
{
	return !list_empty_careful(&usb_of(trunk)->full);
}

static void usb_release(struct trunk *trunk, struct aggregate *aggregate, bool used)
{
	struct usb_rx *rx = container_of(aggregate, struct usb_rx, aggregate);
	struct usb_front *usb = usb_of(trunk);
	unsigned long flags;

	spin_lock_irqsave(&usb->rx.lock, flags);
	if (aggregate->page)
		usb->promised--;
	if (aggregate->page && page_ref_count(rx->page) > 1) {
		list_add_tail(&rx->aggregate.list, &usb->lent);
		usb->n[RX_LENT]++;
	} else {
		if (aggregate->page)
			usb->lent_bytes -= rx_size(rx);
		rx_park(usb, rx);
	}
	rx_refill(usb);
	spin_unlock_irqrestore(&usb->rx.lock, flags);
}

/*
 * Requests of another size, also while others are in flight: these are taken back, and what has come
 * in by then is not lost.
 */
static int usb_set_rx_bytes(struct trunk *trunk, u32 aggregate)
{
	struct usb_front *usb = usb_of(trunk);
	unsigned int bytes = rx_request(usb, aggregate);
	LIST_HEAD(fresh);
	LIST_HEAD(old);
	int err;

	if (bytes == usb->rx_bytes)
		return 0;
	err = usb->rx.open ? rx_alloc(usb, bytes, &fresh) : 0;
	if (err)
		return err;
	spin_lock_irq(&usb->rx.lock);
	usb->rx_bytes = bytes;
	usb->n[RX_BYTES] = bytes;
	usb->rx_urbs = rx_depth(usb, bytes);
	list_splice_init(&usb->idle, &old);
	list_splice(&fresh, &usb->idle);
	usb->n_idle = usb->rx.open ? 2 * usb->rx_urbs : 0;
	usb->rx.held = true;
	spin_unlock_irq(&usb->rx.lock);
	usb_kill_anchored_urbs(&usb->rx.flying);
	rx_free_all(&old);
	spin_lock_irq(&usb->rx.lock);
	usb->rx.held = usb->rx.halted;
	rx_refill(usb);
	spin_unlock_irq(&usb->rx.lock);
	return 0;
}

/* ---- uplink ---- */

static void tx_complete(struct urb *urb);

/* Under the lock. */
static void tx_submit(struct usb_front *usb)
{
	struct sk_buff *skb;
	struct usb_tx *tx;
	int err;

	while (pipe_runs(&usb->tx) && !list_empty(&usb->tx_free) &&
	       (skb = skb_peek(&usb->waiting))) {
		tx = list_first_entry(&usb->tx_free, struct usb_tx, list);
		usb_fill_bulk_urb(tx->urb, usb->udev, usb->tx.pipe, skb->data, skb->len,
				  tx_complete, tx);
		tx->urb->transfer_flags |= URB_ZERO_PACKET;
		usb_anchor_urb(tx->urb, &usb->tx.flying);
		err = usb_submit(tx->urb);
		if (err) {
			usb_unanchor_urb(tx->urb);
			pipe_failed(usb, &usb->tx, err, TX_STALLS);
			return;
		}
		__skb_unlink(skb, &usb->waiting);
		list_del(&tx->list);
		tx->skb = skb;
		usb->tx.in_flight++;
	}
}

/*
 * Nothing of it has been sent when it was taken back, for a suspend or to clear a halt. That takes
 * back the last one first, so each belongs in front of those that wait.
 */
static bool tx_unsent(const struct usb_front *usb, const struct urb *urb)
{
	return usb->tx.open && !urb->actual_length &&
	       (urb->status == -ENOENT || urb->status == -ECONNRESET);
}

static void tx_complete(struct urb *urb)
{
	struct usb_tx *tx = urb->context;
	struct usb_front *usb = tx->usb;
	int status = urb->status;
	struct sk_buff *skb;
	unsigned long flags;

	usb_mark_last_busy(usb->udev);
	/* Another CPU may complete the URB before tx_submit() has noted what it carries. */
	spin_lock_irqsave(&usb->tx.lock, flags);
	skb = tx->skb;
	usb->tx.in_flight--;
	if (!status) {
		usb->tx.failures = 0;
	} else if (tx_unsent(usb, urb)) {
		__skb_queue_head(&usb->waiting, skb);
		skb = NULL;
	} else {
		usb->n[TX_DROPPED]++;
		pipe_failed(usb, &usb->tx, status, TX_STALLS);
	}
	list_add_tail(&tx->list, &usb->tx_free);
	tx_submit(usb);
	spin_unlock_irqrestore(&usb->tx.lock, flags);
	if (skb && !status)
		dev_consume_skb_any(skb);
	else if (skb)
		dev_kfree_skb_any(skb);
}

/*
 * Wakes the device up for what waits. A user of runtime PM for each transfer would queue the core's
 * work at the end of each, so there is one for all, and only while the device sleeps. Under the lock.
 */
static void tx_wake(struct usb_front *usb)
{
	if (likely(!usb->tx.asleep) || usb->waking)
		return;
	/* refused while the machine sleeps: then usb_resume() comes by itself */
	usb->waking = usb_autopm_get_interface_async(usb->intf) >= 0;
}

static bool tx_queue(struct usb_front *usb, struct sk_buff *skb)
{
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&usb->tx.lock, flags);
	room = usb->tx.open && skb_queue_len(&usb->waiting) < TX_WAITING;
	if (room) {
		__skb_queue_tail(&usb->waiting, skb);
		tx_submit(usb);
		tx_wake(usb);
	} else {
		usb->n[TX_DROPPED]++;
	}
	spin_unlock_irqrestore(&usb->tx.lock, flags);
	return room;
}

static bool usb_transmit(struct trunk *trunk, struct sk_buff *skb)
{
	struct usb_front *usb = usb_of(trunk);

	if (!READ_ONCE(usb->tx.open) || skb_linearize(skb)) {
		shim_kfree_skb(skb, SHIM_DROP_DOWN);
		return false;
	}
	if (tx_queue(usb, skb))
		return true;
	shim_kfree_skb(skb, SHIM_DROP_QUEUE);
	return false;
}

/* ---- both ---- */

/* An endpoint that has stalled takes no transfers until the halt is cleared. */
static void usb_clear(struct usb_front *usb, struct usb_pipe *p)
{
	bool halted;
	int err = 0;

	spin_lock_irq(&p->lock);
	halted = p->halted && p->open && !p->asleep;
	spin_unlock_irq(&p->lock);
	if (halted) {
		usb_kill_anchored_urbs(&p->flying);
		err = usb_clear_halt(usb->udev, p->pipe);
	}
	spin_lock_irq(&p->lock);
	if (err) {
		pipe_failed(usb, p, err, p == &usb->rx ? RX_STALLS : TX_STALLS);
	} else {
		usb->n[HALTS_CLEARED] += halted;
		p->halted &= !halted;
		p->held = p->halted;
	}
	if (p == &usb->rx)
		rx_refill(usb);
	else
		tx_submit(usb);
	spin_unlock_irq(&p->lock);
}

static void usb_recover(struct work_struct *work)
{
	struct usb_front *usb = container_of(work, struct usb_front, recover.work);

	if (!usb_autopm_get_interface(usb->intf)) {
		usb_clear(usb, &usb->rx);
		usb_clear(usb, &usb->tx);
		usb_autopm_put_interface(usb->intf);
	}
	/* A suspend of the machine came between, or the device is gone: tries until usb_stop(). */
	if (READ_ONCE(usb->rx.held) || READ_ONCE(usb->tx.held))
		schedule_delayed_work(&usb->recover, msecs_to_jiffies(BACKOFF_MS_MAX));
}

static void usb_set_open(struct usb_front *usb, bool open)
{
	spin_lock_irq(&usb->rx.lock);
	usb->rx.open = open;
	rx_refill(usb);
	spin_unlock_irq(&usb->rx.lock);
	spin_lock_irq(&usb->tx.lock);
	usb->tx.open = open;
	spin_unlock_irq(&usb->tx.lock);
}

static void usb_set_asleep(struct usb_front *usb, bool asleep)
{
	spin_lock_irq(&usb->rx.lock);
	usb->rx.asleep = asleep;
	rx_refill(usb);
	spin_unlock_irq(&usb->rx.lock);
	spin_lock_irq(&usb->tx.lock);
	usb->tx.asleep = asleep;
	tx_submit(usb);
	if (!asleep && usb->waking) {
		usb->waking = false;
		usb_autopm_put_interface_async(usb->intf);
	}
	spin_unlock_irq(&usb->tx.lock);
}

static void usb_kill(struct usb_front *usb)
{
	usb_kill_anchored_urbs(&usb->rx.flying);
	usb_kill_anchored_urbs(&usb->tx.flying);
}

/* Remote wakeup is wanted while the netdev is open, or cdc-wdm's device, or DTR is set. */
static void usb_power(struct usb_front *usb, int on)
{
	if (on ? atomic_inc_return(&usb->power) != 1 : !atomic_dec_and_test(&usb->power))
		return;
	/* The core looks at it when it is about to suspend the device. */
	if (usb_autopm_get_interface(usb->intf)) {
		usb->intf->needs_remote_wakeup = on;
		return;
	}
	usb->intf->needs_remote_wakeup = on;
	usb_autopm_put_interface(usb->intf);
}

static int usb_wdm_power(struct usb_interface *intf, int on)
{
	struct usb_front *usb = usb_get_intfdata(intf);

	if (usb) /* not while disconnecting */
		usb_power(usb, on);
	return 0;
}

static int usb_open(struct trunk *trunk)
{
	struct usb_front *usb = usb_of(trunk);
	int err;

	err = usb_autopm_get_interface(usb->intf);
	if (err)
		return err;
	err = rx_alloc(usb, usb->rx_bytes, &usb->idle);
	if (!err) {
		usb->n_idle = 2 * usb->rx_urbs;
		usb_power(usb, 1);
		usb_set_open(usb, true);
	}
	usb_autopm_put_interface(usb->intf);
	return err;
}

static void usb_stop(struct trunk *trunk)
{
	struct usb_front *usb = usb_of(trunk);
	struct sk_buff *skb;

	usb_set_open(usb, false);
	usb_kill(usb);
	cancel_delayed_work_sync(&usb->recover);
	/* No other code reads the lists any more. */
	rx_reclaim(usb, RX_LENT_MAX / PAGE_SIZE);
	rx_free_all(&usb->idle);
	usb->n_idle = 0;
	rx_free_all(&usb->full);
	while ((skb = __skb_dequeue(&usb->waiting)))
		kfree_skb(skb);
	usb->rx.held = usb->rx.halted = false;
	usb->tx.held = usb->tx.halted = false;
	usb_power(usb, 0);
}

static void usb_counters(struct trunk *trunk, u64 *n)
{
	struct usb_front *usb = usb_of(trunk);

	memcpy(n, usb->n, sizeof(usb->n));
	n[RX_URBS] = READ_ONCE(usb->rx.in_flight);
	n[RX_LENT_BYTES] = READ_ONCE(usb->lent_bytes);
	n[TX_IN_FLIGHT] = READ_ONCE(usb->tx.in_flight);
}

static const struct front_ops usb_front_ops = {
	.open = usb_open,
	.stop = usb_stop,
	.fetch = usb_fetch,
	.waiting = usb_waiting,
	.release = usb_release,
	.transmit = usb_transmit,
	.set_rx_bytes = usb_set_rx_bytes,
	.counters = usb_counters,
	.counter_names = usb_counter_names,
	.n_counters = USB_COUNTER_MAX,
};

/* ---- the USB driver ---- */

static int usb_suspend(struct usb_interface *intf, pm_message_t message)
{
	struct usb_front *usb = usb_get_intfdata(intf);
	int err = 0;

	usb_set_asleep(usb, true);
	if (PMSG_IS_AUTO(message) &&
	    (READ_ONCE(usb->tx.in_flight) || !skb_queue_empty_lockless(&usb->waiting)))
		err = -EBUSY;
	if (!err && usb->wdm->suspend)
		err = usb->wdm->suspend(intf, message);
	if (err)
		usb_set_asleep(usb, false);
	else
		usb_kill(usb);
	return err;
}

static int usb_resume(struct usb_interface *intf)
{
	struct usb_front *usb = usb_get_intfdata(intf);
	int err = usb->wdm->resume ? usb->wdm->resume(intf) : 0;

	if (!err)
		usb_set_asleep(usb, false);
	return err;
}

/*
 * Modems from MDM9x30 on answer nothing before they see DTR, and older ones refuse the request, which
 * does no harm.
 */
static void usb_set_dtr(struct usb_front *usb, bool on)
{
	u8 number = usb->intf->cur_altsetting->desc.bInterfaceNumber;

	usb_control_msg_send(usb->udev, 0, USB_CDC_REQ_SET_CONTROL_LINE_STATE,
			     USB_TYPE_CLASS | USB_RECIP_INTERFACE, on, number, NULL, 0,
			     USB_CTRL_SET_TIMEOUT, GFP_NOIO);
}

static int usb_reset_resume(struct usb_interface *intf)
{
	usb_set_dtr(usb_get_intfdata(intf), true);
	return usb_resume(intf);
}

static void usb_free_tx(struct usb_front *usb)
{
	unsigned int i;

	for (i = 0; i < TX_URBS; i++)
		usb_free_urb(usb->tx_urbs[i].urb);
}

static int usb_alloc_tx(struct usb_front *usb)
{
	struct usb_tx *tx;

	for (tx = usb->tx_urbs; tx < usb->tx_urbs + TX_URBS; tx++) {
		tx->usb = usb;
		tx->urb = usb_alloc_urb(0, GFP_KERNEL);
		if (!tx->urb) {
			usb_free_tx(usb);
			return -ENOMEM;
		}
		list_add_tail(&tx->list, &usb->tx_free);
	}
	return 0;
}

static void pipe_init(struct usb_pipe *p, unsigned int pipe)
{
	spin_lock_init(&p->lock);
	init_usb_anchor(&p->flying);
	p->pipe = pipe;
}

/* Is it one that the administrator has given to this driver? */
static bool usb_wanted(const struct usb_interface *intf)
{
	const char *name = dev_name(&intf->dev), *at = interfaces;
	size_t n, length = strlen(name);
	bool wanted = false;

	kernel_param_lock(THIS_MODULE);
	while (*at && !wanted) {
		n = strcspn(at, ", \n");
		wanted = n == length && !strncmp(at, name, n);
		at += n;
		at += strspn(at, ", \n");
	}
	kernel_param_unlock(THIS_MODULE);
	return wanted;
}

static const struct device_type wwan_type = {
	.name = "wwan",
};

static struct usb_front *usb_new(struct usb_interface *intf, struct usb_endpoint_descriptor *in,
				 struct usb_endpoint_descriptor *out)
{
	struct usb_device *udev = interface_to_usbdev(intf);
	struct usb_front *usb;
	struct trunk *trunk;

	trunk = qmap_trunk_alloc(sizeof(*usb), "wwan%d", &usb_front_ops, 1);
	if (!trunk)
		return NULL;
	SET_NETDEV_DEV(trunk->dev, &intf->dev);
	SET_NETDEV_DEVTYPE(trunk->dev, &wwan_type);
	usb = usb_of(trunk);
	usb->udev = udev;
	usb->intf = intf;
	INIT_DELAYED_WORK(&usb->recover, usb_recover);
	pipe_init(&usb->rx, usb_rcvbulkpipe(udev, usb_endpoint_num(in)));
	pipe_init(&usb->tx, usb_sndbulkpipe(udev, usb_endpoint_num(out)));
	INIT_LIST_HEAD(&usb->idle);
	INIT_LIST_HEAD(&usb->full);
	INIT_LIST_HEAD(&usb->lent);
	INIT_LIST_HEAD(&usb->tx_free);
	__skb_queue_head_init(&usb->waiting);
	trunk->rx_bytes = RX_BYTES_DEFAULT;
	usb_set_rx_bytes(trunk, RX_BYTES_DEFAULT);
	if (!usb_alloc_tx(usb))
		return usb;
	free_netdev(trunk->dev);
	return NULL;
}

static int usb_probe(struct usb_interface *intf, const struct usb_device_id *id)
{
	struct usb_endpoint_descriptor *in, *out, *notify;
	struct usb_front *usb;
	int err;

	if (!usb_wanted(intf))
		return -ENODEV;
	err = usb_find_common_endpoints(intf->cur_altsetting, &in, &out, &notify, NULL);
	if (err || !usb_endpoint_maxp(in) || !usb_endpoint_maxp(out)) {
		dev_err(&intf->dev, "not a QMI interface: it lacks an endpoint\n");
		return -ENODEV;
	}
	usb = usb_new(intf, in, out);
	if (!usb)
		return -ENOMEM;
	usb_set_intfdata(intf, usb);
	usb->wdm = usb_cdc_wdm_register(intf, notify, WDM_BYTES, WWAN_PORT_QMI, usb_wdm_power);
	if (IS_ERR(usb->wdm)) {
		err = PTR_ERR(usb->wdm);
		goto free;
	}
	/* Without remote wakeup they would take a suspend for the end of DTR. */
	usb_power(usb, 1);
	usb_set_dtr(usb, true);
	err = register_netdev(usb->trunk.dev);
	if (err)
		goto unregister_wdm;
	return 0;

unregister_wdm:
	usb->wdm->disconnect(intf);
	usb_power(usb, 0);
free:
	usb_set_intfdata(intf, NULL);
	usb_free_tx(usb);
	free_netdev(usb->trunk.dev);
	return err;
}

static void usb_disconnect(struct usb_interface *intf)
{
	struct usb_front *usb = usb_get_intfdata(intf);

	qmap_trunk_unregister(&usb->trunk);
	usb->wdm->disconnect(intf);
	usb_set_dtr(usb, false);
	usb_power(usb, 0);
	usb_set_intfdata(intf, NULL);
	cancel_delayed_work_sync(&usb->recover);
	rx_free_all(&usb->lent);
	usb_free_tx(usb);
	free_netdev(usb->trunk.dev);
}

/* No MODULE_DEVICE_TABLE: what is bound is said by the parameter `interfaces`. */
static const struct usb_device_id usb_ids[] = {
	{
		.match_flags = USB_DEVICE_ID_MATCH_INT_CLASS,
		.bInterfaceClass = USB_CLASS_VENDOR_SPEC,
	},
	{}
};

static struct usb_driver usb_front_driver = {
	.name = "qmap_usb",
	.id_table = usb_ids,
	.probe = usb_probe,
	.disconnect = usb_disconnect,
	.suspend = usb_suspend,
	.resume = usb_resume,
	.reset_resume = usb_reset_resume,
	.supports_autosuspend = 1,
	.disable_hub_initiated_lpm = 1,
};

module_usb_driver(usb_front_driver);
MODULE_DESCRIPTION("USB front end of the shim for QMAP modems");
MODULE_LICENSE("GPL");
