/* SPDX-License-Identifier: Apache-2.0 */
/* English, for the text layer.  The names of symbols are those of symbols.tsv. */
#include "text/language.h"

static const struct symbol fractions[] = {
    {0x00BC, "one quarter"},
    {0x00BD, "one half"},
    {0x00BE, "three quarters"},
    {0x2150, "one seventh"},
    {0x2151, "one ninth"},
    {0x2152, "one tenth"},
    {0x2153, "one third"},
    {0x2154, "two thirds"},
    {0x2155, "one fifth"},
    {0x2156, "two fifths"},
    {0x2157, "three fifths"},
    {0x2158, "four fifths"},
    {0x2159, "one sixth"},
    {0x215A, "five sixths"},
    {0x215B, "one eighth"},
    {0x215C, "three eighths"},
    {0x215D, "five eighths"},
    {0x215E, "seven eighths"},
    {0, NULL},
};

static const struct symbol address_marks[] = {
    {'.', "dot"},           {'/', "slash"},  {'-', "dash"},  {'_', "underscore"}, {'@', "at"},
    {'?', "question mark"}, {'=', "equals"}, {'&', "and"},   {'#', "hash"},       {'%', "percent"},
    {'~', "tilde"},         {'+', "plus"},   {':', "colon"}, {0, NULL},
};

static const struct text_currency currencies[] = {
    {0x00A3, " pound ", " pounds "},     {0x00A5, " yen ", " yen "},
    {0x20A6, " naira ", " naira "},      {0x20A9, " won ", " won "},
    {0x20AA, " shekel ", " shekels "},   {0x20AB, " dong ", " dong "},
    {0x20AC, " euro ", " euros "},       {0x20B1, " peso ", " pesos "},
    {0x20B4, " hryvnia ", " hryvnias "}, {0x20B5, " cedi ", " cedis "},
    {0x20B8, " tenge ", " tenge "},      {0x20B9, " rupee ", " rupees "},
    {0x20BA, " lira ", " lira "},        {0x20BD, " rouble ", " roubles "},
    {0x20BF, " bitcoin ", " bitcoin "},  {0, NULL, NULL},
};

static const char *const scales[] = {" thousand", " million", " billion", " trillion", NULL};

static const char *const abbreviations[] = {
    "adm", "al",   "approx", "brig", "ca",  "capt", "cf",   "cmdr", "col",  "cpl",  "dr",     "drs",
    "eg",  "esp",  "gen",    "gov",  "hon", "ie",   "insp", "jr",   "lt",   "maj",  "messrs", "mlle",
    "mme", "mmes", "mr",     "mrs",  "ms",  "msgr", "mt",   "mx",   "ph.d", "pres", "prof",   "pvt",
    "rep", "rev",  "sen",    "sgt",  "sr",  "st",   "supt", "viz",  "vs",   NULL};

static const char *const number_abbreviations[] = {
    "apr", "art", "aug", "ch",  "dec", "ed", "eq", "eqs", "feb",  "fig", "figs", "jan", "jul",  "jun",
    "mar", "no",  "nos", "nov", "oct", "p",  "pp", "sec", "sept", "sep", "v",    "vol", "vols", NULL};

/* Firms, streets, days of the week. */
static const char *const doubtful_abbreviations[] = {
    "ave",  "assn", "blvd", "bros",  "co",  "corp", "ct",   "dept", "fri", "hwy", "inc",
    "intl", "ln",   "ltd",  "mfg",   "mon", "pkwy", "pl",   "plc",  "rd",  "sat", "sq",
    "sun",  "thu",  "thur", "thurs", "tue", "tues", "univ", "wed",  NULL};

static const char *const sentence_starters[] = {
    "a",     "after", "all",  "also",  "although", "an",   "and",  "as",    "at",    "but", "by",   "for",
    "from",  "he",    "her",  "here",  "his",      "how",  "i",    "if",    "in",    "it",  "its",  "my",
    "no",    "not",   "now",  "on",    "one",      "or",   "our",  "she",   "since", "so",  "some", "that",
    "the",   "their", "then", "there", "these",    "they", "this", "those", "to",    "we",  "what", "when",
    "where", "while", "who",  "why",   "with",     "yes",  "yet",  "you",   "your",  NULL};

const struct text_language text_english = {
    .name = "english",
    .symbol_name = symbol_name,
    .fractions = fractions,
    .address_marks = address_marks,
    .squared = " squared ",
    .cubed = " cubed ",
    .conjunction = " and ",
    .power = " to the ",
    .power_minus = " to the minus ",
    .power_plus = " to the plus ",
    .minus = " minus ",
    .plus = " plus ",
    .currencies = currencies,
    .scales = scales,
    .abbreviations = abbreviations,
    .number_abbreviations = number_abbreviations,
    .doubtful_abbreviations = doubtful_abbreviations,
    .sentence_starters = sentence_starters,
};
