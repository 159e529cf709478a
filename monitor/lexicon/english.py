"""What do unhappy customers write in English? Literal phrases, written by hand for lowstar.

One string a list, phrases divided by "|". A "*" at the end matches any ending ("overcharg*"). An apostrophe
may be left out by the author ("doesnt work"). Weights stand in VADER's scale (−4…4) and replace what VADER
gives to the words a phrase covers. No corpus was copied. Phrases that misled were struck out, and the
weak hints chosen, by looking at labelled posts: the review sentences of Kotzias et al. 2015 (UCI), the ground
truth of Hutto & Gilbert 2014 (VADER), GoEmotions. `benchmarks/triage.py` says what it is worth on others.
"""

from __future__ import annotations

from monitor.lexicon.cues import Cue

COMPLAINTS: tuple[tuple[Cue, float, str], ...] = (
    (
        Cue.SAFETY,
        -3.2,
        "fire risk|burning smell|smells like burning|smell of burning|smells of burning|burning plastic|"
        "scorch mark*|scorched|sparks flew|sparks came|melted|shock from|got a shock|overheats|swelled up|"
        "battery swelled|smoke coming|smoke came|gas smell|smell gas|smells of gas|brakes did not|"
        "seat belt|wheel came off|tyre came off|tire came off|landed on my|swallowed it|nearly swallowed|"
        "wire in|metal in|glass in|nail in|needle in|glove in|plastic in my|grabbed my arm|unsafe|"
        "not safe|safety hazard|fire hazard|caught fire|catches fire|caught on fire|burst into flames|"
        "exploded|electric shock|electrocuted|health hazard|dangerous product|brakes failed|nearly killed|"
        "almost killed|could have killed|could have died|almost died|choking hazard|gas leak|"
        "carbon monoxide|burned my|burnt my|was assaulted|got assaulted|harassed me|threatened me|"
        "felt threatened|sexually harass*",
    ),
    (
        Cue.HEALTH,
        -3.2,
        "nut allergy|peanut allergy|up all night with|was up all night|sick all night|ill after|"
        "ill for days|sick for days|got a rash|skin rash|wrong medication|wrong tablets|wrong pills|"
        "mould in|food safety|food poisoning|allergic reaction|anaphyla*|made me sick|made us sick|"
        "made me ill|got sick from|ended up in hospital|ended up in the hospital|in the emergency room|"
        "went to the er|threw up|bed bugs|bedbugs|cockroach*|rat in the|rats in the|mouse droppings|"
        "maggot*|moldy food|mouldy food|mold in|hair in my food|glass in my|undercooked|raw chicken|"
        "salmonella|expired food",
    ),
    (
        Cue.FRAUD,
        -3.2,
        "scam|scams|scammed|scammer|scammers|scamming|total scam|fraud|fraudulent*|ripped off|rip off|"
        "rip-off|ripoff|stole my money|stealing my money|steal your money|steals your money|stole from me|"
        "stolen from me|thieves|thief|crooks|con artists|swindl*|ponzi|fake reviews|fake product|"
        "counterfeit|daylight robbery|highway robbery|took my money|take your money and|kept my money",
    ),
    (
        Cue.LEGAL,
        -2.8,
        "solicitor|against the law|the regulator|press charges|consumer court|standards authority|lawyer|"
        "lawyers|attorney general|my attorney|lawsuit|class action|sue you|suing|sue them|legal action|"
        "small claims|trading standards|consumer protection|better business bureau|report you to|"
        "reported to the bbb|reporting them to|ombudsman|take you to court|breach of contract|"
        "false advertising|contacting the police|police report|called the police",
    ),
    (
        Cue.DISCRIMINATION,
        -3.2,
        "skin colour|skin color|because of how i look|because of my age|because of my accent|"
        "because of my headscarf|because i'm gay|because i am gay|wheelchair ramp|guide dog|"
        "no wheelchair access|too old for|where i am really from|racist*|racism|racial profil*|"
        "discriminat*|sexist|sexism|homophob*|transphob*|antisemit*|islamophob*|because i am black|"
        "because i'm black|because of my race|because of my skin|refused to serve me|ableist|"
        "denied my wheelchair|wheelchair user was refused|because she wears|because he wears|because i wear|"
        "called me a slur|called us a slur|racial slur*|slurs at|"
        "because of my hijab|because of her hijab|because of my turban|"
        "because of my religion|because i am muslim|because i'm muslim|because i am jewish|because i'm jewish|"
        "because i am trans|because i'm trans|because i am disabled|because i'm disabled|"
        "because of my disability|misgender*|told to go back to my country|asked where i am really from|"
        "refused to serve us because|refused us because|turned us away because|no blacks|xenophob*|bigot*|"
        "groped|followed around the store|followed by security because",
    ),
    (
        Cue.DATA,
        -3.2,
        "other people's accounts|other people's bank|took over my account|account was taken|"
        "my full address|with my address|sold my address|sold my number|delete my data|data deletion|"
        "data protection|plain text password|my photo on|against my consent|without my consent|"
        "data breach|leaked my data|data leak|leaked my|sold my data|selling my data|selling our data|"
        "account was hacked|account got hacked|my account hacked|been hacked|got hacked|identity theft|"
        "stole my identity|unauthorized charge*|unauthorised charge*|unauthorized transaction*|"
        "unauthorised transaction*|privacy violation|gdpr|personal details exposed|someone else's account|"
        "someone elses order",
    ),
    (
        Cue.MONEY,
        -2.4,
        "chargeback|charge back|taking money out|takes money out|keeps taking|still taking|"
        "took money out of|money is gone|my deposit back|kept the deposit|keep the deposit|"
        "keeping my deposit|billed me for|billed for|was quoted|quoted one price|direct debit after|"
        "after i cancelled|after cancelling|after i canceled|pay return shipping|pay to return it|"
        "pay to send it|charged my card|want my money|card was charged|no refund|no refunds|"
        "still no refund|refused a refund|refuse to refund|refused to refund|refuses to refund|"
        "won't refund|will not refund|want a refund|want my refund|want my money back|"
        "give me my money back|give me back my money|need a refund|need my refund|demand a refund|"
        "waiting for a refund|waiting for my refund|waiting on my refund|where is my refund|"
        "where's my refund|never got my refund|never refunded|not refunded|haven't been refunded|"
        "asked for a refund|requested a refund|refund my money|refund me|kindly refund|please refund|"
        "charged me twice|charged twice|double charged|charged double|double billed|billed twice|"
        "overcharg*|over charged|over-charged|still charged|still charging|charged me for|keep charging|"
        "keeps charging|kept charging|charged without|hidden fee*|hidden charge*|hidden cost*|"
        "wrongly charged|wrong bill|billing error|billing issue|billing problem|money back|out of pocket|"
        "extortionate|price gouging|waste of money|wasted my money|waste your money|wasting your money|"
        "wasted money|not worth the money|not worth the price|not worth it|isn't worth|wasn't worth|"
        "not worth a|money down the drain|total waste|complete waste|lost my money|over priced|overpriced|"
        "way too expensive|late fee",
    ),
    (
        Cue.WAITING,
        -2.2,
        "is nowhere to be|hasn't moved since|has not moved since|not moved since|in review since|"
        "still in transit|still pending|still processing|still says|did not turn up|didn't turn up|"
        "nobody came|no one came|nobody showed up|no one showed up|took the day off|took a day off|"
        "still haven't|still have not|still has not|still hasn't|yet to receive|yet to arrive|yet to hear|"
        "have yet to|days ago you said|where is my money|where's my money|any news on my|"
        "when will i get my|when am i getting|never comes|never arrives|did not stop|drove past us|"
        "drove off|out of our seats|since the weekend and|still waiting|been waiting|waiting for over|"
        "waited for over|waiting over an hour|waited over an hour|kept waiting|kept us waiting|"
        "kept me waiting|waited forever|waiting forever|took forever|takes forever|taking forever|"
        "where is my order|where's my order|where is my package|where's my package|where is my parcel|"
        "where's my parcel|where is my delivery|where's my delivery|where is my stuff|never arrived|"
        "never came|never showed up|never turned up|didn't show up|did not show up|hasn't arrived|"
        "has not arrived|haven't received|have not received|not received|never received|never delivered|"
        "not delivered|didn't arrive|did not arrive|didn't receive|did not receive|hasn't shipped|"
        "not shipped|missed delivery|lost my package|lost my luggage|lost my bag|lost my bags|"
        "lost luggage|lost my order|still no sign|still nothing|still not|on hold for|been on hold|"
        "hold time|hold times|long wait|long waits|long line|long lines|hours late|hour late|days late|"
        "weeks late|hour delay|hours delay|another delay|delayed again|delayed flight|flight delayed|"
        "late again|always late|running late|stuck at the|stuck on the|stranded|missed my flight|"
        "missed my connection|missed our connection|slow service|so slow|too slow|very slow|"
        "painfully slow|extremely slow|super slow|really slow|slow as",
    ),
    (
        Cue.SILENCE,
        -2.1,
        "not one answer|not one reply|not a single reply|not a single answer|nobody picks|no one picks|"
        "nobody at the|no one at the|nobody knows|no one knows|nobody can tell|no one can tell|"
        "nobody could|no one could|nobody called|no one called|nobody told|no one told|nobody replies|"
        "no one replies|nobody replied|no one replied|nobody responds|no one responds|nobody speaks|"
        "is not solved|not resolved|not been resolved|closed my ticket|ticket was closed|"
        "closed the ticket|marked as solved|transferred me|transferred six times|transferred three times|"
        "been transferred|put the phone down|chat ended|chat closed|bot loops|chat bot|chatbot|"
        "different answers|four different|go round in circles|going round in circles|sent me away|"
        "come back tomorrow|asked for the manager|manager does not|manager refused|wouldn't let me speak|"
        "answer to my complaint|my complaint was|got no answer|gone silent|went silent|vanished|no answer|"
        "no response|no reply|no one answers|nobody answers|no one picks up|nobody picks up|"
        "doesn't answer|don't answer|won't answer|never answered|never answer|never respond|"
        "never responded|never replied|never called back|never called me back|doesn't respond|"
        "don't respond|won't respond|didn't respond|not responding|unresponsive|ignored my|ignoring my|"
        "ignores my|ignoring me|ignored me|ignoring customers|ignored us|hung up on|hang up on|"
        "hangs up on|kept hanging up|passed around|passed from|pass the buck|can't reach|"
        "can't get through|cannot get through|unable to reach|unable to contact|can't get hold|"
        "can't get a hold|zero response|zero communication|no communication|no help|no customer service|"
        "no customer support|zero customer service|zero support|lack of customer service|"
        "horrible customer service|terrible customer service|bad customer service|poor customer service|"
        "worst customer service|awful customer service|useless customer service|pathetic customer service|"
        "rubbish customer service|shocking customer service|appalling customer service|"
        "customer service sucks|customer service is terrible|customer service is horrible|"
        "customer service is awful|customer service is a joke|customer disservice|wouldn't help|"
        "won't help|refused to help|couldn't help|not helpful|unhelpful|no apology|nobody cares|"
        "no one cares|don't care about|doesn't care about|couldn't care less|do not care about|"
        "how do i complain|file a complaint|filed a complaint|make a complaint|made a complaint|"
        "formal complaint|speak to a manager|speak to a human|talk to a human|speak to someone|"
        "talk to someone|no way to contact|dm sent",
    ),
    (
        Cue.BROKEN,
        -2.2,
        "come apart|came off|comes off|came loose|ripped on|snapped on|split after|gets so hot|"
        "gets too hot|overheat*|logs me out|logged me out|logging me out|white screen|blank screen|"
        "black screen|grey screen|went black|stays black|back to the home screen|tap checkout|"
        "payment declined|payment failed|something went wrong|try again later|without internet|"
        "without heating|without hot water|without power|without electricity|without water|drop-outs|"
        "drop outs|in pieces|in two pieces|is missing|was missing|were missing|parts missing|"
        "pages missing|half of what|out of sync|stopped charging|stopped connecting|does not fit|"
        "wrong pharmacy|wrong room|wrong name|wrong colour|wrong color|someone else's order|"
        "somebody else's order|received someone|removed the only|bring it back|bring back|does nothing|"
        "do nothing when|used to last|no longer loads|won't accept|doesn't recognise|doesn't recognize|"
        "use-by date|past its date|out of date|one wash|first wash|first day of|in the cold|were cold|"
        "was cold|ice cold|cold in the middle|pink in the middle|raw in|crumbs in|hair in|sock in|"
        "not working|isn't working|wasn't working|aren't working|stopped working|stops working|"
        "quit working|no longer works|no longer working|doesn't work|don't work|didn't work|does not work|"
        "do not work|did not work|won't work|never worked|never works|not work|hardly works|barely works|"
        "rarely works|doesn't even work|keeps crashing|keep crashing|kept crashing|crashes|crashed|"
        "crashing|crash every|keeps freezing|keep freezing|freezes|constantly freez*|always freez*|"
        "freezes up|froze up|keeps failing|keeps dying|keeps disconnecting|keeps logging|keeps cutting|"
        "keeps dropping|dropped calls|drops calls|dropping calls|keep losing|keeps losing|"
        "keeps restarting|keeps buffering|won't load|doesn't load|not loading|never loads|won't open|"
        "doesn't open|can't open|cannot open|won't start|won't turn on|doesn't turn on|won't charge|"
        "doesn't charge|won't connect|doesn't connect|won't install|can't connect|cannot connect|"
        "can't log in|can't login|cannot log in|cannot login|unable to log in|unable to login|"
        "can't sign in|cannot sign in|can't access|cannot access|unable to access|locked out|can't even|"
        "cannot even|login failed|error message|error code|error every|not available error|is down|"
        "went down|site down|down again|website down|server down|servers down|app down|system down|"
        "outage*|no service|no signal|no internet|lost service|no connection|broke after|broken|"
        "broke down|breaks easily|breaks down|fell apart|falls apart|falling apart|came apart|"
        "piece of junk|piece of crap|piece of shit|piece of garbage|pos app|junk|died after|battery dies|"
        "defective|faulty|malfunction*|glitch|glitches|glitchy|glitching|buggy|full of bugs|too many bugs|"
        "lots of bugs|riddled with bugs|bug fix|fix this|fix your|fix the|fix it|please fix|needs fixing|"
        "need to fix|needs to be fixed|get it fixed|sort it out|sort this out|sort yourselves out|"
        "sort your|get your act together|wouldn't work|would not work|stuck on|unusable|useless|"
        "uninstalled|uninstalling|uninstall|wrong item|wrong order|wrong size|wrong product|wrong address|"
        "missing items|missing parts|items missing|arrived damaged|arrived broken|damaged in|came damaged|"
        "not as described|not as advertised|nothing like the|doesn't fit|didn't fit|poor quality|"
        "bad quality|low quality|cheap quality|poorly made|poorly designed|badly designed|cheaply made|"
        "cheap plastic|terrible quality|horrible quality|fell off|peeled off|wore out|leaks|leaking|"
        "not compatible|doesn't support|does not support|last update|since the update|latest update|"
        "new update|after the update|after update|since update|need an update|needs an update",
    ),
    (
        Cue.CANCELLED,
        -2.2,
        "cancelled my|canceled my|cancelled our|canceled our|cancelled flight*|canceled flight*|"
        "cancelled on me|flight cancelled|flight canceled|flight was cancelled|flight was canceled|"
        "cancelled without|canceled without|cancelled last minute|canceled last minute|"
        "order was cancelled|order was canceled|can't cancel|cannot cancel|won't let me cancel|"
        "impossible to cancel|trying to cancel|tried to cancel|account was closed|closed my account|"
        "suspended my account|blocked my account|banned my account|account suspended|overbooked|"
        "bumped from|denied boarding",
    ),
    (
        Cue.MISLED,
        -2.5,
        "you promised|they promised|was promised|were promised|promised me|promised us|you advertise|"
        "you advertised|so the lifetime|never offered|does not exist|do not exist|it is not true|"
        "was not true|not in the box|different from the picture|than in the pictures|"
        "nothing like the pictures|misleading|illegal|theft|misled|mislead|lied to|lied about|they lie|"
        "lies and|liars|liar|deceptive|deceiv*|deceit*|dishonest*|bait and switch|false promises|"
        "broken promises|empty promises|never as promised|not what was promised|not what i ordered|"
        "not what we ordered|not what i expected|not honoured|not honored|refused to honor|"
        "refused to honour|won't honor|won't honour|shady|sketchy|tricked into|conned|fooled|cheated|"
        "cheating customers",
    ),
    (
        Cue.LEAVING,
        -2.3,
        "switched to another|moved to another|moving to another|go somewhere else|book anywhere else|"
        "buy anywhere else|anywhere but here|off to a competitor|moving my business|closing all my|"
        "ended my contract|my last order|last time i|first and last|left you for|ended my subscription|"
        "deleted it|have deleted|never again|never use|never buy|never order|never fly|never shop|"
        "never stay|never go back|never going back|never return|never returning|never recommend|"
        "won't be back|won't be returning|will not be back|will not return|not be returning|not returning|"
        "won't return|not be back|not going back|not coming back|won't be coming back|wouldn't go back|"
        "lost a customer|lost my business|losing a customer|losing customers|taking my business|"
        "take my business|switching to|switched to|time to switch|looking to switch|looking for another|"
        "leaving for|go elsewhere|going elsewhere|shop elsewhere|look elsewhere|cancel my account|"
        "cancel my subscription|cancelling my|canceling my|closing my account|close my account|"
        "deleting my account|delete my account|deleted the app|deleting the app|deleting this app|"
        "deleted this app|unsubscrib*|so done with|i'm done with|im done with|done with you|fed up|"
        "had enough of|sick of|tired of|boycott*",
    ),
    (
        Cue.WARNING,
        -2.6,
        "do not buy|don't buy|dont ever buy|do not order|don't order|do not use|do not go|don't go here|"
        "don't go to|do not download|don't download|do not trust|don't trust|do not recommend|"
        "don't recommend|would not recommend|wouldn't recommend|not recommend|not recommended|"
        "cannot recommend|can't recommend|don't waste|do not waste|waste of time|wasted my time|"
        "wasting my time|waste your time|waste of space|stay away|steer clear|buyer beware|beware|"
        "avoid at all costs|save your money|keep your money|think twice|don't bother|do not bother|"
        "zero stars|0 stars|no stars|negative stars|1 star|one star|0/10|1/10|2/10|minus stars|"
        "give it zero|less than one star|do not install|don't install",
    ),
    (
        Cue.STAFF,
        -2.2,
        "rude|rudest|rudely|rudeness|so rude|very rude|rude staff|impolite|unprofessional|incompetent|"
        "incompetence|disrespect*|condescending|arrogant|bad attitude|attitude problem|no manners|"
        "unfriendly|hostile|yelled at|shouted at|screamed at|laughed at me|talked down|treated like|"
        "treat customers|treat people|mistreat*|rolled her eyes|rolled his eyes|didn't care|don't care|"
        "did not care|doesn't care|clueless|untrained|inattentive|indifferent|poor service|bad service|"
        "terrible service|horrible service|awful service|worst service|lousy service|service is terrible|"
        "service was terrible|service was horrible|service was awful|service was slow|service was bad|"
        "shoddy",
    ),
    (
        Cue.FURIOUS,
        -3.0,
        "worst ever|the worst|worst experience|worst company|worst airline|worst app|absolute worst|"
        "by far the worst|ever experienced|disgrace*|disgust*|shambles|shameful|shame on|appalling|"
        "atrocious|abysmal|dreadful|unacceptable|not acceptable|inexcusable|ridiculous|outrageous|absurd|"
        "an absolute joke|what a joke|total joke|complete joke|such a joke|a nightmare|utter rubbish|"
        "absolute rubbish|total rubbish|rubbish|garbage|trash|pathetic|laughable|fuming|furious|livid|"
        "infuriat*|enraging|so angry|so mad|pissed off|pissed|pissing me off|wtf|ffs|fuck you|f you|f*ck|"
        "screw you|go to hell|fuck off|sucks|suck|sucked|sux|suxx|horrible|terrible|awful|horrendous|"
        "horrid|hate|hated|hates|crap|crappy|bullshit|epic fail|#fail|fails|failed me|total failure|"
        "a failure|massive fail|get it together|you guys suck|you suck|beyond a joke",
    ),
    (
        Cue.SARCASM,
        -2.2,
        "thanks a lot for|thanks for nothing|thanks for ruining|thank you for ruining|"
        "thank you for nothing|thanks for wasting|thanks for the ruined|thanks for losing|great another|"
        "great, another|great, now|great, my|great. another|great. now|oh great|just great|"
        "oh good, another|oh wonderful|oh lovely|oh joy|lovely, another|wonderful, another|"
        "brilliant, another|fantastic, another|nice, another|another great day|well done for|"
        "good luck getting|good luck trying|good job ruining|great job losing|great job on losing|"
        "nice job losing|nice job ruining|way to go|yeah right|great way to lose|love spending my|"
        "love waiting|love being ignored|love paying|love how you|love how they|love it when my|"
        "really enjoying my empty|really appreciate being|nice touch, sending|good to know|"
        "what a surprise|what a coincidence|big surprise|surprise, surprise|so much for|must be nice to|"
        "hats off for|congratulations, you|congrats on losing|five stars for making|"
        "you cannot make this up|you can't make this up|convenient, that|call it an|guess who is not|"
        "guess whose|if you like queueing|if you like queuing|if you enjoy waiting|"
        "would love to hear an explanation|any chance of an answer|are you serious|are you kidding",
    ),
    (
        Cue.ANNOYED,
        -1.4,
        "disappoint*|let down|letdown|underwhelm*|frustrat*|annoying|annoyed|irritat*|inconvenien*|"
        "not happy|unhappy|not good|not great|not impressed|unimpressed|not satisfied|dissatisfied|"
        "unsatisf*|not pleased|not ideal|not ok|not okay|could be better|could do better|should be better|"
        "must do better|not up to|below par|sub par|subpar|mediocre|substandard|went downhill|"
        "gone downhill|going downhill|has gone down|not what it used to be|used to be good|"
        "used to be great|used to love|used to like|used to work|not the same|what's wrong with|"
        "whats wrong with|what is wrong with|how hard is it|how is it possible|why can't|why do i|"
        "why does|why do you|why are you|why won't|why isn't|no longer|not enough|too many|too small|"
        "too loud|too hot|too cold|too bad|bare minimum|lack of|lacks|lacking|lacked|no longer available|"
        "nothing special|not clean|dirty|filthy|stale|bland|tasteless|flavorless|flavourless|soggy|greasy|"
        "overcooked|cramped|uncomfortable|run down|run-down|crowded|overcrowded|noisy|smelly|stinks|stank|"
        "outdated|out of order|ran out of|nowhere to|shabby|issues with|problem with|problems with|"
        "an issue|having issues|having problems|having trouble|complaint|complain|complaining|confusing|"
        "not user friendly|clunky|lags|laggy|lagging|slow|delay|delays|delayed|intrusive|spam|spamming|"
        "too many ads|full of ads|ads every|so many ads|unable to|unfortunately|sadly|can't believe|"
        "cannot believe|no idea why|makes no sense|pointless|nonsense|boring|meh|not recommended for|"
        "no option|no way to|forced to|forces you|doesn't let|won't let|doesn't allow|expected more|"
        "expected better|poor|bad|worse|lame|ugly|weak|mess|messed up|screwed up|screwed|wrong|error|"
        "errors|bug|bugs",
    ),
)

