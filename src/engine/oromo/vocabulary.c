/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/oromo/vocabulary.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

struct entry {
    const char *key;
    const char *words;
};

/* In any case of letters. */
static const char *find(const struct entry *entries, size_t count, const char *key, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(entries[i].key) == length && strncasecmp(entries[i].key, key, length) == 0)
            return entries[i].words;
    return NULL;
}

const char *vocabulary_abbreviation(const char *text, size_t length)
{
    static const struct entry any_case[] = {
        {"a.l.a", "akka lakkoofsa awurooppaa"},
        {"a.l.e", "akka lakkoofsa itiyoophiyaa"},
        {"a.l.i", "akka lakkoofsa itiyoophiyaa"},
        {"aadd", "aadde"},
        {"bilb", "bilbila"},
        {"d.k.b", "dhaloota kiristoos booda"},
        {"d.k.d", "dhaloota kiristoos dura"},
        {"dr", "dooktar"},
        {"fkn", "fakkeenyaaf"},
        {"fuul", "fuula"},
        {"hub", "hubachiisaa"},
        {"inj", "injiiner"},
        {"jen", "jeneraal"},
        {"k.k.f", "kan kana fakkaatan"},
        {"kew", "keewwata"},
        {"kkf", "kan kana fakkaatan"},
        {"kmt", "kan mul'atu"},
        {"kol", "koloneel"},
        {"lak", "lakkoofsa"},
        {"lakk", "lakkoofsa"},
        {"ob", "obbo"},
        {"obb", "obbo"},
        {"pirof", "proofeesar"},
        {"prof", "proofeesar"},
        {"qar", "qarshii"},
        {"w.k.f", "waan kana fakkaatan"},
        {"wkf", "waan kana fakkaatan"},
        {"ykn", "yookiin"},
    };
    static const struct entry capitals[] = {
        {"Br", "birrii"},        {"ETB", "birrii"},      {"EUR", "yuuroo"},      {"USD", "doolaara"},
        {"W.B", "waaree booda"}, {"W.D", "waaree dura"}, {"WB", "waaree booda"}, {"WD", "waaree dura"},
    };
    for (size_t i = 0; i < array_length(capitals); i++)
        if (strlen(capitals[i].key) == length && strncmp(capitals[i].key, text, length) == 0)
            return capitals[i].words;
    return find(any_case, array_length(any_case), text, length);
}

const char *vocabulary_month(const char *token)
{
    /* Short forms of CLDR 41, common/main/om.xml. */
    static const struct entry months[] = {
        {"ama", "amajjii"},  {"gur", "guraandhala"},  {"bit", "bitootessa"}, {"elb", "eebila"},
        {"cam", "caamsaa"},  {"wax", "waxabajjii"},   {"ado", "adoolessa"},  {"hag", "hagayya"},
        {"ful", "fulbaana"}, {"onk", "onkoloolessa"}, {"sad", "sadaasa"},    {"mud", "mudde"},
    };

    return find(months, array_length(months), token, strlen(token));
}

const char *vocabulary_half_day(const char *token)
{
    static const struct entry halves[] = {
        {"a.m", "ganama"},
        {"am", "ganama"},
        {"p.m", "galgala"},
        {"pm", "galgala"},
    };

    return find(halves, array_length(halves), token, strlen(token));
}

