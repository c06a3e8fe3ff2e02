// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/vmcoreinfo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/bytes.h"
#include "layout/digits.h"

static const char release_key[] = "OSRELEASE=";
static const char note_name[] = "VMCOREINFO"; /* its NUL counts and is padded to NOTE_NAME_ROOM */

enum {
	RELEASE_KEY_SIZE = sizeof(release_key) - 1,
	NOTE_WORDS_SIZE = 12,
	NOTE_NAME_ROOM = 12,
	NOTE_TEXT_OFFSET = NOTE_WORDS_SIZE + NOTE_NAME_ROOM,
	KEY_MAX = 80,
	PAGE_SIZE_MIN = 4096,
	PAGE_SIZE_MAX = 65536,
	BARE_TEXT_MAX = PAGE_SIZE_MAX, /* it lies in one page and has no length */
	READ_SIZE = 4096,
};

void vmcoreinfo_init(struct vmcoreinfo *info)
{
	*info = (struct vmcoreinfo){ .paddr = VMCOREINFO_NOWHERE };
}

void vmcoreinfo_deinit(struct vmcoreinfo *info)
{
	free(info->text);
	vmcoreinfo_init(info);
}

/* The bytes before the first that neither is printable (in any locale) nor ends a line. */
static size_t text_length(const char *text, size_t size)
{
	size_t length = 0;

	while (length < size &&
		((text[length] >= ' ' && text[length] <= '~') || text[length] == '\n'))
		length++;
	return length;
}

/* The kernel's format string goes on with '%'. */
static bool begins_text(const char *text)
{
	char c = text[RELEASE_KEY_SIZE];

	return memcmp(text, release_key, RELEASE_KEY_SIZE) == 0 &&
	       ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
}

static int check_text(struct vmcoreinfo *info, struct error *error)
{
	size_t length, printable = text_length(info->text, info->size);
	const char *value;

	if (info->size <= RELEASE_KEY_SIZE || !begins_text(info->text))
		return error_set(error, "VMCOREINFO does not begin with OSRELEASE=");
	if (printable < info->size)
		return error_set(
			error, "VMCOREINFO has a byte that is no text at offset %zu", printable);
	if (info->text[info->size - 1] != '\n')
		return error_set(error, "VMCOREINFO is cut off: its last line has no end");
	vmcoreinfo_value(info, "OSRELEASE", &length);
	if (length >= RELEASE_MAX)
		return error_set(error, "VMCOREINFO has an OSRELEASE of %zu bytes", length);
	value = vmcoreinfo_value(info, "PAGESIZE", &length);
	if (!value || !read_digits(&value, 10, &info->page_size) || *value != '\n' ||
		info->page_size < PAGE_SIZE_MIN || info->page_size > PAGE_SIZE_MAX ||
		info->page_size & (info->page_size - 1))
		return error_set(error, "VMCOREINFO has no PAGESIZE");
	info->page_shift = (unsigned)__builtin_ctzll(info->page_size);
	if (!strstr(info->text, "\nSYMBOL("))
		return error_set(error, "VMCOREINFO has no SYMBOL");
	return 0;
}

int vmcoreinfo_parse(struct vmcoreinfo *info, const char *text, size_t size, struct error *error)
{
	struct vmcoreinfo new = { .size = size, .paddr = VMCOREINFO_NOWHERE };
	const char *release;
	size_t length;

	if (size > VMCOREINFO_SIZE_MAX)
		return error_set(error, "VMCOREINFO of %zu bytes", size);
	new.text = malloc(size + 1);
	if (!new.text)
		return error_no_memory(error);
	if (size)
		memcpy(new.text, text, size);
	new.text[size] = '\0';
	if (check_text(&new, error)) {
		free(new.text);
		return -1;
	}
	release = vmcoreinfo_value(&new, "OSRELEASE", &length);
	memcpy(new.release, release, length);
	free(info->text);
	*info = new;
	return 0;
}

/*
 * Whether the first NOTE_TEXT_OFFSET bytes are the head of a note, and the size of its text. The
 * name is 11 bytes long, which also tells the byte order.
 */
static bool read_note_head(const uint8_t *head, uint32_t *size)
{
	enum byte_order order = get_le32(head) == sizeof(note_name) ? LITTLE : BIG;

	*size = get_u32(head + 4, order);
	return get_u32(head, order) == sizeof(note_name) && get_u32(head + 8, order) == 0 &&
	       memcmp(head + NOTE_WORDS_SIZE, note_name, sizeof(note_name)) == 0;
}

int vmcoreinfo_parse_note(
	struct vmcoreinfo *info, const void *bytes, size_t size, struct error *error)
{
	const char *text = bytes;
	uint32_t text_size;

