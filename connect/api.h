/* api.h - the JSON that connect answers: values in, text out. */
#ifndef CALRELAY_CONNECT_API_H
#define CALRELAY_CONNECT_API_H

#include "common/buf.h"
#include "connect/view.h"
#include "connect/words.h"

#define API_MAX_BYTES 65536

/* GET /api/calendar/connection */
void api_connection(struct buf *out, const struct view *view, int64_t now_s);
void api_request(struct buf *out, const struct view_request *request); /* GET …/requests/{id} */
void api_filed(struct buf *out, const char *request_id);	       /* 202 */
void api_trouble(struct buf *out, enum trouble trouble);

#endif
