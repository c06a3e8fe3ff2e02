/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the scripted stub serves: a machine, and how the stub misbehaves. Both are told by a text of
 * one setting a line; tests give it as a string or a file, see description.c for the settings. The
 * text is the tests' own and is trusted: what is wrong with it is told and ends the test.
 */
#ifndef STUB_MACHINE_H
#define STUB_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A named text: an annex, a monitor command's output, a packet's answer. */
struct entry {
	char *key;
	char *value;
	size_t size;
};

struct entries {
	struct entry *list;
	size_t count;
};

enum memory_kind {
	MEMORY_PATTERN, /* see memory_pattern() */
	MEMORY_ZERO,
	MEMORY_SYNTHETIC, /* see synthetic.h */
	MEMORY_BYTES,
	MEMORY_UNREADABLE,
	MEMORY_DEVICE, /* reading it would do something to it: forbidden */
};

struct memory_range {
	uint64_t start, length;
	enum memory_kind kind;
	uint8_t *bytes;
};

enum monitor_style {
	MONITOR_LINES,  /* an O packet for each line, then OK: QEMU */
	MONITOR_WHOLE,  /* all in one packet of hex: OpenOCD, gdbsx */
	MONITOR_SILENT, /* OK alone */
};

/*
 * Numbers count the stub's transmissions from 1, where a packet that is sent again counts again;
 * -1 is never.
 */
struct faults {
	bool run_lengths;      /* encodes replies */
	bool run_lengths_of_8; /* ... with '$' and '#' as counts, as gdbstub before 0.7.9 */
	bool upper_case, trailing_nul;
	bool one_byte;   /* writes replies a byte at a time */
	bool careful;    /* as bhyve: one request at a time, one '+' for each reply */
	bool echo;       /* sends back what it hears */
	bool error_tail; /* "E79" behind the digits of what could be read */
	bool partial;    /* a short reply up to what cannot be read */
	bool too_long;   /* memory replies have a byte more than asked */
	bool raw_binary; /* `x` is answered without the 'b' */
	bool endless_object, endless_threads;
	bool deaf_to_detach;          /* no answer to D, as gem5 */
	long limit;                   /* memory reads of more bytes fail */
	long shorten;                 /* memory replies have at most so many bytes */
	long delay;                   /* milliseconds in front of each reply */
	long bad_checksum;            /* of this reply only */
	long bad_checksums;           /* from this reply on */
	long truncate;                /* half of this reply, then the end */
	long close;                   /* the end instead of this reply, 0 is at once */
	long silent;                  /* nothing any more from this reply on */
	long nack;                    /* '-' instead of taking this request, once */
	long duplicate;               /* this reply comes twice */
	long endless;                 /* this reply has no end */
	long flood;                   /* this reply is a notification for ever */
	long chatter;                 /* this reply is console output for ever */
	char *banner;                 /* raw bytes at connection */
	char *unsolicited;            /* a packet at connection */
	char *junk;                   /* raw bytes in front of each reply */
	char *notification, *console; /* packets in front of each reply */
	char *unasked;                /* a packet behind each reply */
};

struct machine {
	char *supported;         /* the answer to qSupported */
	char *error;             /* to reads that fail */
	char *limit_error;       /* to reads that are too long */
	char *stop;              /* the answer to ? */
	long physical;           /* Qqemu.PhyMemMode; -1 if the stub has none */
	long threads_per_packet; /* 0 for all at once */
	char *pmemsave; /* "HOW N": how the monitor does it from the N-th time on; see pmemsave() */
	long pmemsaves; /* times so far */
	enum monitor_style monitor_style;
	struct entries threads;   /* keys as they are sent: "1", "p01.02" */
	struct entries registers; /* key: which thread, from 1; value: the answer to g */
	struct entries single;    /* key: "THREAD.NUMBER"; value: the answer to p */
	struct entries objects;   /* key: "OBJECT:ANNEX" of qXfer */
	struct entries monitor;   /* key: the command */
	struct entries answers;   /* key: a whole packet */
	struct memory_range *memory;
	size_t memory_count;
	struct faults faults;
};

void machine_init(struct machine *machine);
void machine_deinit(struct machine *machine);

/*
 * Adds the settings in text. Names of files are relative to directory. Returns 0, or -1 with one
 * line in why.
 */
int machine_describe(struct machine *machine, const char *text, const char *directory, char *why,
	size_t why_size);

/* The entry of a key, or NULL. */
const struct entry *entries_find(const struct entries *entries, const char *key);

/* The byte at an address of memory with a pattern: each aligned word of 8 tells where it is. */
uint8_t memory_pattern(uint64_t addr);

/* The uppermost range at addr, or NULL, and in *len for how many bytes that holds, at most. */
const struct memory_range *machine_range(const struct machine *machine, uint64_t addr, size_t *len);

/* Whether any byte is a device's. */
bool machine_is_device(const struct machine *machine, uint64_t addr, size_t len);

/* Reads what can be read from the start on; returns how many bytes that is. */
size_t machine_read(const struct machine *machine, uint64_t addr, uint8_t *to, size_t len);

#endif