PRAISE: tuple[tuple[float, str], ...] = (
    (
        2.4,
        "highly recommend|highly recommended|would recommend|definitely recommend|recommend to anyone|"
        "can't recommend enough|five stars|5 stars|10/10|love it|love this|love the|love my|i love|loving|"
        "in love with|the best|best ever|will be back|can't wait|cannot wait|go back again|"
        "thank you so much|thanks so much|shout out|shoutout|big thanks|well done|kudos|props to|hats off|"
        "keep up the|great job|good job|great work|awesome job|works great|works perfectly|works well|"
        "works like a charm|worked great|above and beyond|game changer|second to none|"
        "exceeded my expectations|life saver|lifesaver|blown away|must try|can't beat|hard to beat|"
        "can't go wrong|top notch|first class|top quality|on point|well worth|worth every|worth the|"
        "pleasantly surprised|happy with|pleased with|impressed with|very impressed|so impressed|"
        "quick response|fast response|fast delivery|quick delivery|super fast|super easy|very helpful|"
        "so helpful|super helpful|friendly staff|staff were great|staff are great|easy to use|"
        "user friendly|flawless*|seamless*|never disappoints|never disappointed|never let me down",
    ),
)

# Phrases that sound like complaints and are none: what they cover weighs this much and no more.
HARMLESS: tuple[tuple[float, str], ...] = (
    (
        2.0,
        "can't believe how good|can't believe how well|can't believe how quick|can't believe how quickly|"
        "can't believe how fast|can't believe how easy|can't believe how cheap|couldn't believe how good|"
        "couldn't believe how friendly|crazy how good|crazy how well|crazy how fast|insane how good|"
        "insane how well|refused to let me pay|refused to let us pay|refused a tip|left a tip|left a big tip|"
        "fixed my broken|repaired my broken|replaced the broken|replaced my broken|replaced the cracked|"
        "swapped the broken|stopped worrying|no more worrying|never been happier|couldn't be happier|"
        "damn good|damn fine|that's a fine|above and beyond|take my money|the only bad thing is|"
        "only bad thing about it|my only regret is not|no regrets|worth the wait|wait was worth|"
        "shame i did not find|shame i didn't find|shame i only live|stupidly soft|stupid soft|"
        "ruined other|ruined all other|ruined fast food|spoiled me for|broke my diet|"
        "cried happy|happy tears|tears of joy|laughed until|was scared it would|was afraid it would|"
        "owes me nothing|and worth it|no stress|zero stress|hate how much i love|hate that i love",
    ),
    (
        0.0,
        "complaint form|complaints form|complaints box|fraud museum|exhibition about fraud|exhibition about scams|"
        "podcast about|why startups fail|fire museum|fire station|police museum|police station|war museum|"
        "horror film|horror movie|horror maze|horror festival|bad weather|bad hair day|poor me|my legs hurt|"
        "my hands hurt|lost and found|emergency exit|crash course|error 404|hurricane season|out of office",
    ),
    (
        2.0,
        # Words of harm that praise, and trouble that is over.
        "killer prize|killer prizes|killer feature|killer features|killer set|killer track|what a beast|"
        "beast of a|absolute beast|an absolute unit|is the bomb|are the bomb|smashed it|smashing it|"
        "crushed it|crushing it|nailed it|slayed|slaying|murdered that|knocked it out|blew my mind|"
        "blows my mind|mind blown|mind-blowing|shut up and take my money|take my money already|"
        "i would kill for|i'd kill for|would kill for|i'd die for|would die for|died of laughter|"
        "dying laughing|i am dead|i'm dead|im dead|cried with laughter|crying with laughter|"
        "cried happy tears|happy tears|tears of joy|in stitches|laughed until i cried|"
        "made me cry laughing|can't stop eating|can't stop listening|can't stop playing|"
        "can't stop watching|can't stop laughing|can't put it down|can't get enough|cannot get enough|"
        "couldn't be happier|could not be happier|couldn't be better|could not be better|"
        "couldn't be nicer|couldn't have been nicer|could not have been nicer|couldn't have been better|"
        "couldn't ask for|could not ask for|can't fault|cannot fault|can't go wrong|cannot go wrong|"
        "can't recommend it enough|can't praise|can't thank|never gets old|never get old|never a dull|"
        "never failed me|never fails me|nothing to dislike|nothing not to like|nothing went wrong|"
        "nothing but good|nothing but praise|no trouble|no trouble at all|no nonsense|no fuss|no drama|"
        "no stress|no surprises|no questions asked|no hidden costs|no hidden charges|without a scratch|"
        "not a scratch|not a single problem|not a single complaint|not a single issue|never a problem|"
        "never any problems|never had any trouble|never had trouble|never let down|won't regret|"
        "will not regret|wouldn't regret|no regret|don't miss out|don't sleep on|broke my personal|"
        "personal record|new record|record sales|less disappointed|crash course|zero waste|wake the dead|"
        "slept like the dead|evil genius|guilty pleasure|dead easy|dead simple|dead good|dead on|"
        "drop dead gorgeous|tough as nails|rock solid|solid as a rock|went better than|"
        "better than i feared|fixed while i waited|fixed it for free|for free while|the same day|"
        "same day refund|replaced it for free|replaced for free|replaced free of charge|"
        "a new one the next|new one the next day|the next morning|sorted my|sorted the|sorted it|"
        "sorted everything|all sorted|was gone within|gone within a day|without me even asking|"
        "without even asking|before i even asked|cancelled the fee|waived the fee|my own fault|my fault|"
        "entirely my|own mistake|well handled|kept us informed|kept me informed|won me over|shout-out|"
        "addictive|sinfully|big fan|hands down|without a doubt|no doubt the",
    ),
    (
        1.8,
        "killer deal|killer deals|killer app|sick beat|sick beats|so sick|that's sick|thats sick|"
        "insanely good|crazy good|wicked good|stupid good|bad ass|badass|no complaints|zero complaints|"
        "can't complain|cannot complain|couldn't complain|nothing to complain|not bad|not too bad|"
        "not so bad|isn't bad|wasn't bad|not a bad|no problem|no problems|no problemo|no issue|no issues|"
        "without issue|without issues|without any issues|without any problems|without a problem|"
        "no worries|cried laughing|crying laughing|laughed so hard|died laughing|dying of laughter|"
        "dead serious|to die for|no regrets|don't regret|the bomb|addicted to|insane value|"
        "dangerously good|criminally underrated|hate to love|love to hate|hate that i love|no delay|"
        "no delays|never fails|never failed|no wait|no waiting|no hidden fees|no hassle|fixed my|"
        "fixed the|fixed it|fixed everything|fixed now|problem solved|issue resolved|issues resolved|"
        "resolved my issue|resolved my problem|solved my problem|got my refund|got a refund|refunded me|"
        "full refund|instant refund|not a scam|broke the record|record breaking|breaking news|"
        "not disappointed|not be disappointed|won't be disappointed|wasn't disappointed|never crashes|"
        "never crashed|never had a problem|never had an issue|never had any problems|never had any issues",
    ),
    (
        0.0,
        "was worried|i was afraid|was afraid it|was dreading|feared the worst|expected the worst|"
        "was sceptical|was skeptical|customer care|customer support|customer service|tech support|"
        "support team|care team|credit card|credit cards|credit score|store credit|gift card|gift cards|"
        "free trial|share price|market share|shares|please help|pls help|plz help|help me|please|pls|plz|"
        "kindly|best buy|would be nice|would be great|looks like|look like|feels like|feel like|"
        "seems like|sounds like|something like|anything like|stuff like|things like|is it like|just like|"
        "it's like|its like|no idea|no one|no way|no matter|no doubt|no need|energy drink|black friday|"
        "cyber monday|the matter|play store|app store|well as|as well|trust pilot|trustpilot|"
        "united states|security|solution|matter|true|interest rate|interest rates|easy target|super bowl|"
        "share|certain|number one priority|war|fighting|crime|fight|battle|criminal|dead or alive|"
        "angry birds|call of duty|fire tv|kindle fire|fire stick|fire hd|firefox|killed it",
    ),
    (
        -2.2,
        ""
        ""
        "would have been nice|would have been great|would be better|would be good if|would be nice if|"
        "would be great if|supposed to|should be able|should work|used to be the best|my favorite part|"
        "if you want to lose",
    ),
)