	if (size >= NOTE_TEXT_OFFSET && read_note_head(bytes, &text_size)) {
		if (text_size > size - NOTE_TEXT_OFFSET)
			return error_set(error,
				"VMCOREINFO note of %" PRIu32 " bytes is cut off after %zu",
				text_size, size - NOTE_TEXT_OFFSET);
		return vmcoreinfo_parse(info, text + NOTE_TEXT_OFFSET, text_size, error);
	}
	while (size && text[size - 1] == '\0') /* the rest of the page that it was saved with */
		size--;
	return vmcoreinfo_parse(info, text, size, error);
}

bool vmcoreinfo_head(const uint8_t *page)
{
	const char *text = (const char *)page;
	size_t left = VMCOREINFO_HEAD_SIZE;
	uint32_t size;

	if (read_note_head(page, &size)) {
		if (size <= RELEASE_KEY_SIZE || size > VMCOREINFO_SIZE_MAX)
			return false;
		text += NOTE_TEXT_OFFSET;
		left -= NOTE_TEXT_OFFSET;
	}
	return begins_text(text) && text_length(text, left) == left;
}

/* Reads from paddr up to the first byte that is no text, page by page: it may end before RAM does.
 */
static size_t read_bare_text(const struct guest_memory *memory, uint64_t paddr, char *text)
{
	size_t size = 0;

	while (size < BARE_TEXT_MAX) {
		size_t part = READ_SIZE - (size_t)((paddr + size) % READ_SIZE);
		size_t length;

		if (part > BARE_TEXT_MAX - size)
			part = BARE_TEXT_MAX - size;
		if (guest_read(memory, paddr + size, text + size, part))
			break;
		length = text_length(text + size, part);
		size += length;
		if (length < part)
			break;
	}
	return size;
}

int vmcoreinfo_read(struct vmcoreinfo *info, const struct guest_memory *memory, uint64_t paddr,
	struct error *error)
{
	uint8_t head[VMCOREINFO_HEAD_SIZE];
	uint32_t note_size = 0;
	char *text;
	int result;

	if (paddr > UINT64_MAX - NOTE_TEXT_OFFSET - VMCOREINFO_SIZE_MAX ||
		guest_read(memory, paddr, head, sizeof(head)))
		return error_set(error, "cannot read guest memory at 0x%" PRIx64, paddr);
	if (!vmcoreinfo_head(head))
		return error_set(error, "no VMCOREINFO at 0x%" PRIx64, paddr);
	if (read_note_head(head, &note_size))
		paddr += NOTE_TEXT_OFFSET;
	else
		note_size = 0;

	text = malloc(note_size ? note_size : BARE_TEXT_MAX);
	if (!text)
		return error_no_memory(error);
	if (!note_size) {
		result = vmcoreinfo_parse(info, text, read_bare_text(memory, paddr, text), error);
	} else if (guest_read(memory, paddr, text, note_size)) {
		result = error_set(
			error, "cannot read %" PRIu32 " bytes of guest memory", note_size);
	} else {
		result = vmcoreinfo_parse(info, text, note_size, error);
	}
	free(text);
	if (result)
		return error_prefix(error, "0x%" PRIx64, paddr);
	info->paddr = paddr;
	return 0;
}

const char *vmcoreinfo_value(const struct vmcoreinfo *info, const char *key, size_t *length)
{
	size_t key_length = strlen(key);

	for (const char *line = info->text; line && *line;) {
		const char *end = strchr(line, '\n');

		if (!end)
			end = line + strlen(line);
		if (strncmp(line, key, key_length) == 0 && line[key_length] == '=') {
			*length = (size_t)(end - line) - key_length - 1;
			return line + key_length + 1;
		}
		line = *end ? end + 1 : end;
	}
	*length = 0;
	return NULL;
}

/* The text of WHAT(name)=, which ends with a newline; NULL if there is none. */
static const char *find_value(const struct vmcoreinfo *info, const char *what, const char *name)
{
	char key[KEY_MAX];
	int length = snprintf(key, sizeof(key), "%s(%s)", what, name);
	size_t ignored;

	if (length < 0 || (size_t)length >= sizeof(key))
		return NULL;
	return vmcoreinfo_value(info, key, &ignored);
}

bool vmcoreinfo_symbol(const struct vmcoreinfo *info, const char *name, uint64_t *value)
{
	const char *text = find_value(info, "SYMBOL", name);

	return text && read_digits(&text, 16, value) && *text == '\n';
}

bool vmcoreinfo_number(const struct vmcoreinfo *info, const char *name, int64_t *value)
{
	const char *text = find_value(info, "NUMBER", name);
	bool negative = text && *text == '-';
	uint64_t bits;

	if (negative)
		text++;
	if (!text || !read_number(&text, &bits) || *text != '\n')
		return false;
	*value = (int64_t)(negative ? -bits : bits);
	return true;
}

bool vmcoreinfo_decimal(
	const struct vmcoreinfo *info, const char *what, const char *name, uint64_t *value)
{
	const char *text = find_value(info, what, name);

	return text && read_digits(&text, 10, value) && *text == '\n';
}
