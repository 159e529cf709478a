"""What do unhappy customers write in Italian? Literal phrases, written by hand for lowstar."""

from __future__ import annotations

from monitor.lexicon.cues import Cue

COMPLAINTS: tuple[tuple[Cue, str], ...] = (
    (
        Cue.SAFETY,
        "preso fuoco|prende fuoco|esplos*|scossa elettrica|pericolos*|ustion*|puzza di bruciato|"
        "fuga di gas|odore di gas|freni non|aggredit*|molestat*|minacciat*|ferit*",
    ),
    (
        Cue.HEALTH,
        "intossicazione|intossicat*|stato male|stata male|siamo stati male|vomitat*|vomito|"
        "reazione allergica|pronto soccorso|finit* in ospedale|muffa|scarafagg*|cimici|dei topi|"
        "i vermi|scadut*|andato a male|pollo crudo",
    ),
    (
        Cue.FRAUD,
        "truffa*|truffator*|truffat*|ladri|ladro|frode|imbroglio|imbroglion*|raggir*|rubat*|rubano|"
        "contraffatt*|falso sito|fregatura|fregat*|estorsione|disonest*",
    ),
    (
        Cue.LEGAL,
        "avvocat*|denuncia*|denunc*|vie legali|per vie legali|querela|altroconsumo|codacons|"
        "adiconsum|federconsumatori|diffida|giudice di pace|agcom|polizia postale|illegale",
    ),
    (Cue.DISCRIMINATION, "razzist*|razzismo|discrimin*|sessist*|omofob*|xenofob*"),
    (
        Cue.DATA,
        "i miei dati|dati personali|dati sensibili|violazione dei dati|hackerat*|senza consenso|"
        "senza il mio consenso|senza autorizzazione|furto d'identità|gdpr|garante della privacy",
    ),
    (
        Cue.MONEY,
        "garanzia la rifiutano|garanzia rifiutata|rifiutano la garanzia|garanzia non|"
        "continuano a mandarmi fatture|continuano a fatturare|continuano ad addebitare|"
        "aumento del prezzo|aumentato il prezzo|rimborso*|rimborsat*|rimborsare|i miei soldi|"
        "miei soldi|soldi indietro|ridatemi|soldi buttati|soldi persi|addebitat*|addebito*|"
        "doppio addebito|pagato due volte|due volte l'importo|l'importo due volte|fatturat* due|"
        "costi nascosti|spese nascoste|troppo caro|troppo cara|carissim*|non vale|non vale il prezzo|"
        "prezzo esagerato|prezzi esagerati|prelevat*|trattenut*|cauzione|bolletta pazza|spennat*",
    ),
    (
        Cue.WAITING,
        "ora al telefono|ore al telefono|minuti al telefono|cade la linea|nemmeno suonato|"
        "non ha suonato|destinatario assente|doveva passare|dovevano venire|doveva arrivare|"
        "in lavorazione|non è venuto|non è passato|ancora aspett*|sto aspettando|aspetto da|"
        "aspetto il|aspettiamo da|aspettare ore|ore di attesa|un'ora di attesa|in attesa da|"
        "da settimane|da mesi|da un mese|da giorni|ancora niente|ancora nulla|non ancora|"
        "mai arrivat*|non è arrivat*|non è mai|non arriva|non mi è arrivat*|mai ricevut*|"
        "non ho ricevuto|non consegnat*|mai consegnat*|segnato come consegnato|risulta consegnat*|"
        "in ritardo|ritardo|ritardi|ritardat*|perso il pacco|pacco perso|pacco smarrit*|smarrit*|"
        "bagaglio smarrito|valigia persa|attesa infinita|attesa interminabile|quando arriva|"
        "dov'è il mio|nessuno è venuto|non si è presentat*",
    ),
    (
        Cue.SILENCE,
        "nessuno che sappia|nessuno sa spiegare|nessuna spiegazione|nessuno spiega|nessuna risposta|"
        "non rispond*|nessuno risponde|nessuno mi risponde|nessuno mi ha risposto|senza risposta|"
        "mai risposto|assistenza inesistente|assistenza pessima|nessuna assistenza|assistenza nulla|"
        "irraggiungibil*|impossibile contattar*|impossibile parlare|mettono giù|riattacca*|"
        "chiudono il telefono|chiuso in faccia|risposte automatiche|risposta preimpostata|ignorat*|"
        "mi ignorano|nessun aiuto|nessuno sa niente|rimpall*|scaricabarile|"
        "servizio clienti inesistente|nessuna soluzione|nessuno si fa",
    ),
    (
        Cue.BROKEN,
        "scollat*|si è scollat*|non riesco più|non si apre più|non mi apre|carta bloccata|graffiat*|"
        "scucit*|con la nuova versione|non funziona*|non va|non vanno|smesso di funzionare|"
        "non si apre|non carica|non parte|non si accende|non si connette|non riesco|non mi fa|rotto|"
        "rotta|rotti|rotte|difettos*|danneggiat*|guast*|si blocca|si chiude da sola|"
        "si chiude da solo|si chiude|si è rotto|si è rotta|crash*|errore|errori|bug|schermo nero|"
        "inutilizzabil*|senza internet|senza linea|senza corrente|non c'è linea|mancano pezzi|"
        "incomplet*|perde acqua|dopo l'aggiornamento",
    ),
    (
        Cue.CANCELLED,
        "annullat*|cancellat*|cancellazione|soppress*|volo cancellato|account bloccato|"
        "bloccato l'account|conto bloccato",
    ),
    (
        Cue.MISLED,
        "bugiard*|bugie|mentono|mentito|ingann*|ingannevol*|pubblicità ingannevole|presa in giro|"
        "presi in giro|preso in giro|prendono in giro|non conforme|non corrisponde|diverso da|"
        "niente a che vedere|promesse non|promesso|taglia sbagliata|prodotto sbagliato|"
        "articolo sbagliato|clausole|specchietto per le allodole",
    ),
    (
        Cue.LEAVING,
        "mai più|non ci torno|non tornerò|non torneremo|non ci torneremo|non comprerò più|"
        "cambio operatore|cambierò operatore|cambio gestore|disdico|disdetta|ultima volta|"
        "disinstall*|cliente perso|passo a|me ne vado",
    ),
    (
        Cue.WARNING,
        "sconsigl*|non consiglio|non lo consiglio|evitate|da evitare|evitare|state alla larga|"
        "alla larga|non comprate|non acquistate|non fidatevi|attenzione a|non andateci|"
        "lasciate perdere|diffidate",
    ),
    (
        Cue.STAFF,
        "maleducat*|scortes*|scorbutic*|arrogant*|incompetent*|incompetenza|incapac*|antipatic*|"
        "svogliat*|poco professional*|non professional*|sgarbat*|cafon*|maleducazione|trattati male|"
        "trattato male|trattata male|menefreghis*|se ne fregano|indisponent*",
    ),
    (
        Cue.FURIOUS,
        "pessim*|orribil*|terribil*|vergogn*|inaccettabil*|schifo|schifos*|disastr*|vomitevol*|"
        "ridicol*|scandalos*|indecent*|indegn*|penos*|da incubo|incubo|merda|cagata|una barzelletta|"
        "assurd*|arrabbiat*|furios*|sono stufo|sono stufa|allucinant*|squallid*|squallore|peggiore|"
        "peggiori|peggio di|imbarazzant*",
    ),
    (
        Cue.COMPLAINT,
        "gelata|gelato il|mancava metà|manca metà|mancava|non ha alzato gli occhi|nemmeno un saluto|"
        "non saluta|delus*|deludent*|delusione|sporco|sporca|sporchi|sporche|sporcizia|peggio*|"
        "scadent*|scarso|scarsa|scarsi|inutil*|disservizio|disservizi|reclamo|reclami|lamentel*|"
        "perdita di tempo|tempo perso|problem*|malissimo|male|non soddisfatt*|insoddisfatt*|"
        "non sono soddisfatt*|mediocr*|rumoros*|rumore|puzza|puzzava|insipid*|immangiabil*|duro come|"
        "peccato|zero stelle|una stella|complimenti per niente|ennesimo|ennesima|lascia a desiderare|"
        "lascia molto a desiderare|non all'altezza|scomod*|lentissim*|brutto|brutta|caro per",
    ),
)

PRAISE = (
    "niente male|mica male|non male|ottim*|perfett*|eccellent*|consigliat*|lo consiglio|la consiglio|"
    "consigliatissim*|consiglio|fantastic*|grazie a|grazie mille|grazie per|soddisfatt*|"
    "soddisfattissim*|veloc*|velocissim*|gentil*|gentilissim*|bellissim*|bravissim*|adoro|"
    "meraviglios*|impeccabil*|buonissim*|super|stupend*|splendid*|cordial*|disponibil*|squisit*|"
    "delizios*|pulit*|pulitissim*|accoglient*|professional*|puntual*|efficient*|tutto bene|tutto ok|"
    "tutto perfetto|nessun problema|come descritto|conforme|ci tornerò|torneremo|da provare|top|"
    "bravi|complimenti a|5 stelle|cinque stelle|felicissim*|contentissim*|content*"
)