# Who speaks: no complaint by itself, and a reason to answer one sooner.
CIRCUMSTANCES: tuple[tuple[Cue, str], ...] = (
    (
        Cue.JOURNALIST,
        "i am a journalist|i'm a journalist|journalist here|i am a reporter|i'm a reporter|reporter here|"
        "i write for the|i'm writing a story|writing a story about|writing a piece about|"
        "writing an article about|working on a story|researching a story|investigating your|"
        "request for comment|requesting comment|press enquiry|press inquiry|media enquiry|media inquiry|"
        "media request|your press office|your press team|reaching out for comment|we go to press|"
        "for a news story|for our programme tonight",
    ),
    (
        Cue.PRESS,
        "local newspaper|local paper|the newspapers|national newspaper|my newspaper|my column|the press|"
        "to the media|news channel|on the news|tv station|consumer watchdog|consumer programme|"
        "going viral|gone viral|went viral|000 followers|k followers|million followers|my followers|"
        "my subscribers|000 subscribers|i'm a blogger|my blog readers|my channel",
    ),
    (
        Cue.VULNERABLE,
        "elderly|my grandmother|my grandma|my gran|my nan|my grandfather|my grandad|is 79|is 80|is 81|"
        "is 82|is 83|is 84|is 85|is 86|is 87|is 88|is 89|is 90|is 91|is 92|pensioner|wheelchair|disabled|"
        "disability|blind customer|i am blind|i'm blind|i am deaf|i'm deaf|pregnant|newborn|my baby|"
        "premature baby|with cancer|chemotherapy|chemo|dialysis|diabetic|insulin|epilepsy|epileptic|"
        "on oxygen|ventilator|hospice|dementia|alzheimer's|autistic|autism|recently widowed|"
        "my late husband|my late wife|bereaved|terminally ill|carer for|life support|medical equipment|"
        "my medication|food bank",
    ),
)

