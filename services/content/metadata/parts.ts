import type { Catalog } from "#contracts/catalog";
import type { Encoding } from "#contracts/encoding";
import type { Metadata } from "#contracts/metadata";
import type { Context, Platform, Tx } from "#kernel";
import type { Worker } from "#kernel/ports/jobs";
import type { Outcome, StepName } from "./domain.ts";
import type { Title } from "./store.ts";
import type { Turns } from "./turns.ts";

export type MetadataPlatform = Platform<
  typeof Metadata,
  { readonly catalog: typeof Catalog; readonly encoding: typeof Encoding }
>;
export type MetadataTx = Tx<typeof Metadata>;

export interface Parts
  extends Pick<
    MetadataPlatform,
    | "db"
    | "call"
    | "objects"
    | "jobs"
    | "transcoder"
    | "models"
    | "asr"
    | "llm"
    | "moderation"
    | "flags"
    | "clock"
    | "logger"
    | "config"
  > {
  readonly ended: (step: StepName, state: string) => void;
  /** How far the steps under way in this process are, by tenant, title and step; it is for people, and may be lost. */
  readonly progress: Map<string, number>;
  readonly cutters: Turns;
  /** One step at a time, whichever queue it comes from. */
  readonly steps: Turns;
  workers: readonly Worker[];
}

/** One step on its way. */
export interface Doing {
  readonly title: Title;
  readonly context: Context;
  /** Whether a person asked for this step by its name, or for it to be done again. */
  readonly isAsked: boolean;
  /** Whether a fault of this time is final. Where another try comes, whoever depends on a server that is away waits for it. */
  readonly isLastTry: boolean;
  readonly signal: AbortSignal;
  /** The source, as a file of this machine. */
  readonly path: string;
  /** An empty folder that is gone afterwards. */
  readonly folder: string;
  readonly progress: (ratio: number) => void;
}

/** What a step comes to, and what has to be written with it. */
export interface Done {
  readonly outcome: Outcome;
  readonly write?: (tx: MetadataTx) => Promise<void>;
}

export type Perform = (parts: Parts, doing: Doing) => Promise<Done>;

export const progressKey = (tenant: string, contentId: string, step: StepName): string =>
  `${tenant}/${contentId}/${step}`;

/** What is kept of a title for others. */
export const titleFolder = (tenant: string, contentId: string): string => `enrichment/${tenant}/${contentId}/`;

/** What the names of a title's best frames begin with: they lie with its encoder's pictures, where the origin finds them. */
export const picturePrefix = (contentId: string): string => `${artworkFolder(contentId)}found-`;
const artworkFolder = (contentId: string): string => `artwork/${contentId}/`;

/** Nothing of a title that was deleted may stay; its encoder's pictures are nobody's either. */
export async function removeObjects({ objects }: Pick<Parts, "objects">, tenant: string, contentId: string) {
  await objects.deletePrefix(titleFolder(tenant, contentId));
  await objects.deletePrefix(artworkFolder(contentId));
}
