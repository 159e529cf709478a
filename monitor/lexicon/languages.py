"""Which language is a text in, as far as a few common words tell, and what do its speakers complain with?

Own short lists. A language is voted for by words that English does not have ("die" and "was" are left out);
for six languages a short list of complaints and praise stands below, the others are named so that a person
is told.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from monitor.lexicon.cues import words

NAMES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
    "pl": "Polish",
    "sv": "Swedish",
    "da": "Danish or Norwegian",
    "tr": "Turkish",
    "cs": "Czech",
    "id": "Indonesian",
    "ro": "Romanian",
    "fi": "Finnish",
    "hu": "Hungarian",
}

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


COMPLAINTS: dict[str, str] = {
    "de": "nie wieder|funktioniert nicht|geht nicht|kaputt|defekt|betrug|abzocke|betrüger|"
    "warte immer noch|warte seit|seit wochen|geld zurück|keine antwort|keine rückmeldung|"
    "niemand erreichbar|nicht erreichbar|nicht angekommen|nicht geliefert|nie angekommen|zu spät|"
    "verspätung|storniert|doppelt abgebucht|unfreundlich*|frech*|unverschämt*|katastroph*|schlecht*|"
    "schlimm*|enttäusch*|finger weg|nicht empfehl*|nicht zu empfehlen|nicht empfehlenswert|frechheit|"
    "zumutung|mangelhaft*|miserabel*|grauenhaft*|furchtbar*|schrecklich*|müll|schrott|mies*|lügen|"
    "lügner|anwalt|gekündigt|kündige|reklamation|beschwerde|ärger*|nervt|stürzt ab|absturz|"
    "abgestürzt|fehlermeldung|überteuert*|wartezeit*|ekelhaft*|dreckig*|schmutzig*|unsicher|"
    "nicht zufrieden",
    "fr": "plus jamais|ne fonctionne pas|ne marche pas|fonctionne plus|marche plus|en panne|cassé*|"
    "défectueu*|arnaque*|escroc*|escroquerie|voleurs|remboursement|remboursé|toujours pas|"
    "jamais reçu|jamais arrivé|pas reçu|pas livré|aucune réponse|pas de réponse|sans réponse|"
    "injoignable*|en retard|retard|annulé*|impoli*|désagréable*|odieux|catastroph*|déçu*|décevant*|"
    "déception|à fuir|fuyez|à éviter|évitez|déconseill*|ne recommande pas|nul|nulle|horrible*|"
    "scandaleu*|honteu*|inadmissible|inacceptable|mensonge*|menteur*|trop cher|sale|mauvais*|pire|"
    "plante|bug*|service client nul|prélevé deux fois|avocat|perte de temps|lamentable*|incompétent*",
    "es": "nunca más|no funciona|no sirve|dejó de funcionar|roto|rota|defectuos*|estafa*|estafador*|"
    "ladrones|fraude|robo|devolución|reembolso|mi dinero|sigo esperando|todavía no|aún no|"
    "nunca llegó|no ha llegado|no llegó|no responden|no contestan|sin respuesta|retraso*|tarde|"
    "cancelado|cancelaron|grosero*|maleducad*|pésim*|malísim*|horrible*|fatal|terrible*|decepcion*|"
    "no recomiendo|no lo recomiendo|no compren|no compréis|eviten|vergüenza|vergonzoso|mentira*|"
    "mentirosos|engaño|engañ*|basura|asco|asqueros*|sucio|sucia|mal|mala|malo|peor|lamentable*|"
    "abogado|denuncia*|cobraron dos veces|caro|queja|reclamación|se cierra sola",
    "it": "mai più|non funziona|non va|smesso di funzionare|rotto|rotta|difettos*|truffa*|truffatori|"
    "ladri|rimborso|i miei soldi|ancora aspett*|sto aspettando|mai arrivat*|non è arrivat*|"
    "non arriva|nessuna risposta|non rispond*|in ritardo|ritardo|annullat*|cancellat*|maleducat*|"
    "scortes*|pessim*|orribil*|terribil*|delus*|deludent*|sconsigl*|non consiglio|evitate|"
    "state alla larga|vergogn*|inaccettabil*|bugiard*|schifo|schifos*|sporco|sporca|peggio*|scadent*|"
    "scarso|scarsa|avvocato|denuncia|troppo caro|inutil*|addebitat*|perdita di tempo|si blocca|"
    "incompetent*|disservizio",
    "nl": "nooit meer|nooit weer|werkt niet|doet het niet|kapot|defect|oplichter*|oplichting|"
    "opgelicht|fraude|geld terug|wacht nog steeds|nog steeds niet|nog niet ontvangen|niet ontvangen|"
    "nooit aangekomen|niet geleverd|geen antwoord|geen reactie|onbereikbaar|niet bereikbaar|te laat|"
    "vertraging|geannuleerd|onbeschoft*|onvriendelijk*|slecht*|waardeloos|waardeloze|"
    "verschrikkelijk*|vreselijk*|teleurgesteld|teleurstell*|afrader|niet aan te raden|schandalig*|"
    "schande|leugen*|liegen|troep|rommel|smerig*|vies|vieze|drama|ramp|klacht*|advocaat|"
    "dubbel afgeschreven|te duur|loopt vast|crasht|belachelijk*|irritant*|onacceptabel",
    "pt": "nunca mais|não funciona|nao funciona|parou de funcionar|quebrado|quebrada|defeito*|"
    "defeituoso|golpe|golpistas|fraude|roubo|ladrões|reembolso|meu dinheiro|ainda não|até agora nada|"
    "nunca chegou|não chegou|não recebi|nao recebi|sem resposta|não respondem|ninguém responde|"
    "atraso*|atrasad*|cancelado|cancelaram|grosseir*|mal educad*|péssim*|pessimo|horrível|horrivel|"
    "terrível|decepcion*|decepção|não recomendo|nao recomendo|não comprem|fujam|vergonha|mentira*|"
    "mentiros*|enganad*|enganos*|lixo|nojo|nojent*|sujo|suja|ruim|pior|lamentável|advogado|procon|"
    "cobrado duas vezes|cobraram|caro demais|reclama*|descaso|trava",
}

PRAISE: dict[str, str] = {
    "de": "super|toll*|klasse|perfekt*|liebe|empfehlenswert|sehr gut|gerne wieder|top|begeistert|"
    "zufrieden|freundlich*|schnell*|wunderbar*|hervorragend*|ausgezeichnet*|sehr zu empfehlen|danke|"
    "einwandfrei*|lecker*",
    "fr": "super|parfait*|excellent*|génial*|je recommande|adore|très bien|très bon|merci|ravi*|"
    "satisfait*|rapide*|impeccable*|magnifique*|agréable*|au top|formidable*|délicieu*",
    "es": "excelente*|perfect*|genial|encanta|recomendable|lo recomiendo|muy bien|muy bueno|"
    "muy buena|gracias|contento|contenta|rápid*|maravillos*|estupend*|fantástic*|amable*|delicios*|"
    "buenísim*",
    "it": "ottim*|perfett*|eccellent*|consigliat*|lo consiglio|fantastic*|grazie|soddisfatt*|veloc*|"
    "gentil*|bellissim*|bravissim*|adoro|meraviglios*|impeccabil*|buonissim*|super",
    "nl": "geweldig*|uitstekend*|perfect*|top|aanrader|tevreden|snelle|snel|vriendelijk*|super|"
    "heerlijk*|bedankt|fantastisch*|prachtig*|prima|heel goed|zeer goed|keurig",
    "pt": "excelente*|perfeit*|ótim*|otimo|otima|recomendo|adoro|adorei|amei|obrigad*|muito bom|"
    "muito boa|satisfeit*|rápid*|maravilhos*|fantástic*|incríve*|nota 10|delicios*",
}

# Not believed where nothing tells the language: "flash sale", "drama queen".
ALSO_ENGLISH = words(
    "sale top super drama fatal mal nul pire bug horrible terrible ramp defect tarde trava excellent "
    "perfect génial genial plante robo malo mala parfait rapid excel fraude rota ravi prima caro sucia "
    "troep retard"
)

# What turns a word of praise round, looked for in the three words before it.
NEGATIONS = words(
    "nicht kein keine keinen nie wenig pas jamais aucun aucune ni no nunca jamás tampoco non mai niet "
    "geen nooit não nao nem sem sin senza ohne sans zonder"
)
