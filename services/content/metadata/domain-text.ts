/** Words that tell nothing of a film, in the languages that titles are described in here. */
const COMMON = new Set(
  (
    "the a an and or of to in is it its that this those these for on with as at by from be are was were been has have had not no but his her " +
    "their they them he she we you i who whom which what when where how why will would can could should into out up down over under after " +
    "before about between through during only own same so than too very one two all any each few more most other some such there here then " +
    "also just even while until against himself herself itself themselves your our my me him us do does did being because if " +
    "der die das und oder ist sind ein eine einer eines nicht mit auf für von zu im den dem des sie er es wir ihr auch als wie bei nach vor " +
    "el la los las un una de que y en no se por con para lo como más su sus al del es son " +
    "le les des et est une dans qui que pour pas sur au aux avec ce cette ses son sa ils elle il"
  ).split(" "),
);
const TAG_LETTERS_MIN = 4;
const TAGS_MAX = 12;
const SENTENCES_MAX = 2;
const SUMMARY_MAX = 400;
const SENTENCE_MIN = 20;
/** What is said counts less than what somebody wrote about the film. */
const SPOKEN_WEIGHT = 0.25;

export interface Described {
  readonly title: string;
  readonly tagline: string;
  readonly synopsis: string;
  readonly genres: readonly string[];
  readonly spoken: string;
}

export interface Words {
  readonly tags: readonly string[];
  readonly summary: string;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/\p{L}[\p{L}’'-]*/gu) ?? [];

/** Words that come up again and again, and the sentences that hold most of them (H. P. Luhn 1958, "The automatic creation of literature abstracts"). */
export function extract({ title, tagline, synopsis, genres, spoken }: Described): Words {
  const weights = new Map<string, number>();
  const count = (text: string, weight: number): void => {
    for (const word of wordsOf(text))
      if (word.length >= TAG_LETTERS_MIN && !COMMON.has(word)) weights.set(word, (weights.get(word) ?? 0) + weight);
  };
  count(`${tagline} ${synopsis}`, 1);
  // A word that is only said, once, is no tag.
  if (weights.size > 0) count(spoken, SPOKEN_WEIGHT);
  const own = new Set(wordsOf(title));
  const ranked = [...weights]
    .filter(([word]) => !own.has(word))
    .sort(([a, one], [b, another]) => another - one || b.length - a.length || a.localeCompare(b))
    .map(([word]) => word);
  const tags = [...new Set([...genres.map((genre) => genre.toLowerCase()), ...ranked])].slice(0, TAGS_MAX);
  return { tags, summary: summaryOf(synopsis, weights) };
}

function summaryOf(synopsis: string, weights: ReadonlyMap<string, number>): string {
  const sentences = (synopsis.match(/[^.!?…]+[.!?…]+["”’]?|[^.!?…]+$/gu) ?? []).map((sentence) => sentence.trim());
  const scored = sentences.map((text, at) => {
    const words = wordsOf(text);
    const sum = words.reduce((total, word) => total + (weights.get(word) ?? 0), 0);
    return { text, at, score: text.length < SENTENCE_MIN ? 0 : sum / Math.sqrt(Math.max(1, words.length)) };
  });
  const best = scored.toSorted((a, b) => b.score - a.score || a.at - b.at).slice(0, SENTENCES_MAX);
  return best
    .sort((a, b) => a.at - b.at)
    .map(({ text }) => text)
    .join(" ")
    .slice(0, SUMMARY_MAX);
}
