/* replay.c - runs a fuzz target on the files of folders, once each, without libFuzzer.
 *
 * usage: <target> FOLDER...; the exit status is 1 where a folder is missing or empty. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

#define REPLAY_MAX_BYTES (1u << 20)

static bool replay_file(const char *folder, const char *name)
{
	static uint8_t data[REPLAY_MAX_BYTES];
	char path[4096];
	char *copy;
	FILE *file;
	size_t size;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		return false;
	}
	size = fread(data, 1, sizeof data, file);
	fclose(file);
	copy = check_copy(data, size);
	LLVMFuzzerTestOneInput((const uint8_t *)copy, size);
	free(copy);
	return true;
}

static int replay_folder(const char *folder)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	int count = 0;

	if (entries == NULL) {
		perror(folder);
		return 0;
	}
	while ((entry = readdir(entries)) != NULL) {
		if (entry->d_name[0] != '.') {
			count += replay_file(folder, entry->d_name) ? 1 : 0;
		}
	}
	closedir(entries);
	return count;
}

int main(int argc, char **argv)
{
	bool ok = argc > 1;

	for (int i = 1; i < argc; i++) {
		int count = replay_folder(argv[i]);

		printf("%s: %d\n", argv[i], count);
		ok = ok && count > 0;
	}
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
