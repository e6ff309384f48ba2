/* The Unicode properties that ECMA-262 knows in \p{...}, by all their names, and what PCRE2 calls
 * them. */
#include <string.h>

#include "jsonschema/regex_tree.h"

enum { ALIASES = 3 };

struct property {
	const char *pcre;
	const char *names[ALIASES];
};

/* ECMA-262 table 70 and PropertyValueAliases.txt, gc. */
static const struct property categories[] = {
	{ "L", { "L", "Letter" } },
	{ "L&", { "LC", "Cased_Letter" } },
	{ "Lu", { "Lu", "Uppercase_Letter" } },
	{ "Ll", { "Ll", "Lowercase_Letter" } },
	{ "Lt", { "Lt", "Titlecase_Letter" } },
	{ "Lm", { "Lm", "Modifier_Letter" } },
	{ "Lo", { "Lo", "Other_Letter" } },
	{ "M", { "M", "Mark", "Combining_Mark" } },
	{ "Mn", { "Mn", "Nonspacing_Mark" } },
	{ "Mc", { "Mc", "Spacing_Mark" } },
	{ "Me", { "Me", "Enclosing_Mark" } },
	{ "N", { "N", "Number" } },
	{ "Nd", { "Nd", "Decimal_Number", "digit" } },
	{ "Nl", { "Nl", "Letter_Number" } },
	{ "No", { "No", "Other_Number" } },
	{ "P", { "P", "Punctuation", "punct" } },
	{ "Pc", { "Pc", "Connector_Punctuation" } },
	{ "Pd", { "Pd", "Dash_Punctuation" } },
	{ "Ps", { "Ps", "Open_Punctuation" } },
	{ "Pe", { "Pe", "Close_Punctuation" } },
	{ "Pi", { "Pi", "Initial_Punctuation" } },
	{ "Pf", { "Pf", "Final_Punctuation" } },
	{ "Po", { "Po", "Other_Punctuation" } },
	{ "S", { "S", "Symbol" } },
	{ "Sm", { "Sm", "Math_Symbol" } },
	{ "Sc", { "Sc", "Currency_Symbol" } },
	{ "Sk", { "Sk", "Modifier_Symbol" } },
	{ "So", { "So", "Other_Symbol" } },
	{ "Z", { "Z", "Separator" } },
	{ "Zs", { "Zs", "Space_Separator" } },
	{ "Zl", { "Zl", "Line_Separator" } },
	{ "Zp", { "Zp", "Paragraph_Separator" } },
	{ "C", { "C", "Other" } },
	{ "Cc", { "Cc", "Control", "cntrl" } },
	{ "Cf", { "Cf", "Format" } },
	{ "Cs", { "Cs", "Surrogate" } },
	{ "Co", { "Co", "Private_Use" } },
	{ "Cn", { "Cn", "Unassigned" } },
};

/* ECMA-262 table 69: binary properties (those that PCRE2 10.42 has; it lacks none but Assigned,
 * done below). */
