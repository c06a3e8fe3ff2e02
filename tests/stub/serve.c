// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/stub/serve.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/stub/bulk.h"

struct session {
	struct machine *machine;
	struct wire wire;
	char *reply;                 /* WIRE_PACKET_MAX bytes */
	size_t thread;               /* selected by Hg, from 0 */
	size_t next_thread;          /* to be listed */
	unsigned long long attached; /* processes up to this one */
	size_t farewells;
	bool detached;
};

static enum wire_end say(struct session *session, const char *text)
{
	return wire_answer(&session->wire, text, strlen(text));
}

static bool starts(const char *body, const char *prefix)
{
	return strncmp(body, prefix, strlen(prefix)) == 0;
}

static bool supports(const struct session *session, const char *feature)
{
	return strstr(session->machine->supported, feature) != NULL;
}

/* Packets that write to the guest, run, kill or restart it. */
static bool is_forbidden(const char *body)
{
	static const char *const words[] = { "vKill", "vCont;", "vRun", "vFlash" };

	if (*body && strchr("GPMXkRzZcsCSiI", *body))
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (starts(body, words[i]))
			return true;
	return false;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static size_t put_hex(char *to, const uint8_t *bytes, size_t size, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		to[2 * i] = digits[bytes[i] >> 4];
		to[2 * i + 1] = digits[bytes[i] & 15];
	}
	return 2 * size;
}

static size_t put_escaped(char *to, const uint8_t *bytes, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] && strchr("#$}*", bytes[i])) {
			to[used++] = '}';
			to[used++] = (char)(bytes[i] ^ 0x20);
		} else {
			to[used++] = (char)bytes[i];
		}
	}
	return used;
}

static enum wire_end read_memory(struct session *session, const char *body)
{
	const struct machine *machine = session->machine;
	const struct faults *faults = &machine->faults;
	bool binary = *body == 'x';
	char *end;
	unsigned long long addr = strtoull(body + 1, &end, 16);
	size_t len = *end == ',' ? strtoul(end + 1, NULL, 16) : 0;
	size_t got, used = 0;
	uint8_t *bytes;

	if (binary && !supports(session, "binary-upload+"))
		return say(session, "");
	if (len > WIRE_PACKET_MAX / 4 || (faults->limit >= 0 && len > (size_t)faults->limit))
		return say(session, machine->limit_error);
	if (machine_is_device(machine, addr, len)) {
		fprintf(session->wire.log, "= FORBIDDEN: a device\n");
		return WIRE_FORBIDDEN;
	}
	bytes = calloc(1, len + 1);
	if (!bytes)
		abort();
	/* Virtual addresses lead nowhere on a machine that has both. */
	got = machine->physical == 0 ? 0 : machine_read(machine, addr, bytes, len);
	if (faults->shorten >= 0 && got > (size_t)faults->shorten)
		got = len = (size_t)faults->shorten;
	if (got == 0 || (got < len && !faults->error_tail && !faults->partial)) {
		free(bytes);
		return say(session, machine->error);
	}
	if (faults->too_long)
		len = ++got;
	if (binary) {
		if (!faults->raw_binary)
			session->reply[used++] = 'b';
		used += put_escaped(session->reply + used, bytes, got);
	} else {
		used = put_hex(session->reply, bytes, got, faults->upper_case);
	}
	if (got < len && faults->error_tail) {
		memcpy(session->reply + used, "E79", 3);
		used += 3;
	}
	free(bytes);
	return wire_answer(&session->wire, session->reply, used);
}

/* ---- threads and registers ------------------------------------------------------------------- */

/* A thread's number in the list, from a form with or without a process. -1 if there is none. */
static long find_thread(const struct session *session, const char *id)
{
	const struct entries *threads = &session->machine->threads;
	const char *dot = strchr(id, '.');
	unsigned long long wanted = strtoull(dot ? dot + 1 : id, NULL, 16);

	for (size_t i = 0; i < threads->count; i++) {
		const char *key = threads->list[i].key;

		dot = strchr(key, '.');
		if (wanted == strtoull(dot ? dot + 1 : key, NULL, 16))
			return (long)i;
	}
	return wanted == 0 ? 0 : -1;
}

