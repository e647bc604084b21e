/** The models of ARCH-001, section 6: what each is for, where it comes from, and what answers without it. docs/models.md is made of it. */
import { CHURN_FEATURES } from "./domain-churn.ts";
import { columnsOf } from "./domain-order.ts";
import { ROUTING_FEATURES } from "./domain-routing.ts";

/** `here`: trained and served by this product; `loaded`: run here with weights that others trained. */
export type State = "here" | "loaded";

export interface Entry {
  readonly model: string;
  /** What calls know it by, where it has versions in the registry. */
  readonly name?: string;
  readonly state: State;
  readonly data: string;
  readonly metric: string;
  readonly fallback: string;
  readonly retrain: string;
}

const named = (features: readonly string[]): string => features.map((name) => `\`${name}\``).join(", ");

/** In the order of the specification's inventory. */
export const inventory: readonly Entry[] = [
  {
    model: "Recommendation (collaborative)",
    state: "here",
    data: "what profiles stayed with, and their thumbs ([recommendations](guides/recommendations.md)): EASE, or iALS where there are many",
    metric:
      "NDCG@10 of each profile's latest title, hidden in training, beside popularity; pictures: [rankers](pictures/ratings.svg), [homes over time](pictures/simulation.svg)",
    fallback: "what is popular in the genres that the profile likes; marked as partial",
    retrain: "by itself every six hours; `./marquee recommendations train`",
  },
  {
    model: "Recommendation (content-based)",
    state: "here",
    data: "genres, people and telling words of titles",
    metric:
      "the same, as a part of the blend, whose weights are chosen on other profiles; [picture](pictures/ratings.svg)",
    fallback: "the same",
    retrain: "with the collaborative one",
  },
  {
    model: "CDN routing",
    name: "routing",
    state: "here",
    data: `minutes of each network in each region, from players' reports and probes, for a week: ${named(ROUTING_FEATURES)}`,
    metric:
      "AUC and log loss of whether the next minute is a bad one, on the latest quarter of the time; [picture](pictures/routing.svg)",
    fallback: "what players report, else round-robin with geo affinity; marked",
    retrain: "by itself once an hour and after a drift; `./marquee model train routing`",
  },
  {
    model: "Anomaly detection",
    state: "here",
    data: "minutes of all, of each network and of each channel: sessions, errors, rebuffering (services/insight/qoe, [below](#anomalies))",
    metric:
      "the Numenta benchmark's score on files that nothing was chosen on, beside its windowed Gaussian; [picture](pictures/anomaly.svg)",
    fallback: "fixed thresholds for errors and rebuffering; marked as partial",
    retrain: "with every minute; a process begins with the last eight hours",
  },
  {
    model: "Churn prediction",
    name: "churn",
    state: "here",
    data: `what accounts watched, by day: ${named(CHURN_FEATURES)}`,
    metric:
      "AUC and log loss on accounts that it was not trained on, of those who watch nothing in four weeks; [the learner beside others](pictures/gbdt.svg)",
    fallback: "a threshold of engagement: days since the last view, and views in four weeks; marked as partial",
    retrain: "by itself once a day and after a drift; `./marquee model train churn`",
  },
  {
    model: "Content moderation",
    state: "loaded",
    data: "frames of each title, by the weights of nsfwjs; words of its subtitles, by a list. Violence, in frames and words, is judged by a server at `MARQUEE_MODERATION_URL` alone, and not looked for without one: no weights for it are at hand ([enrichment](guides/enrich.md))",
    metric:
      "false alarms of nudity on real films: `tests/realdata/enrichment.test.ts` prints the highest score of each; [picture](pictures/enrichment.svg). Of violence none: it is the server's call",
    fallback:
      "without the server what runs here; an operator looks before publishing; a title says what it was not looked at for, and why",
    retrain:
      "not here: other weights by `./marquee model pull moderation`, or another server, then `./marquee enrich TITLE --step moderation`",
  },
  {
    model: "Thumbnail quality scoring",
    state: "here",
    data: "frames of films and the same ones spoiled (soft, moved, dark, burnt, faded, foggy, crossed, blocky), by measures of the picture; faces weigh besides, where their weights are here ([below](#thumbnails))",
    metric:
      "how often the sound picture of a pair is known, and how chosen frames score beside random ones, on films that it was not trained on; picture: [chosen beside random](pictures/thumbnails.png)",
    fallback: "the pictures that the encoder makes; a person's choice wins",
    retrain: "`npm run bench -- enrichment --write`, from a checkout",
  },
  {
    model: "Embedding generation",
    state: "here",
    data: "the words, names and genres of the catalogue's titles: latent semantic analysis of each tenant's own ([search](guides/search.md)). Of pictures: the mean of a title's frames by the pooled features of nsfwjs' MobileNetV2, run here with weights of others ([below](#looks))",
    metric:
      "nDCG@10 on viewers' tags of the order by words and meaning, beside BM25F and meaning alone (`npm run bench -- search`); [picture](pictures/search.svg). Of pictures: how often the nearest frame is of the same film, beside a colour histogram and the perceptual hash: `tests/realdata/embedding.test.ts`; [picture](pictures/embedding.svg)",
    fallback: "words alone; of pictures nothing is said",
    retrain:
      "by itself, when there are a fifth more or fewer titles; of pictures not here: `./marquee model pull moderation`, then `./marquee enrich TITLE --step embedding`",
  },
  {
    model: "Per-title encoding",
    state: "here",
    data: "samples of the film and fast encodes of them (detail, motion, cuts, rate, PSNR, SSIM), beside the VMAF of a grid of real encodes ([below](#per-title-encoding))",
    metric:
      "BD-rate over VMAF 60 to 95 against the fixed ladder and capped CRF, on films that it was not trained on; [picture](pictures/per-title.svg)",
    fallback: "the fixed ladder; the title says why",
    retrain: "`npm run bench -- per-title --train`, from a checkout",
  },
  {
    model: "Subtitle generation",
    state: "loaded",
    data: "the film's sound: Silero VAD says where somebody speaks, Whisper tiny.en (or a server) what; drafts that a person may correct",
    metric:
      "word error rate beside subtitles that people wrote: `tests/realdata/enrichment.test.ts`; [picture](pictures/enrichment.svg)",
    fallback: "subtitles that come with a file",
    retrain: "not here: other weights by `./marquee model pull asr speech`, or a server at `MARQUEE_ASR_URL`",
  },
  // Named by the specification's table of fallbacks alone.
  {
    model: "Personalized EPG order",
    state: "here",
    data: "how long a profile watched which channel in which quarter of the day; half of it is forgotten in two weeks",
    metric:
      "reciprocal rank of the channel that is watched next, of people who are drawn (`npm run bench -- orders`); [picture](pictures/orders.svg)",
    fallback: "channels by number; marked as partial",
    retrain: "with every session of a channel",
  },
  {
    model: "Content thumbnails",
    state: "here",
    data: "which picture of a title profiles of which taste were shown, and whether they went to it",
    metric:
      "how likely people who are drawn go to a title, beside the editor's picture (`npm run bench -- orders`); [picture](pictures/orders.svg)",
    fallback: "the editor's picture; marked as partial",
    retrain: "with every look and click",
  },
  // What the specification asks for as "re-ranked" and counts among no models.
  {
    model: "Order of homes",
    name: "home-order",
    state: "here",
    data: `lists that a home showed and somebody chose from, with features as they were known then ([below](#orders)): ${named(columnsOf("home-order"))}`,
    metric:
      "NDCG@10 on people that it was not trained on, beside the present order; the interval of the difference decides; [picture](pictures/orders.svg), of people who are drawn",
    fallback: "the blend's own order; marked as partial where a model is late, not where there is none",
    retrain: "by itself once a day and after a drift; `./marquee model train home-order`",
  },
  {
    model: "Order of searches",
    name: "search-order",
    state: "here",
    data: `the same of searches, without the person: ${named(columnsOf("search-order"))}`,
    metric: "the same; [picture](pictures/orders.svg)",
    fallback: "the order by words and meaning; marked likewise",
    retrain: "by itself once a day and after a drift; `./marquee model train search-order`",
  },
];
