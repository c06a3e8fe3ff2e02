/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guardian does for an rspdump that was killed: it leaves the guest as that was asked to.
 */
#ifndef CLIENT_LET_GO_H
#define CLIENT_LET_GO_H

#include "client/guardian.h"

/* A guardian_act; ctx is the struct options. Says on stderr what has become of the guest.
 */
void let_go(const void *ctx, int fd, const struct guardian_orders *orders);

#endif