/* 0 for a thread of no process. */
static unsigned long long process_of(const char *thread)
{
	return *thread == 'p' ? strtoull(thread + 1, NULL, 16) : 0;
}

/* How many threads are listed: they are in the order of their processes. */
static size_t threads_attached(const struct session *session)
{
	const struct entries *threads = &session->machine->threads;
	size_t count = 0;

	while (count < threads->count && process_of(threads->list[count].key) <= session->attached)
		count++;
	return count;
}

static size_t processes_attached(const struct session *session)
{
	const struct entries *threads = &session->machine->threads;
	size_t count = 0;

	for (size_t i = 0; i < threads_attached(session); i++)
		count += i == 0 ||
		         process_of(threads->list[i].key) != process_of(threads->list[i - 1].key);
	return count;
}

/* QEMU's clusters; to other stubs it would be no question but an order. */
static enum wire_end attach(struct session *session, const char *process)
{
	const struct entries *threads = &session->machine->threads;
	unsigned long long wanted = strtoull(process, NULL, 16);

	if (session->machine->physical < 0) {
		fprintf(session->wire.log, "= FORBIDDEN\n");
		return WIRE_FORBIDDEN;
	}
	for (size_t i = 0; i < threads->count; i++)
		if (process_of(threads->list[i].key) == wanted) {
			session->attached = wanted;
			return say(session, "T05");
		}
	return say(session, "E22");
}

static enum wire_end list_threads(struct session *session)
{
	const struct entries *threads = &session->machine->threads;
	long left = session->machine->threads_per_packet;
	size_t used = 1;

	if (session->machine->faults.endless_threads)
		return say(session, "m1,2,3,4");
	if (session->next_thread == threads_attached(session))
		return say(session, "l");
	session->reply[0] = 'm';
	do {
		const char *id = threads->list[session->next_thread++].key;

		if (used > 1)
			session->reply[used++] = ',';
		used += (size_t)sprintf(session->reply + used, "%s", id);
	} while (session->next_thread < threads_attached(session) && --left != 0);
	return wire_answer(&session->wire, session->reply, used);
}

static enum wire_end select_thread(struct session *session, const char *id)
{
	long thread = find_thread(session, id);

	if (thread < 0)
		return say(session, "E22");
	session->thread = (size_t)thread;
	return say(session, "OK");
}

static enum wire_end read_registers(struct session *session)
{
	char key[32];
	const struct entry *found;

	snprintf(key, sizeof(key), "%zu", session->thread + 1);
	found = entries_find(&session->machine->registers, key);
	return say(session, found ? found->value : "E01");
}

static enum wire_end read_register(struct session *session, const char *number)
{
	char key[64];
	const struct entry *found;

	snprintf(key, sizeof(key), "%zu.%.32s", session->thread + 1, number);
	found = entries_find(&session->machine->single, key);
	return say(session, found ? found->value : "E14");
}

/* ---- objects and the monitor ----------------------------------------------------------------- */

/* qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH */
static enum wire_end read_object(struct session *session, const char *body)
{
	char object[128], annex[256], key[512];
	unsigned long long offset, length;
	const struct entry *found;
	size_t used = 1;

	/* The memory map's annex is empty. */
	if (sscanf(body, "qXfer:%127[^:]:read:%255[^:]:%llx,%llx", object, annex, &offset,
		    &length) != 4) {
		annex[0] = '\0';
		if (sscanf(body, "qXfer:%127[^:]:read::%llx,%llx", object, &offset, &length) != 3)
			return say(session, "");
	}
	if (length > WIRE_PACKET_MAX / 2)
		length = WIRE_PACKET_MAX / 2;
	if (session->machine->faults.endless_object) {
		memset(session->reply, 'm', length + 1);
		return wire_answer(&session->wire, session->reply, length + 1);
	}
	snprintf(key, sizeof(key), "%s:%s", object, annex);
	found = entries_find(&session->machine->objects, key);
	if (!found)
		return say(session, "E00");
	if (offset > found->size)
		return say(session, "E16");
	session->reply[0] = offset + length < found->size ? 'm' : 'l';
	if (length > found->size - offset)
		length = found->size - offset;
	used += put_escaped(
		session->reply + 1, (const uint8_t *)found->value + offset, (size_t)length);
	return wire_answer(&session->wire, session->reply, used);
}

