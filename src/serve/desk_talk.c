/* desk_talk.c: what is said at every desk: greetings, thanks, goodbyes, the wish for a person; and
 * the desk's own sentences. */
#include <string.h>

#include "base/text.h"
#include "serve/desk_impl.h"

enum { FIRST_IDEOGRAPH = 0x2e80 };

typedef struct phrase {
    const char *words;
    desk_talk what;
} phrase;

static const phrase phrases[] = {
    { "hi", TALK_GREETING },
    { "hi there", TALK_GREETING },
    { "hello", TALK_GREETING },
    { "hello there", TALK_GREETING },
    { "hey", TALK_GREETING },
    { "hey there", TALK_GREETING },
    { "greetings", TALK_GREETING },
    { "good morning", TALK_GREETING },
    { "good afternoon", TALK_GREETING },
    { "good evening", TALK_GREETING },
    { "good day", TALK_GREETING },
    { "你好", TALK_GREETING },
    { "您好", TALK_GREETING },
    { "早上好", TALK_GREETING },
    { "下午好", TALK_GREETING },
    { "晚上好", TALK_GREETING },
    { "thanks", TALK_THANKS },
    { "thank you", TALK_THANKS },
    { "thanks a lot", TALK_THANKS },
    { "thank you very much", TALK_THANKS },
    { "thank you so much", TALK_THANKS },
    { "many thanks", TALK_THANKS },
    { "thx", TALK_THANKS },
    { "ok thanks", TALK_THANKS },
    { "okay thanks", TALK_THANKS },
    { "great thanks", TALK_THANKS },
    { "great thank you", TALK_THANKS },
    { "ok thank you", TALK_THANKS },
    { "perfect thanks", TALK_THANKS },
    { "that helped", TALK_THANKS },
    { "that helps thanks", TALK_THANKS },
    { "谢谢", TALK_THANKS },
    { "谢谢你", TALK_THANKS },
    { "谢谢您", TALK_THANKS },
    { "多谢", TALK_THANKS },
    { "非常感谢", TALK_THANKS },
    { "bye", TALK_GOODBYE },
    { "bye bye", TALK_GOODBYE },
    { "goodbye", TALK_GOODBYE },
    { "good bye", TALK_GOODBYE },
    { "see you", TALK_GOODBYE },
    { "thanks bye", TALK_GOODBYE },
    { "that is all", TALK_GOODBYE },
    { "that s all", TALK_GOODBYE },
    { "that s all thanks", TALK_GOODBYE },
    { "再见", TALK_GOODBYE },
    { "拜拜", TALK_GOODBYE },
    { "human", TALK_PERSON },
    { "person", TALK_PERSON },
    { "a human", TALK_PERSON },
    { "a person", TALK_PERSON },
    { "a human please", TALK_PERSON },
    { "agent", TALK_PERSON },
    { "operator", TALK_PERSON },
    { "agent please", TALK_PERSON },
    { "human please", TALK_PERSON },
    { "talk to a person", TALK_PERSON },
    { "talk to a human", TALK_PERSON },
    { "speak to a human", TALK_PERSON },
    { "speak to a person", TALK_PERSON },
    { "i want to talk to a human", TALK_PERSON },
    { "i want to talk to a person", TALK_PERSON },
    { "人工", TALK_PERSON },
    { "转人工", TALK_PERSON },
    { "人工客服", TALK_PERSON },
};

/* The next word of text that is no mark. */
static bool next(const char *text, size_t size, size_t *at, heed_word *w) {
    while (heed__word_next(text, size, at, w))
        if (!heed__word_is_mark(w)) return true;
    return false;
}

/* Whether text begins with all words of the phrase; *after: where its other words begin. */
static bool begins(const char *text, size_t size, const char *words, size_t *after, bool *whole) {
    const size_t len = strlen(words);
    size_t at = 0, of = 0;
    heed_word said, meant;
    while (next(words, len, &of, &meant))
        if (!next(text, size, &at, &said) || said.len != meant.len ||
            memcmp(said.form, meant.form, (size_t)said.len) != 0)
            return false;
    *whole = !next(text, size, &at, &said);
    *after = *whole ? size : said.begin;
    return true;
}

desk_talk heed__desk_talk(const char *text, const char **rest) {
    const size_t size = strlen(text);
    size_t after, farthest = 0;
    bool whole;
    *rest = text;
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        if (!begins(text, size, phrases[i].words, &after, &whole)) continue;
        if (whole) return phrases[i].what;
        if (phrases[i].what == TALK_GREETING && after > farthest) farthest = after;
    }
    if (farthest) {
        *rest = text + farthest;
        const char *more;
        if (heed__desk_talk(*rest, &more) == TALK_GREETING) return TALK_GREETING; /* hello, hi */
    }
    return TALK_NONE;
}

typedef struct sentence {
    const char *en, *zh;
} sentence;

static const sentence sentences[] = {
    [SAY_GREETING] = { "Hello! How can I help you?", "您好！请问有什么可以帮您？" },
    [SAY_THANKS] = { "You are welcome. Is there anything else I can do?",
                     "不客气。还有其他可以帮您的吗？" },
    [SAY_GOODBYE] = { "Goodbye, and thank you for writing.", "再见，感谢您的来信。" },
    [SAY_EMPTY] = { "Please write what you need, and I will look for it.",
                    "请写下您的问题，我来为您查找。" },
    [SAY_HAND_OVER] = { "I am handing this over to a person, with what we have said so far.",
                        "我现在为您转接人工客服，并附上以上对话。" },
    [SAY_OUT_OF_SCOPE] = { "That is outside of what I can help with. If it matters here, a person "
                           "can take over.",
                           "这超出了我能回答的范围。如有需要，可以为您转接人工客服。" },
    [SAY_NOTHING_FOUND] = { "I found nothing about that in what I can search.",
                            "在我能查找的资料中，没有找到相关内容。" },
    [SAY_ASK] = { "I need to know one thing more", "我还需要了解一点" },
};

const char *heed__desk_sentence(desk_say what, const char *text) {
    const size_t size = strlen(text);
    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        const size_t n = heed__utf8_next(text + at, size - at, &code);
        if (n && code >= FIRST_IDEOGRAPH && code < 0xff00) return sentences[what].zh;
        at += n ? n : 1;
    }
    return sentences[what].en;
}
