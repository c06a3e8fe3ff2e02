// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/capture.h"

#include <stdlib.h>
#include <unistd.h>

static void must(int worked)
{
	if (!worked)
		abort();
}

void capture_start(struct capture *capture, int fd)
{
	fflush(NULL);
	capture->fd = fd;
	capture->saved = dup(fd);
	capture->file = tmpfile();
	must(capture->saved >= 0 && capture->file != NULL);
	must(dup2(fileno(capture->file), fd) == fd);
}

char *capture_end(struct capture *capture)
{
	char *text;
	long size;

	fflush(NULL);
	must(dup2(capture->saved, capture->fd) == capture->fd);
	close(capture->saved);
	must(fseek(capture->file, 0, SEEK_END) == 0);
	size = ftell(capture->file);
	must(size >= 0);
	text = malloc((size_t)size + 1);
	must(text != NULL);
	rewind(capture->file);
	must(fread(text, 1, (size_t)size, capture->file) == (size_t)size);
	text[size] = '\0';
	fclose(capture->file);
	return text;
}
