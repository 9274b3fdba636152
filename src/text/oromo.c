/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Afaan Oromoo, for the text layer.  The names are those of mathematics and punctuation in schools where
 * there is one, else loans as they are written in Qubee; a symbol without a name is counted as a loss.  A
 * noun comes before its number, so that a sign of money is said where it is written.  docs/LANGUAGES.md has
 * the sources.
 */
#include "base/cleanup.h"
#include "text/language.h"

static const char *oromo_symbol(uint32_t code_point)
{
    static const struct symbol names[] = {
        {0x00A2, "saantima"},        {0x00A3, "paawundii"}, {0x00A5, "yeenii"},        {0x00A7, "keewwata"},
        {0x00B1, "ida'uu hir'isuu"}, {0x00D7, "baay'isuu"}, {0x00F7, "hiruu"},         {0x20AC, "yuuroo"},
        {0x20B9, "ruupii"},          {0x2116, "lakkoofsa"}, {0x2260, "wal qixa miti"},
    };

    return symbol_find(names, array_length(names), code_point);
}

/* A numerator is a cardinal, a denominator an ordinal behind it; a half and a quarter have words of their
 * own. */
static const struct symbol fractions[] = {
    {0x00BC, "kurmaana"},
    {0x00BD, "walakkaa"},
    {0x00BE, "sadii afuraffaa"},
    {0x2150, "tokko torbaffaa"},
    {0x2151, "tokko sagalaffaa"},
    {0x2152, "tokko kudhanaffaa"},
    {0x2153, "tokko sadaffaa"},
    {0x2154, "lama sadaffaa"},
    {0x2155, "tokko shanaffaa"},
    {0x2156, "lama shanaffaa"},
    {0x2157, "sadii shanaffaa"},
    {0x2158, "afur shanaffaa"},
    {0x2159, "tokko jahaffaa"},
    {0x215A, "shan jahaffaa"},
    {0x215B, "tokko saddeetaffaa"},
    {0x215C, "sadii saddeetaffaa"},
    {0x215D, "shan saddeetaffaa"},
    {0x215E, "torba saddeetaffaa"},
    {0, NULL},
};

static const struct symbol address_marks[] = {
    {'.', "tuqaa"},    {'/', "islaashii"},  {'-', "sarara"},   {'_', "sarara jalaa"},
    {'@', "aat"},      {'?', "gaaffii"},    {'=', "wal qixa"}, {'&', "fi"},
    {'#', "haashii"},  {'%', "dhibbentaa"}, {'~', "tildee"},   {'+', "ida'uu"},
    {':', "tuqlamee"}, {0, NULL},
};

static const struct text_currency currencies[] = {{0, NULL, NULL}};

static const char *const none[] = {NULL};

static const char *const abbreviations[] = {
    "aadd", "dr", "fkn", "hub", "inj", "jen", "kol", "ob", "obb", "pirof", "prof", NULL,
};

/* Months are among them: "Onk. 12". */
static const char *const number_abbreviations[] = {
    "ado", "ama", "bilb", "bit",  "br",  "cam", "elb", "ful", "fuul", "gur",
    "hag", "kew", "lak",  "lakk", "mud", "onk", "qar", "sad", "wax",  NULL,
};

const struct text_language text_oromo = {
    .name = "oromo",
    .symbol_name = oromo_symbol,
    .fractions = fractions,
    .address_marks = address_marks,
    /* Units are said in front of their number, so that the engine must see them whole. */
    .squared = "^2",
    .cubed = "^3",
    .degree = "^o",
    .conjunction = " fi ",
    .power = " humna ",
    .power_minus = " humna hir'isuu ",
    .power_plus = " humna ida'uu ",
    .minus = " hir'isuu ",
    .plus = " ida'uu ",
    .spaced_ranges = true,
    .currencies = currencies,
    .scales = none,
    .abbreviations = abbreviations,
    .number_abbreviations = number_abbreviations,
    .doubtful_abbreviations = none,
    .sentence_starters = none,
};
