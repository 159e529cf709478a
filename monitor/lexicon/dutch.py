"""What do unhappy customers write in Dutch? Literal phrases, written by hand for lowstar."""

from __future__ import annotations

from monitor.lexicon.cues import Cue

COMPLAINTS: tuple[tuple[Cue, str], ...] = (
    (
        Cue.SAFETY,
        "brandgevaar|vlam gevat|in brand|vloog in brand|ontploft|ontplofte|schok gekregen|"
        "levensgevaarlijk*|gevaarlijk*|brandlucht|gaslucht|gaslek|remmen werk*|gewond*|bedreigd|"
        "lastiggevallen|onveilig*",
    ),
    (
        Cue.HEALTH,
        "voedselvergiftiging|ziek geworden|ziek van|overgegeven|moeten overgeven|allergische reactie|"
        "huiduitslag|spoedeisende|schimmel*|beschimmeld*|kakkerlak*|bedwants*|bedwantsen|muizen|"
        "ratten|maden|bedorven|over datum|rauw van binnen|rauwe kip|diarree",
    ),
    (
        Cue.FRAUD,
        "oplichter*|oplichting|opgelicht|oplichters|fraude*|frauduleu*|scam|nep|nepwinkel|nepsite|"
        "namaak|gestolen|dieven|bestolen|zwendel*|belazerd|afzetter*|afzetterij|afgezet|bedriegers|"
        "bedrog",
    ),
    (
        Cue.LEGAL,
        "advocaat|advocaten|aangifte|consumentenbond|geschillencommissie|rechtszaak|rechtbank|"
        "juridische stappen|ingebrekestelling|in gebreke|incasso*|kifid|acm|illegaal|juridisch loket",
    ),
    (Cue.DISCRIMINATION, "racis*|discrimin*|seksis*|homofo*|vrouwonvriendelijk*"),
    (
        Cue.DATA,
        "mijn gegevens|persoonsgegevens|datalek|gehackt*|zonder toestemming|zonder mijn toestemming|"
        "avg|identiteitsfraude|bestelling van een ander|gegevens gelekt|privacy geschonden",
    ),
    (
        Cue.MONEY,
        "garantie geven ze niet|geen garantie|garantie geweigerd|garantie afgewezen|"
        "nog elke maand een factuur|blijven afschrijven|blijven factureren|prijsverhoging*|"
        "prijs verhoogd|geld terug|mijn geld|op mijn geld|terugbetaling|terugbetaald|"
        "niet terugbetaald|terugbetalen|restitutie|dubbel afgeschreven|twee keer afgeschreven|"
        "tweemaal afgeschreven|twee keer betaald|dubbel betaald|onterecht afgeschreven|"
        "zomaar afgeschreven|onterecht*|te veel betaald|verborgen kosten|te duur|veel te duur|"
        "peperduur*|geldklopperij|weggegooid geld|zonde van het geld|zonde van je geld|niet waard|"
        "prijs niet waard|woekerprijs*|borg kwijt|borg niet|verkeerde factuur|foute factuur|"
        "aanmaning*",
    ),
    (
        Cue.WAITING,
        "uur aan de telefoon|uur in de wacht|in de wacht|minuten in de wacht|niet eens aangebeld|"
        "niet aangebeld|niemand thuis was|zou komen|zou vandaag komen|in behandeling|niet gekomen|"
        "kwam niet|niet verschenen|wacht nog steeds|nog steeds niet|nog steeds geen|nog altijd niet|"
        "nog altijd geen|wacht al|wachten al|al weken|al maanden|al dagen|wachten op|"
        "nog niet ontvangen|niet ontvangen|nooit ontvangen|nooit aangekomen|niet aangekomen|"
        "niks aangekomen|niets aangekomen|niet geleverd|nooit geleverd|niet bezorgd|zou bezorgd zijn|"
        "zogenaamd bezorgd|zogenaamd geleverd|te laat|vertraging*|vertraagd|uur gewacht|uur wachten|"
        "uren wachten|uren gewacht|lange wachttijd*|eindeloos wachten|pakket kwijt|pakketje kwijt|"
        "koffer kwijt|waar blijft|valt uit|uitgevallen|uitval|rijdt niet|kwam niet opdagen|"
        "niemand gekomen|aan het lijntje|hoe lang nog",
    ),
    (
        Cue.SILENCE,
        "lijn verbroken|de lijn wordt|niemand kan uitleggen|niemand legt uit|geen uitleg|"
        "niemand weet|geen antwoord|geen reactie|geen respons|niemand reageert|reageren niet|"
        "reageert niet|antwoorden niet|niemand neemt op|nemen niet op|onbereikbaar*|niet bereikbaar|"
        "niet te bereiken|hangt op|hangen op|hangt gewoon op|opgehangen|verbinding verbroken|"
        "standaard antwoord|standaardantwoord*|van het kastje|geen hulp|niet geholpen|helpt niet|"
        "helpen niet|genegeerd|negeren|geen service|service is nul|nul service|klantenservice is een|"
        "waardeloze klantenservice|niemand die|weten nergens van|geen oplossing",
    ),
    (
        Cue.BROKEN,
        "laat los|liet los|na een maand los|zool los|niet meer openen|kan mijn|gaat niet open|"
        "pas geblokkeerd|kaart geblokkeerd|gekrast|bekrast|sinds de nieuwe versie|werkt niet|"
        "werkt niet meer|werken niet|doet het niet|doet niks|doen het niet|kapot*|defect*|is stuk|"
        "ging stuk|loopt vast|vastgelopen|crasht*|sluit vanzelf|sluit steeds|sluit af|start niet|"
        "opent niet|laadt niet|kan niet inloggen|kom er niet in|inloggen lukt niet|lukt niet|"
        "foutmelding*|storing*|geen internet|geen bereik|geen verbinding|valt weg|beschadigd*|"
        "gescheurd|gebroken|lekt|onderdelen missen|onderdelen ontbreken|incompleet|onvolledig|"
        "onbruikbaar*|zwart scherm|sinds de update|na de update",
    ),
    (
        Cue.CANCELLED,
        "geannuleerd*|annuleren|geschrapt|afgezegd|account geblokkeerd|geblokkeerd|rekening geblokkeerd",
    ),
    (
        Cue.MISLED,
        "leugen*|liegen|gelogen|leugenaars|misleid*|misleidend*|niet zoals beschreven|"
        "niet zoals afgebeeld|klopt niet|klopt niks|verkeerd product|verkeerde maat|"
        "verkeerd geleverd|verkeerde artikel|valse beloftes|loze beloftes|beloofd maar|belofte niet|"
        "niet nagekomen|kleine lettertjes|lokkertje|voor de gek",
    ),
    (
        Cue.LEAVING,
        "nooit meer|nooit weer|nooit opnieuw|eens maar nooit|zeg op|opgezegd|stap over|overgestapt|"
        "laatste keer|niet meer terug|kom hier niet|komen hier niet|klant kwijt|verwijder de app|"
        "verwijderd",
    ),
    (
        Cue.WARNING,
        "afrader|niet aan te raden|raad ik niet|raad het niet|niet aanraden|niet bestellen|"
        "niet kopen|koop hier niet|bestel hier niet|blijf weg|blijf hier weg|pas op|trap er niet in|"
        "vermijd|niet doen",
    ),
    (
        Cue.STAFF,
        "onbeschoft*|onvriendelijk*|brutaal|brutale|arrogant*|onprofessionel*|onkundig*|incompetent*|"
        "ongeïnteresseerd*|chagrijnig*|botte|lomp|lompe|geen verstand van|niet klantvriendelijk|"
        "klantonvriendelijk*|respectloos*|afgesnauwd|snauwt|uit de hoogte",
    ),
    (
        Cue.FURIOUS,
        "waardeloos|waardeloze|verschrikkelijk*|vreselijk*|schandalig*|schande|schandelijk*|"
        "belachelijk*|onacceptabel*|walgelijk*|smerig*|drama|dramatisch*|ramp|rampzalig*|bizar*|"
        "troep|rotzooi|bagger|kut*|klote*|woedend|boos|woest|spuugzat|schaam je|schaam jullie|"
        "om te huilen|lachwekkend|bespottelijk|nachtmerrie|ongelofelijk slecht|ongelooflijk slecht|"
        "diep triest|triest",
    ),
    (
        Cue.COMPLAINT,
        "ijskoud|lauw|de helft ontbrak|helft ontbrak|ontbrak|ontbreekt|keek niet op|niet eens gedag|"
        "slecht*|teleurgesteld|teleurstell*|rommel|vies|vieze|viezig|goor|gore|klacht*|irritant*|"
        "ontevreden|niet tevreden|jammer|helaas|probleem|problemen|tijdverspilling|lawaai|gehorig|"
        "stinkt|stonk|koud geserveerd|smaakloos|niet te eten|niet lekker|taai|nul sterren|0 sterren|"
        "een ster|matig*|valt tegen|viel tegen|tegenvaller|laat te wensen|bedankt voor niks|"
        "bedankt hoor|lekker dan|alweer een|weer eens|omslachtig|ingewikkeld|slechte kwaliteit|"
        "minderwaardig*|onduidelijk|chaos|chaotisch*",
    ),
)

PRAISE = (
    "niet slecht|geweldig*|uitstekend*|perfect*|top|topper*|aanrader|zeer tevreden|heel tevreden|"
    "tevreden|snelle levering|snelle|snel geleverd|snel|vriendelijk*|super|heerlijk*|bedankt voor de|"
    "hartelijk dank|fantastisch*|prachtig*|prima|heel goed|zeer goed|erg goed|keurig*|lekker gegeten|"
    "behulpzaam|netjes|schoon|gezellig*|mooi*|blij mee|erg blij|heel blij|goede service|"
    "goede kwaliteit|goed geholpen|zoals beschreven|zoals verwacht|niets op aan te merken|"
    "geen problemen|geen probleem|zonder problemen|klasse|complimenten|komen zeker terug|"
    "kom zeker terug|vijf sterren|5 sterren|raad ik aan|raad het aan|raden wij aan|aan te raden|"
    "deskundig*|correct*|soepel*"
)
