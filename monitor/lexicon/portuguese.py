"""What do unhappy customers write in Portuguese (both kinds)? Literal phrases, written by hand for lowstar."""

from __future__ import annotations

from monitor.lexicon.cues import Cue

COMPLAINTS: tuple[tuple[Cue, str], ...] = (
    (
        Cue.SAFETY,
        "pegou fogo|pega fogo|explodiu|explode|choque elétrico|perigos*|cheiro de queimado|"
        "vazamento de gás|agredid*|assediad*|ameaç*|inseguro|insegura",
    ),
    (
        Cue.HEALTH,
        "intoxicação|intoxicad*|passei mal|passamos mal|vomit*|reação alérgica|parar no hospital|"
        "parar nas urgências|pronto-socorro|mofo|bolor|barata*|percevejo*|tinha ratos|larvas|"
        "produto vencido|estragad*|fora do prazo|cru por dentro|frango cru",
    ),
    (
        Cue.FRAUD,
        "é golpe|golpista*|fraude*|fraudulent*|é um roubo|roubaram|roubada|ladrões|ladrão|burla|"
        "burlão|burlões|burlad*|vigarice|vigarista*|picareta*|picaretagem|falsificad*|estelionato|"
        "trambique*|aldrab*",
    ),
    (
        Cue.LEGAL,
        "advogad*|procon|processar vocês|vou processar|processo judicial|reclame aqui|reclameaqui|"
        "entrar na justiça|livro de reclamações|deco|anatel|aneel|asae|boletim de ocorrência|juizado|"
        "ilegal*|direito do consumidor",
    ),
    (Cue.DISCRIMINATION, "racist*|racismo|discrimin*|machist*|homofób*|homofobia|xenófob*|preconceit*"),
    (
        Cue.DATA,
        "meus dados|dados pessoais|vazaram|vazamento de dados|hackead*|hackearam|clonad*|clonaram|"
        "lgpd|rgpd|sem autorização|sem minha autorização|sem meu consentimento|"
        "sem o meu consentimento",
    ),
    (
        Cue.MONEY,
        "não querem cobrir|não cobrem a garantia|garantia negada|continuam mandando boleto|"
        "continuam a cobrar|continuam a mandar|aumentaram o preço|aumento abusivo|reembolso*|"
        "reembols*|estorno*|estorn*|meu dinheiro|dinheiro de volta|devolvam|devolução do dinheiro|"
        "cobrado duas vezes|cobrad* em duplicidade|cobrança duplicada|cobraram duas|cobraram a mais|"
        "cobrança indevida|cobraram|cobrança*|continuam cobrando|debitado*|débito indevido|"
        "taxas escondidas|taxa abusiva|abusiv*|caro demais|muito caro|caríssim*|dinheiro jogado|"
        "dinheiro no lixo|não vale|não vale a pena|não compensa|extorsão|fatura errada|conta errada|"
        "multa indevida|caução",
    ),
    (
        Cue.WAITING,
        "hora no telefone|horas no telefone|hora ao telefone|minutos no telefone|a ligação cai|"
        "cai a ligação|nem tocou|não tocou a campainha|destinatário ausente|vinha de manhã|"
        "vinha entre|ficou de vir|continua em separação|continua em processamento|continua pendente|"
        "não veio|não compareceu|ainda não|ainda nada|até agora nada|até hoje nada|até agora não|"
        "até hoje não|continuo à espera|continuo esperando|estou esperando|estou à espera|"
        "à espera há|à espera do reembolso|esperando há|semanas esperando|há semanas|há meses|"
        "há um mês|há dias|nunca chegou|não chegou|nao chegou|não chega|nunca chega|não chegou nada|"
        "não recebi|nao recebi|nunca recebi|não foi entregue|não entregaram|não entregam|"
        "consta como entregue|dado como entregue|atraso*|atrasad*|demora*|demorou|horas de espera|"
        "horas na fila|fila enorme|encomenda perdida|extravi*|mala perdida|cadê meu|cadê minha|"
        "ninguém apareceu|não apareceram|não vieram",
    ),
    (
        Cue.SILENCE,
        "ninguém explica|sem explicação|nenhuma explicação|sem resposta|não respondem|nao respondem|"
        "não responde|ninguém responde|ninguem responde|nenhuma resposta|ninguém atende|não atendem|"
        "não atende|ninguém resolve|não resolvem|não resolve|não resolveram|sem solução|"
        "nenhuma solução|desligam na cara|desliga na cara|desligaram na|desligam o telefone|"
        "me ignoram|ignorad*|impossível falar|não consigo falar|resposta automática|"
        "respostas automáticas|robô inútil|sem suporte|suporte inexistente|atendimento inexistente|"
        "sem atendimento|empurram|jogo de empurra|ninguém sabe|ninguém ajuda|descaso|desrespeito",
    ),
    (
        Cue.BROKEN,
        "descolou|descosturou|rasgou|riscad*|nem consigo abrir|não abre mais|cartão bloqueado|"
        "bloquearam meu cartão|bloquearam o cartão|bloquearam a conta|depois da nova versão|"
        "não funciona*|nao funciona*|parou de funcionar|não abre|nao abre|não carrega|não liga|"
        "não conecta|não entra|não consigo|nao consigo|não dá pra|não dá para|quebrad*|quebrou|"
        "partid*|avariad*|estragou|defeito*|defeituos*|danificad*|trava|travando|travou|"
        "fecha sozinho|fecha sozinha|fecha do nada|fecha sem|cai toda hora|caindo|bug*|erro|erros|"
        "tela preta|ecrã preto|sem internet|sem sinal|sem luz|sem energia|faltam peças|"
        "faltando peças|incomplet*|vazando|inutilizável|depois da atualização|após a atualização",
    ),
    (
        Cue.CANCELLED,
        "cancelad*|cancelaram|cancelam|voo cancelado|conta bloqueada|bloquearam minha|"
        "bloquearam a minha|suspens*",
    ),
    (
        Cue.MISLED,
        "mentira*|mentiros*|mentiram|enganad*|enganos*|enganação|propaganda enganosa|"
        "publicidade enganosa|não é como|não corresponde|diferente do anúncio|nada a ver com|"
        "não cumprem|não cumpriu|não cumpriram|promessa*|prometeram|produto errado|tamanho errado|"
        "veio errado|veio errada|pegadinha|palhaçada|feito de bobo|gozar com",
    ),
    (
        Cue.LEAVING,
        "nunca mais|não volto|nao volto|não volto mais|não compro mais|não recomendo mais|última vez|"
        "vou cancelar|cancelei|vou trocar de|mudei de|mudar de operadora|desinstal*|"
        "perderam um cliente|menos um cliente",
    ),
    (
        Cue.WARNING,
        "não recomendo|nao recomendo|não aconselho|não comprem|não compre|nao comprem|fujam|fuja|"
        "evitem|evite|cuidado com|tomem cuidado|não caiam|não caia|não contratem|passem longe|"
        "longe disso",
    ),
    (
        Cue.STAFF,
        "grosseir*|mal educad*|mal-educad*|maleducad*|ignorante*|arrogante*|antipátic*|incompetent*|"
        "despreparad*|sem educação|falta de educação|falta de respeito|mal atendid*|"
        "péssimo atendimento|atendimento péssimo|mau atendimento|atendimento ruim|"
        "atendimento horrível|desagradáve*|prepotent*|má vontade|pouco profissional*",
    ),
    (
        Cue.FURIOUS,
        "péssim*|pessimo|pessima|horrível|horrivel|horríveis|terrível|terrivel|vergonha|vergonhos*|"
        "inaceitáve*|lixo|nojo|nojent*|lamentáve*|ridícul*|absurdo|um absurdo|desastre|porcaria|"
        "merda|bosta|pesadelo|revoltant*|revoltad*|indignad*|cansei|farto|piada|decepção total|"
        "escândalo|deplorável|patétic*|pior empresa|o pior|a pior",
    ),
    (
        Cue.COMPLAINT,
        "gelada|faltava metade|faltou metade|faltava|veio faltando|veio frio|nem tirou os olhos|"
        "nem um bom dia|decepcion*|decepção|desiludid*|desilusão|sujo|suja|sujos|sujas|sujeira|ruim|"
        "ruins|pior|piores|mau|reclama*|reclamação|queixa|insatisfeit*|não gostei|nao gostei|"
        "problema*|perda de tempo|barulho|barulhent*|cheira mal|cheiro ruim|sem gosto|sem sabor|"
        "intragável|zero estrelas|uma estrela|nota zero|nota 0|deixa a desejar|deixou a desejar|"
        "má qualidade|baixa qualidade|qualidade ruim|fraco|fraquinho|lento|complicad*|desconfortáve*|"
        "lamento|infelizmente|chateado|chateada|obrigado por nada|pena que",
    ),
)

PRAISE = (
    "nada mau|excelente*|perfeit*|ótim*|otimo|otima|recomendo|super recomendo|recomendad*|adoro|"
    "adorei|amei|amo|obrigad* a|muito bom|muito boa|muito bem|muito obrigad*|satisfeit*|rápid*|"
    "maravilhos*|maravilha|fantástic*|incríve*|nota 10|nota dez|delicios*|impecáve*|top|show|"
    "show de bola|parabéns|melhor*|atencios*|simpátic*|educad*|gentil|gentis|limpo|limpinho|"
    "confortáve*|aconchegante|chegou antes|antes do prazo|tudo certo|sem problema*|nenhum problema|"
    "espetacular|espetaculares|5 estrelas|cinco estrelas|voltarei|eficient*|profissional*|contente|"
    "feliz"
)
