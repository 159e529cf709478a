"""What do unhappy customers write in Spanish? Literal phrases, written by hand for lowstar."""

from __future__ import annotations

from monitor.lexicon.cues import Cue

COMPLAINTS: tuple[tuple[Cue, str], ...] = (
    (
        Cue.SAFETY,
        "se incendió|prendió fuego|explotó|explota|descarga eléctrica|electrocut*|peligros*|"
        "olor a quemado|fuga de gas|frenos fallaron|agredi*|acos*|amenaz*|inseguro|insegura",
    ),
    (
        Cue.HEALTH,
        "intoxicación|intoxic*|me enfermé|nos enfermamos|vomit*|reacción alérgica|a urgencias|moho|"
        "cucaracha*|chinches|ratones|gusano*|caducad*|comida vencida|crudo por dentro|pollo crudo|"
        "diarrea",
    ),
    (
        Cue.FRAUD,
        "estafa*|estafador*|ladrones|ladrón|fraude*|fraudulent*|es un robo|robaron|me robaron|"
        "nos robaron|timo|timador*|falsificad*|sinvergüenza*|chorros|rateros",
    ),
    (
        Cue.LEGAL,
        "abogad*|denuncia*|denunciar*|voy a demandar|demandarlos|profeco|indecopi|sernac|juzgado|"
        "hoja de reclamaciones|libro de reclamaciones|ocu|acciones legales|ilegal*|facua",
    ),
    (Cue.DISCRIMINATION, "racista*|racismo|discrimin*|machista*|homófob*|xenófob*|clasista*"),
    (
        Cue.DATA,
        "mis datos|datos personales|filtr* mis|hackea*|hackearon|sin mi consentimiento|"
        "sin mi permiso|sin autorización|robo de identidad|protección de datos|"
        "pedido de otra persona",
    ),
    (
        Cue.MONEY,
        "garantía no|no quieren hacerse cargo|no se hacen cargo|siguen pasando la factura|"
        "me siguen pasando|siguen facturando|subieron el precio|subida de precio|devolución|"
        "reembolso*|reembols*|mi dinero|devuelvan|devuélvanme|no me devuelven|no devuelven|mi plata|"
        "cobraron dos veces|cobrado dos veces|cobro doble|doble cobro|me cobraron de más|"
        "cobraron de más|cobro indebido|cargo indebido|cargo no reconocido|siguen cobrando|"
        "me siguen cobrando|cargos ocultos|muy caro|carísim*|demasiado caro|dinero tirado|"
        "dinero perdido|tirar el dinero|no vale la pena|no lo vale|no vale lo que|abusiv*|"
        "sobreprecio|facturaron mal|factura errónea|fianza",
    ),
    (
        Cue.WAITING,
        "hora al teléfono|horas al teléfono|minutos al teléfono|ni tocó el timbre|no tocó el timbre|"
        "no había nadie|tenía que venir|tenían que venir|no se presentó|no se presentaron|"
        "sigue en preparación|sigue en proceso|sigue pendiente|estamos a|sigo esperando|"
        "seguimos esperando|todavía no|todavía nada|aún no|aun no|sigo sin|seguimos sin|"
        "llevo esperando|semanas esperando|meses esperando|días esperando|horas esperando|"
        "llevo semanas|llevo meses|llevo días|llevo horas|esperando el reembolso|esperando mi|"
        "nunca llegó|nunca llega|no ha llegado|no llegó|no llega|no me ha llegado|no me llegó|"
        "no aparece|no lo entregaron|figura como entregado|consta como entregado|"
        "aparece como entregado|retraso*|retrasad*|demora|tardanza|llegó tarde|tardan|"
        "horas de espera|una hora de espera|perdieron mi|perdieron la maleta|maleta perdida|"
        "paquete perdido|me dejaron plantado|nadie vino|no vinieron",
    ),
    (
        Cue.SILENCE,
        "se corta la llamada|cortan la llamada|nadie da una explicación|nadie explica|"
        "sin explicación|no responden|no responde|nadie responde|no contestan|no contesta|"
        "nadie contesta|nadie me contesta|nadie me responde|sin respuesta|ninguna respuesta|"
        "nadie da la cara|nadie ayuda|no ayudan|no dan solución|sin solución|ninguna solución|"
        "me cuelgan|te cuelga*|cuelgan|me colgaron|me ignoran|ignorad*|imposible contactar|"
        "imposible comunicarse|respuesta automática|bot inútil|no hay servicio|no hay atención|"
        "se lavan las manos|me tienen de|dando vueltas|pasan la pelota|nadie sabe nada",
    ),
    (
        Cue.BROKEN,
        "despegad*|al mes se|se despegó|no puedo ni abrir|no puedo abrir|no puedo entrar|"
        "no puedo acceder|no me abre|bloquearon la tarjeta|bloquearon la cuenta|tarjeta bloqueada|"
        "rayad*|se descosió|desde la nueva versión|no funciona*|no sirve*|dejó de funcionar|no anda|"
        "no carga|no abre|no enciende|no conecta|no me deja|no deja|no se puede|roto|rota|rotos|"
        "rotas|defectuos*|dañad*|averiad*|estropead*|falla|fallas|muchos fallos|se cierra sola|"
        "se cierra solo|se cierra|se cae|se traba|se congela|se cuelga|se bloquea|se rompió|error|"
        "pantalla negra|sin internet|sin señal|sin luz|sin servicio|vino incompleto|faltan piezas|"
        "incomplet*|desde la actualización|inservible*",
    ),
    (
        Cue.CANCELLED,
        "cancelado|cancelada|cancelaron|cancelan|me cancelan|cancelar sin|vuelo cancelado|"
        "cuenta bloqueada|bloquearon mi",
    ),
    (
        Cue.MISLED,
        "mentira*|mentiros*|mienten|me mintieron|engaño*|engañ*|publicidad engañosa|no es lo que|"
        "no corresponde|nada que ver con|no cumplen|no cumplió|incumpl*|promesas falsas|prometieron|"
        "no es como|talla equivocada|producto equivocado|letra chica|letra pequeña|tomadura de pelo|"
        "me tomaron el pelo",
    ),
    (
        Cue.LEAVING,
        "nunca más|no vuelvo|no volveré|no volvería|no vuelvo a|jamás vuelvo|me cambio a|me voy a|"
        "me doy de baja|darme de baja|última vez|desinstal*|cliente menos|perdieron un cliente|"
        "cambiaré de",
    ),
    (
        Cue.WARNING,
        "no recomiendo|no lo recomiendo|no la recomiendo|no recomendable|no recomendado|no compren|"
        "no compréis|no compres|no contraten|no vayan|no vayáis|no caigan|eviten|eviten este|"
        "evítenlo|cuidado con|huyan|huid|aléjense|alejaos|no gasten",
    ),
    (
        Cue.STAFF,
        "groser*|maleducad*|mal educad*|prepotent*|antipátic*|desagradable*|irrespetuos*|"
        "incompetent*|inútil*|inútiles|poco profesional*|mal trato|maltrato|pésimo trato|"
        "mala atención|pésima atención|soberbi*|de mala gana|altaner*|nos gritó|me gritó|"
        "falta de respeto|poca vergüenza",
    ),
    (
        Cue.FURIOUS,
        "pésim*|malísim*|horrible*|fatal|terrible*|nefast*|vergüenza|vergonzos*|inaceptable*|"
        "indignante*|indignad*|asco|asqueros*|basura|porquería|mierda|una burla|burla|desastre*|"
        "desastros*|lamentable*|deplorable*|pesadilla|harto|harta|hartos|furios*|enojad*|cabread*|"
        "el colmo|es el colmo|patétic*|espantos*|atroz|de lo peor|lo peor",
    ),
    (
        Cue.COMPLAINT,
        "helad*|faltaba la mitad|falta la mitad|faltaba|venía frío|ni levantó la vista|ni saludó|"
        "ni saludan|decepcion*|sucio|sucia|sucios|sucias|mal|mala|malo|malas|malos|peor|caro|queja|"
        "quejas|reclamo|reclamación|reclamaciones|problema*|insatisfech*|no me gustó|no gustó|"
        "no estoy content*|lástima|pérdida de tiempo|ruido|ruidos*|huele mal|olía mal|sin sabor|"
        "incomible*|cero estrellas|una estrella|gracias por nada|deja mucho que desear|"
        "dejan mucho que desear|mala calidad|pobre calidad|mala experiencia|complicad*|lento|"
        "incómod*|regular tirando",
    ),
)

PRAISE = (
    "nada mal|no está mal|excelente*|perfect*|genial*|me encanta|encanta|encantó|encantad*|"
    "recomendable*|lo recomiendo|la recomiendo|recomiendo|muy bien|muy bueno|muy buena|muy buen|"
    "buen servicio|buena atención|gracias por|muchas gracias|content*|rápid*|maravillos*|maravilla|"
    "estupend*|fantástic*|amable*|amabilidad|delicios*|buenísim*|riquísim*|increíble*|impecable*|"
    "satisfech*|todo bien|todo perfecto|súper|super|lo mejor|de lo mejor|el mejor|la mejor|bonit*|"
    "volveré|volveremos|de diez|10/10|cinco estrellas|5 estrellas|antes de lo previsto|profesional*|"
    "eficient*|sin problema*|ningún problema|cumple|limpi*|acogedor*|felicidades|bravo"
)
