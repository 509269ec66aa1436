/*
 * One line of text being edited: the `:` prompt, the `/` filter, a name typed to confirm. Knows editing,
 * history and how to show candidates; what a line means is its owner's. Bounded; UTF-8; pure but for drawing
 * on a canvas.
 */
#ifndef SMARTCITY_UI_PROMPT_H
#define SMARTCITY_UI_PROMPT_H

#include "ui/keys.h"

#define PROMPT_MAX        256 /* bytes with the NUL: what the history keeps of a line */
#define PROMPT_HISTORY    200
#define PROMPT_CANDIDATES 4096

enum prompt_answer {
    PROMPT_NOTHING,
    PROMPT_CHANGED,
    PROMPT_ACCEPT,
    PROMPT_CANCEL,
    PROMPT_COMPLETE,
    PROMPT_COMPLETE_BACK
};

struct prompt {
    bool open;
    char label[24]; /* ":" or "filter vehicles /" */
    char text[PROMPT_MAX];
    size_t length, cursor; /* bytes */
    /* history, newest first; borrowed from the owner while open */
    const char (*history)[PROMPT_MAX];
    size_t history_count;
    size_t history_at;      /* 0: the line itself */
    char typed[PROMPT_MAX]; /* what Up and Down keep as beginning */
    bool searching;         /* Ctrl-R */
    char search[64];
    /* candidates of the word at word_start */
    size_t word_start;
    size_t candidate_count, candidate_at; /* at == count: none chosen */
    char candidates[PROMPT_CANDIDATES];   /* each ends with NUL */
};

void prompt_open(struct prompt *prompt, const char *label, const char *text,
                 const char (*history)[PROMPT_MAX], size_t history_count);
void prompt_close(struct prompt *prompt);
enum prompt_answer prompt_key(struct prompt *prompt, const struct key *key);
/* Pasted or given text: line breaks become blanks, controls are left out, what does not fit is cut. */
void prompt_insert(struct prompt *prompt, const char *text);

/* Candidates for the text from word_start to the cursor, NUL-separated. Fills in what all have in common;
 * true when that was all there was to do, false when the candidates are to be shown (or there are none). */
bool prompt_offer(struct prompt *prompt, size_t word_start, const char *candidates, size_t count);
/* Puts the next (or previous) candidate in the place of the word. */
void prompt_cycle(struct prompt *prompt, bool back);

/* Draws label and text on row y, and candidates on row y - 1 when there are several; returns the cursor's
 * column. */
int prompt_draw(const struct prompt *prompt, struct canvas *canvas, int y);

#endif
