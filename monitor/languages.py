"""Which language is a text in, and what is it called?

Common words vote (`monitor.lexicon.languages`): short posts of brands' customers are told apart well enough by
them, without a model to download. py3langid tells 97 languages, and was not taken: a second reading of each text
would cost more than all else of it, and beyond the seven languages with a list its answer changes no verdict.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from monitor.lexicon import languages as _lists

READ = frozenset(("en", *_lists.COMPLAINTS))  # those whose words are read; of others the stars and emoji

# Of the scripts no list covers, by the language a source names.
_NAMES = _lists.NAMES | {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "el": "Greek",
    "fa": "Persian",
    "he": "Hebrew",
    "hi": "Hindi",
    "ja": "Japanese",
    "ko": "Korean",
    "no": "Norwegian",
    "ru": "Russian",
    "th": "Thai",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


def language_of(bag: AbstractSet[str]) -> str:
    """The language most of these folded words vote for, as ISO 639-1; "" when no word tells."""
    return _lists.language_of(bag)


def name_of(code: str) -> str:
    """The English name of a language tag ("zh-CN"), "" for one that is not known.

    >>> name_of("pl"), name_of("zh-CN"), name_of("")
    ('Polish', 'Chinese', '')
    """
    return _NAMES.get(code.partition("-")[0].casefold(), "")
