/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the library: one connection, and requests and answers on it. The descriptor is never
 * waited on without a deadline, and whoever waits to send also takes in what arrives: QEMU
 * writes its answers with its big lock held, so two sides that only send would both stand still.
 */
#ifndef RSP_CONNECTION_H
#define RSP_CONNECTION_H

#include "rsp/link.h"
#include "rsp/packet.h"
#include "rsp/quirks.h"
#include "rsp/rsp.h"
#include "rsp/window.h"

enum {
	RSP_INPUT_SIZE = RSP_PACKET_MAX + (256 << 10),
	RSP_OUTPUT_SIZE = 256 << 10,
	RSP_REQUEST_MAX = 4096,
	RSP_PROCESSES_MAX = 64,
	RSP_GATHER_SIZE = 128 << 10,
	RSP_AHEAD_MAX = 160,
	RSP_AHEAD_BODY_MAX = 64,
};

enum rsp_expect {
	RSP_EXPECT_ANSWER, /* stop packets and console output in between are passed over */
	RSP_EXPECT_STOP,   /* a stop packet is the answer */
	RSP_EXPECT_OUTPUT, /* O packets are part of the answer */
};

/* See step.c; all 0 on a new connection. */
struct rsp_step {
	size_t signs, answers; /* '+' that came, and answers with those that were lost */
	bool noisy;            /* bytes that are no packets belong to this link */
	bool lost;             /* what failed last was out of step; the rest may be in step again */
};

/* A request that is foreseen, and its answer, if it is there already. See ahead.h. */
struct rsp_foreseen {
	char body[RSP_AHEAD_BODY_MAX];
	enum rsp_expect expect;
	bool answered;
	char *text; /* with a NUL behind it */
	size_t size, capacity;
};

struct rsp_ahead {
	struct rsp_foreseen items[RSP_AHEAD_MAX]; /* as they were foreseen */
	size_t count;
	char *taken; /* the text of the answer that was asked for last */
	bool off;    /* a packet came damaged: on such a link they are made one by one */
};

struct rsp {
	struct rsp_options options;
	struct rsp_target target;
	struct rsp_link link;
	struct rsp_stub stub;
	struct rsp_will *will, own_will; /* the caller's, or ours */
	const struct rsp_quirks *quirks;

	enum rsp_failure failure;
	char error[512];

	uint8_t *input; /* RSP_INPUT_SIZE bytes; [in_start, in_end) is not parsed yet */
	size_t in_start, in_end;
	struct rsp_scan scan; /* of the packet at in_start */
	uint8_t *output;      /* RSP_OUTPUT_SIZE bytes; [out_start, out_end) is not sent yet */
	size_t out_start, out_end;
	uint8_t *expanded; /* RSP_PACKET_MAX + 1 bytes, for answers with run lengths */

	uint64_t heard; /* when the last byte came, or the first request after a quiet time went */
	size_t due;     /* requests without an answer yet */
	enum rsp_expect expected; /* what the last of them waits for */
	struct rsp_step step;
	struct rsp_ahead ahead;
	unsigned damaged; /* packets in a row with a wrong checksum */
	size_t chatter;   /* bytes since the last answer */
	/* Of the threads that were listed last, each once: whom to detach from. */
	uint64_t processes[RSP_PROCESSES_MAX];
	size_t process_count;
	char junk[40]; /* the first bytes that were no packet, for the message when none comes */
	size_t junk_size;
	unsigned pause_us;         /* of rsp_gather() where the link has no mark, 0 for none */
	struct rsp_window window;  /* of memory reads on their way */
	int (*recover)(void *ctx); /* see rsp_set_recovery() */
	void *recover_ctx;

	bool repeat;         /* the request that failed may be sent once more */
	bool features_known; /* what it answers to qSupported, if only nothing */
	bool answered;       /* a packet has come: there is a stub */
	bool junk_line_ended;
	bool streaming;                  /* answers are not acknowledged */
	bool uninterrupted;              /* cancel_fd is not looked at */
	bool attached_all;               /* rsp_attach_processes() was called */
	bool read_size_proven;           /* a read of stub.read_size bytes was answered in full */
	bool general_is_all;             /* `g` held all registers when they were last read */
	bool threadless;                 /* the stub lists no threads: none can be selected */
	bool memory_mode;                /* the stub has Qqemu.PhyMemMode */
	bool physical;                   /* what it is set to */
	uint64_t memory_base;            /* of all reads, see rsp_set_memory_base() */
	char architecture[RSP_NAME_MAX]; /* of the target description, if it was read */
};

