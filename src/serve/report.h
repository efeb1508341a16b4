/* report.h: what one day brought: counted from the store, told as JSON, Markdown or one HTML file
 * that needs no network. Every number is a count over the events of that day as the store gives
 * them; every quote is a range of bytes of a stored text. */
#ifndef HEED_SERVE_REPORT_H
#define HEED_SERVE_REPORT_H

#include <jansson.h>

#include "flow/flow.h"
#include "store/store.h"

typedef struct heed_report_cfg {
    heed_store *store;
    const char *name; /* of the flow */
    const char *zone; /* "UTC", "+08:00": of hours and times; the day: from_ms and to_ms */
    int64_t zone_ms;
    int64_t from_ms, to_ms; /* by the flow's clock */
    int64_t most;           /* labels, entities, quotes, stories of each list */
} heed_report_cfg;

/* {"name","day","zone","from","to","events":{"count","before"},"judged","hours":[24],
 * "sources":[{"source","count","before","changed"}],
 * "analyses":[{"analysis","said","unsaid","labels":[{"label","count","before","changed"}]}],
 * "crossed":null|{"rows","columns","row":[...],"column":[...],"count":[[...]]},
 * "entities":[{"analysis","type","text","count","before","changed"}],
 * "alerts":[{"id","rule","grade","state","title","opened","events","says":[...]}],
 * "stories":[{"story","told","sources","title","first":{"seq","source","time"},
 *             "again":[{"source","times","seq","time","after_ms"}]}],
 * "quotes":[{"seq","source","time","field","begin","end","text","labels":[...],"rank"}]}
 * from, to, opened, time: RFC 3339 with the zone's offset; crossed: null where no event has a label
 * of both; before: of the day before; changed: the difference is more than three standard
 * deviations of two counts (false where the day before had no event at all). New reference; NULL
 * and *err. */
json_t *heed__report(const heed_report_cfg *cfg, heed_error *err);

/* heed__free; NULL: out of memory. */
char *heed__report_markdown(const json_t *report, size_t *size, heed_error *err);
char *heed__report_html(const json_t *report, size_t *size, heed_error *err);

#endif
