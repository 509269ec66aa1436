#include "city/event.h"

#include <string.h>

static const char *const topics[EVENT_KIND_COUNT] = {
#define X(name, topic, word, noun) [name] = topic,
    EVENT_KINDS(X)
#undef X
};

static const char *const words[EVENT_KIND_COUNT] = {
#define X(name, topic, word, noun) [name] = word,
    EVENT_KINDS(X)
#undef X
};

static const char *const nouns[EVENT_KIND_COUNT] = {
#define X(name, topic, word, noun) [name] = noun,
    EVENT_KINDS(X)
#undef X
};

const char *event_topic(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KIND_COUNT ? topics[kind] : "?";
}

const char *event_word(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KIND_COUNT ? words[kind] : "?";
}

const char *event_noun(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KIND_COUNT ? nouns[kind] : "?";
}

const char *event_count_name(enum event_count_class class)
{
    static const char *const names[EVENT_COUNT_CLASSES] = {"car", "van", "hgv", "bus"};
    return (unsigned)class < EVENT_COUNT_CLASSES ? names[class] : "?";
}

int event_kind_from_topic(const char *topic)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (strcmp(topics[kind], topic) == 0)
            return kind;
    return -1;
}