const char *vocabulary_unit(const char *text, size_t length)
{
    static const struct entry units[] = {
        {"%", "dhibbentaa"},
        {"km", "kiiloomeetira"},
        {"m", "meetira"},
        {"cm", "seentiimeetira"},
        {"mm", "miiliimeetira"},
        {"kg", "kiiloograama"},
        {"g", "giraama"},
        {"mg", "miiliigiraama"},
        {"l", "liitira"},
        {"ml", "miiliiliitira"},
        {"ha", "hektaara"},
        {"kb", "kiiloobaayitii"},
        {"mb", "meegaabaayitii"},
        {"gb", "giigaabaayitii"},
        {"kw", "kiiloowaatii"},
        {"m^2", "meetira kaaree"},
        {"m2", "meetira kaaree"},
        {"km^2", "kiiloomeetira kaaree"},
        {"km2", "kiiloomeetira kaaree"},
        {"mm^2", "miiliimeetira kaaree"},
        {"cm^2", "seentiimeetira kaaree"},
        {"m^3", "meetira kuubii"},
        {"m3", "meetira kuubii"},
        {"cm^3", "seentiimeetira kuubii"},
        {"km/h", "sa'aatiitti kiiloomeetira"},
        {"km/sa'aatii", "sa'aatiitti kiiloomeetira"},
        {"^o", "digrii"},
        {"^oc", "digrii seelshiyeesii"},
        {"^of", "digrii faarenaayitii"},
    };
    /* Qarshii and doolaara, as Oromo has them, belong to what follows them. */
    static const struct entry currencies[] = {
        {"$", "doolaara"}, {"br", "birrii"},           {"birr", "birrii"},  {"etb", "birrii"},
        {"eur", "yuuroo"}, {"paawundii", "paawundii"}, {"usd", "doolaara"}, {"yuuroo", "yuuroo"},
    };
    const char *unit = NULL;

    /* A single capital is none, as in "5G", but for the L of litres. */
    if (length > 1 || !isupper((unsigned char)*text) || *text == 'L')
        unit = find(units, array_length(units), text, length);
    return unit != NULL ? unit : find(currencies, array_length(currencies), text, length);
}

const char *vocabulary_raised(const char *text, size_t *ret_length)
{
    static const struct entry raised[] = {
        {"^oc", "digrii seelshiyeesii"},
        {"^of", "digrii faarenaayitii"},
        {"^o", "digrii"},
        {"^2", "kaaree"},
        {"^3", "kuubii"},
    };

    for (size_t i = 0; i < array_length(raised); i++) {
        size_t length = strlen(raised[i].key);

        if (strncasecmp(raised[i].key, text, length) == 0 && !isalnum((unsigned char)text[length])) {
            *ret_length = length;
            return raised[i].words;
        }
    }
    return NULL;
}

const char *vocabulary_sign(char sign)
{
    static const char *const names[128] = {
        ['#'] = "lakkoofsa", ['$'] = "doolaara", ['%'] = "dhibbentaa", ['&'] = "fi",
        ['+'] = "ida'uu",    ['='] = "wal qixa", ['@'] = "aat",
    };

    return (unsigned char)sign < array_length(names) ? names[(unsigned char)sign] : NULL;
}

static bool is_one_of(const char *const *words, size_t count, const char *token)
{
    for (size_t i = 0; token != NULL && i < count; i++)
        if (strcasecmp(words[i], token) == 0)
            return true;
    return false;
}

static bool has_stem(const char *const *stems, size_t count, const char *token)
{
    for (size_t i = 0; token != NULL && i < count; i++)
        if (strncasecmp(stems[i], token, strlen(stems[i])) == 0)
            return true;
    return false;
}

bool vocabulary_is_ending(const char *token)
{
    static const char *const endings[] = {"f", "ffaa", "ffaaf", "ffaan", "ffaas", "ffaatiin", "ffaatti",
                                          "n", "s",    "ti",    "tiin",  "tti",   "ttis",     "tu"};

    return is_one_of(endings, array_length(endings), token);
}

bool vocabulary_is_english_ordinal(const char *letters)
{
    static const char *const endings[] = {"nd", "rd", "st", "th"};

    return is_one_of(endings, array_length(endings), letters);
}

bool vocabulary_is_hour(const char *token)
{
    /* With any ending: "sa'aatiin". */
    static const char *const stems[] = {"sa'a", "sa`a", "saatii"};

    return has_stem(stems, array_length(stems), token);
}

bool vocabulary_is_money(const char *token)
{
    static const char *const words[] = {"$", "birr", "br", "etb", "eur", "qar", "usd"};
    /* With any ending: "qarshiin". */
    static const char *const stems[] = {"birrii", "doolaar", "paawundii", "qarshii", "yuuroo"};

    return is_one_of(words, array_length(words), token) || has_stem(stems, array_length(stems), token);
}