static const struct property binaries[] = {
	{ "Any", { "Any" } },
	{ "ASCII", { "ASCII" } },
	{ "ASCII_Hex_Digit", { "ASCII_Hex_Digit", "AHex" } },
	{ "Alphabetic", { "Alphabetic", "Alpha" } },
	{ "Bidi_Control", { "Bidi_Control", "Bidi_C" } },
	{ "Bidi_Mirrored", { "Bidi_Mirrored", "Bidi_M" } },
	{ "Case_Ignorable", { "Case_Ignorable", "CI" } },
	{ "Cased", { "Cased" } },
	{ "Changes_When_Casefolded", { "Changes_When_Casefolded", "CWCF" } },
	{ "Changes_When_Casemapped", { "Changes_When_Casemapped", "CWCM" } },
	{ "Changes_When_Lowercased", { "Changes_When_Lowercased", "CWL" } },
	{ "Changes_When_Titlecased", { "Changes_When_Titlecased", "CWT" } },
	{ "Changes_When_Uppercased", { "Changes_When_Uppercased", "CWU" } },
	{ "Dash", { "Dash" } },
	{ "Default_Ignorable_Code_Point", { "Default_Ignorable_Code_Point", "DI" } },
	{ "Deprecated", { "Deprecated", "Dep" } },
	{ "Diacritic", { "Diacritic", "Dia" } },
	{ "Emoji", { "Emoji" } },
	{ "Emoji_Component", { "Emoji_Component", "EComp" } },
	{ "Emoji_Modifier", { "Emoji_Modifier", "EMod" } },
	{ "Emoji_Modifier_Base", { "Emoji_Modifier_Base", "EBase" } },
	{ "Emoji_Presentation", { "Emoji_Presentation", "EPres" } },
	{ "Extended_Pictographic", { "Extended_Pictographic", "ExtPict" } },
	{ "Extender", { "Extender", "Ext" } },
	{ "Grapheme_Base", { "Grapheme_Base", "Gr_Base" } },
	{ "Grapheme_Extend", { "Grapheme_Extend", "Gr_Ext" } },
	{ "Hex_Digit", { "Hex_Digit", "Hex" } },
	{ "IDS_Binary_Operator", { "IDS_Binary_Operator", "IDSB" } },
	{ "IDS_Trinary_Operator", { "IDS_Trinary_Operator", "IDST" } },
	{ "ID_Continue", { "ID_Continue", "IDC" } },
	{ "ID_Start", { "ID_Start", "IDS" } },
	{ "Ideographic", { "Ideographic", "Ideo" } },
	{ "Join_Control", { "Join_Control", "Join_C" } },
	{ "Logical_Order_Exception", { "Logical_Order_Exception", "LOE" } },
	{ "Lowercase", { "Lowercase", "Lower" } },
	{ "Math", { "Math" } },
	{ "Noncharacter_Code_Point", { "Noncharacter_Code_Point", "NChar" } },
	{ "Pattern_Syntax", { "Pattern_Syntax", "Pat_Syn" } },
	{ "Pattern_White_Space", { "Pattern_White_Space", "Pat_WS" } },
	{ "Quotation_Mark", { "Quotation_Mark", "QMark" } },
	{ "Radical", { "Radical" } },
	{ "Regional_Indicator", { "Regional_Indicator", "RI" } },
	{ "Sentence_Terminal", { "Sentence_Terminal", "STerm" } },
	{ "Soft_Dotted", { "Soft_Dotted", "SD" } },
	{ "Terminal_Punctuation", { "Terminal_Punctuation", "Term" } },
	{ "Unified_Ideograph", { "Unified_Ideograph", "UIdeo" } },
	{ "Uppercase", { "Uppercase", "Upper" } },
	{ "Variation_Selector", { "Variation_Selector", "VS" } },
	{ "White_Space", { "White_Space", "space" } },
	{ "XID_Continue", { "XID_Continue", "XIDC" } },
	{ "XID_Start", { "XID_Start", "XIDS" } },
};

static const char *find(const struct property *table, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < ALIASES && table[i].names[k]; k++) {
			const char *known = table[i].names[k];
			if (strlen(known) == length && memcmp(known, name, length) == 0)
				return table[i].pcre;
		}
	}
	return NULL;
}

static const char *category(const char *name, size_t length)
{
	return find(categories, sizeof(categories) / sizeof(*categories), name, length);
}

/* Scripts are too many to list twice: PCRE2 says later whether it knows one. */
static const char *script(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool letter = (name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z';
		if (!letter && name[i] != '_')
			return NULL;
	}
	return length ? name : NULL;
}

const char *js_regex_property(const char *name, size_t length)
{
	static const struct {
		const char *prefix;
		bool script;
	} prefixes[] = {
		{ "General_Category=", false },
		{ "gc=", false },
		{ "Script=", true },
		{ "sc=", true },
		{ "Script_Extensions=", true },
		{ "scx=", true },
	};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t prefix = strlen(prefixes[i].prefix);
		if (length < prefix || memcmp(name, prefixes[i].prefix, prefix) != 0)
			continue;
		if (!prefixes[i].script)
			return category(name + prefix, length - prefix);
		return script(name + prefix, length - prefix) ? name : NULL;
	}
	const char *found = category(name, length);
	return found ? found : find(binaries, sizeof(binaries) / sizeof(*binaries), name, length);
}
