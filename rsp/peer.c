// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/peer.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The ports of a TCP connection, and where the kernel lists those of its kind. */
struct connection {
	const char *list;
	uint16_t ours, theirs;
};

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_storage room;
};

static uint16_t port_of(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET ? address->four.sin_port
						       : address->six.sin6_port);
}

/* The number of the socket at the other end, 0 if it is not listed: its ports are ours crosswise.
 */
static unsigned long find_socket(const struct connection *connection)
{
	FILE *list = fopen(connection->list, "re");
	unsigned long found = 0;
	char line[512];

	while (list && !found && fgets(line, sizeof(line), list)) {
		unsigned local, remote;
		unsigned long inode;

		/* sl local rem st tx:rx tr:when retransmit uid timeout inode */
		if (sscanf(line,
			    " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %*x %*x:%*x %*x:%*x %*x %*u %*d "
			    "%lu",
			    &local, &remote, &inode) == 3 &&
			local == connection->theirs && remote == connection->ours)
			found = inode;
	}
	if (list)
		fclose(list);
	return found;
}

static bool holds(const char *process, const char *socket)
{
	char path[300], target[64];
	DIR *directory;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%s/fd", process);
	directory = opendir(path);
	for (struct dirent *entry; directory && !found && (entry = readdir(directory));) {
		ssize_t size = readlinkat(
			dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		target[size > 0 ? size : 0] = '\0';
		found = strcmp(target, socket) == 0;
	}
	if (directory)
		closedir(directory);
	return found;
}

static pid_t find_holder(unsigned long inode)
{
	DIR *directory = opendir("/proc");
	char socket[64];
	pid_t found = 0;

	snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
	for (struct dirent *entry; directory && !found && (entry = readdir(directory));) {
		if (isdigit((unsigned char)entry->d_name[0]) && holds(entry->d_name, socket))
			found = (pid_t)atol(entry->d_name);
	}
	if (directory)
		closedir(directory);
	return found;
}

/* Of both ends, which must be of one family. */
static bool get_addresses(const struct rsp_link *link, union address *ours, union address *theirs)
{
	socklen_t our_size = sizeof(*ours), their_size = sizeof(*theirs);

	memset(ours, 0, sizeof(*ours));
	memset(theirs, 0, sizeof(*theirs));
	return getsockname(link->fd, &ours->any, &our_size) == 0 &&
	       getpeername(link->fd, &theirs->any, &their_size) == 0 &&
	       ours->any.sa_family == theirs->any.sa_family;
}

static bool is_one_host(const union address *ours, const union address *theirs)
{
	switch (ours->any.sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ours->four.sin_addr.s_addr == theirs->four.sin_addr.s_addr;
	case AF_INET6:
		return memcmp(&ours->six.sin6_addr, &theirs->six.sin6_addr,
			       sizeof(ours->six.sin6_addr)) == 0;
	default:
		return false;
	}
}

bool rsp_peer_is_local(const struct rsp_link *link)
{
	union address ours, theirs;

	return get_addresses(link, &ours, &theirs) && is_one_host(&ours, &theirs);
}

static pid_t find_listener(int fd)
{
	struct ucred listener;
	socklen_t size = sizeof(listener);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &size) == 0 ? listener.pid : 0;
}

pid_t rsp_peer_process(const struct rsp_link *link)
{
	union address ours, theirs;
	struct connection connection;
	unsigned long inode;

	if (!get_addresses(link, &ours, &theirs) || !is_one_host(&ours, &theirs))
		return 0;
	if (ours.any.sa_family == AF_UNIX)
		return find_listener(link->fd);
	connection = (struct connection){
		.list = ours.any.sa_family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6",
		.ours = port_of(&ours),
		.theirs = port_of(&theirs),
	};
	inode = find_socket(&connection);
	/* A server for both families lists its end of a connection by IPv4 among those of IPv6. */
	if (!inode && ours.any.sa_family == AF_INET) {
		connection.list = "/proc/net/tcp6";
		inode = find_socket(&connection);
	}
	return inode ? find_holder(inode) : 0;
}