# "insanely good", "stupid fast": before these words, harm is praise.
BOOSTS = (
    "insanely|crazy|ridiculously|stupidly|stupid|wicked|wickedly|insane|dangerously|criminally|scarily|"
    "scary|disgustingly|absurdly|terribly|awfully|frighteningly|shockingly|unbelievably|weirdly|damn|"
    "bloody|freaking|fucking|mad|deadly|obscenely|sickeningly|sick|incredibly|impossibly|freakishly|"
    "horribly|painfully"
)
BOOSTED = (
    "good|great|fast|quick|quickly|comfortable|comfy|tasty|cute|delicious|easy|accurate|funny|soft|"
    "beautiful|helpful|nice|smart|realistic|well|cool|pretty|smooth|light|powerful|clever|satisfying|"
    "popular|obsessed|catchy|generous|kind|low prices|cheap prices|talented|fun|happy|impressed|"
    "underrated|gorgeous|efficient|useful"
)
BOOSTED_WEIGHT = 2.4

# Weak words: alone they say little and raise no alarm; many of them together tell.
HINTS: tuple[tuple[float, str], ...] = (
    (
        -1.6,
        "you get what you pay for|what you pay for|design flaw|flaw|flaws|flawed|unreliable|flimsy|"
        "drawback|drawbacks|impossible|refused|refuses|poorly|freezing|skipping|at best|a joke|here again|"
        "not going to|broke|crash|unhelpfully|awkward|unnecessary|dissapoint*|dissappoint*|unfinished|"
        "incomplete|nowhere near|far from|overrated|fix",
    ),
    (
        -0.8,
        "avoid|missing|i wish|why is it|what happened to|not even|issue with|issue|issues|problem|"
        "problems|lag|too much|limited|fail|except|should have|after i|told me|told us|was told|said they|"
        "they said|asked for|asked to|manager|returned it|returning it|returned the|send it back|"
        "sent it back|sending it back|had to|tried to|trying to|attempted|support ticket|"
        "for the third time|third time|second time|again and again|twice now|every time i|"
        "every single time|constantly|instead of|not very|not really|would have been|would have liked|"
        "have liked|i paid|paid for|none of|there is no|there was no|there's no|has no|had no|have no|"
        "is too|was too|return it|to return|unless|any idea when|any update|when will|how long|why|still|"
        "still no|hours|minutes|waste|cheap|nothing|neither|nor|hard to|difficult to|difficult|empty|cold|"
        "half the|only one|just one",
    ),
    (
        -0.5,
        "not|didn't|doesn't|isn't|wasn't|aren't|weren't|can't|cannot|won't|wouldn't|couldn't|don't|"
        "haven't|hasn't|never|no|none|at all|barely|hardly|again|wait|took|kept|until|literally|money|"
        "paid|tried|told|asked|called|charge|support|help|back to|already|without|instead|even though|"
        "or even|off|down|out of",
    ),
)