static enum wire_end print_lines(struct session *session, const char *text)
{
	enum wire_end end = WIRE_GOES_ON;

	while (*text && end == WIRE_GOES_ON) {
		size_t length = strcspn(text, "\n");
		size_t used = 1;

		session->reply[0] = 'O';
		used += put_hex(session->reply + 1, (const uint8_t *)text, length, false);
		used += put_hex(session->reply + used, (const uint8_t *)"\r\n", 2, false);
		end = wire_put(&session->wire, session->reply, used);
		text += length + (text[length] == '\n');
	}
	return end == WIRE_GOES_ON ? say(session, "OK") : end;
}

static enum wire_end run_pmemsave(struct session *session, const char *command)
{
	enum wire_end end = WIRE_GOES_ON;
	char said[512];

	switch (pmemsave(session->machine, command, said, sizeof(said))) {
	case PMEMSAVE_SILENCE:
		return WIRE_GOES_ON;
	case PMEMSAVE_TALK:
		memset(session->reply, 'O', 1);
		memset(session->reply + 1, '4', 2 << 16);
		while (end == WIRE_GOES_ON)
			end = wire_put(&session->wire, session->reply, 1 + (2 << 16));
		return end;
	case PMEMSAVE_DEVICE:
		fprintf(session->wire.log, "= FORBIDDEN: a device\n");
		return WIRE_FORBIDDEN;
	case PMEMSAVE_ANSWER:
		break;
	}
	return print_lines(session, said);
}

static enum wire_end run_command(struct session *session, const char *hex)
{
	const struct machine *machine = session->machine;
	const struct entry *found;
	const char *text = "unknown command";
	char command[1024];
	size_t size = 0;

	if (machine->monitor.count == 0 && !machine->pmemsave)
		return say(session, "");
	for (; hex[0] && hex[1] && size + 1 < sizeof(command); hex += 2) {
		char pair[3] = { hex[0], hex[1] };

		command[size++] = (char)strtoul(pair, NULL, 16);
	}
	command[size] = '\0';
	wire_log(&session->wire, '=', command, size);
	if (machine->pmemsave && starts(command, "pmemsave "))
		return run_pmemsave(session, command);
	found = entries_find(&machine->monitor, command);
	if (found)
		text = found->value;
	switch (machine->monitor_style) {
	case MONITOR_LINES:
		return print_lines(session, text);
	case MONITOR_WHOLE:
		size = put_hex(session->reply, (const uint8_t *)text, strlen(text), false);
		return wire_answer(&session->wire, session->reply, size);
	case MONITOR_SILENT:
		break;
	}
	return say(session, "OK");
}

/* ---- the rest -------------------------------------------------------------------------------- */

static enum wire_end detach(struct session *session, const char *body)
{
	if (supports(session, "multiprocess+") != (body[1] == ';'))
		return say(session, "E22");
	/* Of as many processes as are attached; what has none counts as one. */
	session->farewells++;
	session->detached = session->farewells >= processes_attached(session);
	if (session->machine->faults.deaf_to_detach)
		return WIRE_GOES_ON;
	return say(session, "OK");
}

static enum wire_end memory_mode(struct session *session, const char *body)
{
	struct machine *machine = session->machine;

	if (machine->physical < 0)
		return say(session, "");
	if (*body == 'q')
		return say(session, machine->physical ? "1" : "0");
	machine->physical = strtol(strchr(body, ':') + 1, NULL, 10);
	return say(session, "OK");
}

