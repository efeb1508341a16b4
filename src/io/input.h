/* input.h: moved to base/input.h. */
#ifndef HEED_IO_INPUT_H
#define HEED_IO_INPUT_H

#include "base/input.h"

#endif
