// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scripted-stub: a gdb stub for tests.
 *
 *	scripted-stub [-l ADDRESS] [-o LOG] [-n COUNT] [-e SETTING]... [DESCRIPTION]
 *	scripted-stub [-l ADDRESS] [-o LOG] [-n COUNT] -r SCRIPT
 *
 * It serves a machine (description.c has the settings; each -e adds one behind the file's) or
 *replays a conversation (serve.h has the form). ADDRESS is HOST:PORT, where port 0 takes a free
 *one, [V6]:PORT, the path of a unix socket, or "-", the default, for standard input and output.
 *When it listens, the port or path is printed, a line alone. It ends after COUNT connections, 1 by
 *default, with the worst status of them: see enum wire_end.
 */
#include <errno.h>
#include <libgen.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/stub/serve.h"

enum { EXIT_USAGE = 2, EXIT_TROUBLE = 3 };

static void die(const char *what, const char *about)
{
	fprintf(stderr, "scripted-stub: %s: %s\n", about, what);
	exit(EXIT_TROUBLE);
}

static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		die(strerror(errno), path);
	if (getdelim(&text, &size, '\0', file) < 0)
		text = strdup("");
	fclose(file);
	return text;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		die("too long for a socket", path);
	strcpy(address.sun_path, path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) || listen(fd, 4))
		die(strerror(errno), path);
	printf("%s\n", path);
	return fd;
}

static int listen_tcp(char *text)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *found = NULL;
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	char *port = strrchr(text, ':');
	char service[NI_MAXSERV];
	int fd, rc, on = 1;

	*port++ = '\0';
	if (*text == '[') {
		text++;
		text[strlen(text) - 1] = '\0';
	}
	rc = getaddrinfo(text, port, &hints, &found);
	if (rc)
		die(gai_strerror(rc), text);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 4))
		die(strerror(errno), text);
	freeaddrinfo(found);
	if (getsockname(fd, (struct sockaddr *)&address, &size) ||
		getnameinfo((struct sockaddr *)&address, size, NULL, 0, service, sizeof(service),
			NI_NUMERICSERV))
		die("no port", text);
	printf("%s\n", service);
	return fd;
}

struct job {
	struct machine machine;
	char *script; /* NULL to serve the machine */
	FILE *log;
};

static enum wire_end converse(struct job *job, int in, int out)
{
	if (job->script)
		return replay(job->script, in, out, job->log);
	return serve(&job->machine, in, out, job->log);
}

static enum wire_end converse_on(struct job *job, char *address, long connections)
{
	enum wire_end worst = WIRE_CLOSED;
	int listener, on = 1;

	if (strcmp(address, "-") == 0)
		return converse(job, STDIN_FILENO, STDOUT_FILENO);
	listener = strchr(address, '/') ? listen_unix(address) : listen_tcp(address);
	fflush(stdout);
	for (; connections; connections--) {
		int fd = accept(listener, NULL, NULL);
		enum wire_end end;

		if (fd < 0)
			die(strerror(errno), "accept");
		/* Not on a unix socket, which needs it not. */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		end = converse(job, fd, fd);
		close(fd);
		if (end > worst)
			worst = end;
	}
	close(listener);
	return worst;
}

static void describe(struct job *job, const char *text, const char *directory)
{
	char why[256];

	if (machine_describe(&job->machine, text, directory, why, sizeof(why)))
		die(why, "description");
}

static void describe_by_file(struct job *job, const char *path)
{
	char *text = read_whole(path);
	char *copy = strdup(path);

	describe(job, text, dirname(copy));
	free(copy);
	free(text);
}

static void describe_by_option(struct job *job, const char *setting)
{
	char *line = NULL;

	if (asprintf(&line, "%s\n", setting) < 0)
		die("no memory", setting);
	describe(job, line, ".");
	free(line);
}

int main(int argc, char **argv)
{
	static char standard[] = "-";
	struct job job = { .log = NULL };
	char *address = standard;
	const char *log = "/dev/null";
	char **settings = calloc((size_t)argc, sizeof(*settings));
	size_t count = 0;
	long connections = 1;
	enum wire_end end;
	int option;

	if (!settings)
		return EXIT_TROUBLE;
	machine_init(&job.machine);
	while ((option = getopt(argc, argv, "l:o:n:e:r:")) != -1) {
		switch (option) {
		case 'l':
			address = optarg;
			break;
		case 'o':
			log = optarg;
			break;
		case 'n':
			connections = strtol(optarg, NULL, 10);
			break;
		case 'e':
			settings[count++] = optarg;
			break;
		case 'r':
			job.script = read_whole(optarg);
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		describe_by_file(&job, argv[optind]);
	for (size_t i = 0; i < count; i++)
		describe_by_option(&job, settings[i]);
	job.log = fopen(log, "w");
	if (!job.log)
		die(strerror(errno), log);
	signal(SIGPIPE, SIG_IGN);
	end = converse_on(&job, address, connections);
	fclose(job.log);
	machine_deinit(&job.machine);
	free(job.script);
	free(settings);
	return (int)end;
}
