/* heed.h: all headers at once, from the simple to what it stands on: tasks.h and embed.h (a job in
 * three calls), text.h (tokenizers), models.h and nn.h (models and layers), train.h, io.h,
 * attention.h and ops.h (operations), tensor.h, base.h. Each stands alone as well.
 *
 *     heed_error err;
 *     heed_classifier *c = heed_classifier_open("models/intent", NULL, &err);
 *     if (!c) return fprintf(stderr, "%s\n", err.msg), 1;
 *     heed_label top[3];
 *     int n = heed_classify(c, "my card was charged twice", top, 3, &err);
 *     for (int i = 0; i < n; i++) printf("%-20s %.3f\n", top[i].name, top[i].score);
 *     heed_classifier_close(c);
 */
#ifndef HEED_HEED_H
#define HEED_HEED_H

#include <heed/attention.h>
#include <heed/base.h>
#include <heed/embed.h>
#include <heed/io.h>
#include <heed/models.h>
#include <heed/nn.h>
#include <heed/ops.h>
#include <heed/tasks.h>
#include <heed/tensor.h>
#include <heed/text.h>
#include <heed/train.h>

#endif
