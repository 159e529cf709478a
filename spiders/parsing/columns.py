"""Which column holds what? Header names of the usual exports in several languages, and the reader's own map.

A map is a guess that is shown before it is trusted, and `--map text=Review,stars=Rating` overrides it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

FIELDS = (
    "id", "text", "title", "liked", "disliked", "author", "stars", "date", "url", "entity", "reply", "replied",
    "language", "reach", "edited", "reference",
)  # fmt: skip

# By field, best first; as `_bare` writes them. Longer names are found inside no other: each is compared whole.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": (
        "reviewid", "reviewidentifier", "id", "externalid", "uniqueid", "reviewreference", "feedbackid", "uuid",
        "responseid", "ticketid", "messageid", "bewertungsid", "name",
    ),
    "text": (
        "reviewtext", "reviewcontent", "reviewbody", "reviewcomment", "reviewdescription", "reviewmessage",
        "comment", "comments", "text", "body", "content", "message", "review", "feedback", "description",
        "originaltext", "commenttext", "textvalue", "verbatim", "reviewtextoriginal",
        "bewertungstext", "bewertung", "kommentar", "rezension", "rezensionstext", "inhalt", "nachricht",
        "commentaire", "avis", "texte", "contenu", "commentaires", "comentario", "comentarios", "resena",
        "opinion", "texto", "recensione", "commento", "testo", "recensie", "opmerking", "tekst", "avaliacao",
        "opiniao", "opinia", "tresc", "komentarz", "recension", "omdome", "anmeldelse", "отзыв", "комментарий",
        "текст", "レビュー", "内容", "评论", "评价内容", "リビュー", "리뷰",
    ),
    "title": (
        "reviewtitle", "title", "headline", "subject", "summary", "reviewsubject", "reviewheadline", "titel",
        "uberschrift", "betreff", "titre", "objet", "titulo", "asunto", "titolo", "oggetto", "tytul", "rubrik",
        "заголовок", "タイトル", "标题", "제목",
    ),
    "liked": ("positivereview", "positive", "pros", "liked", "whatdidyoulike", "positiv", "vorteile", "pluspunten"),
    "disliked": ("negativereview", "negative", "cons", "disliked", "whatdidyoudislike", "negativ", "nachteile"),
    "author": (
        "reviewusername", "reviewerdisplayname", "reviewername", "reviewer", "reviewernickname", "authorname",
        "author", "username", "nickname", "displayname", "customername", "customer", "guestname", "guest",
        "rateremail", "consumername", "consumerdisplayname", "fullname", "user", "profilename", "from",
        "autor", "verfasser", "name", "benutzername", "kunde", "gast", "auteur", "nom", "client", "pseudo",
        "nombre", "usuario", "cliente", "autore", "nome", "utente", "naam", "klant", "uzytkownik", "klient",
        "forfattare", "namn", "автор", "имя", "投稿者", "作者", "用户", "작성자",
    ),
    "stars": (
        "reviewstars", "starrating", "stars", "star", "rating", "reviewrating", "reviewscore", "score",
        "overallrating", "ratingvalue", "overall", "grade", "points", "nps", "sterne", "note", "notes",
        "punkte", "bewertunginsternen", "sternebewertung", "gesamtbewertung", "etoiles", "estrellas",
        "calificacion", "puntuacion", "valoracion", "stelle", "voto", "punteggio", "valutazione", "sterren",
        "beoordeling", "cijfer", "estrelas", "nota", "classificacao", "gwiazdki", "ocena", "stjarnor", "betyg",
        "оценка", "рейтинг", "звезды", "評価", "星", "评分", "평점",
    ),
    "date": (
        "reviewcreatedutc", "reviewdate", "reviewsubmitdateandtime", "createdat", "createtime", "createddate",
        "created", "date", "datetime", "publishedat", "publishedate", "publisheddate", "publishtime",
        "timestamp", "submitted", "submissiondate", "submittedat", "posted", "postedat", "postdate", "time",
        "dateofreview", "iso8601date", "datum", "erstelltam", "bewertungsdatum", "zeitpunkt", "fecha",
        "data", "datadellarecensione", "dataavaliacao", "dato", "datacreazione", "дата", "日付", "日期", "날짜",
    ),
    "edited": ("reviewlastupdatedateandtime", "updatedat", "updatetime", "updated", "lastmodified", "editedat"),
    "url": (
        "reviewlink", "reviewurl", "url", "link", "permalink", "sourceurl", "pageurl", "webadresse", "lien",
        "enlace", "collegamento", "ссылка", "链接",
    ),
    "entity": (
        "product", "productname", "producttitle", "location", "locationname", "businessname", "businessunit",
        "propertyname", "property", "hotel", "place", "appname", "app", "store", "storename", "branch", "asin",
        "sku", "itemname", "produkt", "produktname", "standort", "filiale", "produit", "etablissement",
        "producto", "establecimiento", "prodotto", "struttura", "artikel", "товар", "商品", "상품",
    ),
    "reply": (
        "companyreply", "companyreplytext", "reply", "replytext", "ownerreply", "ownerresponse", "response",
        "responsetext", "reviewreplycomment", "developerreplytext", "developerresponse", "propertyreply",
        "yourresponse", "businessresponse", "replycomment", "antwort", "reponse", "respuesta", "risposta",
        "reactie", "resposta", "odpowiedz", "svar", "ответ", "返信", "回复",
    ),
    "replied": (
        "companyreplydateutc", "companyreplydate", "replydate", "replytime", "responsedate", "ownerreplydate",
        "reviewreplyupdatetime", "developerreplydateandtime", "antwortdatum",
    ),
    "reference": (
        "referenceid", "referencenumber", "orderid", "ordernumber", "orderno", "ordername", "reservationnumber",
        "bookingnumber", "bookingreference", "invoicenumber", "bestellnummer", "auftragsnummer", "buchungsnummer",
        "numerodecommande", "numerodepedido", "numeroordine",
    ),
    "language": (
        "reviewlanguage", "reviewerlanguage", "language", "languagecode", "lang", "locale", "sprache", "langue",
        "idioma", "lingua", "taal", "язык", "语言",
    ),
    "reach": ("helpfulvotes", "helpful", "likes", "votes", "upvotes", "thumbsup", "views", "hilfreich", "nutzlich"),
}  # fmt: skip

_NOT_LETTERS = re.compile(r"[\W_]+")


def _bare(name: str) -> str:
    """A header name as it is compared: no case, accents, spaces or signs.

    >>> _bare("Review Created (UTC)"), _bare("Título")
    ('reviewcreatedutc', 'titulo')
    """
    folded = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss"))
    return _NOT_LETTERS.sub("", "".join(c for c in folded if not unicodedata.combining(c)))


def guess(columns: Sequence[str]) -> dict[str, str]:
    """The column of each field, by its name; fields that no column seems to hold are left out."""
    names: dict[str, str] = {}
    for column in columns:
        names.setdefault(_bare(column), column)
        # Inside an object: "reviewer.displayName" is also what its last part says.
        if "." in column:
            names.setdefault(_bare(column.rpartition(".")[2]), column)
    found: dict[str, str] = {}
    taken: set[str] = set()
    for field in FIELDS:
        for name in _NAMES[field]:
            there = names.get(name)
            if there is not None and there not in taken:
                # A lone "name" is somebody's; beside an author it is the entry's own (Google's export).
                if field == "id" and name == "name" and not _has_author(names, there):
                    continue
                found[field] = there
                taken.add(there)
                break
    return found


def _has_author(names: Mapping[str, str], but: str) -> bool:
    return any(names.get(name, but) != but for name in _NAMES["author"] if name != "name")


def read_map(said: str, columns: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """What `text=Review,stars=Rating` says, and its mistakes; columns are found without regard to case.

    A column may hold a comma: what follows one is a new field only where it begins with a field's name and "=".

    >>> read_map("text=My review, long,stars=Score", ["My review, long", "score"])
    ({'text': 'My review, long', 'stars': 'score'}, [])
    """
    known = {_bare(column): column for column in columns}
    mapped: dict[str, str] = {}
    faults: list[str] = []
    fields = "|".join(FIELDS)
    parts = re.split(rf",\s{{0,9}}(?=(?:{fields})\s{{0,9}}=)", said) if said.strip() else []
    for part in parts:
        field, equals, column = part.partition("=")
        field = field.strip()
        if not equals or field not in FIELDS:
            faults.append(f"{part.strip()[:60]!r}: allowed is FIELD=COLUMN with one of {', '.join(FIELDS)}")
            continue
        found = known.get(_bare(column)) if _bare(column) else None
        if found is None:
            there = ", ".join(repr(one) for one in list(known.values())[:20])
            faults.append(f"there is no column {column.strip()[:60]!r}; there are: {there}")
            continue
        mapped[field] = found
    return mapped, faults
