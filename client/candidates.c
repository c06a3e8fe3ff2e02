// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/candidates.h"

#include <stdio.h>
#include <string.h>

void candidates_look(struct candidates *candidates, const struct arch *arch, uint64_t paddr,
	const uint8_t *bytes, size_t len)
{
	size_t page = (size_t)1 << arch->page_shift;

	for (size_t at = (size_t)(-paddr & (page - 1)); at + page <= len; at += page)
		if (vmcoreinfo_head(bytes + at) && candidates->count < CANDIDATES_MAX)
			candidates->pages[candidates->count++] = paddr + at;
}

/*
 * The kernel has its text twice, in the note and on a page of its own, and after a panic one of
 * them has a line more (CRASHTIME).
 */
static bool is_same(const struct vmcoreinfo *a, const struct vmcoreinfo *b)
{
	return a->text && b->text &&
	       memcmp(a->text, b->text, a->size < b->size ? a->size : b->size) == 0;
}

static void list_other(struct candidates *candidates, const struct vmcoreinfo *info, uint64_t paddr)
{
	struct other_kernel *other = &candidates->others[candidates->other_count++];

	other->paddr = paddr;
	snprintf(other->release, sizeof(other->release), "%s", info->release);
}

void candidates_settle(struct candidates *candidates, struct guest *guest, size_t take_max)
{
	struct vmcoreinfo *taken = &guest->kernel.vmcoreinfo;
	struct vmcoreinfo info;
	struct error error;

	for (size_t i = 0; take_max && !taken->text && i < candidates->count; i++)
		guest_try_vmcoreinfo(guest, candidates->pages[i], take_max);
	for (size_t i = 0; i < candidates->count; i++) {
		vmcoreinfo_init(&info);
		if (vmcoreinfo_read(&info, &guest->reader, candidates->pages[i], &error) == 0 &&
			!is_same(&info, taken))
			list_other(candidates, &info, candidates->pages[i]);
		vmcoreinfo_deinit(&info);
	}
}

void candidates_json(struct json *json, const struct candidates *candidates)
{
	json_open(json, "other_vmcoreinfo", '[');
	for (size_t i = 0; i < candidates->other_count; i++) {
		json_open(json, NULL, '{');
		json_number(json, "paddr", candidates->others[i].paddr);
		json_string(json, "release", candidates->others[i].release);
		json_close(json, '}');
	}
	json_close(json, ']');
}
