/* route.h - which URL is whose: connect's whole table of routes. */
#ifndef CALRELAY_CONNECT_ROUTE_H
#define CALRELAY_CONNECT_ROUTE_H

#include <stddef.h>

#include "common/httpd.h"

extern const struct httpd_route ROUTES[];
extern const size_t ROUTE_COUNT;

#endif
