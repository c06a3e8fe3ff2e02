// SPDX-License-Identifier: GPL-2.0-or-later
/* VMCOREINFO as text, as a note, and in guest memory; and the kernel's name that it leads to. */
#include <stdlib.h>
#include <string.h>

#include "arch/notes.h"
#include "layout/vmcoreinfo.h"
#include "tests/fuzz/fuzz.h"

enum { PAGE = 4096, MEMORY_SIZE = 1 << 20, NAMES = 0xc0000 };

/* Guest memory from address 0 on. */
static uint8_t memory_bytes[MEMORY_SIZE];

static int read_memory(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	if (paddr > MEMORY_SIZE || len > MEMORY_SIZE - paddr)
		return -1;
	memcpy(buf, memory_bytes + paddr, len);
	return 0;
}

static const struct guest_memory memory = { .read = read_memory };

static void check_info(const struct vmcoreinfo *info)
{
	size_t length;
	const char *release = vmcoreinfo_value(info, "OSRELEASE", &length);

	CHECK(info->size && info->size <= VMCOREINFO_SIZE_MAX);
	CHECK(strlen(info->text) == info->size && info->text[info->size - 1] == '\n');
	CHECK(release == info->text + strlen("OSRELEASE="));
	CHECK(length == strlen(info->release) && length < RELEASE_MAX);
	CHECK(memcmp(release, info->release, length) == 0);
	CHECK(info->page_size >= 4096 && info->page_size <= 65536);
	CHECK(info->page_size == UINT64_C(1) << info->page_shift);
}

static void ask(const struct vmcoreinfo *info)
{
	char strings[UTSNAME_STRINGS][UTSNAME_STRING_SIZE];
	struct error error;
	uint64_t value;
	int64_t number;

	vmcoreinfo_symbol(info, "_stext", &value);
	vmcoreinfo_number(info, "phys_base", &number);
	vmcoreinfo_decimal(info, "OFFSET", "uts_namespace.name", &value);
	vmcoreinfo_knows_image(info);
	if (vmcoreinfo_utsname(info, &memory, NULL, strings, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
		return;
	}
	CHECK(strcmp(strings[2], info->release) == 0);
	for (size_t i = 0; i < UTSNAME_STRINGS; i++)
		CHECK(memchr(strings[i], '\0', UTSNAME_STRING_SIZE));
}

static void check_same(const struct vmcoreinfo *a, const struct vmcoreinfo *b)
{
	CHECK(a->size == b->size && memcmp(a->text, b->text, a->size) == 0);
	CHECK(a->page_size == b->page_size && strcmp(a->release, b->release) == 0);
}

/* Written as a note, in either byte order, it is read back, from a file and from memory. */
static void check_written(const struct vmcoreinfo *info, enum byte_order order)
{
	struct vmcoreinfo again;
	struct error error;
	struct notes notes;

	notes_init(&notes, order);
	notes_append(&notes, "VMCOREINFO", 0, info->text, info->size);
	CHECK(!notes.failed);
	vmcoreinfo_init(&again);
	CHECK(vmcoreinfo_parse_note(&again, notes.bytes, notes.size, &error) == 0);
	check_same(&again, info);
	if (notes.size <= NAMES - PAGE) {
		memcpy(memory_bytes + PAGE, notes.bytes, notes.size);
		CHECK(vmcoreinfo_read(&again, &memory, PAGE, &error) == 0);
		check_same(&again, info);
		CHECK(again.paddr > PAGE && again.paddr < 2 * PAGE);
		memset(memory_bytes + PAGE, 0, notes.size);
	}
	vmcoreinfo_deinit(&again);
	notes_deinit(&notes);
}

/* What the input is if it is what is in a guest's memory. */
static void try_memory(const uint8_t *data, size_t size)
{
	struct vmcoreinfo info;
	struct error error;
	size_t used = size < NAMES - PAGE ? size : NAMES - PAGE;

	if (used)
		memcpy(memory_bytes + PAGE, data, used);
	vmcoreinfo_init(&info);
	if (vmcoreinfo_read(&info, &memory, PAGE, &error))
		fuzz_check_line(error.text, sizeof(error.text));
	else
		check_info(&info);
	/* Neither does it read behind the end of memory. */
	if (used >= 64) {
		memcpy(memory_bytes + MEMORY_SIZE - 64, data, 64);
		vmcoreinfo_read(&info, &memory, MEMORY_SIZE - 64, &error);
		memset(memory_bytes + MEMORY_SIZE - 64, 0, 64);
	}
	memset(memory_bytes + PAGE, 0, used);
	vmcoreinfo_deinit(&info);
}

static void put_names(const char *release)
{
	memset(memory_bytes + NAMES, 0xff, UTSNAME_STRINGS * UTSNAME_STRING_SIZE);
	strcpy((char *)memory_bytes + NAMES, "Linux");
	strcpy((char *)memory_bytes + NAMES + (size_t)2 * UTSNAME_STRING_SIZE, release);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = fuzz_copy(data, size);
	struct vmcoreinfo text, note;
	struct error error;

	put_names("");
	vmcoreinfo_init(&text);
	vmcoreinfo_init(&note);
	if (vmcoreinfo_parse(&text, (const char *)bytes, size, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
		CHECK(!text.text);
	} else {
		check_info(&text);
		CHECK(text.size == size && memcmp(text.text, data, size) == 0);
		check_written(&text, LITTLE);
		check_written(&text, BIG);
		put_names(text.release);
		ask(&text);
	}
	if (vmcoreinfo_parse_note(&note, bytes, size, &error) == 0)
		check_info(&note);
	try_memory(bytes, size);
	vmcoreinfo_deinit(&text);
	vmcoreinfo_deinit(&note);
	free(bytes);
	return 0;
}
