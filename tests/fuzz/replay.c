// SPDX-License-Identifier: GPL-2.0-or-later
/* replay FILE...: runs a fuzzer's target once for each file, as libFuzzer would. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "re");
	long size = f && !fseek(f, 0, SEEK_END) ? ftell(f) : -1;
	uint8_t *data = size >= 0 ? malloc(size ? size : 1) : NULL;
	int ret = -1;

	if (data) {
		rewind(f);
		if (fread(data, 1, size, f) == (size_t)size)
			ret = LLVMFuzzerTestOneInput(data, size);
	}
	if (ret)
		perror(path);
	free(data);
	if (f)
		fclose(f);
	return ret;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
