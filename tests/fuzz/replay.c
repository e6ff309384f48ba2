/* Gives every file of a folder to a fuzzing harness: the corpus as a test, without a fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay(const char *folder, const char *name)
{
	buf_auto path = { .limit = 4 * KIB };
	text_auto *data = NULL;
	size_t size;

	if (!buf_addf(&path, "%s/%s", folder, name))
		return false;
	data = text_file(buf_text(&path), MIB, &size);
	if (!data)
		return false;
	LLVMFuzzerTestOneInput((const uint8_t *)data, size);
	return true;
}

static int replay_all(DIR *folder, const char *path)
{
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		if (!replay(path, entry->d_name))
			return -1;
		count++;
	}
	return count;
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	int count;

	if (!folder) {
		fprintf(stderr, "usage: replay FOLDER\n");
		return 2;
	}
	count = replay_all(folder, argv[1]);
	closedir(folder);
	printf("%d inputs\n", count);
	return count > 0 ? 0 : 1;
}
