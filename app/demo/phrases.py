"""What customers of an imagined home-appliance shop write about, as a small grammar.

`[a|b]` is a choice, an empty choice is silence; `{product}` is a choice from SLOTS. Every class has
several topics of its own, and words that other classes use too: that is what makes a few labels
too few.
"""

from collections.abc import Mapping, Sequence

SAID_ONCE = ("product", "order", "carrier")
"""A message keeps to one of these: it is about one device, not a new one in each sentence."""

LABELS = ("delivery", "fault", "refund", "billing", "account", "praise")

SHARES: Mapping[str, float] = {
    "delivery": 0.30,
    "fault": 0.25,
    "refund": 0.17,
    "billing": 0.13,
    "account": 0.09,
    "praise": 0.06,
}

GUIDELINES = """\
Messages to the support of a shop for home appliances. Choose what the customer wants settled.

* **delivery**: where the parcel is, when it comes, where it was left, changing the address
* **fault**: a device that does not work, repairs, spare parts, how to use it
* **refund**: sending something back, cancelling, getting money back
* **billing**: invoices, charges, vouchers, instalments
* **account**: logging in, passwords, personal data, newsletters
* **praise**: thanks, nothing to settle

Some messages are about two things: choose the one that has to be settled first. A suggested label
comes from the current classifier; check it, do not trust it.
"""

PRODUCTS = (
    "washing machine",
    "dishwasher",
    "fridge",
    "freezer",
    "kettle",
    "toaster",
    "coffee machine",
    "vacuum cleaner",
    "robot vacuum",
    "microwave",
    "oven",
    "hob",
    "tumble dryer",
    "hand mixer",
    "blender",
    "food processor",
    "air fryer",
    "iron",
    "steam cleaner",
    "fan heater",
    "dehumidifier",
    "air conditioner",
    "cooker hood",
    "rice cooker",
    "juicer",
    "waffle maker",
)

SLOTS: Mapping[str, Sequence[str]] = {
    "product": PRODUCTS,
    "other": PRODUCTS,
    "when": (
        "yesterday",
        "last week",
        "on [Monday|Tuesday|Friday|Saturday]",
        "[two|three|five] weeks ago",
        "[ten|twelve] days ago",
        "in [January|March|May|August|October|November]",
        "a month ago",
        "the other day",
        "before the holidays",
        "around [Easter|Christmas]",
    ),
    "order": (
        "order [4|5|7|8][0|1|2|3|4|5|6|7|8|9][0|1|2|3|4|5|6|7|8|9][1|3|5|7|9][0|2|4|6|8]",
        "no. [B|C|K]-[2|3|6|9][1|4|5|8][0|2|7|9][3|6|8]",
    ),
    "money": (
        "[19|24|35|49|59|79|89|119|149|199|249|349|429] euros",
        "€[12|18|29|39|69|99|129|179|219|299].[00|50|90|95|99]",
    ),
    "days": ("[three|four|five|six|eight|ten] days", "[one|two|three] weeks", "over a month"),
    "carrier": ("the courier", "the driver", "your carrier", "the delivery people", "the van"),
}

OPENINGS: Sequence[str] = (
    "Hello,",
    "Hi,",
    "Hi there,",
    "Good [morning|evening|day],",
    "Dear [team|support|all],",
    "To whom it may concern,",
)

CONTEXTS: Sequence[str] = (
    "I [bought|ordered|got] [a|the|your] {product} {when}.",
    "This is about {order}.",
    "It is about the {product} from {when}.",
    "[I have|We have] been [a customer|customers|shopping with you] for years.",
    "This is [my second message|the third time I write].",
    "I [tried calling|rang twice|waited on the phone] but nobody [answered|picked up].",
    "The {product} was a present for my [mother|brother|neighbour|son].",
    "We have just moved into a new flat.",
    "I paid by [card|bank transfer|PayPal] {when}.",
    "Your [website|shop page|app] did not help me.",
    "The [box|parcel|invoice|account page] shows {order}.",
)

ASIDES: Sequence[str] = (
    "I [logged in|have an account] and [saw|checked] [the order|the invoice] there.",
    "The [invoice|receipt] is [attached|in the box|at hand].",
    "[It|The parcel] [came|arrived] [on time|quickly], by the way.",
    "[The courier|Your driver] was [friendly|in a hurry].",
    "I [paid|transferred] {money}[| for it| straight away].",
    "I [do not want|am not asking for] [a refund|my money back], [only|just] an answer.",
    "Before I [send it back|cancel|ask for my money], I thought I would ask.",
    "The [last|old|other] {product} [broke|leaked|was returned] after a year.",
    "[Otherwise|Apart from that] [I am very happy|everything works|great service].",
    "The {product} itself [works|is fine|is great].",
    "I used [a voucher|my gift card|the newsletter discount] for it.",
    "I found you through [the newsletter|your app|a friend].",
    "If [need be|it has to be], I [return it|send it back|cancel].",
    "Your technician [told|asked] me to write.",
)
"""Said in passing, in words that are the business of other classes."""

