/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client for gdb's remote serial protocol, made to read: it connects to a stub, learns what the
 * stub is, and reads threads, registers and memory. It knows no packet that writes to the guest,
 * and none that kills it. Everything that a stub sends is hostile until checked; the caps are
 * stated here.
 *
 * A struct rsp is one connection, used by one thread. Functions return 0, or -1 (NULL) and then
 * rsp_error() tells why in one line and rsp_failure() what kind of failure it was. Connecting
 * stops the guest on most stubs; rsp_release() decides how it is left, rsp_destroy() alone just
 * closes the connection, which leaves a QEMU guest standing still.
 */
#ifndef RSP_RSP_H
#define RSP_RSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RSP_PACKET_MAX = 1 << 20, /* bytes of one packet, before and after run-length decoding */
	RSP_THREADS_MAX = 4096,
	RSP_REGISTERS_MAX = 4096, /* in a target description */
	RSP_REGISTER_BITS_MAX = 65536 * 8,
	RSP_XFER_MAX = 4 << 20, /* bytes of one object read by qXfer, and of all annexes together */
	RSP_MONITOR_MAX = 16 << 20, /* bytes that a monitor command may print */
	RSP_NAME_MAX = 64,          /* names and versions, with the NUL */
};

struct rsp;

enum rsp_failure {
	RSP_NOTHING_FAILED,
	RSP_BAD_TARGET,  /* the target's text means nothing */
	RSP_UNREACHABLE, /* no connection, or nobody answers on it */
	RSP_LOST,        /* the connection broke, or the stub fell silent */
	RSP_CONFUSED,    /* what came is not the protocol */
	RSP_REFUSED,     /* the stub answered that it cannot */
	RSP_UNSUPPORTED, /* the stub does not know the request */
	RSP_CANCELLED,   /* cancel_fd became readable */
	RSP_NO_MEMORY,
};

/*
 * What is to be done with the stub, and what of that is done: kept up to date for somebody who
 * shares this memory and holds the connection when we die. See rsp_take_over().
 */
struct rsp_will {
	int memory_mode;     /* that is to be put back; -1 for none */
	bool switched;       /* its monitor was told to take physical addresses */
	bool announced_stop; /* as in struct rsp_stub */
	bool said_farewell;  /* the last request is about to be sent, or was */
	bool heard_farewell; /* and its answer has been read */
	bool signs_farewell; /* which the stub waits to see acknowledged */
};

struct rsp_options {
	unsigned connect_timeout_ms; /* to connect and to hear the first answer */
	unsigned timeout_ms;         /* longest silence while an answer is due */
	unsigned retry_ms;           /* go on trying to connect for so long */
	int cancel_fd; /* when readable, whatever waits fails with RSP_CANCELLED; -1 for none */
	/* Every packet in either direction, without its framing; NULL for none. */
	void (*trace)(void *ctx, bool sent, const char *packet, size_t size);
	void *trace_ctx;
	/*
	 * Told every descriptor that leads to the stub before the stub can notice, and -1 before it
	 * is closed, when the duplicate that was made of it has to be closed; NULL for nobody.
	 */
	void (*hold)(void *ctx, int fd);
	void *hold_ctx;
	struct rsp_will *will; /* where to keep it; NULL for nowhere that others see */
	/*
	 * What will be asked for right after rsp_open() may come along with its own questions: a
	 * command of the monitor, NULL for none; the target description and the threads.
	 */
	const char *first_command;
	bool asks_for_cpus;
};

/* NULL without memory. */
struct rsp *rsp_create(const struct rsp_options *options);
void rsp_destroy(struct rsp *rsp);

const char *rsp_error(const struct rsp *rsp);
enum rsp_failure rsp_failure(const struct rsp *rsp);

/*
 * Connects and finds out what the stub is. Targets:
 *	1234, :1234, HOST:PORT, [V6ADDRESS]:PORT, tcp:..., tcp4:..., tcp6:..., connect://HOST:PORT,
 *	unix:PATH, the path of a socket or of a serial device, |COMMAND, fd:N
 */
int rsp_open(struct rsp *rsp, const char *target);

/*
 * Opens a connection that was lost, to the same target. What was set there is set again. Nothing
 * tells that it is the same guest, or that it stood still meanwhile: that is for the caller to find
 * out. May be called until it works; a descriptor (fd:N) cannot be opened again.
 */
int rsp_reopen(struct rsp *rsp);
bool rsp_can_reopen(const struct rsp *rsp);

