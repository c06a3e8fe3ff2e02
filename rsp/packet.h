/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets as bytes, with no input or output in sight: framing, checksums, run lengths and escapes.
 * Parsing works in place on a caller's buffer and looks at no byte twice.
 */
#ifndef RSP_PACKET_H
#define RSP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum rsp_frame_kind {
	RSP_FRAME_NONE, /* nothing whole yet; nothing is consumed */
	RSP_FRAME_ACK,
	RSP_FRAME_NACK,
	RSP_FRAME_JUNK,         /* bytes between packets; a console's, say */
	RSP_FRAME_NOTIFICATION, /* %...#xx */
	RSP_FRAME_PACKET,
};

struct rsp_frame {
	enum rsp_frame_kind kind;
	size_t consumed; /* bytes of input that the frame is made of */
	uint8_t *body;   /* a packet's or notification's, between $ and # */
	size_t size;
	bool checksum_right;
	bool run_lengths; /* body has run lengths, see rsp_expand() */
};

/* How far an unfinished packet was looked through; all 0 at first. */
struct rsp_scan {
	size_t size; /* of its body */
	uint8_t sum;
	bool run_lengths;
};

/*
 * Looks for one frame at the start of size bytes. If it is not whole, hand *scan back with the
 * same bytes and more behind them.
 */
struct rsp_frame rsp_frame_parse(uint8_t *bytes, size_t size, struct rsp_scan *scan);

/*
 * Undoes run lengths. Returns the size of what was written to `to`, or -1 if it does not fit in
 * room or a run has nothing to repeat. The byte behind '*' is a count even where the protocol
 * forbids it: the Rust gdbstub crate before 0.7.9 sends '$' for a run of 8.
 */
ssize_t rsp_expand(const uint8_t *body, size_t size, uint8_t *to, size_t room);

/* Undoes the escapes of binary data in place; returns the new size. */
size_t rsp_unescape(uint8_t *bytes, size_t size);

/* Room for the frame around a packet: '$', '#' and two digits. */
enum { RSP_FRAMING = 4 };

/* Writes "$BODY#xx" to `to`, which has room for size + RSP_FRAMING bytes; returns its size. */
size_t rsp_frame_write(uint8_t *to, const void *body, size_t size);

#endif
