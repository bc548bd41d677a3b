/* settings.h - the producer's configuration, as the environment gave it. */
#ifndef CALRELAY_PRODUCER_SETTINGS_H
#define CALRELAY_PRODUCER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/hostmap.h"

#define SETTINGS_REQUESTS_PUBLICATION "calrelay_requests"

struct settings {
	char *database_url;
	char *kafka_bootstrap;
	char *kafka_config_file;
	char *prefix;
	int64_t partitions;
	int64_t replication_factor; /* -1: the broker's default */
	char *slot;
	char *publication;
	char *mapping_file;
	bool transaction_metadata;
	bool schemas_enable;
	char *http_listen;

	struct hostmap map;
};

#endif
