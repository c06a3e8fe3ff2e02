/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How stubs are told from each other, for the table in quirks.c: recognise() of the rows. Most show
 * themselves by their answer to qSupported, those who do not know it by how they list threads.
 */
#ifndef RSP_FINGERPRINT_H
#define RSP_FINGERPRINT_H

struct rsp;
struct rsp_reply;

int rsp_is_qemu(struct rsp *rsp);
int rsp_is_firecracker(struct rsp *rsp);
int rsp_is_cloud_hypervisor(struct rsp *rsp);
int rsp_is_crosvm(struct rsp *rsp);
int rsp_is_gdbstub_crate(struct rsp *rsp);
int rsp_is_bhyve(struct rsp *rsp);
int rsp_is_virtualbox(struct rsp *rsp);
int rsp_is_openocd(struct rsp *rsp);
int rsp_is_black_magic(struct rsp *rsp);
int rsp_is_renode(struct rsp *rsp);
int rsp_is_gem5(struct rsp *rsp);
int rsp_is_valgrind(struct rsp *rsp);
int rsp_is_gdbserver(struct rsp *rsp);
int rsp_is_rr(struct rsp *rsp);

/* By an answer to qfThreadInfo: of stubs that have no features to tell. */
int rsp_lists_as_kgdb(struct rsp *rsp, const struct rsp_reply *reply);
int rsp_lists_as_gdbsx(struct rsp *rsp, const struct rsp_reply *reply);
int rsp_lists_as_bochs(struct rsp *rsp, const struct rsp_reply *reply);

/* By its monitor; asked only when nothing else is known. */
int rsp_is_vmware(struct rsp *rsp);

#endif