static enum wire_end answer(struct session *session, char *body, size_t size)
{
	const struct machine *machine = session->machine;
	const struct entry *fixed = entries_find(&machine->answers, body);
	enum wire_end end;

	if (machine->faults.echo)
		return wire_answer(&session->wire, body, size);
	if (fixed)
		return wire_answer(&session->wire, fixed->value, fixed->size);
	if (starts(body, "qSupported"))
		return say(session, machine->supported);
	if (strcmp(body, "QStartNoAckMode") == 0 && supports(session, "QStartNoAckMode+")) {
		end = say(session, "OK");
		session->wire.no_ack = true;
		return end;
	}
	if (strcmp(body, "?") == 0)
		return say(session, machine->stop);
	if (starts(body, "qqemu.PhyMemMode") || starts(body, "Qqemu.PhyMemMode:"))
		return memory_mode(session, body);
	if (strcmp(body, "qfThreadInfo") == 0 && machine->threads.count) {
		session->next_thread = 0;
		return list_threads(session);
	}
	if (strcmp(body, "qsThreadInfo") == 0 && machine->threads.count)
		return list_threads(session);
	if (starts(body, "vAttach;"))
		return attach(session, body + 8);
	if (starts(body, "Hg"))
		return select_thread(session, body + 2);
	if (strcmp(body, "g") == 0)
		return read_registers(session);
	if (*body == 'p')
		return read_register(session, body + 1);
	if (*body == 'm' || *body == 'x')
		return read_memory(session, body);
	if (starts(body, "qXfer:"))
		return read_object(session, body);
	if (starts(body, "qRcmd,"))
		return run_command(session, body + 6);
	if (*body == 'D')
		return detach(session, body);
	return say(session, "");
}

static enum wire_end greet(struct session *session)
{
	const struct faults *faults = &session->machine->faults;
	enum wire_end end = WIRE_GOES_ON;

	if (faults->close == 0)
		return WIRE_CLOSED;
	if (faults->banner)
		end = wire_put_raw(&session->wire, faults->banner, strlen(faults->banner));
	if (end == WIRE_GOES_ON && faults->unsolicited)
		end = wire_put(&session->wire, faults->unsolicited, strlen(faults->unsolicited));
	return end;
}

static bool has_synthetic_memory(const struct machine *machine)
{
	for (size_t i = 0; i < machine->memory_count; i++)
		if (machine->memory[i].kind == MEMORY_SYNTHETIC)
			return true;
	return false;
}

enum wire_end serve(struct machine *machine, int in, int out, FILE *log)
{
	struct session session = { .machine = machine,
		.attached = machine->physical < 0 ? ~0ULL : 1 };
	struct bulk *bulk = has_synthetic_memory(machine) ? bulk_create() : NULL;
	enum wire_end end;
	char *body;
	size_t size;

	session.reply = malloc(WIRE_PACKET_MAX);
	if (!session.reply)
		abort();
	wire_init(&session.wire, in, out, log, &machine->faults);
	end = greet(&session);
	while (end == WIRE_GOES_ON) {
		if (bulk && machine->physical != 0 && !session.detached)
			end = bulk_serve(bulk, &session.wire, machine);
		if (end != WIRE_GOES_ON)
			break;
		end = wire_get(&session.wire, &body, &size);
		if (end != WIRE_GOES_ON)
			break;
		if (is_forbidden(body) || session.detached) {
			fprintf(log, "= FORBIDDEN%s\n", session.detached ? " behind D" : "");
			end = WIRE_FORBIDDEN;
			break;
		}
		end = answer(&session, body, size);
	}
	fprintf(log, "= window %zu\n", session.wire.window_max);
	if (machine->physical >= 0)
		fprintf(log, "= memory mode %ld\n", machine->physical);
	fprintf(log, "= over\n");
	fflush(log);
	wire_deinit(&session.wire);
	free(session.reply);
	bulk_destroy(bulk);
	return end;
}
