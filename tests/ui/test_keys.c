/* Keys by name, escape sequences, pastes and mouse; what is not known is swallowed whole. */
#include "app/command.h"
#include "base/text.h"
#include "ui/bindings.h"
#include "ui/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void test_every_key_of_the_table_has_a_name(void **state)
{
    const struct command *rows;
    size_t count = command_table(&rows);
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < COMMAND_KEYS && rows[i].keys[k].key != NULL; k++) {
            struct key key, again;
            char name[KEYS_NAME_SIZE];
            if (!keys_parse(rows[i].keys[k].key, &key))
                fail_msg("%s: no key '%s'", rows[i].name, rows[i].keys[k].key);
            assert_string_equal(keys_name(&key, name), rows[i].keys[k].key);
            assert_true(keys_parse(name, &again) && keys_equal(&key, &again));
        }
}

/* Two commands on one key must differ in how narrow their scopes are, or never be valid together. */
static void test_no_key_means_two_things(void **state)
{
    static const unsigned screens = SCOPE_SCREENS, focus = SCOPE_MAP | SCOPE_LIST,
                          time = SCOPE_REPLAY | SCOPE_LIVE,
                          groups[] = {screens, focus, time, SCOPE_GLOBAL, SCOPE_DIALOG};
    const struct command *rows;
    size_t count = command_table(&rows);
    for (size_t i = 0; i < count * COMMAND_KEYS; i++)
        for (size_t j = i + 1; j < count * COMMAND_KEYS; j++) {
            const struct command_key *a = &rows[i / COMMAND_KEYS].keys[i % COMMAND_KEYS],
                                     *b = &rows[j / COMMAND_KEYS].keys[j % COMMAND_KEYS];
            if (a->key == NULL || b->key == NULL || strcmp(a->key, b->key) != 0)
                continue;
            for (size_t g = 0; g < LENGTH(groups); g++)
                if ((a->scopes & b->scopes & groups[g]) != 0)
                    fail_msg("'%s' is %s and %s", a->key, rows[i / COMMAND_KEYS].name,
                             rows[j / COMMAND_KEYS].name);
        }
}

static void test_names(void **state)
{
    struct key key;
    char label[KEYS_NAME_SIZE];
    assert_true(keys_parse("ctrl+l", &key));
    assert_int_equal(key.code, 'l');
    assert_int_equal(key.modifiers, KEYS_CTRL);
    assert_true(keys_parse("+", &key) && key.code == '+');
    assert_true(keys_parse("ctrl++", &key) && key.code == '+' && key.modifiers == KEYS_CTRL);
    assert_false(keys_parse("", &key));
    assert_false(keys_parse("nokey", &key));
    assert_false(keys_parse("\x01", &key));
    assert_string_equal(keys_label("enter", GLYPHS_BRAILLE, label), "↵");
    assert_string_equal(keys_label("enter", GLYPHS_ASCII, label), "Enter");
    assert_string_equal(keys_label("ctrl+d", GLYPHS_BRAILLE, label), "^D");
    assert_string_equal(keys_label("shift+tab", GLYPHS_BRAILLE, label), "Shift-Tab");
}

/* Feeds text and writes what came of it as words. */
static struct decode decoder;
static char *feed(const char *text, bool idle)
{
    static char words[512];
    words[0] = '\0';
    struct input input;
    for (const char *end = text + strlen(text); text < end || idle;) {
        bool got;
        if (text < end) {
            got = decode_feed(&decoder, text_next_rune(&text, end), 1000000, &input);
        } else {
            got = decode_idle(&decoder, &input);
            idle = false;
        }
        if (!got)
            continue;
        size_t length = strlen(words);
        char name[KEYS_NAME_SIZE];
        static const char *const mouse[] = {"press", "double", "move", "up", "down"};
        if (input.kind == INPUT_KEY)
            snprintf(words + length, sizeof words - length, "%s ", keys_name(&input.key, name));
        else if (input.kind == INPUT_MOUSE)
            snprintf(words + length, sizeof words - length, "%s@%d,%d ", mouse[input.mouse], input.x,
                     input.y);
        else
            snprintf(words + length, sizeof words - length, "[%s] ", input.paste);
    }
    return words;
}

