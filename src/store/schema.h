/* schema.h: the tables of the store, made and migrated. */
#ifndef HEED_STORE_SCHEMA_H
#define HEED_STORE_SCHEMA_H

#include "store/db.h"

enum { HEED_SCHEMA_VERSION = 2, HEED_SCHEMA_ID = 0x68656564 };

/* Checks that the file is a store of a version that is known; makes or migrates the tables unless
 * read_only. 0 or a status. */
int heed__schema_open(heed_db *db, bool read_only, const heed_hooks *hooks, heed_error *err);

#endif