/*
 * What is called when the connection is lost in the middle of rsp_stream_memory(), or what comes on
 * it makes no sense: it has to make it whole, by rsp_reopen() and by checks that the guest is the
 * same, and to return 0; all that was not done yet is then asked for anew. It is not called within
 * itself. NULL for nothing, as at first.
 */
void rsp_set_recovery(struct rsp *rsp, int (*recover)(void *ctx), void *ctx);

/*
 * Asks once more what the stub is, and fails unless it says the same. Answers have no numbers: one
 * that came twice on its way, or never, would be taken for the answer to the next request, and so
 * would all behind it.
 */
int rsp_check_in_step(struct rsp *rsp);

/*
 * Takes over for another struct rsp whose owner has died, wherever he was: from the descriptor that
 * hold() was told, or -1 for a new connection to the target, and from his will. Returns 0 when all
 * is as after rsp_open(): rsp_release() is due; 1 when he had left the stub in good order already;
 * -1 if nobody answers.
 */
int rsp_take_over(struct rsp *rsp, const char *target, int fd, const struct rsp_will *will);

/*
 * Whether there is a connection, to whomever. Then rsp_release() is due, also if rsp_open() has
 * failed: the guest may stand still, or may be stopped later for a connection that was left
 * waiting.
 */
bool rsp_connected(const struct rsp *rsp);

/* Whether there is a stub: it has answered on this connection. */
bool rsp_answered(const struct rsp *rsp);

/* What is known of the stub after rsp_open(). */
struct rsp_stub {
	const char *name;           /* of its row in quirks.c: "QEMU", or "unknown" */
	char version[RSP_NAME_MAX]; /* as the stub states it; "" if it does not */
	char features[1024];        /* its answer to qSupported, cut to fit */
	size_t packet_size;         /* as stated, 0 if not */
	size_t read_size;           /* bytes that one memory read asks for */
	bool pipelines;             /* several requests may be on their way */
	bool no_ack;                /* acknowledgements are off */
	bool multiprocess, binary_upload, memory_map;
	bool physical_memory;        /* reads take, or can be made to take, physical addresses */
	bool closing_leaves_stopped; /* the guest stands still if the connection just ends */
	bool always_resumes;         /* it runs when the connection ends, whatever was asked for */
	bool ends_guest;             /* it is ended with the connection, and its VM */
	/*
	 * A stop packet came by itself when the connection was made: the guest ran until then.
	 * QEMU up to 8.0 sends it; its absence says something only there (announces_stop).
	 */
	bool announced_stop, announces_stop;
	bool ever_announced; /* announced_stop, on this connection or one before */
};

const struct rsp_stub *rsp_stub(const struct rsp *rsp);

/* A thread of the stub: a vCPU. process is 0 where the stub does not number processes. */
struct rsp_thread {
	uint64_t process, id;
};

/* All threads in the stub's order; the caller frees *threads. At least one. */
int rsp_list_threads(struct rsp *rsp, struct rsp_thread **threads, size_t *count);

/*
 * Makes all threads appear where a stub shows those of its first process only: QEMU, of machines
 * with CPUs in several clusters, which need not be of one kind (sifive_u, xlnx-zcu102). A
 * description is that of the selected thread's process.
 */
int rsp_attach_processes(struct rsp *rsp);

/*
 * What will be asked for next. Where a stub takes many requests at once, what is foreseen goes
 * along with whatever waits for an answer next, so that the functions which need it do not wait
 * again. What is not needed before memory is read is forgotten.
 */
void rsp_foresee_processes(struct rsp *rsp); /* rsp_attach_processes() */
void rsp_foresee_monitor(struct rsp *rsp, const char *command);
void rsp_foresee_physical_memory(struct rsp *rsp); /* rsp_use_physical_memory() */

/* A register as the target description names it. */
struct rsp_register {
	char name[RSP_NAME_MAX];
	uint32_t number;
	uint32_t bits;
};

struct rsp_description {
	char architecture[RSP_NAME_MAX]; /* "" if it does not say */
	struct rsp_register *registers;  /* in ascending order of number */
	size_t count;
};

/*
 * Reads target.xml with all that it includes. A stub that has none gives RSP_UNSUPPORTED. The
 * caller calls rsp_description_deinit(), also after a failure.
 */
int rsp_read_description(struct rsp *rsp, struct rsp_description *description);
void rsp_description_deinit(struct rsp_description *description);

