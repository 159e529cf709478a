"""What do unhappy customers write in German? Literal phrases, written by hand for lowstar."""

from __future__ import annotations

from monitor.lexicon.cues import Cue

COMPLAINTS: tuple[tuple[Cue, str], ...] = (
    (
        Cue.SAFETY,
        "brandgefahr|feuer gefangen|in flammen|explodiert*|stromschlag|lebensgefährlich*|verletzt*|"
        "bremsen versagt*|gasgeruch|riecht verbrannt|schmort*|qualmt*|belästigt*|bedroht*",
    ),
    (
        Cue.HEALTH,
        "lebensmittelvergiftung|magen-darm|erbrochen|übergeben müssen|durchfall|allergische reaktion|"
        "ausschlag|in der notaufnahme|schimmel*|verschimmelt*|kakerlake*|bettwanze*|wanzen|mäusekot|"
        "maden|ratten|verdorben*|roh in der mitte|gesundheitsgefähr*",
    ),
    (
        Cue.FRAUD,
        "betrug|betrüger*|abzocke*|abgezockt|abzocker*|scam|fake shop|fakeshop|fälschung*|gefälscht*|"
        "gestohlen|geklaut|diebe|verarsch*|reingelegt|übers ohr gehauen|nepp",
    ),
    (
        Cue.LEGAL,
        "anwalt|anwälte|rechtsanwalt|anzeige erstatte*|angezeigt|anzeige bei der polizei|"
        "verbraucherzentrale|verbraucherschutz|klage eingereicht|verklage*|mahnbescheid|inkasso|"
        "rechtliche schritte|schlichtungsstelle|bundesnetzagentur",
    ),
    (
        Cue.DISCRIMINATION,
        "rassist*|rassismus|diskriminier*|sexist*|frauenfeindlich*|homophob*|ausländerfeindlich*",
    ),
    (
        Cue.DATA,
        "datenschutz|daten weitergegeben|meine daten|datenleck|gehackt*|fremde bestellung|dsgvo|"
        "konto übernommen|unbefugt*|identitätsdiebstahl",
    ),
    (
        Cue.MONEY,
        "erhöht den preis|erhöht mitten|preis erhöht|wird weiter abgebucht|weiter abgebucht|"
        "buchen weiter ab|trotz kündigung|garantie abgelehnt|garantie verweigert|keine garantie|"
        "kulanz abgelehnt|geld zurück|mein geld|rückerstattung*|erstattung|nicht erstattet|"
        "keine erstattung|rückzahlung|doppelt abgebucht|zweimal abgebucht|zu viel abgebucht|"
        "einfach abgebucht|unberechtigt*|doppelt berechnet|versteckte kosten|überteuert*|zu teuer|"
        "abzocke|geldverschwendung|rausgeschmissenes geld|sein geld nicht wert|nicht wert|wucher*|"
        "mahngebühr*|gutschrift fehlt|kaution|preiserhöhung*|falsch abgerechnet|falsche rechnung",
    ),
    (
        Cue.WAITING,
        "hotline besetzt|immer besetzt|dauernd besetzt|stunde in der|minuten in der|"
        "fliegt man aus der leitung|aus der leitung|nicht erschienen|ist nicht gekommen|kam keiner|"
        "kam niemand|nicht aufgetaucht|in bearbeitung|urlaubstag umsonst|umsonst gewartet|"
        "stunde vergessen|lange gewartet|seit stunden|stunden später|immer noch in|warte immer noch|"
        "warte noch immer|warte seit|warte ich|warten seit|wartet seit|seit wochen|seit tagen|"
        "seit monaten|immer noch nicht|immer noch kein*|noch immer nicht|noch immer kein*|"
        "bis heute nicht|bis heute kein*|nicht angekommen|nie angekommen|kam nie an|kam nicht an|"
        "nie da|nicht geliefert|nicht zugestellt|nie erhalten|nicht erhalten|verspät*|zu spät|"
        "stunden gewartet|stunden warten|stunden in der warteschleife|warteschleife|ewig gewartet|"
        "ewige wartezeit|lange wartezeit*|wartezeiten|angeblich zugestellt|angeblich geliefert|"
        "wo bleibt|wann kommt endlich|wie lange noch|hinhalte*|hingehalten|vertröste*|paket verloren|"
        "koffer verloren|fällt aus|ausgefallen|fiel aus|zugausfall|anschluss verpasst",
    ),
    (
        Cue.SILENCE,
        "nur links|nur mit links|will keiner kennen|will niemand kennen|keiner weiß|niemand weiß|"
        "keiner kann|niemand kann|niemand kümmert|keiner kümmert|keine antwort|keine rückmeldung|"
        "keinerlei antwort|keine reaktion|meldet sich niemand|meldet sich keiner|niemand erreichbar|"
        "keiner erreichbar|nicht erreichbar|geht niemand ran|geht keiner ran|antwortet nicht|"
        "antworten nicht|niemand antwortet|keiner antwortet|reagiert nicht|legt auf|legt einfach auf|"
        "aufgelegt|textbaustein*|standardantwort*|keiner zuständig|niemand zuständig|"
        "fühlt sich zuständig|keiner fühlt sich|weiterverwiesen|abgewimmelt|im stich gelassen|"
        "alleingelassen|ignoriert*|nur der bot|kundenservice existiert nicht|kein kundenservice|"
        "kundendienst ist ein witz|keine hilfe|nicht geholfen",
    ),
    (
        Cue.BROKEN,
        "hinüber|eingelaufen|nach einmal waschen|komme nicht mehr in|komme nicht in|"
        "kann mich nicht anmelden|kann nicht mehr|wackelkontakt|löst sich auf|löst sich ab|"
        "abgegangen|gerissen|verkratzt|zerkratzt|verbogen|funktioniert nicht|funktioniert nie|"
        "funktioniert nicht mehr|geht nicht|geht nicht mehr|gehen nicht|läuft nicht|nicht benutzbar|"
        "unbrauchbar*|kaputt*|defekt*|stürzt ab|stürzt ständig|stürzt seit|stürzt immer|abgestürzt|"
        "absturz*|abstürze|hängt sich auf|friert ein|fehlermeldung*|lädt nicht|lässt sich nicht|"
        "startet nicht|öffnet nicht|ladefehler|login nicht möglich|komme nicht rein|"
        "einloggen geht nicht|anmeldung nicht möglich|kein internet|kein netz|netz weg|"
        "verbindung bricht|bricht ständig ab|zerbrochen|zerrissen|beschädigt*|undicht|ausgelaufen|"
        "fehlt ein teil|teile fehlen|fehlerhaft*|mangelhaft*|schrott|ging nach|auseinandergefallen",
    ),
    (
        Cue.CANCELLED,
        "storniert|einfach storniert|gestrichen|abgesagt|annulliert*|bestellung gelöscht|"
        "konto gesperrt|gesperrt",
    ),
    (
        Cue.MISLED,
        "lügen|lügner|gelogen|falsche versprechen|versprochen und nicht|leere versprechen|"
        "irreführend*|nicht wie beschrieben|entspricht nicht|falsch geliefert|falscher artikel|"
        "falsche ware|falsche größe|nicht wie abgebildet|mogelpackung|kleingedruckt*|lockangebot*|"
        "abofalle|falle getappt|getäuscht|täuschung",
    ),
    (
        Cue.LEAVING,
        "gekündigt|kündige|kündigung ist raus|wechsle|gewechselt|nie wieder|nie mehr|"
        "nicht mehr wieder|zum letzten mal|letztes mal|nicht noch einmal|war's das|kunde verloren|"
        "deinstallier*|gelöscht und",
    ),
    (
        Cue.WARNING,
        "finger weg|hände weg|nicht empfehl*|nicht zu empfehlen|kann ich nicht empfehlen|"
        "nicht weiterempfehl*|rate ab|abzuraten|vorsicht vor|warne|achtung vor|macht einen bogen|"
        "nicht bestellen|nicht kaufen|bloß nicht",
    ),
    (
        Cue.STAFF,
        "unfreundlich*|frech*|unverschämt*|patzig*|arrogant*|respektlos*|inkompeten*|unfähig*|"
        "herablassend*|angeschrien|abgefertigt|ahnungslos*|unprofessionell*|genervt* personal|"
        "lustlos*|überfordert*",
    ),
    (
        Cue.FURIOUS,
        "katastroph*|frechheit|zumutung|miserabel*|grauenhaft*|grauenvoll*|furchtbar*|schrecklich*|"
        "unterirdisch*|ekelhaft*|widerlich*|saftladen|drecksladen|sauladen|scheiß*|beschissen*|müll|"
        "unfassbar|eine schande|schämt euch|peinlich*|lächerlich*|wütend|stinksauer|stocksauer|"
        "absolut inakzeptabel|unverschämtheit|nicht zu fassen|das letzte|horror*|albtraum",
    ),
    (
        Cue.COMPLAINT,
        "einfach über den zaun|über den zaun geworfen|vor die tür geworfen|lauwarm|"
        "früher deutlich besser|früher besser|war mal besser|lässt nach|die hälfte fehlt|"
        "fehlte die hälfte|fehlt die hälfte|ernsthaft|umsonst|schlecht*|schlimm*|enttäusch*|mies*|"
        "ärger*|nervt|nervig*|reklamation*|reklamier*|beschwerde*|beschwer*|dreckig*|schmutzig*|"
        "verdreckt*|stinkt|stank|roch nach|laut und|unzufrieden*|nicht zufrieden|leider|schade dass|"
        "umständlich*|kompliziert*|minderwertig*|billig verarbeitet|lieblos*|versalzen|kalt serviert|"
        "ungenießbar|geschmacklos|zäh|verkocht|null sterne|0 sterne|ein stern|1 stern|nicht gut|"
        "gar nicht gut|bitte um klärung|unsicher|ramsch|zeitverschwendung|chaos|chaotisch*|"
        "durcheinander",
    ),
)

PRAISE = (
    "nicht schlecht|super|toll*|klasse|perfekt*|liebe es|empfehlenswert*|sehr gut*|gerne wieder|"
    "immer wieder gerne|top|begeistert*|zufrieden*|sehr freundlich*|freundlich*|schnelle lieferung|"
    "schnell geliefert|prompt*|wunderbar*|hervorragend*|ausgezeichnet*|sehr zu empfehlen|"
    "kann ich nur empfehlen|empfehle ich|einwandfrei*|lecker*|köstlich*|spitze|spitzenmäßig|bestens|"
    "großartig*|fantastisch*|hilfsbereit*|kompetent*|zuvorkommend*|reibungslos*|problemlos*|"
    "alles bestens|preis-leistung|sauber*|gemütlich*|herzlich*|traumhaft*|wunderschön*|genial*|mega|"
    "prima|vielen dank|danke für|tolles team|beste entscheidung|volle punktzahl|fünf sterne|5 sterne|"
    "freue mich|gelungen*"
)