/* An answer. The text has a NUL behind its size bytes, and lives until the next receive. */
struct rsp_reply {
	char *text;
	size_t size;
};

/* Notes the failure, and the reason with it; returns -1. */
int rsp_fail(struct rsp *rsp, enum rsp_failure failure, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Nobody has answered as a stub does: says what is known of who is there instead. Returns -1. */
int rsp_fail_unanswered(struct rsp *rsp, const char *what);

/* Queues a request; it leaves with the next rsp_flush() or receive. */
int rsp_send(struct rsp *rsp, const char *body, size_t size);

/* Sends what is queued. */
int rsp_flush(struct rsp *rsp);

/* Sends as much of it as the link takes now. */
int rsp_push(struct rsp *rsp);

/* Waits for the next answer, and acknowledges it where that is the custom. */
int rsp_receive(struct rsp *rsp, enum rsp_expect expect, struct rsp_reply *reply);

/* The next answer if it has come already: 1 if so, 0 if not, -1 on failure. */
int rsp_receive_ready(struct rsp *rsp, enum rsp_expect expect, struct rsp_reply *reply);

/* Waits until something arrives or leaves. */
int rsp_wait(struct rsp *rsp);

/*
 * The same where more than RSP_GATHER_SIZE bytes of answers are due: lets them gather for a moment.
 * QEMU writes each of them by itself, and to be woken for each costs both sides more than what is
 * in it.
 */
int rsp_gather(struct rsp *rsp);

/* Sends one request and waits for its answer; a packet that was damaged on the way is repeated. */
int rsp_request(struct rsp *rsp, enum rsp_expect expect, struct rsp_reply *reply,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Receives and drops all answers that are due. Not interrupted by cancellation. */
int rsp_drain(struct rsp *rsp);

/*
 * After a failure, or in the middle of something: drains, so that the connection can be used
 * again, and keeps the failure and its reason unless the connection is lost. Returns -1.
 */
int rsp_settle(struct rsp *rsp);

/* An answer came, or will not come any more: it is due no longer. */
void rsp_step_end(struct rsp *rsp);

/* A packet is damaged: if its '#' was, it has swallowed what was behind it. */
void rsp_step_joined(struct rsp *rsp, const struct rsp_frame *frame);

/*
 * What came besides answers: bytes that are no packet, a notification; a '-'. And an answer, before
 * it is counted as one. Return 0, or -1 with RSP_CONFUSED if it cannot have come from a stub whose
 * answers are in step with our requests.
 */
int rsp_step_junk(struct rsp *rsp);
int rsp_step_notification(struct rsp *rsp, const struct rsp_frame *frame);
void rsp_step_refused(struct rsp *rsp);

/* Whether what comes now can be an answer: a stop packet need not be one. */
bool rsp_step_may_answer(const struct rsp *rsp);
int rsp_step_answer(struct rsp *rsp);

/* The first words on a new connection: makes rsp->stub and rsp->quirks known. */
int rsp_greet(struct rsp *rsp);

/* Before another connection: nothing counts that was on its way, or was known of the stub. */
void rsp_forget(struct rsp *rsp);

enum rsp_farewell {
	RSP_FAREWELL_NOTHING, /* within the time that a stub may be silent */
	RSP_FAREWELL_OK,
	RSP_FAREWELL_OTHER, /* something else, or the end of the connection; it is to be read */
};

/* Waits for the answer to the last request. It is not read, but can be afterwards. */
enum rsp_farewell rsp_await_farewell(struct rsp *rsp);

/* Acknowledges it, where the stub waits for that before it lets the guest run. */
void rsp_sign_farewell(struct rsp *rsp);

/*
 * After a failure in the middle of reading memory: 0 if what was set by rsp_set_recovery() has made
 * the connection whole, so that all that is not done can be asked for anew.
 */
int rsp_recover(struct rsp *rsp);

/* Runs a command of the monitor whose output is of no interest. Returns 0 or -1. */
int rsp_run_command(struct rsp *rsp, const char *command);

/* "E14", "E.text": the stub's words for no. */
bool rsp_is_error(const struct rsp_reply *reply);

bool rsp_is(const struct rsp_reply *reply, const char *text);

/* A part of what the monitor prints. */
bool rsp_is_output(const struct rsp_reply *reply);

/*
 * Fails with RSP_REFUSED or RSP_UNSUPPORTED and says what was asked, if the reply is an error or
 * empty; else returns 0.
 */
int rsp_check(struct rsp *rsp, const struct rsp_reply *reply, const char *what);

#endif