static void test_decode(void **state)
{
    static const struct {
        const char *sent, *expected;
    } cases[] = {
        {"aZ é", "a Z space é "},
        {"\r\t\x7f\x01\x1a", "enter tab backspace ctrl+a ctrl+z "},
        {"\033", "esc "},
        {"\033\033", "esc esc "},
        {"\033x", "alt+x "},
        {"\033[A\033OB\033[1;5C\033[3~\033[Z", "up down ctrl+right delete shift+tab "},
        {"\033[15~\033[24~\033OP", "f5 f12 f1 "},
        {"\033[99~q", "q "},    /* unknown */
        {"\033[27;5;113~", ""}, /* a key we have no name for: not 2, 7, q */
        {"\033]11;rgb:0000/0000/0000\033\\q", "q "},
        {"\033]52;c;aGk=\007q", "q "},
        {"\033P1$r0m\033\\q", "q "},
        {"\033[<0;10;5M\033[<0;10;5m", "press@9,4 "},
        {"\033[<0;3;3M\033[<32;4;3M\033[<0;4;3m\033[<35;5;3M", "press@2,2 move@3,2 "},
        {"\033[<64;1;1M\033[<65;1;1M", "up@0,0 down@0,0 "},
        {"\033[<2;1;1M", ""},
        {"\033[M !!", "press@0,0 "},
        {"\033[200~rm -rf /\nq\033[201~z", "[rm -rf /\nq] z "},
        {"\033[200~a\033[20b\033[201~", "[a[20b] "},
        {"\033[", "alt+[ "},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        memset(&decoder, 0, sizeof decoder);
        assert_string_equal(feed(cases[i].sent, true), cases[i].expected);
    }
    memset(&decoder, 0, sizeof decoder);
    assert_string_equal(feed("\033[?2026;2$y", true), "");
    assert_true(decoder.knows_sync);
    assert_string_equal(feed("\033]11;rgb:ffff/FAfa/e0e0\033\\", true), "");
    assert_true(decoder.knows_background && decoder.light);
    assert_string_equal(feed("\033]11;rgb:1c/1c/1c\007", true), "");
    assert_false(decoder.light);
    assert_string_equal(feed("\033]11;rgb:zz/1c\007\033]11;rgb:\007", true), "");
    assert_string_equal(feed("\033[<0;10;5M\033[<0;10;5m\033[<0;10;5M", true), "press@9,4 double@9,4 ");
}

static void test_decode_survives_anything(void **state)
{
    uint32_t seed = 7;
    struct input input;
    memset(&decoder, 0, sizeof decoder);
    for (int i = 0; i < 300000; i++) {
        seed = seed * 1664525u + 1013904223u;
        static const char likely[] = "\033[<;?MmO]P200~201~0123456789ABy$\007\\";
        uint32_t rune = (seed >> 8) % 4 == 0
                            ? seed >> 12 & 0x1FFF
                            : (uint32_t)(unsigned char)likely[(seed >> 10) % (sizeof likely - 1)];
        if (decode_feed(&decoder, rune, i, &input) && input.kind == INPUT_KEY)
            assert_false(text_is_control(input.key.code) && input.key.code < KEYS_BEGIN);
        if (seed >> 16 == 9)
            decode_idle(&decoder, &input);
    }
    /* A paste that never ends is bounded. */
    memset(&decoder, 0, sizeof decoder);
    feed("\033[200~", false);
    for (int i = 0; i < 2 * DECODE_PASTE_MAX; i++)
        assert_false(decode_feed(&decoder, 'x', 0, &input));
    assert_string_not_equal(feed("\033[201~", false), "");
    assert_true(decoder.paste_cut);
}

static void test_narrow_scopes_win(void **state)
{
    static const struct command rows[] = {
        {.name = "global", .keys = {{"x", SCOPE_GLOBAL, NULL, "g", 5}}},
        {.name = "drive", .keys = {{"x", SCOPE_DRIVE, NULL, "d", 1}}},
        {.name = "map", .keys = {{"x", SCOPE_MAP, "in", "m", 3}, {"y", SCOPE_MAP, "in", "m", 3}}},
    };
    const struct commands commands = {rows, LENGTH(rows)};
    struct key key = {.code = 'x'};
    struct binding binding;
    char line[64];
    assert_true(binding_find(&commands, &key, SCOPE_GLOBAL | SCOPE_DRIVE | SCOPE_MAP, &binding));
    assert_string_equal(binding_line(&binding, line, sizeof line), "map in");
    assert_true(binding_find(&commands, &key, SCOPE_GLOBAL | SCOPE_DRIVE, &binding));
    assert_string_equal(binding.command->name, "drive");
    assert_false(binding_find(&commands, &key, SCOPE_DIALOG, &binding));
    struct binding_label labels[8];
    assert_int_equal(binding_labels(&commands, ~0u, GLYPHS_BRAILLE, labels, 8), 3);
    assert_string_equal(labels[0].label, "d");
    assert_string_equal(labels[1].keys, "x y");
    assert_ptr_equal(binding_command(&commands, "dr"), &rows[1]);
    assert_null(binding_command(&commands, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_of_the_table_has_a_name),
        cmocka_unit_test(test_no_key_means_two_things),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_survives_anything),
        cmocka_unit_test(test_narrow_scopes_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
