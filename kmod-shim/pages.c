// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recycles pages that no packet uses any more. If the kernel clears new pages (init_on_alloc), a
 * new one costs more than the copy into it.
 */

#include <linux/mm.h>

#include "shim.h"

struct page *pages_take(struct page **slot, gfp_t gfp, unsigned int order)
{
	struct page *page = *slot;

	if (likely(page)) {
		if (likely(page_ref_count(page) == 1 && !page_is_pfmemalloc(page))) {
			get_page(page);
			return page;
		}
		put_page(page);
	}
	page = alloc_pages(gfp, order);
	if (likely(page))
		get_page(page);
	*slot = page;
	return page;
}

void pages_free(struct page **slots, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (slots[i])
			put_page(slots[i]);
		slots[i] = NULL;
	}
}
