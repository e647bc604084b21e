/**
 * More questions. Each set was written before the rules were tried on it, from the sixth on by somebody who had not read them; what it showed was mended
 * before the next one was tried. For the last one nothing was mended.
 */

export interface Tried {
  readonly name: string;
  readonly count: number;
  /** How many of them were right at first. */
  readonly rightAtFirst: number;
  /** A line each: the question, `=>`, and everything that it means, parts divided by blanks; `|` stands between parts of which either will do. */
  readonly questions: string;
}

export const TRIED: readonly Tried[] = [
  {
    name: "fourth",
    count: 67,
    rightAtFirst: 45,
    questions: `
a light comedy for a rainy Sunday afternoon => mood:feel-good genre:comedy
a thriller with a female detective => genre:thriller topic:female detective
something with dinosaurs that my five-year-old can watch => topic:dinosaurs age:5
a sci-fi movie that is not about aliens => genre:science-fiction kind:film not-topic:aliens
a short film => kind:film duration:-2400
funny animated film under 80 minutes => mood:funny genre:animation kind:film duration:-4800
a drama about chess => genre:drama topic:chess
movies with Meryl Streep from the 2000s => kind:film person:Meryl Streep years:2000-2009
an action comedy with Jackie Chan => genre:action genre:comedy person:Jackie Chan
no cartoons, please, just a good adventure for the family => not-genre:animation genre:adventure age:6
a gangster movie set in New York => genre:crime kind:film topic:new york
something scary that's not a slasher => mood:scary not-topic:slasher
films from the sixties in Italian => kind:film years:1960-1969 language:it
documentaries about climate change, newer than 2015 => genre:documentary topic:climate change years:2016-
a film with Emma Thompson that isn't a romance => kind:film person:Emma Thompson not-genre:romance
a feel-good sports movie => mood:feel-good genre:sport kind:film
a spy thriller from the cold war => genre:spy genre:thriller topic:cold war
what's a good horror film for Halloween? => genre:horror kind:film topic:halloween
less than 100 minutes, funny, no romance => duration:-6000 mood:funny not-genre:romance
a movie about a robot and a boy => kind:film topic:robot boy
a war drama in German => genre:war genre:drama language:de
anime from the last five years => genre:animation years:2021-
a movie from the last decade with Tom Hanks => kind:film years:2016- person:Tom Hanks
something like Alien but not so scary => like:Alien not-mood:scary
are there any Swedish crime shows? => language:sv genre:crime kind:series
a miniseries about Chernobyl => kind:series topic:chernobyl
a musical without animals => genre:music not-topic:animals
I have 30 minutes and want to laugh => duration:-1800 mood:funny
anything but horror => not-genre:horror
a disaster film with a volcano => kind:film topic:disaster volcano
old Japanese samurai movies => years:-1996 language:ja topic:samurai kind:film
courtroom drama from the nineties => topic:courtroom genre:drama years:1990-1999
films not older than ten years => kind:film years:2016-
films with dogs or cats => kind:film topic:dogs cats
suspenseful but not bloody => mood:tense not-topic:bloody
ein Krimi aus den Siebzigern => genre:crime years:1970-1979
Komödien mit Bill Murray unter 100 Minuten => genre:comedy person:Bill Murray duration:-6000
ein Film für meine 5-jährige Tochter => kind:film age:5
keine Horrorfilme, lieber etwas Romantisches => not-genre:horror mood:romantic
Zeichentrickfilme über Drachen => genre:animation topic:drachen
ein französischer Film mit Untertiteln => language:fr kind:film
películas de acción con Jackie Chan anteriores a 2000 => kind:film genre:action person:Jackie Chan years:-1999
una película corta y divertida => kind:film duration:-2400 mood:funny
algo que no sea de terror => not-genre:horror
documentales sobre el océano => genre:documentary topic:oceano
un documentaire sur les baleines => genre:documentary topic:baleines
une série policière danoise => kind:series genre:crime language:da
a comdey with robin wiliams => genre:comedy person:Robin Williams
horor movies from the eightys => genre:horror kind:film years:1980-1989
sifi with spaceships => genre:science-fiction topic:spaceships
a movie that makes me cry => kind:film mood:sad
which westerns star Tom Hanks? => genre:western person:Tom Hanks
kid-friendly Halloween movies that aren't too scary => age:6 topic:halloween kind:film not-mood:scary
a heartwarming movie about friendship, at most 95 minutes => mood:feel-good kind:film topic:friendship duration:-5700
crime series but no police => genre:crime kind:series not-topic:police
something in Korean that is neither a romance nor a comedy => language:ko not-genre:romance not-genre:comedy
silent films from the 1920s => kind:film years:1920-1929 topic:silent
a pirate adventure for 8 year olds => topic:pirate genre:adventure age:8
movies over two and a half hours long => kind:film duration:9000-
anything released in 2019 => years:2019-2019
dramas from '94 => genre:drama years:1994-1994
a documentary on volcanoes => genre:documentary topic:volcanoes
what should I watch if I liked Blade Runner? => like:Blade Runner
more like Toy Story => like:Toy Story
I loved Alien, what else is there? => like:Alien
is anything funny on TV right now? => mood:funny airing:now
sports on tv this evening => genre:sport airing:tonight
`,
  },
  {
    name: "fifth",
    count: 60,
    rightAtFirst: 49,
    questions: `
something hilarious for a Friday night with friends => mood:funny
I'm looking for a crime thriller that takes place in Chicago => genre:crime genre:thriller topic:chicago
a documentary series about food => genre:documentary kind:series topic:food
nothing longer than two hours, and nothing violent => duration:-7200 not-topic:violent
classic science fiction without robots => years:-1996 genre:science-fiction not-topic:robots
movies in Spanish from before 1975 => kind:film language:es years:-1974
films by Steven Spielberg, but not war films => kind:film person:Steven Spielberg not-genre:war
a love story that ends badly => mood:romantic topic:ends badly
can my 10 year old watch this? a spooky adventure => age:10 mood:scary genre:adventure
a family comedy from the last ten years => age:6|genre:family genre:comedy years:2016-
western with a train robbery => genre:western topic:train robbery
black comedies about death => genre:comedy topic:black death
an hour-long documentary => duration:-3600 genre:documentary
episodes under 30 minutes => duration:-1800 topic:episodes
is there a good murder mystery on? => genre:mystery topic:murder
war films that are not American => kind:film genre:war not-topic:american
show me Jackie Chan movies in Chinese => person:Jackie Chan kind:film language:zh
musical from the golden age of Hollywood => genre:music topic:golden age hollywood
a quick comedy before bed => duration:-2400 genre:comedy
anything by Meryl Streep I can watch with my mother => person:Meryl Streep
superhero films minus the romance => genre:superhero kind:film not-genre:romance
uplifting sports dramas => mood:feel-good genre:sport genre:drama
some animated shorts for toddlers => genre:animation duration:-2400 age:3
I'd like a gripping spy series => mood:tense genre:spy kind:series
films featuring Emma Thompson released between 1990 and 2005 => kind:film person:Emma Thompson years:1990-2005
a zombie movie but funny, at most an hour and 45 minutes => topic:zombie kind:film mood:funny duration:-6300
something Scandinavian and dark => topic:scandinavian dark
thought-provoking sci-fi, no superheroes => mood:mind-bending genre:science-fiction not-genre:superhero
old black and white horror => years:-1996 topic:black white genre:horror
what new comedies do you have? => years:2023- genre:comedy
a thriller where the detective is blind => genre:thriller topic:detective blind
comedies, but please no slapstick => genre:comedy not-topic:slapstick
films about the Second World War in German => kind:film topic:second world war language:de
teen movies from the 80s => topic:teen kind:film years:1980-1989
movies like The Naked Gun or Toy Story => kind:film like:The Naked Gun
ein spannender Thriller aus Schweden => mood:exciting genre:thriller topic:schweden
eine Serie, die nicht zu lang ist => kind:series duration:-6600
lustige Filme für die ganze Familie => mood:funny kind:film age:6
Dokumentarfilme über Musik nach 2010 => genre:documentary topic:musik|genre:music years:2011-
kurze Zeichentrickfilme für Kinder unter 6 Jahren => duration:-2400 genre:animation age:6
Kriegsfilme ohne Romantik => genre:war not-genre:romance
Horror aus Japan, aber nicht zu brutal => genre:horror topic:japan not-topic:brutal
quiero ver algo romántico pero no triste => mood:romantic not-mood:sad
películas mexicanas de los setenta => kind:film topic:mexicanas years:1970-1979
dibujos animados para mi hijo de 4 años => genre:animation age:4
una serie de misterio en francés => kind:series genre:mystery language:fr
comedias con Robin Williams de menos de hora y media => genre:comedy person:Robin Williams duration:-5400
je cherche une comédie pour toute la famille => genre:comedy age:6
un western avec un chien => genre:western topic:chien
un film d'horreur des années 70 qui n'est pas trop long => kind:film genre:horror years:1970-1979 duration:-6600
une série drôle en anglais => kind:series mood:funny language:en
a romantc movie withot kids => mood:romantic kind:film not-genre:family|not-topic:kids
documentry about sharks => genre:documentary topic:sharks
comedys with Bill Muray => genre:comedy person:Bill Murray
it should be short, scary and in Korean => duration:-2400 mood:scary language:ko
no more than 2 hours of action please => duration:-7200 genre:action
a biopic about a musician, not older than 2005 => genre:biography topic:musician years:2005-
I want to see dragons => topic:dragons
a heist comedy à la The Naked Gun => topic:heist genre:comedy like:The Naked Gun
fantasy adventures for ages 8 and up => genre:fantasy genre:adventure age:8
`,
  },
  {
    name: "sixth",
    count: 80,
    rightAtFirst: 66,
    questions: `
80s sci-fi no aliens => years:1980-1989 genre:science-fiction not-topic:aliens
hey, my 5 year old is crazy about trains, anything for us? => age:5 topic:trains
funny tom hanks film => mood:funny person:Tom Hanks kind:film
short documentary about whales => duration:-2400 genre:documentary topic:whales
crime series in Danish => genre:crime kind:series language:da
what's on tonight that isn't sport => airing:tonight not-genre:sport
something like Blade Runner but newer than 2015 => like:Blade Runner years:2016-|years:2015-
a thriler under 100 minutes => genre:thriller duration:-6000
romantic comedies from the late 90s => genre:romance genre:comedy years:1995-1999
Meryl Streep dramas before 1990 => person:Meryl Streep genre:drama years:-1989
Jackie Chan movies, not animated please => person:Jackie Chan kind:film not-genre:animation
I've got two hours and want to watch a heist movie => duration:-7200 topic:heist kind:film
something sad set in Japan => mood:sad topic:japan
old french noir => years:-1996 language:fr genre:noir
cartoon with penguins for the kids => genre:animation topic:penguins age:6
war films based on a true story, no older than 10 years => genre:war kind:film mood:true years:2016-
is there a western series from the last 5 years? => genre:western kind:series years:2021-
mind bending science fiction, not too long => mood:mind-bending genre:science-fiction duration:-6600
Steven Spielberg without war => person:Steven Spielberg not-genre:war
scary stuff for teenagers => mood:scary age:12
We're looking for a feel good film about cooking for a rainy Sunday with my in-laws => mood:feel-good kind:film topic:cooking
superhero movies but not Marvel => genre:superhero kind:film not-topic:marvel
show about a detective in a small village, 1990s => kind:series topic:detective small village years:1990-1999
long, epic movie about ancient Rome => duration:9000- mood:epic kind:film topic:ancient rome
Spanish language films with Penélope Cruz from after 2000 => language:es kind:film person:Penélope Cruz years:2001-
penelope cruz, drama, but not in english => person:Penélope Cruz genre:drama not-language:en
bill murry movies from the 80s => person:Bill Murray kind:film years:1980-1989
anything with Sigourney Weaver that's not horror or sci-fi => person:Sigourney Weaver not-genre:horror not-genre:science-fiction
movies like Toy Story for my 4-year-old => kind:film like:Toy Story age:4
recent documentary about jazz pianists => years:2023- genre:documentary topic:jazz pianists
musicals over two hours => genre:music duration:7200-
i want to laugh, max 90 min => mood:funny|genre:comedy duration:-5400
spy movies between 1960 and 1975 => genre:spy kind:film years:1960-1975
tense courtroom drama => mood:tense genre:drama topic:courtroom
Korean thrillers since 2010 => language:ko genre:thriller years:2010-
a film with ghosts that is not scary, for a 9 year old => kind:film topic:ghosts not-mood:scary age:9
comdy from 2019 => genre:comedy years:2019-2019
what's on TV right now for toddlers? => airing:now age:3
any films about football on tomorrow? => kind:film topic:football airing:tomorrow
could you find me an Emma Thompson movie that isn't a comedy => person:Emma Thompson kind:film not-genre:comedy
pirate adventure for the whole family => topic:pirate genre:adventure genre:family|age:6
vampire horror from the early 70s => topic:vampire genre:horror years:1970-1974
Italian westerns from the 1960s => language:it genre:western years:1960-1969
biopics about painters, no documentaries => genre:biography topic:painters not-genre:documentary
a fantasy series without dragons => genre:fantasy kind:series not-topic:dragons
exciting film with car chases, no superheroes => mood:exciting kind:film topic:car chases not-genre:superhero
sad film with robin wiliams => mood:sad kind:film person:Robin Williams
about 2 hours, mystery, in english => duration:6300-8100 genre:mystery language:en
true story miniseries about a nuclear disaster => mood:true kind:series topic:nuclear disaster
is there a series similar to The Naked Gun? => kind:series like:The Naked Gun
horror in the vein of alien, from before 2000 => genre:horror like:Alien years:-1999
date night! something romantic set in Venice, and please nothing sad => mood:romantic topic:venice not-mood:sad
japanese anime about robots => language:ja genre:animation topic:robots
my daughter is 10 and likes horses. a movie, 1h30 at most => age:10 topic:horses kind:film duration:-5400
documentaries on climbing, not longer than an hour => genre:documentary topic:climbing duration:-3600
schwedische Krimiserie => language:sv genre:crime kind:series
lustiger Film für Kinder, aber ohne Hunde => mood:funny kind:film age:6 not-topic:hunde
Was läuft heute Abend? Bitte kein Horror => airing:tonight not-genre:horror
Kriegsfilme nach 1995, die auf wahren Begebenheiten beruhen => genre:war kind:film years:1996- mood:true
Komödie mit Emma Thompson, höchstens 100 Minuten => genre:comedy person:Emma Thompson duration:-6000
Mein Sohn ist 6 und liebt Dinosaurier => age:6 topic:dinosaurier
alte Western auf Deutsch => years:-1996 genre:western language:de
Doku über Bienen, kurz => genre:documentary topic:bienen duration:-2400
Sience-Fiction Serie aus den 90ern => genre:science-fiction kind:series years:1990-1999
spannender Film, der auf einer Insel spielt, nicht zu lang => mood:tense|mood:exciting kind:film topic:insel duration:-6600
películas de terror de los 80 sin payasos => kind:film genre:horror years:1980-1989 not-topic:payasos
comedia romántica con Penélope Cruz => genre:romance genre:comedy person:Penélope Cruz
una serie de espías que no sea en inglés => kind:series genre:spy not-language:en
algo para mi hija de 7 años, que no dé miedo => age:7 not-mood:scary
documental sobre volcanes de menos de una hora => genre:documentary topic:volcanes duration:-3600
¿qué ponen mañana? alguna comedia => airing:tomorrow genre:comedy
peliculas tristes basadas en hechos reales desde 2015 => kind:film mood:sad mood:true years:2015-
dramas franceses de los últimos 10 años => genre:drama language:fr years:2016-
un film drôle avec Robin Williams, d'avant 1995 => kind:film mood:funny person:Robin Williams years:-1994
dessin animé avec des loups pour mon fils de 5 ans => genre:animation topic:loups age:5
série policière en anglais => kind:series genre:crime language:en
qu'est-ce qu'il y a ce soir à la télé, sauf du sport ? => airing:tonight not-genre:sport
films de guerre entre 1950 et 1970 => kind:film genre:war years:1950-1970
documantaire récent sur l'océan => genre:documentary years:2023- topic:ocean
un thriller de moins de deux heures, pas en français => genre:thriller duration:-7200 not-language:fr
`,
  },
  {
    name: "seventh",
    count: 60,
    rightAtFirst: 50,
    questions: `
noir, 1940s => genre:noir years:1940-1949
something funny to watch with my wife, not too long => mood:funny duration:-6600
any good westerns from before 1970? => genre:western years:-1969
scary movies but no gore please => mood:scary kind:film not-topic:gore
a Tom Hanks film that isn't a war movie => person:Tom Hanks kind:film not-genre:war
cartoons for my 4 year old => genre:animation age:4
sci-fi like Blade Runner, but newer than 2010 => genre:science-fiction like:Blade Runner years:2011-|years:2010-
What's on TV right now that my kids could watch? => airing:now age:6
are there any crime shows on tomorrow => genre:crime kind:series airing:tomorrow
sad love stories => mood:sad genre:romance|mood:romantic
I have 90 minutes and I want to laugh => duration:-5400 mood:funny|genre:comedy
documentary about deep sea creatures => genre:documentary topic:deep sea creatures
heist thriller from the late 90s => genre:thriller years:1995-1999 topic:heist
Jackie Chan action comedies from the 80s or 90s => person:Jackie Chan genre:action genre:comedy years:1980-1999
romcom with a wedding, early 2000s => genre:romance genre:comedy years:2000-2004 topic:wedding
hey, can you find me a mind-bending series from the last five years? => mood:mind-bending kind:series years:2021-
murder mystery on a train => genre:mystery topic:murder train|topic:train
superhero flick, over two hours, epic => genre:superhero kind:film duration:7200- mood:epic
Meryl Streep dramas, not musicals => person:Meryl Streep genre:drama not-genre:music
spy movies that aren't in English => genre:spy kind:film not-language:en
Korean thriler, nothing supernatural => language:ko genre:thriller not-topic:supernatural
feel good movie about a dog => mood:feel-good kind:film topic:dog
I'm in the mood for a true story about mountain climbers => mood:true topic:mountain climbers
classic horror with vampires => genre:horror years:-1996 topic:vampires
short animated films for toddlers => duration:-2400 genre:animation kind:film age:3
something like Alien but funny => like:Alien mood:funny
what documentaries are on tonight => genre:documentary airing:tonight
new Japanese animation for teenagers => years:2023- language:ja genre:animation age:12
Bill Murray but please no ghosts => person:Bill Murray not-topic:ghosts
we'd like a tense submarine film for a rainy evening => mood:tense kind:film topic:submarine
anything by Spielberg with dinosaurs => person:Steven Spielberg topic:dinosaurs
sport biographies since 2010 => genre:sport genre:biography years:2010-
A movie set in Tokyo, no longer than 100 minutes => kind:film duration:-6000 topic:tokyo
long historical dramas about queens => duration:9000- genre:history genre:drama topic:queens
adventure with pirates for an eight-year-old => genre:adventure age:8 topic:pirates
My girlfriend hates horror. Something exciting and not scary, please => not-genre:horror mood:exciting not-mood:scary
fantasy miniseries with dragons => genre:fantasy kind:series topic:dragons
movies between 1975 and 1985 with Sigourney Weaver => kind:film years:1975-1985 person:Sigourney Weaver
robin willams, not sad => person:Robin Williams not-mood:sad
old comedies similar to The Naked Gun => years:-1996 genre:comedy like:The Naked Gun
roughly two hours, something romatic in italian => duration:6300-8100 mood:romantic language:it
war movies that aren't about Vietnam => genre:war kind:film not-topic:vietnam
Kriegsfilm ohne Liebesgeschichte => genre:war not-genre:romance|not-topic:liebesgeschichte
lustige Filme für Kinder ab 6 => mood:funny kind:film age:6
Was läuft heute Abend an Krimis? => airing:tonight genre:crime
Actionfilm aus den 80ern mit Jackie Chan => genre:action years:1980-1989 person:Jackie Chan
neue dänische Krimiserie => years:2023- language:da genre:crime kind:series
Kommödie mit Emma Thompson, höchstens zwei Stunden => genre:comedy person:Emma Thompson duration:-7200
Doku über Wölfe, nicht länger als eine Stunde => genre:documentary duration:-3600 topic:wolfe
películas de terror españolas de los últimos diez años => kind:film genre:horror language:es years:2016-
una comedia romántica, pero sin Tom Hanks => genre:romance genre:comedy not-person:Tom Hanks
drama con Penelope Cruz después de 2005 => genre:drama person:Penélope Cruz years:2006-
dibujos animados para mi hija de 5 años => genre:animation age:5
¿qué echan hoy en la tele de ciencia ficción? => airing:today genre:science-fiction
una película de avneturas en la selva => kind:film genre:adventure topic:selva
un polar des années 70 => genre:crime|genre:thriller|genre:noir years:1970-1979
film d'animation pour un enfant de 7 ans, pas trop long => kind:film genre:animation age:7 duration:-6600
une histoire vraie, mais pas de guerre => mood:true not-genre:war|not-topic:guerre
série fantastique sans vampires => genre:fantasy kind:series not-topic:vampires
quelque chose comme Toy Story mais pour les ados => like:Toy Story age:12
`,
  },
  {
    name: "eighth",
    count: 60,
    rightAtFirst: 52,
    questions: `
funny movies from the 90s => mood:funny kind:film years:1990-1999
horror series about a haunted hotel => genre:horror kind:series topic:haunted hotel
Tom Hanks war movies => person:Tom Hanks genre:war kind:film
something like Alien but funny => like:Alien mood:funny
short animated films for toddlers => duration:-2400 genre:animation kind:film age:3
korean thrillers since 2015 => language:ko genre:thriller years:2015-
comedies under 90 minutes => genre:comedy duration:-5400
action movies without jackie chan => genre:action kind:film not-person:Jackie Chan
what's on tonight that's scary => airing:tonight mood:scary
romantic comedy with Meryl Streep => genre:romance genre:comedy person:Meryl Streep
japanese cartoons for my 8 year old => language:ja genre:animation age:8
sci-fi from the early 80s => genre:science-fiction years:1980-1984
sad dramas about alcoholism => mood:sad genre:drama topic:alcoholism
crime shows that aren't in English => genre:crime kind:series not-language:en
Spielberg adventure films before 1990 => person:Steven Spielberg genre:adventure kind:film years:-1989
a thriller set on a submarine, not too long => genre:thriller topic:submarine duration:-6600
un dessin animé récent pour les tout-petits => genre:animation years:2023- age:3
fantasy series with dragons => genre:fantasy kind:series topic:dragons
Something like Blade Runner from the last 10 years => like:Blade Runner years:2016-
classic noir movies with a private detective => years:-1996 genre:noir kind:film topic:private detective
Is there a comedy on TV right now? => genre:comedy airing:now
Bill Murray comedies after 2000 => person:Bill Murray genre:comedy years:2001-
sports drama, about 90 minutes => genre:sport genre:drama duration:4725-6075
spannender Film über einen Bankraub, höchstens zwei Stunden => mood:exciting|mood:tense kind:film topic:bankraub duration:-7200
romatic movies set in Italy => mood:romantic kind:film topic:italy
documentry about volcanoes => genre:documentary topic:volcanoes
thiller with sigourney weaver => genre:thriller person:Sigourney Weaver
Halloween movies for childern => topic:halloween kind:film age:6
science ficton about time travel => genre:science-fiction topic:time travel
Actionfilm mit Jackie Chan aus den 80ern => genre:action person:Jackie Chan years:1980-1989
lustige Serie über eine Arztpraxis => mood:funny kind:series topic:arztpraxis
kurzer Zeichentrickfilm für Kinder => duration:-2400 genre:animation age:6
Was läuft heute Abend? Bitte kein Horror => airing:tonight not-genre:horror
películas de terror de los años 70 => kind:film genre:horror years:1970-1979
series de ciencia ficción sobre robots => kind:series genre:science-fiction topic:robots
comedias españolas con Penélope Cruz => genre:comedy language:es person:Penélope Cruz
dibujos animados para mi hija de 5 años => genre:animation age:5
un film drôle avec Robin Williams => kind:film mood:funny person:Robin Williams
séries policières des années 90 => kind:series genre:crime years:1990-1999
thriller coréen de moins de deux heures => genre:thriller language:ko duration:-7200
no horror, no war, just a good drama made between 1970 and 1985 => not-genre:horror not-genre:war genre:drama years:1970-1985
I've got two hours and I want a spy thriller without any romance => duration:-7200 genre:spy genre:thriller not-genre:romance|not-mood:romantic
anything with Emma Thompson except romances => person:Emma Thompson not-genre:romance
neither a cartoon nor a musical, for a 10 year old => not-genre:animation not-genre:music age:10
about two hours long, set in Tokyo, not in English, made after 2010 => duration:6300-8100 topic:tokyo not-language:en years:2011-
Spielberg but no dinosaurs and nothing scary => person:Steven Spielberg not-topic:dinosaurs not-mood:scary
a comedy about a bank heist that isn't French or Italian => genre:comedy topic:bank heist not-language:fr not-language:it
we're in the mood for something tense but not scary, and it shouldn't be longer than 100 minutes => mood:tense not-mood:scary duration:-6000
a series in the style of The Naked Gun, please => like:The Naked Gun kind:series
is there anything with Tom Hanks on tomorrow that isn't about war? => person:Tom Hanks airing:tomorrow not-genre:war|not-topic:war
between 60 and 90 minutes, a documentary about whales, nothing sad => duration:3600-5400 genre:documentary topic:whales not-mood:sad
honestly I'm so tired of superheroes, give me an exciting adventure movie instead => not-genre:superhero mood:exciting genre:adventure kind:film
with a lighthouse keeper in it, an old mystery if you have one => topic:lighthouse keeper years:-1996 genre:mystery
rainy sunday with my wife, so something romantic but not a comedy, maybe from the 50s => mood:romantic not-genre:comedy years:1950-1959
don't show me anything older than 2010: horror with vampires, but not funny => years:2010- genre:horror topic:vampires not-mood:funny
Meryl Streep in a drama that's based on a true story, no politicians => person:Meryl Streep genre:drama mood:true not-topic:politicians
over two hours, from the late 90s: a mind-bending movie, just no noir => mood:mind-bending kind:film years:1995-1999 duration:7200- not-genre:noir
Weder Krimi noch Liebesfilm, sondern etwas Lustiges unter 90 Minuten => not-genre:crime not-genre:romance mood:funny duration:-5400
nada de guerra ni de terror, algo divertido con Tom Hanks => not-genre:war not-genre:horror mood:funny person:Tom Hanks
un film de science-fiction sorti entre 1975 et 1989, ni triste ni effrayant => kind:film genre:science-fiction years:1975-1989 not-mood:sad not-mood:scary
`,
  },
  {
    name: "ninth",
    count: 60,
    rightAtFirst: 53,
    questions: `
funny western from the 70s => genre:western mood:funny years:1970-1979
a documentary about whales for my 7 year old => genre:documentary topic:whales age:7
anything with Bill Murray that isn't a comedy => person:Bill Murray not-genre:comedy
sad war films made before 1970 => mood:sad genre:war kind:film years:-1969
crime series in Danish => genre:crime kind:series language:da
something like Blade Runner but newer than 2010 => like:Blade Runner years:2011-|years:2010-
I've only got 40 minutes, make me laugh => duration:-2400 mood:funny|genre:comedy
scary but no zombies please => mood:scary not-topic:zombies
Tom Hanks movie based on a true story => person:Tom Hanks kind:film mood:true
thriler set on a submarine => genre:thriller topic:submarine
What's on tonight for the kids? => airing:tonight age:6
Korean horror from the last five years => language:ko genre:horror years:2021-
cartoons for toddlers => genre:animation age:3
classic noir with a private detective => genre:noir years:-1996 topic:private detective
a feel-good show set in a bakery => mood:feel-good kind:series topic:bakery
long epic films about ancient Rome => duration:9000- mood:epic kind:film topic:ancient rome
science fiction from the late 80s with Sigorney Weaver => genre:science-fiction years:1985-1989 person:Sigourney Weaver
Japanese anime about volleyball => language:ja genre:animation topic:volleyball
my wife and I want a romantic comedy, no longer than 100 minutes => genre:romance genre:comedy duration:-6000
a musical without Meryl Streep => genre:music not-person:Meryl Streep
fantasy adventure with dragons for teenagers => genre:fantasy genre:adventure topic:dragons age:12
superhero movies that are not animated => genre:superhero kind:film not-genre:animation
spy series from the sixties => genre:spy kind:series years:1960-1969
documentry about chess => genre:documentary topic:chess
Steven Spielberg films from 1975 to 1985 => person:Steven Spielberg kind:film years:1975-1985
looking for something tense and mind-bending, over two hours => mood:tense mood:mind-bending duration:7200-
which comedies are on TV tomorrow? => genre:comedy airing:tomorrow
what films are on right now => kind:film airing:now
a family film about a dog, nothing sad => genre:family kind:film topic:dog not-mood:sad
recent Spanish thriller series => years:2023- language:es genre:thriller kind:series
Jackie Chan kung fu movies from the early 80s => person:Jackie Chan topic:kung fu kind:film years:1980-1984
biography of a painter => genre:biography topic:painter
movies similar to Toy Story for a five-year-old => like:Toy Story kind:film age:5
pirate adventure, about two hours long => topic:pirate genre:adventure duration:6300-8100
not in English, something romantic for a rainy evening => not-language:en mood:romantic
a miniseries about a cult => kind:series topic:cult
dramas with Emma Thompson since 2015 => genre:drama person:Emma Thompson years:2015-
horror flick without blood => genre:horror kind:film not-topic:blood
we have two hours and would like something funny with Robin Williams => duration:-7200 mood:funny person:Robin Williams
a love story between a nurse and a soldier => genre:romance|mood:romantic topic:nurse soldier
The Naked Gun style, under 90 minutes => like:The Naked Gun duration:-5400
Italian drama about football, not too long => language:it genre:drama topic:football duration:-6600
romantik movies set in Venice => mood:romantic|genre:romance kind:film topic:venice
westerns made after 2000 => genre:western years:2001-
ein lustiger Film mit Robin Williams für meinen 9-jährigen Sohn => mood:funny kind:film person:Robin Williams age:9
schwedische Krimiserie ohne Gewalt => language:sv genre:crime kind:series not-topic:gewalt
kurze Dokumentation über Vulkane => duration:-2400 genre:documentary topic:vulkane
Actionfilm mit Jackie Chan aus den 80ern => genre:action person:Jackie Chan years:1980-1989
Was läuft heute Abend im Fernsehen, am liebsten eine Komödie => airing:tonight genre:comedy
Horrorfilm von vor 1980, höchstens 100 Minuten => genre:horror years:-1979 duration:-6000
una serie de misterio que no sea en inglés => kind:series genre:mystery not-language:en
películas de terror entre 2000 y 2010 => kind:film genre:horror years:2000-2010
algo triste sobre una madre y su hija => mood:sad topic:madre hija
dibujos animados para un niño de 4 años => genre:animation age:4
un drama con Penélope Cruz de más de dos horas => genre:drama person:Penélope Cruz duration:7200-
un film policier des années 70 à Marseille => kind:film genre:crime years:1970-1979 topic:marseille
une comédie romantique récente => genre:comedy genre:romance years:2023-
qu'est-ce qui passe demain à la télé avec Tom Hanks => airing:tomorrow person:Tom Hanks
un dessin animé sans chansons => genre:animation not-topic:chansons|not-genre:music
j'ai une heure, quelque chose de drôle dans l'espace => duration:-3600 mood:funny topic:espace
`,
  },
  {
    name: "last",
    count: 60,
    rightAtFirst: 57,
    questions: `
Tom Hanks movies from the 90s => person:Tom Hanks kind:film years:1990-1999
a funny western with a bank robbery => mood:funny genre:western topic:bank robbery
something for my 5 year old about dinosaurs => age:5 topic:dinosaurs
scary but without clowns, under two hours => mood:scary duration:-7200 not-topic:clowns
old spy films, not too long => years:-1996 genre:spy kind:film duration:-6600
Krimiserie auf Schwedisch => genre:crime kind:series language:sv
what's on tonight that is suitable for kids => airing:tonight age:6
any thrillers on TV right now? => genre:thriller airing:now
something like Alien but set underwater => like:Alien topic:underwater
series about chefs and restaurants => kind:series topic:chefs restaurants
un documental sobre tiburones => genre:documentary topic:tiburones
a sad love story set in Venice => mood:sad mood:romantic|genre:romance topic:venice
war films, but not about Vietnam => genre:war kind:film not-topic:vietnam
documentry about whales from the last five years => genre:documentary years:2021- topic:whales
Korean horror => language:ko genre:horror
comédie espagnole récente => genre:comedy language:es years:2023-
mind-bending science fiction over two hours => mood:mind-bending genre:science-fiction duration:7200-
Robin Williams but not a comedy => person:Robin Williams not-genre:comedy
feel-good movie with a dog for the whole family => mood:feel-good kind:film genre:family|age:6 topic:dog
an adventure directed by Steven Spielberg from the eighties => genre:adventure person:Steven Spielberg years:1980-1989
I've got 45 minutes, something funny please => duration:-2700 mood:funny
Actionfilm aus den 80ern mit Jackie Chan => genre:action years:1980-1989 person:Jackie Chan
a true story about a mountain climber => mood:true topic:mountain climber
Japanese anime with witches => language:ja genre:animation topic:witches
long and epic, with sword fights => duration:9000- mood:epic topic:sword fights
late 70s horor flicks => years:1975-1979 genre:horror kind:film
a musical from the fifties => genre:music years:1950-1959
algo divertido para un niño de 7 años, que no sea de animación => mood:funny age:7 not-genre:animation
recent crime series in Danish => years:2023- genre:crime kind:series language:da
something tense on a submarine, at most 100 minutes => mood:tense duration:-6000 topic:submarine
romantic comedy with Meryl Streep => genre:romance|mood:romantic genre:comedy person:Meryl Streep
a superhero show that isn't animated => genre:superhero kind:series not-genre:animation
film d'horreur sans zombies, moins de 90 minutes => genre:horror kind:film duration:-5400 not-topic:zombies
cartoons for toddlers, short ones => genre:animation age:3 duration:-2400
vampires, but funny => mood:funny topic:vampires
Sigorney Weaver in something that isn't science fiction => person:Sigourney Weaver not-genre:science-fiction
Dokumentation über Vulkane, höchstens eine Stunde => genre:documentary duration:-3600 topic:vulkane
are there any sports films on tomorrow => genre:sport kind:film airing:tomorrow
a mystery on a train, about two hours => genre:mystery duration:6300-8100 topic:train
films like Toy Story but without Tom Hanks => kind:film like:Toy Story not-person:Tom Hanks
fantasy with dragons between 2000 and 2012 => genre:fantasy years:2000-2012 topic:dragons
una película de terror en una casa abandonada => genre:horror kind:film topic:casa abandonada
a drama about divorce, not in English => genre:drama not-language:en topic:divorce
Bill Murray and ghosts => person:Bill Murray topic:ghosts
exciting car chases, nothing sad => mood:exciting not-mood:sad topic:car chases
une série policière qui se passe à Marseille => genre:crime kind:series topic:marseille
a halloween film for teenagers, not scary => kind:film age:12 not-mood:scary topic:halloween
spannender Film ohne Gewalt, nach 2005 => mood:exciting|mood:tense kind:film years:2006- not-topic:gewalt
a thriler from 1987 with a lawyer => genre:thriller years:1987-1987 topic:lawyer
an Italian movie made before 1970, in a small village => language:it kind:film years:-1969 topic:small village
series de ciencia ficción de los últimos diez años => kind:series genre:science-fiction years:2016-
eine lustige Serie über Lehrer => mood:funny kind:series topic:lehrer
a biography of a painter, since 2010 => genre:biography years:2010- topic:painter
un vieux western avec des chasseurs de primes => years:-1996 genre:western topic:chasseurs primes
early 2000s comedies about high school => years:2000-2004 genre:comedy topic:high school
película francesa romántica de menos de dos horas => kind:film language:fr mood:romantic|genre:romance duration:-7200
anything with Emma Thompson and a nanny, ok for a 9 year old => person:Emma Thompson age:9 topic:nanny
une histoire vraie sur un boxeur, entre 1995 et 2010 => mood:true years:1995-2010 topic:boxeur
something romantic for a quiet evening with my girlfriend, no drama => mood:romantic not-genre:drama
was läuft heute Abend für Kinder? => airing:tonight age:6
`,
  },
];
