"""Which language is a text in, and what is it called?

Common words settle what is plainly English, which costs next to nothing. All else is asked of py3langid, a naive
Bayes model over byte n-grams that its wheel carries (no download): of 86 short posts in 38 languages it named all,
our word votes 47. It is loaded when the first such text comes (0.7 s, some 90 MB), so English deployments
pay for neither.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any

from monitor.lexicon import languages as _lists
from monitor.lexicon.reader import UNKNOWN
from monitor.numeric import numpy

READ = frozenset(
    ("en", *_lists.COMPLAINTS)
)  # those whose words are read; of others the stars, emoji and cognates

# What the model may answer: the languages brands' customers write in. Of all 137 it would take "lol k" for Volapük.
NAMES = {
    "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "eu": "Basque",
    "fa": "Persian", "fi": "Finnish", "fr": "French", "gl": "Galician", "he": "Hebrew", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "is": "Icelandic", "it": "Italian",
    "ja": "Japanese", "ka": "Georgian", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay",
    "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sk": "Slovak", "sl": "Slovene", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili",
    "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Filipino", "tr": "Turkish", "uk": "Ukrainian",
    "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

LETTERS_NEEDED = 12  # below it ("ok 👍", "brb") no model can tell
LETTERS_TELLING = 32  # so many without one English word: whatever it is, it is not English
LETTERS_SHOWN = 600  # of a text to the model: more makes it slower, not surer
ENGLISH_ENOUGH = 3  # words that are English only, in a text with letters English has not
SURE, LIKELY = 0.8, 0.5  # of the model against English words in the text, and where there are none


def language_of(clean: str, bag: AbstractSet[str], *, latin: bool = True) -> str:
    """The language of a text as ISO 639-1; "" where nothing tells, UNKNOWN where it is none we can name.

    `bag` are its folded words.

    English is believed on doubt: half of all posts elsewhere carry English words, and half of all English ones
    a word that another language has too.
    """
    english, foreign = _lists.english_words(bag), _lists.foreign_words(bag)
    if english and english >= 3 * foreign and (clean.isascii() or (latin and english >= ENGLISH_ENOUGH)):
        return "en"
    shown = clean[:LETTERS_SHOWN]
    if not latin or sum(map(len, bag)) >= LETTERS_NEEDED:
        named, sure = _guess(shown)
        if named != "en" and sure >= (SURE if english else LIKELY):
            return named
        if named == "en":
            return "en" if sure >= SURE else _lists.language_of(bag)
        if not english and not foreign and sum(map(len, bag)) >= LETTERS_TELLING:
            return UNKNOWN
    return _lists.language_of(bag) if latin else ""


def _guess(text: str) -> tuple[str, float]:
    """The likeliest language and how likely it is, 0…1."""
    named, sure = _model().classify(text)
    return str(named), float(sure)


@cache
def _model() -> Any:
    numpy()  # before it loads its own
    # Imported here: an English deployment never needs it.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(sorted(NAMES))
    return model


def name_of(code: str) -> str:
    """The English name of a language tag ("zh-CN"), "" for one that is not known.

    >>> name_of("pl"), name_of("zh-CN"), name_of("")
    ('Polish', 'Chinese', '')
    """
    return NAMES.get(code.partition("-")[0].casefold(), "")
