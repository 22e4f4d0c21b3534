// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * free(3) and realloc(3) of our programs: they clear memory before the C library takes it back.
 *
 * A password and a PIN pass through buffers that are not ours: the socket buffers of libevent, the
 * parser and the printer of json-c, stdio. None of these libraries clears what it frees. They call
 * free() and realloc() by the dynamic linker, which finds those of the program first.
 *
 * The sanitizers have an allocator of their own, which is not to be circumvented.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ITS_OWN_ALLOCATOR
#endif
#endif

#if !defined(HAS_ITS_OWN_ALLOCATOR) && !defined(__SANITIZE_ADDRESS__)

typedef void free_fn(void *p);

/* NULL while the dynamic linker looks for it: it may free memory itself then. */
static free_fn *libc_free(void)
{
	static bool searching;
	static free_fn *found;

	if (!found && !searching) {
		searching = true;
		found = (free_fn *)dlsym(RTLD_NEXT, "free");
		searching = false;
	}
	return found;
}

void free(void *p)
{
	free_fn *give_back = libc_free();

	if (!p)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	if (give_back)
		give_back(p);
}

/* Not that of the C library, which leaves a copy behind when it moves the memory. */
void *realloc(void *p, size_t size)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *moved;

	if (p && !size) {
		free(p);
		return NULL;
	}
	if (p && size <= old && size >= old / 2)
		return p;
	moved = malloc(size);
	if (!moved)
		return NULL;
	if (p)
		memcpy(moved, p, size < old ? size : old);
	free(p);
	return moved;
}

#endif