CLOSINGS: Sequence[str] = (
    "[Thanks|Thank you|Many thanks][| in advance].",
    "Please [help|advise|get back to me|let me know].",
    "[Kind|Best] regards",
    "I [look forward to|await] your [answer|reply].",
    "[Please reply soon|It is urgent|There is no hurry].",
    "You can [call|reach] me in the [morning|afternoon|evening].",
)

TOPICS: Mapping[str, Sequence[Sequence[str]]] = {
    "delivery": (
        (
            "[My|The|Our] {product} [has not arrived|is not here|has still not come][| yet].",
            "I have been waiting for the {product} for {days}[| now].",
            "Where is my [parcel|order|{product}]?",
            "The {product} was [promised|announced] for {when} and nothing came.",
        ),
        (
            "[Tracking|The tracking page|The tracking number] has not [changed|moved] for {days}.",
            "The tracking link [shows nothing|leads nowhere|says unknown shipment].",
            "It has [said|shown] 'in transit' for {days}.",
        ),
        (
            "{carrier} left [it|the parcel|the {product}] with a neighbour I do not know.",
            "It [says|is marked] delivered but [there is nothing here|I got nothing].",
            "Somebody signed for [it|my parcel], and it was not me.",
            "The parcel was left [outside|in the rain|by the bins|in the hallway].",
        ),
        (
            "Can you send [it|the {product}] to another address?",
            "I [mistyped|need to change] the [street|house number|postcode|shipping address].",
            "Please [ship|send] it to my [office|parents|new flat] instead.",
        ),
        (
            "Which [day|time slot|window] will {carrier} come?",
            "I have to be at work, can {carrier} come [in the evening|on Saturday|after six]?",
            "Can I [move|change|pick] the [delivery date|time slot|appointment]?",
        ),
        (
            "Do you also [deliver|ship] to [Austria|Ireland|the islands|the fourth floor|Norway]?",
            "How [long|many days] does shipping of a {product} take?",
            "What does [shipping|express delivery] of a {product} [cost|come to]?",
        ),
        (
            "Only [one|part|half] of [my order|two parcels|the shipment] [came|arrived].",
            "The [hose|feet|manual|second box|lid] [was|were] missing from the parcel.",
            "You sent a {other}, I had ordered a {product}.",
        ),
        (
            "The {product} was [collected|taken back] by {carrier} because nobody was at home.",
            "I found a card of {carrier} and cannot [find|reach] the depot.",
            "The pick-up [point|shop] says it has no parcel for me.",
        ),
    ),
    "fault": (
        (
            "The {product} [does not|will not|no longer] [turn on|start|power up].",
            "Nothing happens when I [press|push] the [button|switch] of the {product}.",
            "[It|The {product}] has been dead since {when}.",
        ),
        (
            "The {product} [leaks|drips|loses water][| from below| at the door].",
            "There is [water|a puddle] [under|in front of] the {product} every time.",
            "The [seal|hose] of the {product} is [torn|not tight].",
        ),
        (
            "It makes a [grinding|rattling|humming|squeaking|terrible] noise.",
            "The {product} is [far too|unbearably|suddenly very] loud.",
            "The [drum|motor|fan] [rattles|knocks|screeches].",
        ),
        (
            "The display [shows|says|blinks] [E12|E04|F7|H20|Err 3].",
            "What does [E12|E04|F7|H20|Err 3] mean?",
            "It stops [in the middle|after ten minutes] with [error|code] [E12|E04|F7|H20].",
        ),
        (
            "[It|The {product}] [smells|smelled] [burnt|of plastic|of smoke].",
            "The {product} [trips the fuse|gave me a shock|sparks].",
            "The [cable|plug|socket] of the {product} gets [hot|very warm].",
        ),
        (
            "It does not [heat|cool|spin|suck|pump|dry] [any more|properly|at all].",
            "The [dishes|clothes|glasses|cakes] come out [dirty|wet|grey|burnt].",
            "The temperature is [always wrong|never reached|far too high].",
        ),
        (
            "Where can I [get|order|find] a [new filter|spare lid|replacement brush|new seal]?",
            "Do you [sell|have] spare parts for the {product}?",
            "The [handle|knob|hinge|shelf] [broke off|is cracked|snapped].",
        ),
        (
            "When will [the|a] technician come?",
            "The technician was here and it is [still|again] not working.",
            "Is [this|a repair] covered by the [guarantee|warranty]?",
            "Can I have the {product} [repaired|looked at|mended]?",
        ),
        (
            "How do I [descale|clean|reset|connect|level] the {product}?",
            "The {product} does not find [my wifi|the network|the app].",
            "The manual does not say [how to change the language|what the blue light means].",
        ),
    ),
    "refund": (
        (
            "I [want|would like] to [send back|return|give back] the {product}.",
            "How do I [return|send back] a {product}?",
            "[It|The {product}] is [too big|too small|the wrong colour|not what I expected].",
        ),
        (
            "I [want|would like|demand] my money back.",
            "When do I get [my money|the {money}|the refund]?",
            "The refund of {money} [has not arrived|is still missing] after {days}.",
        ),
        (
            "Please cancel [my order|{order}|the {product}].",
            "I [withdraw from|wish to cancel] the purchase.",
            "[Can|Could] I still [cancel|call off the order]?",
        ),
        (
            "I need a return label[| for the {product}].",
            "The return label [cannot be printed|is missing|has expired].",
            "Who pays for [the return|sending it back]?",
        ),
        (
            "I sent the {product} back {when} and [heard nothing|nothing has happened].",
            "You [confirmed|received] my return {when}, and then silence.",
            "Has my return [reached you|been booked in]?",
        ),
        (
            "Can I [exchange|swap] the {product} for [another one|a bigger one|the white one]?",
            "I would rather have [a replacement|the other model] than [keep this|repair it].",
            "Can I get [some money|a part of the price] back and keep it? It has a [scratch|dent].",
        ),
        (
            "How many days do I have to [send it back|change my mind]?",
            "Is it too late to return [a present|a {product} from {when}]?",
            "May I return it [opened|used once|without the box]?",
        ),
    ),
    "billing": (
        (
            "I was charged [twice|two times|double] for [one|the same] {product}.",
            "My card shows {money} [twice|I cannot explain|too much].",
            "You took {money} [instead of|rather than] {money}.",
        ),
        (
            "I need [an|the] invoice [for|of] {order}.",
            "Please send [the|an] invoice [again|as a PDF|for my tax].",
            "The invoice [carries|shows] the wrong [name|company|address|VAT number].",
        ),
        (
            "The [voucher|discount code|gift card] [is not accepted|does not work|was refused].",
            "The [10|15|20] % [discount|off] was not [taken off|applied].",
            "How much is left on my gift card?",
        ),
        (
            "I got a [reminder|dunning letter], though I [have paid|paid {when}].",
            "Your reminder asks for {money} that I [paid|transferred] {when}.",
            "Why is there a late fee of {money}?",
        ),
        (
            "Can I pay [in instalments|by invoice|by bank transfer|when it comes]?",
            "The [instalment|monthly payment] was [taken|collected] too early.",
            "How many instalments are [left|still open]?",
        ),
        (
            "My [card|payment|transfer] is [declined|refused|stuck] at the checkout.",
            "The payment [failed|broke off], was the money taken?",
            "PayPal says [paid|completed], your page says open.",
        ),
        (
            "The price [online|in the basket] was {money}, the [bill|receipt] says {money}.",
            "The {product} is cheaper [now|since {when}], do I get the difference?",
            "What is the fee of {money} for?",
        ),
    ),
    "account": (
        (
            "I [cannot|can not|am unable to] [log in|sign in|get in][| any more].",
            "It says [wrong password|unknown user|account locked].",
            "[Logging in|The login] [fails|takes me back to the start page].",
        ),
        (
            "The [reset|password] mail [never comes|does not arrive].",
            "How do I [change|reset] my password?",
            "The link for a new password has [expired|run out].",
        ),
        (
            "Please delete my [account|data|profile].",
            "Which data do you keep about me?",
            "I [want|ask you] to erase everything about me, [under|by] data protection law.",
        ),
        (
            "I have a new [email address|phone number|surname], where do I enter it?",
            "My [name|date of birth|email address] is [wrong|misspelt] in the profile.",
            "I cannot [save|change] my [details|profile].",
        ),
        (
            "Please take me off the [newsletter|mailing list].",
            "I get [five|too many] [mails|newsletters] a week.",
            "I unsubscribed {when} and still get [adverts|newsletters].",
        ),
        (
            "I have two accounts, can you [merge|join] them?",
            "My old orders are [gone|not shown] in [my profile|the app].",
            "The app [logs me out|forgets me] every [day|time].",
            "Somebody [else ordered|logged in] with my account.",
        ),
    ),
    "praise": (
        (
            "[Great|Excellent|Wonderful|Superb] [service|advice|support]!",
            "[I am|We are] [very happy|delighted|really pleased] with the {product}.",
            "The {product} is [fantastic|better than expected|worth every cent].",
        ),
        (
            "The technician was [friendly|quick|very kind] and [knew what he did|cleaned up].",
            "{carrier} carried the {product} [up four floors|into the kitchen], [bravo|respect].",
            "It [came|arrived] [a day early|faster than promised], [well done|wonderful].",
        ),
        (
            "[Just wanted to say|I only write to say] [thank you|well done].",
            "[Please pass my thanks on|A big compliment] to [Ms Novak|Mr Okoye|your colleague].",
            "You [solved|settled] [it|everything] in five minutes.",
        ),
        (
            "[I will|We will] [come back|buy here again|recommend you].",
            "[Five|Full] stars from [me|us].",
            "Even the [refund|return|invoice|exchange] went [smoothly|without a word], chapeau.",
        ),
    ),
}

JOINTS: Sequence[str] = ("Also,", "And another thing:", "Besides,", "By the way,", "", "")
"""Between the two concerns of a message that is about two things."""
