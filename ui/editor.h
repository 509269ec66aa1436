/*
 * Several lines of text being edited: SQL. Knows editing, scrolling, candidates of a completion and how SQL
 * is coloured; what is done with the text is its owner's. Bounded; UTF-8; pure but for drawing on a canvas.
 */
#ifndef SMARTCITY_UI_EDITOR_H
#define SMARTCITY_UI_EDITOR_H

#include "ui/keys.h"

#define EDITOR_MAX        32768 /* bytes with the NUL */
#define EDITOR_CANDIDATES 64

enum editor_answer {
    EDITOR_NOTHING, /* the key means nothing here */
    EDITOR_MOVED,
    EDITOR_CHANGED,
    EDITOR_LEAVE,
    EDITOR_COMPLETE, /* Tab where no candidates are shown: the owner offers some */
    EDITOR_OLDER,    /* up in the first line, ctrl+p: the text asked before */
    EDITOR_NEWER
};

struct editor_candidate {
    char text[72];
    char detail[56];
};

struct editor {
    char text[EDITOR_MAX];
    size_t length, cursor; /* bytes */
    int column;            /* cells, that up and down keep; -1: the cursor's own */
    size_t top;            /* first line shown */
    int left;              /* first cell shown */
    size_t candidate_count, candidate_at, word_start;
    struct editor_candidate candidates[EDITOR_CANDIDATES];
};

/* Controls become blanks, what does not fit is cut; the cursor goes to the end. */
void editor_set(struct editor *editor, const char *text);
void editor_insert(struct editor *editor, const char *text);
enum editor_answer editor_key(struct editor *editor, const struct key *key);

/* The word before the cursor, dots and quotes included; its length. */
size_t editor_word(const struct editor *editor, size_t *start);
/* Candidates for it: one is put there at once, of several what all have in common; they are then shown. */
void editor_offer(struct editor *editor, const struct editor_candidate *candidates, size_t count);

/* Draws text and candidates; *x, *y the cursor's cell. `words` says whether a word is a keyword (bold). */
void editor_draw(struct editor *editor, struct canvas *canvas, bool typing,
                 bool (*keyword)(const char *word, size_t length), int *x, int *y);

#endif
