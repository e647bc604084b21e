/** What the origin and its edges agree on beyond the media's addresses. An edge is a process of its own and may be anybody's. */

/** GET: the public keys of access tokens, a JWKS with its `issuer`. */
export const KEYS_PATH = "/.well-known/cat-keys";
/** POST `{token, network}`: a successor of a token that is due, as `{token, expiresAtMs}`. */
export const RENEW_PATH = "/edge/renew";
/** GET `?after=serial`: titles to forget, as a PurgeFeed; waits up to 20 s for one. `after=-1` only asks where the feed is. */
export const PURGES_PATH = "/edge/purges";

export interface PurgeFeed {
  /** How far the answer goes; `after` of the next question. */
  readonly serial: number;
  /** The origin cannot tell what came after the mark: everything is to be forgotten. */
  readonly isReset: boolean;
  readonly purges: readonly { readonly contentId: string; readonly deleted: boolean }[];
}

/** What stands in manifests where only an edge knows the value: the reader's session and token. */
export const MARKS = { session: "$sid$", token: "$cat$", base: "$base$" } as const;
