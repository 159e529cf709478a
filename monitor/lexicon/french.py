"""What do unhappy customers write in French? Literal phrases, written by hand for lowstar."""

from __future__ import annotations

from monitor.lexicon.cues import Cue

COMPLAINTS: tuple[tuple[Cue, str], ...] = (
    (
        Cue.SAFETY,
        "a pris feu|prend feu|prise de feu|explosé|exploser|électrocut*|décharge électrique|"
        "dangereu*|blessé*|brûlure*|odeur de brûlé|odeur de gaz|fuite de gaz|freins lâch*|agress*|"
        "harcel*|menacé*",
    ),
    (
        Cue.HEALTH,
        "intoxication|intoxiqué*|malade toute la nuit|tombé* malade|rendu* malade|vomi|vomir|"
        "réaction allergique|éruption cutanée|aux urgences|moisi*|moisissure*|cafard*|punaise*|"
        "souris dans|des rats|asticot*|périmé*|avarié*|pas cuit|cru à l'intérieur",
    ),
    (
        Cue.FRAUD,
        "arnaque*|arnaqu*|escroc*|escroquerie*|escroqu*|voleur*|volé mon|m'ont volé|vol pur|fraude*|"
        "fraudul*|faux site|contrefaçon*|contrefait*|usurpation|piège à|bande d'escrocs",
    ),
    (
        Cue.LEGAL,
        "avocat*|porter plainte|porté plainte|dépôt de plainte|déposer plainte|tribunal|"
        "mise en demeure|ufc|dgccrf|60 millions de consommateurs|signal conso|médiateur|poursuites|"
        "huissier|répression des fraudes",
    ),
    (Cue.DISCRIMINATION, "raciste*|racisme|discrimin*|sexiste*|sexisme|homophob*|islamophob*|antisémit*"),
    (
        Cue.DATA,
        "mes données|données personnelles|fuite de données|piraté*|piratage|rgpd|compte piraté|"
        "identité volée|commande d'un autre|coordonnées bancaires|à mon insu|sans mon accord|"
        "sans mon consentement",
    ),
    (
        Cue.MONEY,
        "garantie refusée|refus de garantie|refusent la garantie|continuent à me prélever|"
        "continue à me prélever|continuent de prélever|addition salée|augmentation de prix|"
        "augmenté sans|remboursement*|remboursez*|rembourser|pas remboursé*|toujours pas remboursé*|"
        "refuse de rembourser|mon argent|débité* deux fois|prélevé* deux fois|prélevé* sans|"
        "débité* sans|double prélèvement|prélèvement*|surfactur*|facturé* deux fois|facturé* en trop|"
        "frais cachés|trop cher*|hors de prix|argent jeté|argent gaspillé|perte d'argent|gaspillage|"
        "ne vaut pas|ne vaut rien|pas le prix|abusif*|abusé|caution",
    ),
    (
        Cue.WAITING,
        "je patiente|patiente au téléphone|une heure au téléphone|heure d'attente|"
        "en préparation depuis|avis de passage|n'est pas venu|n'est jamais venu|pas passé|"
        "même pas sonné|n'a pas sonné|devait passer|devait être livré|devait arriver|"
        "pendant quarante minutes|pendant une heure|toujours en préparation|toujours pas|"
        "toujours rien|toujours en attente|attends depuis|attend depuis|attendons depuis|"
        "j'attends toujours|en attente depuis|depuis des semaines|depuis des mois|depuis un mois|"
        "jamais reçu*|jamais arrivé*|jamais livré*|pas reçu*|rien reçu|pas livré*|non livré*|"
        "pas arrivé*|mais rien|en retard|retard*|heures d'attente|heures de retard|attendu plus|"
        "trop d'attente|attente interminable|annoncé* livré*|marqué livré|colis perdu|"
        "perdu mon colis|bagage perdu|valise perdue|train supprimé|train annulé|supprimé*|"
        "ne vient jamais|pas venu|jamais venu|posé un lapin|correspondance ratée",
    ),
    (
        Cue.SILENCE,
        "mêmes documents|me redemande|on me demande trois fois|personne ne sait|aucune explication|"
        "personne n'explique|aucune réponse|pas de réponse|sans réponse|jamais de réponse|ne répond*|"
        "répond pas|répondent pas|répond jamais|personne ne répond|personne pour|aucune nouvelle|"
        "pas de nouvelles|injoignable*|impossible de joindre|impossible à joindre|raccroché*|"
        "raccroche*|me raccroche|réponse automatique|copier-coller|service client inexistant|"
        "aucun service|aucune aide|se renvoient la balle|baladé*|ignoré*|service client nul|"
        "sav inexistant|sav déplorable|aucun suivi",
    ),
    (
        Cue.BROKEN,
        "troué*|décollé*|usé* au bout|au bout d'un mois|ne peut plus|ne peux plus|on ne peut plus|"
        "compte est bloqué|compte bloqué|carte bloquée|ça coupe|ça ne capte|rayé*|ne fonctionne pas|"
        "ne fonctionne plus|fonctionne pas|fonctionne plus|ne marche pas|ne marche plus|marche pas|"
        "marche plus|en panne|tombé* en panne|cassé*|défectueu*|défaut*|plante|plantent|bug*|beug*|"
        "se ferme toute seule|se ferme tout seul|se ferme sans|ne s'ouvre|ne charge|ne démarre|"
        "impossible de|message d'erreur|code erreur|inutilisable*|écran noir|plus internet|"
        "pas internet|coupure*|coupe sans|abîmé*|endommagé*|déchiré*|fuit|manque des pièces|"
        "pièce manquante|incomplet*|hors service",
    ),
    (Cue.CANCELLED, "annulé*|annulent|annulation*|commande annulée|vol annulé|compte supprimé|résilié*"),
    (
        Cue.MISLED,
        "mensonge*|menteur*|menti|mentent|publicité mensongère|trompeu*|trompé*|tromperie|"
        "pas conforme|non conforme|rien à voir avec|ne correspond pas|fausse promesse|"
        "fausses promesses|promesses non tenues|mauvaise taille|mauvais article|abonnement caché|"
        "entourloupe|baratin|faux avis",
    ),
    (
        Cue.LEAVING,
        "plus jamais|jamais plus|je résilie|résilier|je change de|changer d'opérateur|dernière fois|"
        "on ne nous y reprendra|on ne m'y reprendra|ne reviendrai*|ne reviendrons|désinstall*|"
        "client perdu|je ne commanderai plus|je pars",
    ),
    (
        Cue.WARNING,
        "à fuir|fuyez|à éviter|évitez|déconseill*|ne recommande pas|recommande pas|ne commandez|"
        "n'achetez|n'allez pas|méfiez-vous|attention à|passez votre chemin|à proscrire|à bannir",
    ),
    (
        Cue.STAFF,
        "soupire*|lève les yeux au ciel|ne dit pas bonjour|même pas un bonjour|impoli*|désagréable*|"
        "odieu*|malpoli*|mal poli*|irrespectueu*|méprisant*|mépris|hautain*|agressif*|incompétent*|"
        "incompétence|pas aimable*|peu aimable*|mal reçu*|mal accueilli*|arrogan*|pas professionnel*|"
        "j'm'en-foutiste|se moque* du client|se moque* de nous|se fiche*|grossier*",
    ),
    (
        Cue.FURIOUS,
        "catastroph*|horrible*|scandaleu*|scandale|honteu*|honte|inadmissible*|inacceptable*|"
        "lamentable*|déplorable*|exécrable*|infect*|immonde*|dégueulasse*|dégoût*|ignoble*|"
        "pitoyable*|minable*|une blague|foutage de gueule|se foutent|merde*|merdique*|cauchemar*|"
        "ras le bol|ras-le-bol|marre|furieu*|en colère|révolt*|nullissime*|zéro pointé|désastr*|"
        "épouvantable*|n'importe quoi",
    ),
    (
        Cue.COMPLAINT,
        "tiède*|il manquait|manquait la moitié|manque la moitié|bravo les|déçu*|décevant*|déception*|"
        "nul|nulle|nuls|nulles|sale|sales|saleté|crasseu*|mauvais*|pire|médiocre*|réclamation*|"
        "plainte|mécontent*|insatisfait*|pas content*|pas satisfait*|problème*|perte de temps|"
        "merci pour rien|bruyant*|mal isolé|sec et|pas frais|pas bon|immangeable*|insipide*|fade|"
        "dommage|galère*|compliqué|zéro étoile|0 étoile|une étoile|qualité médiocre|mauvaise qualité|"
        "bas de gamme|pas terrible|bof|ne vaut pas le détour|sans intérêt|laisse à désirer|encore un|"
        "encore une fois",
    ),
)

PRAISE = (
    "ne regretterez pas|pas mal du tout|super|parfait*|excellent*|génial*|je recommande|"
    "recommande vivement|recommande à|adore*|très bien|très bon|très bonne|très content*|"
    "très satisfait*|merci à|merci pour votre|ravi*|satisfait*|rapide*|impeccable*|magnifique*|"
    "agréable*|au top|formidable*|délicieu*|efficace*|professionnel*|accueillant*|chaleureu*|"
    "souriant*|à l'écoute|conforme|rien à dire|rien à redire|sans problème|aucun problème|"
    "les yeux fermés|bon rapport|propre|sympathique*|gentil*|bravo|incroyable*|un régal|"
    "coup de coeur|topissime|5 étoiles|cinq étoiles|merci beaucoup|j'y retournerai|nous reviendrons|"
    "pas déçu*|enchanté*|réactif*"
)
