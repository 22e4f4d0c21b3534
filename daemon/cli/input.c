// SPDX-License-Identifier: GPL-2.0-or-later
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/hex.h"

static int read_all(int fd, const char *name, char **out, size_t *len, struct error *err)
{
	char *buf = malloc(CLI_INPUT_MAX + 1);
	size_t n = 0;
	ssize_t r;
	int ret;

	if (!buf)
		return error_set(err, -ENOMEM, "out of memory");
	while (n <= CLI_INPUT_MAX && (r = read(fd, buf + n, CLI_INPUT_MAX + 1 - n)) > 0)
		n += r;
	if (n <= CLI_INPUT_MAX && !r) {
		*out = buf;
		*len = n;
		return 0;
	}
	ret = n > CLI_INPUT_MAX ? -EFBIG : -errno;
	free(buf);
	return error_set(err, ret, "cannot read %s: %s", name, strerror(-ret));
}

static int from_fd(int fd, const char *name, uint8_t **out, size_t *len, struct error *err)
{
	char *buf = NULL;
	size_t n = 0;
	int ret = read_all(fd, name, &buf, &n, err);

	if (ret)
		return ret;
	if (!n) {
		free(buf);
		return error_set(err, -EINVAL, "%s is empty", name);
	}
	/*
	 * Text or bytes? Input that parses as text is text: every byte of an aggregate would have
	 * to be a hexadecimal digit or a separator by accident.
	 */
	if (hex_parse(buf, n, out, len, NULL)) {
		*out = (uint8_t *)buf;
		*len = n;
	} else {
		free(buf);
	}
	return 0;
}

static int from_file(const char *path, uint8_t **out, size_t *len, struct error *err)
{
	int ret, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		ret = -errno;
		return error_set(err, ret, "cannot open %s: %s", path, strerror(-ret));
	}
	ret = from_fd(fd, path, out, len, err);
	close(fd);
	return ret;
}

static int from_arguments(int argc, char **argv, bool files, uint8_t **out, size_t *len,
			  struct error *err)
{
	size_t n = 0;
	char *text, *end;
	int ret;

	for (int i = 0; i < argc; i++)
		n += strlen(argv[i]) + 1;
	text = calloc(1, n + 1);
	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	end = text;
	for (int i = 0; i < argc; i++)
		end = stpcpy(stpcpy(end, argv[i]), " ");
	ret = hex_parse(text, strlen(text), out, len, err);
	if (ret && files && argc == 1)
		error_hint(err, "there is no file of that name either");
	free(text);
	return ret;
}

int cli_input(int argc, char **argv, bool files, uint8_t **out, size_t *len, struct error *err)
{
	if (argc == 1 && !strcmp(argv[0], "-"))
		return from_fd(STDIN_FILENO, "standard input", out, len, err);
	if (argc == 1 && files && !access(argv[0], F_OK))
		return from_file(argv[0], out, len, err);
	return from_arguments(argc, argv, files, out, len, err);
}