/*
 * Reads the XML of the stub's memory map, all of it. A stub that has none gives RSP_UNSUPPORTED.
 * The caller frees *text, which has a NUL behind its *size bytes.
 */
int rsp_read_memory_map(struct rsp *rsp, char **text, size_t *size);

/* bytes: (bits + 7) / 8 of them, in the guest's order. */
typedef void (*rsp_register_visit)(
	void *ctx, const struct rsp_register *which, const uint8_t *bytes, size_t size);

/*
 * Visits every register of a thread that the stub can give: first what its `g` packet holds, then
 * the rest one by one. Registers that are unavailable are left out.
 */
int rsp_read_registers(struct rsp *rsp, const struct rsp_thread *thread,
	const struct rsp_description *description, rsp_register_visit visit, void *ctx);

/*
 * Foresees that; false where it cannot be: with the first thread that is read by a description.
 * Threads of one process may be foreseen together, RSP_FORESEEN_THREADS_MAX at most. Nothing else
 * may then be asked of a thread before the registers of all of them are read.
 */
enum { RSP_FORESEEN_THREADS_MAX = 64 };
bool rsp_foresee_registers(struct rsp *rsp, const struct rsp_thread *thread);

/*
 * Runs a command of the stub's monitor. The output, NUL-terminated and without other NULs, is the
 * caller's to free. RSP_UNSUPPORTED if the stub has no monitor. A command that the monitor does not
 * know may succeed and print a complaint.
 */
int rsp_monitor(struct rsp *rsp, const char *command, char **output);

/*
 * Makes memory reads take guest-physical addresses: on QEMU by Qqemu.PhyMemMode, on VMware by its
 * monitor's `phys`. What was set before is put back by rsp_release(). Does nothing where they take
 * them always, which may depend on the architecture in the target description, if that was read.
 * RSP_UNSUPPORTED where they take virtual ones only.
 */
int rsp_use_physical_memory(struct rsp *rsp);

/*
 * Makes reads take virtual addresses again, for good: a client that died may have left the stub set
 * to physical ones, and the next debugger would be misled. Does nothing where the mode is unknown.
 */
int rsp_use_virtual_memory(struct rsp *rsp);

/* Makes this thread the one whose page tables virtual addresses are read through. */
int rsp_select_thread(struct rsp *rsp, const struct rsp_thread *thread);

/*
 * From now on a read of an address asks for the one that is so much higher, modulo 2^64: of
 * virtual addresses, where physical memory is mapped at them in a row.
 */
void rsp_set_memory_base(struct rsp *rsp, uint64_t base);

/* A piece of memory that is wanted. */
struct rsp_read {
	uint64_t addr;
	size_t len;        /* not 0 */
	void *buf;         /* of len bytes; the caller's, untouched by him until done() */
	size_t unreadable; /* set by rsp_stream_memory(): bytes that are zero for want of better */
};

struct rsp_stream {
	/* Fills in addr, len and buf of the next piece; false if there is none (for now). */
	bool (*next)(void *ctx, struct rsp_read *piece);
	/*
	 * A piece is complete. Pieces come back in the order in which next() gave them. Returns 0
	 * to go on, a positive number to stop.
	 */
	int (*done)(void *ctx, const struct rsp_read *piece);
	/*
	 * Bytes that cannot be read, zero in buf; NULL if of no interest. Any order; twice where a
	 * connection was lost in between, and then they may be readable.
	 */
	void (*unreadable)(void *ctx, uint64_t addr, size_t len);
	void *ctx;
};

/*
 * Reads pieces with as many requests on their way as the stub and the link reward. Returns when
 * next() has no more and all pieces are done; next() is asked again whenever a piece is done. If
 * done() stops it, or on cancellation, the answers that are still due are drained first, so that
 * the connection can be used again. Returns 0; -1 after a failure; or what done() stopped it with.
 */
int rsp_stream_memory(struct rsp *rsp, const struct rsp_stream *stream);

/* Reads one piece; any unreadable byte makes it fail. */
int rsp_read_memory(struct rsp *rsp, uint64_t addr, void *buf, size_t len);

enum rsp_after {
	RSP_RESUME, /* the guest runs */
	RSP_STAY,   /* the guest stands still */
};

/*
 * Leaves the stub: waits for answers still due, puts the stub's settings back, detaches so that the
 * guest runs, or just closes. Cancellation does not interrupt it. Returns 0 when the guest was left
 * as asked, as far as the stub told; the connection is closed in any case.
 */
int rsp_release(struct rsp *rsp, enum rsp_after after);

#endif
