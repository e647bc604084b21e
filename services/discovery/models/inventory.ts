/** The models of ARCH-001, section 6: what each is for, where it comes from, and what answers without it. docs/models.md is made of it. */
import { CHURN_FEATURES } from "./domain-churn.ts";
import { ROUTING_FEATURES } from "./domain-routing.ts";

/** `here`: trained and served by this product; `missing`: its fallback is all that there is. */
export type State = "here" | "missing";

export interface Entry {
  readonly model: string;
  readonly state: State;
  readonly data: string;
  readonly metric: string;
  readonly fallback: string;
  readonly retrain: string;
}

const NOTHING = "-";
const missing = (model: string, fallback: string): Entry => ({
  ...{ model, state: "missing", fallback },
  ...{ data: NOTHING, metric: NOTHING, retrain: NOTHING },
});

/** In the order of the specification's inventory. */
export const inventory: readonly Entry[] = [
  {
    model: "Recommendation (collaborative)",
    state: "here",
    data: "what profiles stayed with, and their thumbs ([recommendations](guides/recommendations.md)): EASE, or iALS where there are many",
    metric: "NDCG@10 of each profile's latest title, hidden in training, beside popularity",
    fallback: "what is popular in the genres that the profile likes; marked as partial",
    retrain: "by itself every six hours; `./marquee recommendations train`",
  },
  {
    model: "Recommendation (content-based)",
    state: "here",
    data: "genres, people and telling words of titles",
    metric: "the same, as a part of the blend, whose weights are chosen on other profiles",
    fallback: "the same",
    retrain: "with the collaborative one",
  },
  {
    model: "CDN routing",
    state: "here",
    data: `minutes of each network in each region, from players' reports and probes, for a week: ${ROUTING_FEATURES.map((name) => `\`${name}\``).join(", ")}`,
    metric: "AUC and log loss of whether the next minute is a bad one, on the latest quarter of the time",
    fallback: "what players report, else round-robin with geo affinity; marked",
    retrain: "by itself once an hour and after a drift; `./marquee model train routing`",
  },
  {
    model: "Anomaly detection",
    state: "here",
    data: "minutes of all, of each network and of each channel: sessions, errors, rebuffering (services/insight/qoe)",
    metric: "the Numenta benchmark's score on files that nothing was chosen on, beside its windowed Gaussian",
    fallback: "fixed thresholds for errors and rebuffering; marked as partial",
    retrain: "with every minute; a process begins with the last eight hours",
  },
  {
    model: "Churn prediction",
    state: "here",
    data: `what accounts watched, by day: ${CHURN_FEATURES.map((name) => `\`${name}\``).join(", ")}`,
    metric: "AUC and log loss on accounts that it was not trained on, of those who watch nothing in four weeks",
    fallback: "a threshold of engagement: days since the last view, and views in four weeks; marked as partial",
    retrain: "by itself once a day and after a drift; `./marquee model train churn`",
  },
  missing("Content moderation", "an operator looks before publishing"),
  missing("Thumbnail quality scoring", "the sharpest frame, or the editor's picture"),
  missing("Embedding generation", "words alone"),
  missing("Per-title encoding", "a fixed ladder"),
  missing("Subtitle generation", "subtitles that come with a file"),
  // Named by the specification's table of fallbacks alone.
  {
    model: "Personalized EPG order",
    state: "here",
    data: "how long a profile watched which channel in which quarter of the day; half of it is forgotten in two weeks",
    metric: "none yet",
    fallback: "channels by number; marked as partial",
    retrain: "with every session of a channel",
  },
  {
    model: "Content thumbnails",
    state: "here",
    data: "which picture of a title profiles of which taste were shown, and whether they went to it",
    metric: "none yet",
    fallback: "the editor's picture; marked as partial",
    retrain: "with every look and click",
  },
];
