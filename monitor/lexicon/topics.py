"""What is a text about? A small list of literal words and stems, written by hand for lowstar."""

from __future__ import annotations

from functools import cache

from ahocorasick_rs import AhoCorasick, MatchKind

TOPICS: dict[str, str] = {
    "delivery": "deliver*|shipping|shipped|shipment|parcel*|package|packages|courier*|arrived|arrive|"
    "tracking|dispatch*|my order|our order|out for delivery|lieferung|geliefert|livraison|colis|"
    "entrega|pedido|consegna|spedizione|bezorg*|pakket",
    "refund": "refund*|money back|reimburse*|chargeback*|compensat*|erstattung|geld zurück|"
    "remboursement|reembolso|rimborso|terugbetal*|devolución",
    "payment": "payment*|paying|charged|charge|charges|billing|billed|bill|invoice*|credit card|"
    "debit card|overcharg*|transaction*|direct debit|rechnung|abgebucht|prélevé|cobrar*|cobraron|"
    "factura*|addebit*|betaling",
    "support": "customer service|customer support|customer care|support|helpline|help desk|helpdesk|"
    "call centre|call center|hung up|on hold|no answer|no response|no reply|live chat|chatbot|"
    "kundenservice|kundendienst|service client|atención al cliente|assistenza|klantenservice|"
    "atendimento",
    "quality": "quality|broken|broke|defect*|faulty|fell apart|falls apart|flimsy|cheaply made|"
    "durab*|damaged|worn out|stopped working|qualität|kaputt|qualité|calidad|qualità|kwaliteit|"
    "qualidade",
    "app": "app|apps|website|web site|site|login|log in|sign in|password|crash*|update|updates|bug|"
    "bugs|buggy|freez*|glitch*|loading|screen|notification*|android|iphone|ios|version|server|"
    "servers|online",
    "price": "price*|pricing|expensive|overpriced|cheap|cheaper|cost|costs|fee|fees|value for money|"
    "rip off|rip-off|ripoff|discount*|subscription|preis|preise|teuer|prix|cher|precio|precios|caro|"
    "prezzo|prezzi|prijs|preço",
    "safety": "unsafe|safety|dangerous|fire|caught fire|exploded|injur*|hurt|hazard*|food poisoning|"
    "allerg*|hospital|electric shock|burned|burnt|recall|recalled|made me sick",
    "staff": "staff|rude|manager|employee*|waiter|waitress|server was|agent|agents|representative*|"
    "rep|reps|driver|drivers|attendant*|crew|cashier|receptionist|attitude|unprofessional|"
    "personal war|mitarbeiter*|personnel|personal|personale|personeel|funcionári*",
    "returns": "return it|return the|returned|returning it|returns|return policy|send it back|"
    "sent it back|exchange|exchanged|replacement|replace it|wrong item|wrong size|rücksendung|"
    "umtausch|retour|devolver",
    "account": "account|accounts|cancel my|cancelled my|canceled my|subscription|membership|"
    "locked out|verification|verify|password|logged out|profile|konto|compte|cuenta|conta bloqueada",
}


class _TopicReader:
    def __init__(self) -> None:
        owners: dict[str, list[tuple[str, bool]]] = {}
        for topic, words in TOPICS.items():
            for word in words.split("|"):
                owners.setdefault(word.removesuffix("*"), []).append((topic, word.endswith("*")))
        self._owners = list(owners.values())
        self._automaton = AhoCorasick(list(owners), MatchKind.Standard)

    def read(self, folded: str) -> tuple[str, ...]:
        counts: dict[str, int] = {}
        last = len(folded)
        for pattern, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            if start and folded[start - 1].isalnum():
                continue
            inside = end < last and folded[end].isalnum()
            for topic, open_end in self._owners[pattern]:
                if open_end or not inside:
                    counts[topic] = counts.get(topic, 0) + 1
        order = list(TOPICS)
        return tuple(sorted(counts, key=lambda topic: (-counts[topic], order.index(topic))))


@cache
def _reader() -> _TopicReader:
    return _TopicReader()


def topics_in(folded: str) -> tuple[str, ...]:
    """The topics of a folded text, most named first; () where none is named.

    >>> topics_in("still no refund, and the courier never came to deliver")
    ('delivery', 'refund')
    """
    return _reader().read(folded)
