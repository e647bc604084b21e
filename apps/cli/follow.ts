import { Catalog, type Title } from "#contracts/catalog";
import { Encoding, type Encoding as EncodingState } from "#contracts/encoding";
import { Ingest, type Ingest as IngestState } from "#contracts/ingest";
import { type Problem, toProblem } from "#kernel";
import { type AdminClient, NOT_RUNNING } from "./client.ts";

/** How far a person wants to wait: until the file is taken in, until it plays, until every rung is there. */
export type Until = "accepted" | "playable" | "complete";

/** Where an import is, for a progress line. */
export interface Progress {
  readonly contentId: string;
  readonly phase: "waiting" | "copying" | "checking" | "encoding" | "publishing" | "done" | "failed";
  /** 0 to 1, of what is waited for. */
  readonly ratio: number;
  /** 0 where it is not known. */
  readonly leftS: number;
  /** Why it failed, for people; empty otherwise. */
  readonly reason: string;
  /** The same for programs, such as `duplicate`. */
  readonly code: string;
  /** The title that is the same film. */
  readonly duplicateOf: string;
}

export interface Seen {
  readonly ingest: IngestState | undefined;
  readonly encoding: EncodingState | undefined;
  readonly title: Title | undefined;
}

/** What three services say about one content, as one state. Playable is what the catalogue calls so: then a press of play works. */
export function progressOf(contentId: string, until: Until, { ingest, encoding, title }: Seen): Progress {
  const base = { contentId, ratio: 0, leftS: 0, reason: "", code: "", duplicateOf: "" };
  if (!ingest && !encoding && !title) {
    return {
      ...base,
      phase: "failed",
      reason: `'${contentId}' is not here, or was deleted meanwhile`,
      code: "not_found",
    };
  }
  if (ingest?.state === "failed") {
    const { failure: reason, failureReason: code, duplicateOf } = ingest;
    return { ...base, phase: "failed", reason, code, duplicateOf };
  }
  if (until === "accepted" && (ingest?.state === "accepted" || encoding)) return { ...base, phase: "done", ratio: 1 };
  const isPlayable = title?.state === "playable" && (encoding?.packageRevision ?? 0) > 0;
  if (until === "playable" && isPlayable) return { ...base, phase: "done", ratio: 1 };
  if (until === "complete" && isPlayable && encoding?.state === "complete" && title.complete) {
    return { ...base, phase: "done", ratio: 1 };
  }
  if (encoding?.state === "failed")
    return { ...base, phase: "failed", reason: encoding.failure, code: "encoding_failed" };
  if (encoding) {
    const ratio = until === "complete" ? encoding.progress : encoding.progressPlayable;
    const isDone = until === "complete" ? encoding.state === "complete" : encoding.packageRevision > 0;
    return {
      ...base,
      phase: isDone ? "publishing" : "encoding",
      ratio: Math.min(ratio, 0.99),
      leftS: leftS(until, encoding),
    };
  }
  return { ...base, phase: phaseOf(ingest?.state ?? "") };
}

function phaseOf(ingestState: string): Progress["phase"] {
  if (ingestState === "copying" || ingestState === "checking") return ingestState;
  return ingestState === "accepted" ? "encoding" : "waiting";
}

/** The service counts to the last rung; up to the first play it is a share of that, by the speed so far. */
function leftS(until: Until, { leftS: all, progress, progressPlayable, startedAtMs }: EncodingState): number {
  if (until === "complete" || progress >= 1 || progressPlayable <= 0.02) return until === "complete" ? all : 0;
  const elapsedS = (Date.now() - Number(startedAtMs)) / 1_000;
  return Math.max((elapsedS * (1 - progressPlayable)) / progressPlayable, 0);
}

const POLL_MS = 500;
/** So long may the product be away (a restart) before we give up on it. */
const AWAY_MS_MAX = 60_000;
const IDS_MAX = 200;

export interface FollowOptions {
  readonly client: AdminClient;
  readonly contentIds: readonly string[];
  readonly until: Until;
  /** Called after each look, with what is not done yet and what has just become so. */
  onProgress(states: readonly Progress[]): void;
  onAway?(error: Problem): void;
  readonly pollMs?: number;
  readonly awayMsMax?: number;
  readonly signal?: AbortSignal;
}

/** Looks again and again until every content is done or failed. A product that restarts meanwhile is waited for. */
export async function follow(options: FollowOptions): Promise<Map<string, Progress>> {
  const { client, until, pollMs = POLL_MS, awayMsMax = AWAY_MS_MAX } = options;
  const ended = new Map<string, Progress>();
  let awaySinceMs: number | undefined;
  for (;;) {
    options.signal?.throwIfAborted();
    const open = options.contentIds.filter((id) => !ended.has(id)).slice(0, IDS_MAX);
    if (open.length === 0) return ended;
    try {
      const states = await look(client, open, until);
      awaySinceMs = undefined;
      for (const state of states)
        if (state.phase === "done" || state.phase === "failed") ended.set(state.contentId, state);
      options.onProgress(states);
    } catch (error) {
      const fault = toProblem(error);
      if (!fault.retryable && fault.reason !== NOT_RUNNING) throw error;
      awaySinceMs ??= Date.now();
      if (Date.now() - awaySinceMs > awayMsMax) throw error;
      options.onAway?.(fault);
    }
    if (ended.size < options.contentIds.length) await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function look(client: AdminClient, contentIds: readonly string[], until: Until): Promise<Progress[]> {
  const [{ encodings }, { titles }] = await Promise.all([
    client.of(Encoding).getMany({ contentIds: [...contentIds] }),
    client.of(Catalog).getMany({ ids: [...contentIds] }),
  ]);
  const states: Progress[] = [];
  for (const contentId of contentIds) {
    const encoding = encodings.find((found) => found.contentId === contentId);
    const title = titles.find((found) => found.id === contentId);
    // Once it is being encoded, ingest has nothing new to say.
    const ingest = encoding ? undefined : await findIngest(client, contentId);
    states.push(progressOf(contentId, until, { ingest, encoding, title }));
  }
  return states;
}

/** Undefined where nothing was imported under that id. */
export async function findIngest(client: AdminClient, contentId: string): Promise<IngestState | undefined> {
  try {
    return (await client.of(Ingest).get({ contentId })).ingest;
  } catch (error) {
    if (toProblem(error).code === "not_found") return undefined;
    throw error;
  }
}
