/* graph.h - the HTTP side of Graph: who calls, what with, and the answer's form. */
#ifndef CALRELAY_FAKE_GRAPH_H
#define CALRELAY_FAKE_GRAPH_H

#include "common/httpd.h"

void graph_handle(struct httpd_request *request);	/* /v1.0/... */
void graph_handle_batch(struct httpd_request *request); /* POST /v1.0/$batch */

#endif
