/* The prompt: editing, history, completion. */
#include "app/command.h"
#include "ui/complete.h"
#include "ui/prompt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char history[][PROMPT_MAX] = {"speed 10", "follow veh-0007", "speed 60", "incident fire"};

static enum prompt_answer press(struct prompt *prompt, const char *names)
{
    enum prompt_answer answer = PROMPT_NOTHING;
    char name[32];
    while (*names != '\0') {
        size_t length = strcspn(names, " ");
        snprintf(name, sizeof name, "%.*s", (int)length, names);
        struct key key;
        if (!keys_parse(name, &key))
            fail_msg("no key %s", name);
        answer = prompt_key(prompt, &key);
        names += length + strspn(names + length, " ");
    }
    return answer;
}

static struct prompt *opened(const char *text)
{
    static struct prompt prompt;
    prompt_open(&prompt, ":", text, history, 4);
    return &prompt;
}

static void test_editing(void **state)
{
    static const struct {
        const char *text, *keys, *expected;
        int cursor; /* bytes */
    } cases[] = {
        {"", "a b c", "abc", 3},
        {"abc", "left X", "abXc", 3},
        {"abc", "home x end y", "xabcy", 5},
        {"abc def", "ctrl+w", "abc ", 4},
        {"abc def  ", "ctrl+w ctrl+w", "", 0},
        {"abc def", "ctrl+a ctrl+k", "", 0},
        {"abc def", "alt+b ctrl+u", "def", 0},
        {"abc", "ctrl+a delete", "bc", 0},
        {"abc", "backspace backspace", "a", 1},
        {"né", "backspace", "n", 1},
        {"ne\xCC\x81x", "left backspace", "nx", 1}, /* e with a combining accent goes at once */
        {"路線", "left x", "路x線", 4},
        {"a b c", "ctrl+left ctrl+left ctrl+right", "a b c", 3},
        {"abc", "ctrl+b ctrl+b ctrl+f ctrl+d", "ab", 2},
        {"abc", "alt+d home alt+d", "", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct prompt *prompt = opened(cases[i].text);
        press(prompt, cases[i].keys);
        assert_string_equal(prompt->text, cases[i].expected);
        assert_int_equal(prompt->cursor, cases[i].cursor);
    }
}

static void test_answers(void **state)
{
    assert_int_equal(press(opened("x"), "enter"), PROMPT_ACCEPT);
    assert_int_equal(press(opened("x"), "esc"), PROMPT_CANCEL);
    assert_int_equal(press(opened("x"), "ctrl+c"), PROMPT_CANCEL);
    assert_int_equal(press(opened("x"), "tab"), PROMPT_COMPLETE);
    assert_int_equal(press(opened("x"), "shift+tab"), PROMPT_COMPLETE_BACK);
    assert_int_equal(press(opened(""), "backspace"), PROMPT_CANCEL);
    assert_int_equal(press(opened("x"), "f5"), PROMPT_NOTHING);
}

static void test_history(void **state)
{
    struct prompt *prompt = opened("");
    press(prompt, "up");
    assert_string_equal(prompt->text, "speed 10");
    press(prompt, "up up up up");
    assert_string_equal(prompt->text, "incident fire");
    press(prompt, "down");
    assert_string_equal(prompt->text, "speed 60");
    prompt = opened("sp");
    press(prompt, "up up up");
    assert_string_equal(prompt->text, "speed 60"); /* only those that begin so */
    press(prompt, "down down");
    assert_string_equal(prompt->text, "sp"); /* and what was typed comes back */
    prompt = opened("");
    press(prompt, "ctrl+r v e h");
    assert_string_equal(prompt->text, "follow veh-0007");
    assert_int_equal(press(prompt, "enter"), PROMPT_ACCEPT);
    prompt = opened("");
    press(prompt, "ctrl+r s p ctrl+r");
    assert_string_equal(prompt->text, "speed 60");
}

static void test_bounded_and_harmless(void **state)
{
    struct prompt *prompt = opened("");
    char much[4096];
    memset(much, 'x', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    prompt_insert(prompt, much);
    assert_int_equal(prompt->length, PROMPT_MAX - 1);
    press(prompt, "é y");
    assert_int_equal(strlen(prompt->text), PROMPT_MAX - 1);
    prompt = opened("");
    prompt_insert(prompt, "a\033[31m\nb\x7f\xC2\x9B\xFF"
                          "c");
    assert_string_equal(prompt->text, "a[31m bc");
}

static const struct command rows[] = {
    {.name = "speed", .arguments = "<x>|faster|slower|max", .flags = COMMAND_UI},
    {.name = "screen", .arguments = "<screen>", .flags = COMMAND_UI},
    {.name = "select", .arguments = "next", .flags = COMMAND_UI | COMMAND_HIDDEN},
    {.name = "goto", .arguments = "<place>", .flags = COMMAND_UI},
    {.name = "theme", .aliases = "color", .arguments = "[default|contrast]", .flags = COMMAND_UI},
    {.name = "batch", .summary = "only on the command line"},
};
static const struct commands commands = {rows, sizeof rows / sizeof rows[0]};

static void expect(const char *line, const char *words)
{
    struct completion completion;
    char got[COMPLETE_SIZE] = "";
    complete_line(&commands, NULL, line, strlen(line), &completion);
    for (size_t i = 0, at = 0; i < completion.count; i++, at += strlen(completion.words + at) + 1) {
        strcat(got, completion.words + at);
        strcat(got, " ");
    }
    assert_string_equal(got, words);
}

static void test_completion(void **state)
{
    expect("s", "screen speed ");
    expect("b", "");
    expect("speed ", "faster max slower ");
    expect("speed f", "faster ");
    expect("speed faster ", "");
    expect("color c", "contrast ");
    expect("screen d", "drive ");
    expect("goto \"milton k", "\"Milton Keynes\" ");
    expect("nothing ", "");

    struct prompt *prompt = opened("sp");
    struct completion completion;
    complete_line(&commands, NULL, prompt->text, prompt->cursor, &completion);
    assert_true(prompt_offer(prompt, completion.word_start, completion.words, completion.count));
    assert_string_equal(prompt->text, "speed ");
    complete_line(&commands, NULL, prompt->text, prompt->cursor, &completion);
    assert_false(prompt_offer(prompt, completion.word_start, completion.words, completion.count));
    assert_int_equal(prompt->candidate_count, 3);
    prompt_cycle(prompt, false);
    assert_string_equal(prompt->text, "speed faster");
    prompt_cycle(prompt, true);
    assert_string_equal(prompt->text, "speed slower");
    assert_int_equal(press(prompt, "esc"), PROMPT_CHANGED); /* puts the candidates away first */
    assert_int_equal(press(prompt, "esc"), PROMPT_CANCEL);
}

static void test_drawing_keeps_the_cursor_in_sight(void **state)
{
    struct prompt *prompt = opened("follow a vehicle with a name that is longer than the terminal is wide");
    struct canvas canvas = canvas_create(30, 3, GLYPHS_BRAILLE);
    int x = prompt_draw(prompt, &canvas, 2);
    assert_true(x > 0 && x < 30);
    char *text = canvas_dump(&canvas);
    assert_non_null(strstr(text, "is wide"));
    free(text);
    press(prompt, "home");
    assert_int_equal(prompt_draw(prompt, &canvas, 2), 1);
    canvas_destroy(&canvas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_editing),    cmocka_unit_test(test_answers),
        cmocka_unit_test(test_history),    cmocka_unit_test(test_bounded_and_harmless),
        cmocka_unit_test(test_completion), cmocka_unit_test(test_drawing_keeps_the_cursor_in_sight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
