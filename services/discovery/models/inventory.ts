/** The models of ARCH-001, section 6: what each is for, where it comes from, and what answers without it. docs/models.md is made of it. */
import { CHURN_FEATURES } from "./domain-churn.ts";

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
    metric:
      "NDCG@10 of each profile's latest title, hidden in training, beside popularity; pictures: [rankers](pictures/ratings.svg), [homes over time](pictures/simulation.svg)",
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
  missing("CDN routing", "round-robin with geo affinity, and what players report (services/delivery/routing)"),
  missing("Anomaly detection", "static thresholds: the alerts of docs/guides/observe.md"),
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
];
