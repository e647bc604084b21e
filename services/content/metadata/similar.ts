import { setImmediate as breathe } from "node:timers/promises";
import type { SimilarRequest } from "#contracts/metadata";
import { type Context, problem } from "#kernel";
import {
  ALIKE_MIN,
  middleOf,
  nearest,
  nearnessTo,
  type Neighbour,
  TITLES_MIN,
  unpackVector,
} from "./domain-embedding.ts";
import type { Parts } from "./parts.ts";
import * as store from "./store.ts";
import * as embeddings from "./store-embeddings.ts";

const PAGE = 250;
/** So many titles say where the middle of a catalogue is. */
const MIDDLE_TITLES = 500;
const TITLES_MAX = 20_000;
const LIMIT_MAX = 50;
const LIMIT = 10;

/** Titles of the same tenant that look like this one, the nearest first. Each is compared anew: what was taken in a moment ago is among them. */
export async function similar({ db }: Parts, request: SimilarRequest, context: Context) {
  const { contentId, similarityMin } = request;
  if (!(similarityMin >= 0 && similarityMin <= 1))
    throw problem.invalid(`similarity_min ${similarityMin} is not from 0 to 1`);
  const { title, step, own } = await db.read(context, async (tx) => ({
    title: await store.title(tx, contentId),
    step: await store.step(tx, contentId, "embedding"),
    own: await embeddings.ofTitle(tx, contentId),
  }));
  if (!title) throw problem.notFound(`'${contentId.slice(0, 80)}' was not taken in, so there is nothing to look at`);
  if (!own)
    throw problem.precondition(
      `'${contentId}' has no embedding: ${step?.message || "its step has not ended: ./marquee enrich status"}`,
      { reason: "no_embedding" },
    );
  const some = await db.read(context, (tx) => embeddings.othersAfter(tx, own, { afterId: "", limit: MIDDLE_TITLES }));
  if (some.length + 1 < TITLES_MIN)
    return { titles: [], compared: some.length, tooFew: true, partial: false, maker: own.maker };
  const middle = middleOf([own, ...some].map((each) => unpackVector(each.vector)));
  const nearness = nearnessTo(unpackVector(own.vector), middle);
  const limit = Math.min(request.limit || LIMIT, LIMIT_MAX);
  let found: Neighbour[] = [];
  let compared = 0;
  let isLastPage = false;
  for (let afterId = ""; !isLastPage && compared < TITLES_MAX; ) {
    const page = await db.read(context, (tx) => embeddings.othersAfter(tx, own, { afterId, limit: PAGE }));
    const near = page
      .map((other) => ({ contentId: other.contentId, similarity: nearness(unpackVector(other.vector)) }))
      .filter(({ similarity }) => similarity >= (similarityMin || ALIKE_MIN));
    found = nearest([...found, ...near], limit);
    compared += page.length;
    afterId = page.at(-1)?.contentId ?? "";
    isLastPage = page.length < PAGE;
    await breathe();
    context.signal.throwIfAborted();
  }
  return { titles: found, compared, tooFew: false, partial: !isLastPage, maker: own.maker };
}
