"""Which language is a text in, as far as a few common words tell, and what do its speakers complain with?

Own short lists. A language is voted for by words that English does not have ("die" and "was" are left out).
Six languages have a list of their own (`german.py`, …); of the others what is understood everywhere is read.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from monitor.lexicon import dutch, french, german, italian, portuguese, spanish
from monitor.lexicon.cues import Cue, words

_COMMON = {
    "en": "the and is it to of my was this that for you have with not are be but your they i'm it's "
    "don't what at we from so just all out get when i can how if has had been their there would "
    "will",
    "de": "der das und ich nicht ist ein eine mit für auf es sehr wir von zu den dem des sind bei nach "
    "aber auch wurde habe noch nie nur leider mehr kein keine oder wenn ihr sie bin schon wieder "
    "mein meine wird haben dass",
    "fr": "le les des et je est pas une pour que qui dans très mais avec sur plus ce cette nous vous il "
    "elle être suis sont été j'ai c'est n'est mon ma ne au aux rien jamais toujours encore du "
    "depuis tout ça",
    "es": "el los las y es un una que por para con muy pero mi lo se del al está más como nunca todo yo "
    "fue son esta este ya hay sin tiene cuando porque hace nada nos también",
    "it": "il lo gli e di che è un una per con molto ma non mi sono del della dei questo questa ho "
    "anche più mai tutto stato ancora dopo sempre nel alla dal niente ottimo perché",
    "nl": "het een en ik niet van dat dit zijn voor met er maar heb bij aan mijn wij je ook nog geen "
    "naar veel heel zeer werd wordt deze ze als nooit weer hebben goed alles om te",
    "pt": "o os um uma e é não que para com muito mas meu minha eu da na em ao você foi são mais por "
    "isso está já nunca sem também tem pra tudo até nem dos pelo",
    "pl": "i nie się na jest do że to z w po od jak za ale bardzo mnie już dla tak przez co był jestem "
    "są tylko jeszcze może mam polecam nigdy",
    "sv": "och att det som jag är inte för med på har den av ett till var mycket om men vi så de från "
    "kan ska bra eller när aldrig",
    "da": "og det jeg er ikke at en som på til med af har den vi så meget men et fra kan var ville "
    "aldrig ikke også hvor når blev",
    "tr": "ve bir bu çok için ama ben değil ne daha gibi var yok da mi kadar hiç sonra olarak ile her",
    "cs": "a je se že na to v jsem ale není si jako za pro tak už jsou bylo velmi který mi nikdy",
    "id": "yang dan di ini itu saya tidak dengan untuk ada dari juga sudah tapi bisa ke sangat nya "
    "banget gak",
    "ro": "și este nu pentru un o cu foarte care din la sunt mai am fost dar că în pe",
    "fi": "ja on ei se että mutta oli olen ole kun niin hyvin tämä ovat minä myös",
    "hu": "és a az nem hogy egy van ez de is volt nagyon csak még mint meg már",
}
_NOT_TELLING = words(
    "a i in on an at me no to of so as is it us be we do go he she am are was war die hat man her one two "
    "all de la le el en van son dos pro per con sin plus sur pour mi ma mon lo ne te om o e y z w v pe "
    "mai no ta for from du da di se un una care most para al as por co po do ho kan var om mint meg den "
    "der het"
)
_ENGLISH = frozenset(_COMMON["en"].split())
_VOTES: dict[str, tuple[str, ...]] = {}
for _code, _words in _COMMON.items():
    if _code != "en":
        for _word in _words.split():
            if _word not in _ENGLISH:
                _VOTES[_word] = (*_VOTES.get(_word, ()), _code)
_OTHERS = frozenset(_VOTES)


# English words that are words elsewhere too: they tell nothing alone.
_COMMON_ELSEWHERE = words(
    "i a an at is of in so me be he my on to we am up was not are this from will all had over week want minutes"
)

_PLAIN_ENGLISH = (_ENGLISH - _COMMON_ELSEWHERE) | words(
    "about after again ago always another any anyone anything away bad because been before being better "
    "big bought but buy came can't cannot charge come could couldn't day days did didn't different does doesn't "
    "doing done down each easy else enough even ever every everyone everything feel few find first fix food "
    "found free friends friendly full get gets getting give given going gone good got great guys hard hasn't hate "
    "haven't help here hours how i'd i'll i've isn't keep know last least left less let life like line little "
    "look looking looks lost lot love loved made make makes making many maybe money month months more morning "
    "most much need needs never new news next nice night nobody nothing now off often old once one only order other "
    "our own pay people phone please price put quick really right said same say says see "
    "seems send she should show since slow some someone something soon still such sure take than thank "
    "thanks that's them then there's these they they're thing things think those thought three through time times "
    "today told tomorrow too tried trying two until use used using very wait waiting wanted wants wasn't "
    "watch way we're weeks well went were what's where which while who why without won't work working works "
    "worse worst would wouldn't wrong year years yesterday yet you're you've yourself awesome amazing happy "
    "awful terrible shipping customer delivery refund broken crash crashes keeps him himself his into just "
    "stay talk thinking tonight waste win"
)


def english_words(bag: AbstractSet[str]) -> int:
    """How many of these folded words are English and of no other language we know."""
    return len(_PLAIN_ENGLISH & bag)


def foreign_words(bag: AbstractSet[str]) -> int:
    """How many of these folded words are common elsewhere and no English."""
    return len(_OTHERS & bag)


def language_of(bag: AbstractSet[str]) -> str:
    """The language most of these folded words vote for, as ISO 639-1; "" when no word tells.

    English is believed on a tie: half of all posts elsewhere carry English words.

    >>> language_of({"ich", "habe", "nie", "wieder"}), language_of({"the", "el", "nino"}), language_of({"ok"})
    ('de', 'en', '')
    """
    english = len(_ENGLISH & bag)
    foreign = _OTHERS & bag
    if not foreign:
        return "en" if english else ""
    votes: dict[str, float] = {}
    telling: set[str] = set()
    for word in foreign:
        codes = _VOTES[word]
        weak = word in _NOT_TELLING or len(word) < 2
        for code in codes:
            # A word of one language alone tells more than one that four of them share.
            votes[code] = votes.get(code, 0.0) + (0.4 if weak else 1.0 / len(codes) + 0.2)
            if not weak:
                telling.add(code)
    best = max(votes, key=lambda code: (votes[code], code))
    if best in telling and votes[best] > 0.8 and votes[best] > english:
        return best
    return "en" if english else ""


COMPLAINTS = {
    "de": german.COMPLAINTS,
    "es": spanish.COMPLAINTS,
    "fr": french.COMPLAINTS,
    "it": italian.COMPLAINTS,
    "nl": dutch.COMPLAINTS,
    "pt": portuguese.COMPLAINTS,
}
PRAISE = {
    "de": german.PRAISE,
    "es": spanish.PRAISE,
    "fr": french.PRAISE,
    "it": italian.PRAISE,
    "nl": dutch.PRAISE,
    "pt": portuguese.PRAISE,
}

# Understood nearly everywhere: read where a language has no list of its own.
COGNATE_COMPLAINTS: tuple[tuple[Cue, str], ...] = (
    (Cue.FRAUD, "scam*|fraud*|fake|mafia*"),
    (Cue.MONEY, "refund*|reklamac*|reklamation*|reklamasj*"),
    (Cue.BROKEN, "bug|bugs|error*|crash*|defekt*|kaputt"),
    (
        Cue.FURIOUS,
        "katastrof*|catastrof*|skandal*|scandal*|fiasko|fiasco|horror*|terror*|idiot*|absurd*|haos|kaos|chaos|wtf|"
        "shit*|fuck*|toxic*",
    ),
    (Cue.COMPLAINT, "spam|zero service|worst|bad service"),
)
COGNATE_PRAISE = (
    "super|perfekt*|perfect*|fantasti*|fantastic*|bravo|excelent*|excellent*|ideal*|top|wow|10/10|best"
)

# Not believed where nothing tells the language: "flash sale", "drama queen".
ALSO_ENGLISH = words(
    "sale top super drama fatal mal nul pire bug horrible terrible ramp defect tarde trava excellent "
    "perfect génial genial plante robo malo mala parfait rapid excel fraude rota ravi prima caro sucia "
    "troep retard hospital error hs rats refund scam scandal horror male frio fria tax burla deco mega "
    "show stuk bot scarce lent simple basta bugs chaos mais melhor caution propre topper boos vies acm "
    "sales bof final abuse ignorante nep lek"
)

# What turns a phrase round, looked for in the three words before it, by the phrase's language.
NEGATIONS = {
    "de": words("nicht kein keine keinen keiner keinerlei nie wenig ohne"),
    "es": words("no ni nunca jamás tampoco sin nada ningún ninguna"),
    "fr": words("pas jamais aucun aucune ni sans"),
    "it": words("non mai senza nessun nessuna né"),
    "nl": words("niet geen nooit zonder"),
    "pt": words("não nao nem nunca sem nenhum nenhuma"),
    "*": words("no not nie bez fără utan uten uden ilman nélkül inte ikke ikkje ei nu ne"),
}
