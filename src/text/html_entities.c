/* Named character references: HTML 4 (the W3C's table) and those of HTML 5 that postings use. Sorted by name. */
#include "text/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

struct entity {
    char name[JC_HTML_ENTITY_MAX + 1];
    uint16_t code;
};

static const struct entity entities[] = {
    {"AElig", 0x00c6},   {"AMP", 0x0026},     {"Aacute", 0x00c1},   {"Acirc", 0x00c2},   {"Agrave", 0x00c0},
    {"Alpha", 0x0391},   {"Aogon", 0x0104},   {"Aring", 0x00c5},    {"Atilde", 0x00c3},  {"Auml", 0x00c4},
    {"Beta", 0x0392},    {"COPY", 0x00a9},    {"Cacute", 0x0106},   {"Ccaron", 0x010c},  {"Ccedil", 0x00c7},
    {"Chi", 0x03a7},     {"Dagger", 0x2021},  {"Delta", 0x0394},    {"ETH", 0x00d0},     {"Eacute", 0x00c9},
    {"Ecirc", 0x00ca},   {"Egrave", 0x00c8},  {"Eogon", 0x0118},    {"Epsilon", 0x0395}, {"Eta", 0x0397},
    {"Euml", 0x00cb},    {"GT", 0x003e},      {"Gamma", 0x0393},    {"Gbreve", 0x011e},  {"Iacute", 0x00cd},
    {"Icirc", 0x00ce},   {"Idot", 0x0130},    {"Igrave", 0x00cc},   {"Iota", 0x0399},    {"Iuml", 0x00cf},
    {"Kappa", 0x039a},   {"LT", 0x003c},      {"Lambda", 0x039b},   {"Lstrok", 0x0141},  {"Mu", 0x039c},
    {"Nacute", 0x0143},  {"NewLine", 0x000a}, {"Ntilde", 0x00d1},   {"Nu", 0x039d},      {"OElig", 0x0152},
    {"Oacute", 0x00d3},  {"Ocirc", 0x00d4},   {"Ograve", 0x00d2},   {"Omega", 0x03a9},   {"Omicron", 0x039f},
    {"Oslash", 0x00d8},  {"Otilde", 0x00d5},  {"Ouml", 0x00d6},     {"Phi", 0x03a6},     {"Pi", 0x03a0},
    {"Prime", 0x2033},   {"Psi", 0x03a8},     {"QUOT", 0x0022},     {"REG", 0x00ae},     {"Rho", 0x03a1},
    {"Sacute", 0x015a},  {"Scaron", 0x0160},  {"Scedil", 0x015e},   {"Sigma", 0x03a3},   {"THORN", 0x00de},
    {"Tab", 0x0009},     {"Tau", 0x03a4},     {"Theta", 0x0398},    {"Uacute", 0x00da},  {"Ucirc", 0x00db},
    {"Ugrave", 0x00d9},  {"Upsilon", 0x03a5}, {"Uuml", 0x00dc},     {"Xi", 0x039e},      {"Yacute", 0x00dd},
    {"Yuml", 0x0178},    {"Zacute", 0x0179},  {"Zcaron", 0x017d},   {"Zdot", 0x017b},    {"Zeta", 0x0396},
    {"aacute", 0x00e1},  {"acirc", 0x00e2},   {"acute", 0x00b4},    {"aelig", 0x00e6},   {"agrave", 0x00e0},
    {"alefsym", 0x2135}, {"alpha", 0x03b1},   {"amp", 0x0026},      {"and", 0x2227},     {"ang", 0x2220},
    {"aogon", 0x0105},   {"apos", 0x0027},    {"aring", 0x00e5},    {"ast", 0x002a},     {"asymp", 0x2248},
    {"atilde", 0x00e3},  {"auml", 0x00e4},    {"bdquo", 0x201e},    {"beta", 0x03b2},    {"brvbar", 0x00a6},
    {"bsol", 0x005c},    {"bull", 0x2022},    {"cacute", 0x0107},   {"cap", 0x2229},     {"caron", 0x02c7},
    {"ccaron", 0x010d},  {"ccedil", 0x00e7},  {"cedil", 0x00b8},    {"cent", 0x00a2},    {"check", 0x2713},
    {"chi", 0x03c7},     {"circ", 0x02c6},    {"clubs", 0x2663},    {"colon", 0x003a},   {"comma", 0x002c},
    {"commat", 0x0040},  {"cong", 0x2245},    {"copy", 0x00a9},     {"crarr", 0x21b5},   {"cup", 0x222a},
    {"curren", 0x00a4},  {"dArr", 0x21d3},    {"dagger", 0x2020},   {"darr", 0x2193},    {"dash", 0x2010},
    {"deg", 0x00b0},     {"delta", 0x03b4},   {"diams", 0x2666},    {"divide", 0x00f7},  {"dollar", 0x0024},
    {"eacute", 0x00e9},  {"ecirc", 0x00ea},   {"egrave", 0x00e8},   {"empty", 0x2205},   {"emsp", 0x2003},
    {"ensp", 0x2002},    {"eogon", 0x0119},   {"epsilon", 0x03b5},  {"equals", 0x003d},  {"equiv", 0x2261},
    {"eta", 0x03b7},     {"eth", 0x00f0},     {"euml", 0x00eb},     {"euro", 0x20ac},    {"excl", 0x0021},
    {"exist", 0x2203},   {"fnof", 0x0192},    {"forall", 0x2200},   {"frac12", 0x00bd},  {"frac14", 0x00bc},
    {"frac34", 0x00be},  {"frasl", 0x2044},   {"gamma", 0x03b3},    {"gbreve", 0x011f},  {"ge", 0x2265},
    {"grave", 0x0060},   {"gt", 0x003e},      {"hArr", 0x21d4},     {"hairsp", 0x200a},  {"harr", 0x2194},
    {"hearts", 0x2665},  {"hellip", 0x2026},  {"horbar", 0x2015},   {"hyphen", 0x2010},  {"iacute", 0x00ed},
    {"icirc", 0x00ee},   {"iexcl", 0x00a1},   {"igrave", 0x00ec},   {"image", 0x2111},   {"imath", 0x0131},
    {"infin", 0x221e},   {"int", 0x222b},     {"iota", 0x03b9},     {"iquest", 0x00bf},  {"isin", 0x2208},
    {"iuml", 0x00ef},    {"kappa", 0x03ba},   {"lArr", 0x21d0},     {"lambda", 0x03bb},  {"lang", 0x2329},
    {"laquo", 0x00ab},   {"larr", 0x2190},    {"lbrack", 0x005b},   {"lceil", 0x2308},   {"lcub", 0x007b},
    {"ldquo", 0x201c},   {"le", 0x2264},      {"lfloor", 0x230a},   {"lowast", 0x2217},  {"lowbar", 0x005f},
    {"loz", 0x25ca},     {"lpar", 0x0028},    {"lrm", 0x200e},      {"lsaquo", 0x2039},  {"lsqb", 0x005b},
    {"lsquo", 0x2018},   {"lstrok", 0x0142},  {"lt", 0x003c},       {"macr", 0x00af},    {"mdash", 0x2014},
    {"micro", 0x00b5},   {"middot", 0x00b7},  {"minus", 0x2212},    {"mu", 0x03bc},      {"nabla", 0x2207},
    {"nacute", 0x0144},  {"nbsp", 0x00a0},    {"ndash", 0x2013},    {"ne", 0x2260},      {"ni", 0x220b},
    {"not", 0x00ac},     {"notin", 0x2209},   {"nsub", 0x2284},     {"ntilde", 0x00f1},  {"nu", 0x03bd},
    {"num", 0x0023},     {"numsp", 0x2007},   {"oacute", 0x00f3},   {"ocirc", 0x00f4},   {"oelig", 0x0153},
    {"ograve", 0x00f2},  {"oline", 0x203e},   {"omega", 0x03c9},    {"omicron", 0x03bf}, {"oplus", 0x2295},
    {"or", 0x2228},      {"ordf", 0x00aa},    {"ordm", 0x00ba},     {"oslash", 0x00f8},  {"otilde", 0x00f5},
    {"otimes", 0x2297},  {"ouml", 0x00f6},    {"para", 0x00b6},     {"part", 0x2202},    {"percnt", 0x0025},
    {"period", 0x002e},  {"permil", 0x2030},  {"perp", 0x22a5},     {"phi", 0x03c6},     {"phone", 0x260e},
    {"pi", 0x03c0},      {"piv", 0x03d6},     {"plus", 0x002b},     {"plusmn", 0x00b1},  {"pound", 0x00a3},
    {"prime", 0x2032},   {"prod", 0x220f},    {"prop", 0x221d},     {"psi", 0x03c8},     {"puncsp", 0x2008},
    {"quest", 0x003f},   {"quot", 0x0022},    {"rArr", 0x21d2},     {"radic", 0x221a},   {"rang", 0x232a},
    {"raquo", 0x00bb},   {"rarr", 0x2192},    {"rbrack", 0x005d},   {"rceil", 0x2309},   {"rcub", 0x007d},
    {"rdquo", 0x201d},   {"real", 0x211c},    {"reg", 0x00ae},      {"rfloor", 0x230b},  {"rho", 0x03c1},
    {"rlm", 0x200f},     {"rpar", 0x0029},    {"rsaquo", 0x203a},   {"rsqb", 0x005d},    {"rsquo", 0x2019},
    {"sacute", 0x015b},  {"sbquo", 0x201a},   {"scaron", 0x0161},   {"scedil", 0x015f},  {"sdot", 0x22c5},
    {"sect", 0x00a7},    {"semi", 0x003b},    {"shy", 0x00ad},      {"sigma", 0x03c3},   {"sigmaf", 0x03c2},
    {"sim", 0x223c},     {"sol", 0x002f},     {"spades", 0x2660},   {"star", 0x2606},    {"starf", 0x2605},
    {"sub", 0x2282},     {"sube", 0x2286},    {"sum", 0x2211},      {"sup", 0x2283},     {"sup1", 0x00b9},
    {"sup2", 0x00b2},    {"sup3", 0x00b3},    {"supe", 0x2287},     {"szlig", 0x00df},   {"tau", 0x03c4},
    {"there4", 0x2234},  {"theta", 0x03b8},   {"thetasym", 0x03d1}, {"thinsp", 0x2009},  {"thorn", 0x00fe},
    {"tilde", 0x02dc},   {"times", 0x00d7},   {"trade", 0x2122},    {"uArr", 0x21d1},    {"uacute", 0x00fa},
    {"uarr", 0x2191},    {"ucirc", 0x00fb},   {"ugrave", 0x00f9},   {"uml", 0x00a8},     {"upsih", 0x03d2},
    {"upsilon", 0x03c5}, {"uuml", 0x00fc},    {"verbar", 0x007c},   {"vert", 0x007c},    {"weierp", 0x2118},
    {"xi", 0x03be},      {"yacute", 0x00fd},  {"yen", 0x00a5},      {"yuml", 0x00ff},    {"zacute", 0x017a},
    {"zcaron", 0x017e},  {"zdot", 0x017c},    {"zeta", 0x03b6},     {"zwj", 0x200d},     {"zwnj", 0x200c},
};

static int compare_name(const void *key, const void *element)
{
    const struct entity *entity = element;
    return strcmp(key, entity->name);
}

uint32_t jc_html_entity(const char *name, size_t n)
{
    char key[JC_HTML_ENTITY_MAX + 1] = "";
    if (n == 0 || n > JC_HTML_ENTITY_MAX)
        return 0;
    memcpy(key, name, n);
    const struct entity *entity = bsearch(key, entities, JC_COUNT(entities), sizeof *entities, compare_name);
    return entity ? entity->code : 0;
}
